#include "nearest_tcr.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace tcrops::stages {
namespace {

constexpr std::size_t kWordLength = 3;
constexpr double kRounding = 1e-4;  // far above what sums of floats lose

}  // namespace

NearestTcr::Chain NearestTcr::chain_of(std::string_view cdr3) {
  std::vector<std::uint32_t> words;
  for (std::size_t i = 0; i + kWordLength <= cdr3.size(); ++i) {
    std::uint32_t word = 0;
    for (const char letter : cdr3.substr(i, kWordLength)) {
      word = (word << 8U) | static_cast<unsigned char>(letter);
    }
    words.push_back(word);
  }
  std::sort(words.begin(), words.end());
  Chain chain;
  std::uint64_t squared = 0;
  for (const std::uint32_t word : words) {
    if (chain.words.empty() || chain.words.back().word != word) chain.words.push_back({word, 0});
    ++chain.words.back().count;
  }
  for (const WordCount& each : chain.words) squared += std::uint64_t{each.count} * each.count;
  chain.length = std::sqrt(static_cast<double>(squared));
  return chain;
}

NearestTcr::NearestTcr(std::span<const data::Cdr3s> tcrs) : size_(tcrs.size()) {
  groups_[0].chains = {0, 1};
  groups_[1].chains = {0};
  groups_[2].chains = {1};
  for (const data::Cdr3s& tcr : tcrs) {
    if (tcr.alpha.empty() && tcr.beta.empty()) continue;
    const std::size_t which = tcr.beta.empty() ? 1 : (tcr.alpha.empty() ? 2 : 0);
    Group& group = groups_[which];
    const auto number = static_cast<std::uint32_t>(group.size++);
    for (const std::size_t chain : group.chains) {
      Chain words = chain_of(chain == 0 ? tcr.alpha : tcr.beta);
      for (const WordCount& each : words.words) {
        group.postings[chain][each.word].push_back(
            {number, static_cast<float>(each.count / words.length)});
      }
      group.of[chain].push_back(std::move(words));
    }
  }
  for (Group& group : groups_) group.sums.assign(group.size, 0.0F);
}

double NearestTcr::cosine(const Chain& a, const Chain& b) {
  if (a.words.empty() || b.words.empty()) return 0.0;
  std::uint64_t product = 0;
  bool equal = a.words.size() == b.words.size();
  auto right = b.words.begin();
  for (const WordCount& left : a.words) {
    while (right != b.words.end() && right->word < left.word) ++right;
    if (right == b.words.end() || right->word != left.word) {
      equal = false;
      if (right == b.words.end()) break;
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
  for (const std::size_t chain : shared) sum += cosine(query[chain], group.of[chain][tcr]);
  return sum / static_cast<double>(shared.size());
}

double NearestTcr::best_of(Group& group, const Query& query, double at_least) {
  std::vector<std::size_t> shared;
  for (const std::size_t chain : group.chains) {
    if (!query[chain].words.empty()) shared.push_back(chain);
  }
  if (shared.empty() || group.size == 0) return at_least;
  const double weight = 1.0 / static_cast<double>(shared.size());
  std::vector<Step> steps;
  for (const std::size_t chain : shared) {
    for (const WordCount& each : query[chain].words) {
      const auto found = group.postings[chain].find(each.word);
      if (found == group.postings[chain].end()) continue;
      steps.push_back({&found->second, chain, each.count / query[chain].length});
    }
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) {
    return a.postings->size() < b.postings->size();
  });
  std::array<double, 2> unseen{};  // squared length of what is left of the query's chains
  for (const Step& step : steps) unseen[step.chain] += step.part * step.part;
  const auto reach = [&] {
    return weight * (std::sqrt(std::max(unseen[0], 0.0)) + std::sqrt(std::max(unseen[1], 0.0))) +
           kRounding;
  };

  float most = 0.0F;
  std::uint32_t most_at = 0;
  touched_.clear();
  for (const Step& step : steps) {
    if (reach() < std::max(at_least, static_cast<double>(most))) break;
    unseen[step.chain] -= step.part * step.part;
    const auto part = static_cast<float>(weight * step.part);
    for (const Posting& posting : *step.postings) {
      float& sum = group.sums[posting.tcr];
      if (sum == 0.0F) touched_.push_back(posting.tcr);
      sum += part * posting.part;
      if (sum > most) {
        most = sum;
        most_at = posting.tcr;
      }
    }
  }
  double best = at_least;
  if (!touched_.empty()) best = std::max(best, similarity(group, most_at, query, shared));
  const double rest = reach();
  for (const std::uint32_t tcr : touched_) {
    if (static_cast<double>(group.sums[tcr]) + rest > best && best < 1.0) {
      best = std::max(best, similarity(group, tcr, query, shared));
    }
    group.sums[tcr] = 0.0F;
  }
  return best;
}

double NearestTcr::similarity(const data::Cdr3s& query) {
  const Query chains = {chain_of(query.alpha), chain_of(query.beta)};
  double best = 0.0;
  for (Group& group : groups_) best = best_of(group, chains, best);
  return best;
}

}  // namespace tcrops::stages
