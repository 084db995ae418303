#include "near_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <tuple>

namespace tcrops::data {
namespace {

constexpr std::size_t kNothing = static_cast<std::size_t>(-1);

// FNV-1a of the text without the letter at `left_out`, then mixed, since the leading bits choose
// the bucket.
std::uint64_t hash_without(std::string_view text, std::size_t left_out) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == left_out) continue;
    hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001B3U;
  }
  hash ^= hash >> 32U;
  return hash * 0x9E3779B97F4A7C15U;
}

// Hashes of the text and of what is left of it without one letter. In a run of equal letters each
// gives the same, so one is enough.
std::vector<std::uint64_t> hashes_of(std::string_view text) {
  std::vector<std::uint64_t> hashes = {hash_without(text, kNothing)};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 0 || text[i] != text[i - 1]) hashes.push_back(hash_without(text, i));
  }
  return hashes;
}

}  // namespace

TextIndex::TextIndex(std::vector<std::string> texts) : texts_(std::move(texts)) {
  std::sort(texts_.begin(), texts_.end());
  texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
  if (!texts_.empty() && texts_.front().empty()) texts_.erase(texts_.begin());
  std::size_t letters = 0;
  for (const std::string& text : texts_) letters += text.size() + 1;
  const auto bits = static_cast<unsigned>(std::bit_width(letters | 1U));
  shift_ = 64 - bits;
  std::vector<Entry> unsorted;
  unsorted.reserve(letters);
  starts_.assign((std::size_t{1} << bits) + 1, 0);
  for (std::size_t text = 0; text < texts_.size(); ++text) {
    check_interrupt();
    for (const std::uint64_t hash : hashes_of(texts_[text])) {
      unsorted.push_back({hash, static_cast<std::uint32_t>(text)});
      ++starts_[(hash >> shift_) + 1];
    }
  }
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  std::vector<std::uint32_t> next = starts_;
  entries_.resize(unsorted.size());
  for (const Entry& entry : unsorted) entries_[next[entry.hash >> shift_]++] = entry;
}

std::span<const TextIndex::Entry> TextIndex::bucket(std::uint64_t hash) const {
  const std::size_t at = hash >> shift_;
  return std::span(entries_).subspan(starts_[at], starts_[at + 1] - starts_[at]);
}

std::uint32_t TextIndex::number(std::string_view text) const {
  const auto at = std::lower_bound(texts_.begin(), texts_.end(), text);
  if (at == texts_.end() || *at != text) {
    throw Error(ExitCode::kFailure, "TextIndex: asked for the number of a text it does not have");
  }
  return static_cast<std::uint32_t>(at - texts_.begin());
}

std::vector<std::uint32_t> TextIndex::near(std::string_view text) const {
  std::vector<std::uint32_t> found;
  for (const std::uint64_t hash : hashes_of(text)) {
    for (const Entry& entry : bucket(hash)) {
      if (entry.hash == hash) found.push_back(entry.text);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::erase_if(found, [&](std::uint32_t other) { return !within_edits(text, texts_[other], 1); });
  return found;
}

namespace {

std::vector<std::string> texts_of(const std::vector<Cdr3s>& tcrs, std::string Cdr3s::*chain) {
  std::vector<std::string> texts;
  texts.reserve(tcrs.size());
  for (const Cdr3s& tcr : tcrs) texts.push_back(tcr.*chain);
  return texts;
}

}  // namespace

TcrIndex::TcrIndex(const std::vector<Cdr3s>& tcrs)
    : alphas_(texts_of(tcrs, &Cdr3s::alpha)), betas_(texts_of(tcrs, &Cdr3s::beta)) {
  for (std::size_t i = 0; i < tcrs.size(); ++i) {
    check_interrupt();
    const Cdr3s& tcr = tcrs[i];
    const auto number = static_cast<std::uint32_t>(i);
    const std::uint32_t alpha = tcr.alpha.empty() ? kMissing : alphas_.number(tcr.alpha);
    const std::uint32_t beta = tcr.beta.empty() ? kMissing : betas_.number(tcr.beta);
    if (beta != kMissing) by_beta_.push_back({beta, alpha, number});
    if (alpha != kMissing) by_alpha_.push_back({alpha, beta, number});
  }
  const auto sort_nodes = [](std::vector<Node>& nodes) {
    std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) {
      return std::tie(a.first, a.second, a.tcr) < std::tie(b.first, b.second, b.tcr);
    });
  };
  sort_nodes(by_beta_);
  sort_nodes(by_alpha_);
}

std::span<const TcrIndex::Node> TcrIndex::group(const std::vector<Node>& nodes,
                                                std::uint32_t first) {
  const auto begin =
      std::lower_bound(nodes.begin(), nodes.end(), first,
                       [](const Node& node, std::uint32_t value) { return node.first < value; });
  const auto end =
      std::upper_bound(begin, nodes.end(), first,
                       [](std::uint32_t value, const Node& node) { return value < node.first; });
  return {begin, end};
}

void TcrIndex::visit(const Cdr3s& tcr, const Found& found) const {
  const std::vector<std::uint32_t> alphas =
      tcr.alpha.empty() ? std::vector<std::uint32_t>() : alphas_.near(tcr.alpha);
  if (visit_by_beta(tcr, alphas, found)) (void)visit_by_alpha(tcr, alphas, found);
}

// Those that share a beta. A beta may have thousands of alphas (or an alpha thousands of TCRs), so
// of the two lists, near alphas and TCRs of the beta, the longer one is searched, not walked.
bool TcrIndex::visit_by_beta(const Cdr3s& tcr, std::span<const std::uint32_t> alphas,
                             const Found& found) const {
  if (tcr.beta.empty()) return true;
  for (const std::uint32_t beta : betas_.near(tcr.beta)) {
    const std::span<const Node> nodes = group(by_beta_, beta);
    if (tcr.alpha.empty() || nodes.size() <= alphas.size()) {
      for (const Node& node : nodes) {
        const bool near_alpha = tcr.alpha.empty() || node.second == kMissing ||
                                std::binary_search(alphas.begin(), alphas.end(), node.second);
        if (near_alpha && !found(node.tcr)) return false;
      }
      continue;
    }
    const auto visit_alpha = [&](std::uint32_t alpha) {
      auto at = std::lower_bound(
          nodes.begin(), nodes.end(), alpha,
          [](const Node& node, std::uint32_t value) { return node.second < value; });
      for (; at != nodes.end() && at->second == alpha; ++at) {
        if (!found(at->tcr)) return false;
      }
      return true;
    };
    if (!std::all_of(alphas.begin(), alphas.end(), visit_alpha) || !visit_alpha(kMissing)) {
      return false;
    }
  }
  return true;
}

// Those that share only an alpha: one of the two has no beta.
bool TcrIndex::visit_by_alpha(const Cdr3s& tcr, std::span<const std::uint32_t> alphas,
                              const Found& found) const {
  for (const std::uint32_t alpha : alphas) {
    std::span<const Node> nodes = group(by_alpha_, alpha);
    if (!tcr.beta.empty()) {
      const auto without = std::lower_bound(
          nodes.begin(), nodes.end(), kMissing,
          [](const Node& node, std::uint32_t value) { return node.second < value; });
      nodes = {without, nodes.end()};
    }
    for (const Node& node : nodes) {
      if (!found(node.tcr)) return false;
    }
  }
  return true;
}

}  // namespace tcrops::data
