#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/cdr3_words.hpp>
#include <tcrops/eval/baselines.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace tcrops::eval {
namespace {

using data::WordCount;

// One chain of a set of TCRs, found by word: a query touches only the TCRs that share one with it.
class ChainIndex {
 public:
  void add(std::string_view cdr3) {
    const std::vector<WordCount> counts = data::count_words(cdr3);
    const auto tcr = static_cast<std::uint32_t>(squared_lengths_.size());
    for (const WordCount& each : counts) entries_[each.word].push_back({tcr, each.count});
    squared_lengths_.push_back(data::squared_length(counts));
  }

  // Adds the cosine between the query and each TCR to `sums`. Products are summed as integers, so
  // that equal CDR3s give exactly 1.
  void add_cosines(std::string_view cdr3, std::vector<double>& sums) const {
    const std::vector<WordCount> query = data::count_words(cdr3);
    const std::uint64_t query_squared = data::squared_length(query);
    std::vector<std::uint64_t> products(squared_lengths_.size(), 0);
    for (const WordCount& each : query) {
      const auto found = entries_.find(each.word);
      if (found == entries_.end()) continue;
      for (const Entry& entry : found->second) {
        products[entry.tcr] += std::uint64_t{each.count} * entry.count;
      }
    }
    for (std::size_t i = 0; i < products.size(); ++i) {
      if (products[i] == 0) continue;
      sums[i] += static_cast<double>(products[i]) /
                 std::sqrt(static_cast<double>(query_squared * squared_lengths_[i]));
    }
  }

 private:
  struct Entry {
    std::uint32_t tcr;
    std::uint32_t count;
  };
  std::unordered_map<std::uint32_t, std::vector<Entry>> entries_;
  std::vector<std::uint64_t> squared_lengths_;
};

// The training TCRs that bind one epitope.
struct Binders {
  ChainIndex alpha;
  ChainIndex beta;
  std::vector<bool> has_alpha;
  std::vector<bool> has_beta;
};

// Means over the chains that both have.
double largest_similarity(const Binders& binders, const data::Record& record) {
  const std::string& alpha = record[data::Column::kCdr3Alpha];
  const std::string& beta = record[data::Column::kCdr3Beta];
  std::vector<double> sums(binders.has_alpha.size(), 0.0);
  binders.alpha.add_cosines(alpha, sums);
  binders.beta.add_cosines(beta, sums);
  double largest = 0.0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const int shared = static_cast<int>(binders.has_alpha[i] && !alpha.empty()) +
                       static_cast<int>(binders.has_beta[i] && !beta.empty());
    if (shared > 0) largest = std::max(largest, sums[i] / shared);
  }
  return largest;
}

}  // namespace

std::vector<double> always_no_scores(std::size_t rows) { return std::vector<double>(rows, 0.0); }

std::vector<double> nearest_neighbour_scores(std::span<const data::Record> train,
                                             std::span<const data::Record> test) {
  std::unordered_map<std::string, Binders> by_epitope;
  for (const data::Record& record : train) {
    const std::string& epitope = record[data::Column::kEpitope];
    if (!record.label.value_or(false) || epitope.empty()) continue;
    Binders& binders = by_epitope[epitope];
    binders.alpha.add(record[data::Column::kCdr3Alpha]);
    binders.beta.add(record[data::Column::kCdr3Beta]);
    binders.has_alpha.push_back(!record[data::Column::kCdr3Alpha].empty());
    binders.has_beta.push_back(!record[data::Column::kCdr3Beta].empty());
  }
  std::vector<double> scores;
  scores.reserve(test.size());
  for (const data::Record& record : test) {
    check_interrupt();
    const auto found = by_epitope.find(record[data::Column::kEpitope]);
    scores.push_back(found == by_epitope.end() ? 0.0 : largest_similarity(found->second, record));
  }
  return scores;
}

}  // namespace tcrops::eval
