#include "nearest_tcr.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace tcrops::stages {
namespace {

constexpr std::size_t kMaskBits = 64;
// A word counts as frequent when one in so many TCRs has it.
constexpr std::size_t kOneIn = 8;
constexpr float kRounding = 1e-4F;  // far above what sums of floats lose

}  // namespace

NearestTcr::Words NearestTcr::words_of(std::string_view cdr3) {
  Words words;
  words.counts = data::count_words(cdr3);
  words.length = std::sqrt(static_cast<double>(data::squared_length(words.counts)));
  return words;
}

void NearestTcr::index(Chain& chain) {
  std::unordered_map<std::uint32_t, std::size_t> tcrs_with;
  for (const Words& words : chain.words) {
    for (const data::WordCount& each : words.counts) ++tcrs_with[each.word];
  }
  std::vector<std::pair<std::size_t, std::uint32_t>> frequent;
  for (const auto& [word, count] : tcrs_with) {
    if (count * kOneIn > chain.words.size()) frequent.emplace_back(count, word);
  }
  std::sort(frequent.rbegin(), frequent.rend());
  frequent.resize(std::min(frequent.size(), kMaskBits));
  for (const auto& [count, word] : frequent) {
    chain.bits.emplace(word, static_cast<unsigned>(chain.bits.size()));
  }
  for (std::size_t tcr = 0; tcr < chain.words.size(); ++tcr) {
    const Words& words = chain.words[tcr];
    std::uint64_t mask = 0;
    for (const data::WordCount& each : words.counts) {
      std::uint32_t rest = each.count;
      if (const auto bit = chain.bits.find(each.word); bit != chain.bits.end()) {
        mask |= std::uint64_t{1} << bit->second;
        --rest;
      }
      if (rest == 0) continue;
      chain.postings[each.word].push_back(
          {static_cast<std::uint32_t>(tcr), static_cast<float>(rest / words.length)});
    }
    chain.masks.push_back(mask);
    chain.inverse.push_back(words.counts.empty() ? 0.0F : static_cast<float>(1.0 / words.length));
  }
}

NearestTcr::NearestTcr(std::span<const data::Cdr3s> tcrs) : size_(tcrs.size()) {
  groups_[0].chains = {0, 1};
  groups_[1].chains = {0};
  groups_[2].chains = {1};
  for (const data::Cdr3s& tcr : tcrs) {
    if (tcr.alpha.empty() && tcr.beta.empty()) continue;
    const std::size_t which = tcr.beta.empty() ? 1 : (tcr.alpha.empty() ? 2 : 0);
    Group& group = groups_[which];
    ++group.size;
    for (const std::size_t chain : group.chains) {
      group.of[chain].words.push_back(words_of(chain == 0 ? tcr.alpha : tcr.beta));
    }
  }
  for (Group& group : groups_) {
    for (const std::size_t chain : group.chains) index(group.of[chain]);
    group.sums.assign(group.size, 0.0F);
  }
}

double NearestTcr::cosine(const Words& a, const Words& b) {
  if (a.counts.empty() || b.counts.empty()) return 0.0;
  std::uint64_t product = 0;
  bool equal = a.counts.size() == b.counts.size();
  auto right = b.counts.begin();
  for (const data::WordCount& left : a.counts) {
    while (right != b.counts.end() && right->word < left.word) ++right;
    if (right == b.counts.end() || right->word != left.word) {
      equal = false;
      if (right == b.counts.end()) break;
      continue;
    }
    equal = equal && left.count == right->count;
    product += std::uint64_t{left.count} * right->count;
  }
  return equal ? 1.0 : static_cast<double>(product) / (a.length * b.length);
}

double NearestTcr::similarity(const Group& group, std::size_t tcr, const Query& query,
                              std::span<const std::size_t> shared) {
  double sum = 0.0;
  for (const std::size_t chain : shared) sum += cosine(query[chain], group.of[chain].words[tcr]);
  return sum / static_cast<double>(shared.size());
}

NearestTcr::Frequent NearestTcr::add_rare(Group& group, std::size_t which, const Words& query,
                                          double weight) {
  const Chain& chain = group.of[which];
  Frequent frequent{&chain, static_cast<float>(weight / query.length), {}};
  for (const data::WordCount& each : query.counts) {
    if (const auto bit = chain.bits.find(each.word); bit != chain.bits.end()) {
      if (frequent.layers.size() < each.count) frequent.layers.resize(each.count, 0);
      for (std::uint32_t i = 0; i < each.count; ++i) {
        frequent.layers[i] |= std::uint64_t{1} << bit->second;
      }
    }
    const auto found = chain.postings.find(each.word);
    if (found == chain.postings.end()) continue;
    const auto part = static_cast<float>(weight * each.count / query.length);
    for (const Posting& posting : found->second) {
      float& sum = group.sums[posting.tcr];
      if (sum == 0.0F) touched_.push_back(posting.tcr);
      sum += part * posting.part;
    }
  }
  return frequent;
}

double NearestTcr::best_of(Group& group, const Query& query, double at_least) {
  std::vector<std::size_t> shared;
  for (const std::size_t chain : group.chains) {
    if (!query[chain].counts.empty()) shared.push_back(chain);
  }
  if (shared.empty() || group.size == 0) return at_least;
  const double weight = 1.0 / static_cast<double>(shared.size());
  touched_.clear();
  std::vector<Frequent> frequent;
  double reach = 0.0;  // of a TCR on none of the lists
  for (const std::size_t chain : shared) {
    frequent.push_back(add_rare(group, chain, query[chain], weight));
    double squared = 0.0;
    for (const data::WordCount& each : query[chain].counts) {
      if (group.of[chain].bits.contains(each.word)) squared += each.count * each.count;
    }
    reach += weight * std::sqrt(squared) / query[chain].length;
  }
  const auto complete = [&](std::uint32_t tcr) {
    float sum = group.sums[tcr];
    for (const Frequent& each : frequent) {
      int words = 0;
      for (const std::uint64_t layer : each.layers) {
        words += std::popcount(layer & each.chain->masks[tcr]);
      }
      sum += each.weight * each.chain->inverse[tcr] * static_cast<float>(words);
    }
    return sum;
  };
  // Sums of floats say which TCRs may be the nearest; those are compared exactly.
  double best = at_least;
  float least = static_cast<float>(at_least) - kRounding;
  const auto consider = [&](std::uint32_t tcr) {
    const float sum = complete(tcr);
    if (sum <= least) return;
    best = std::max(best, similarity(group, tcr, query, shared));
    least = std::max(least, static_cast<float>(best) - kRounding);
  };
  for (const std::uint32_t tcr : touched_) consider(tcr);
  if (reach > best) {
    for (std::uint32_t tcr = 0; tcr < group.size; ++tcr) {
      if (group.sums[tcr] == 0.0F) consider(tcr);
    }
  }
  for (const std::uint32_t tcr : touched_) group.sums[tcr] = 0.0F;
  return best;
}

double NearestTcr::similarity(const data::Cdr3s& query) {
  const Query words = {words_of(query.alpha), words_of(query.beta)};
  double best = 0.0;
  for (Group& group : groups_) best = best_of(group, words, best);
  return best;
}

}  // namespace tcrops::stages
