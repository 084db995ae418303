#include "near_index.hpp"

#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/similarity.hpp>

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace tcrops::data {
namespace {

constexpr std::size_t kUnnumbered = static_cast<std::size_t>(-1);

// Disjoint sets with path halving; the smaller number stands for the set.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t item) {
    while (parent_[item] != item) {
      parent_[item] = parent_[parent_[item]];
      item = parent_[item];
    }
    return item;
  }

  void join(std::size_t a, std::size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

bool has(std::span<const Column> columns, Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::vector<Cdr3s> cdr3s_of_tcrs(std::span<const Record> records, const DistinctTcrs& tcrs,
                                 std::span<const Column> columns) {
  std::vector<Cdr3s> all;
  all.reserve(tcrs.count());
  for (const std::size_t row : tcrs.first_row) all.push_back(cdr3s_of(records[row], columns));
  return all;
}

}  // namespace

bool within_edits(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t longer = std::max(a.size(), b.size());
  const std::size_t shorter = std::min(a.size(), b.size());
  if (longer - shorter > limit) return false;
  std::size_t same = 0;
  while (same < shorter && a[same] == b[same]) ++same;
  if (same == shorter) return true;  // what is left over is at most `limit` letters
  if (limit == 0) return false;
  a.remove_prefix(same);
  b.remove_prefix(same);
  return within_edits(a.substr(1), b.substr(1), limit - 1) ||
         within_edits(a.substr(1), b, limit - 1) || within_edits(a, b.substr(1), limit - 1);
}

Cdr3s cdr3s_of(const Record& record, std::span<const Column> columns) {
  Cdr3s tcr;
  if (has(columns, Column::kCdr3Alpha)) tcr.alpha = record[Column::kCdr3Alpha];
  if (has(columns, Column::kCdr3Beta)) tcr.beta = record[Column::kCdr3Beta];
  return tcr;
}

bool near_duplicates(const Cdr3s& a, const Cdr3s& b) {
  const bool alphas = !a.alpha.empty() && !b.alpha.empty();
  const bool betas = !a.beta.empty() && !b.beta.empty();
  return (alphas || betas) && (!betas || within_edits(a.beta, b.beta, 1)) &&
         (!alphas || within_edits(a.alpha, b.alpha, 1));
}

DistinctTcrs distinct_tcrs(std::span<const Record> records, std::span<const Column> columns) {
  std::unordered_map<std::string, std::size_t> index;
  std::vector<const std::string*> keys;
  DistinctTcrs tcrs;
  std::vector<std::size_t> first_row;
  for (std::size_t row = 0; row < records.size(); ++row) {
    check_interrupt();
    const auto [at, is_new] = index.try_emplace(tcr_key(records[row], columns), keys.size());
    if (is_new) {
      keys.push_back(&at->first);
      first_row.push_back(row);
    }
    tcrs.of_row.push_back(at->second);
  }
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return *keys[a] < *keys[b]; });
  std::vector<std::size_t> number(keys.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    number[order[i]] = i;
    tcrs.first_row.push_back(first_row[order[i]]);
  }
  for (std::size_t& tcr : tcrs.of_row) tcr = number[tcr];
  return tcrs;
}

Clusters cluster_tcrs(std::span<const Record> records, std::span<const Column> columns) {
  const DistinctTcrs tcrs = distinct_tcrs(records, columns);
  const std::vector<Cdr3s> cdr3s = cdr3s_of_tcrs(records, tcrs, columns);
  const TcrIndex index(cdr3s);
  Sets sets(tcrs.count());
  for (std::size_t tcr = 0; tcr < tcrs.count(); ++tcr) {
    check_interrupt();
    index.visit(cdr3s[tcr], [&](std::size_t other) {
      if (other > tcr) sets.join(tcr, other);
      return true;
    });
  }
  // A set's smallest TCR stands for it, so it comes first.
  std::vector<std::size_t> number(tcrs.count(), kUnnumbered);
  Clusters clusters;
  for (std::size_t tcr = 0; tcr < tcrs.count(); ++tcr) {
    const std::size_t first = sets.find(tcr);
    if (first == tcr) {
      number[tcr] = clusters.tcrs.size();
      clusters.tcrs.push_back(0);
    }
    number[tcr] = number[first];
    ++clusters.tcrs[number[tcr]];
  }
  clusters.of_row.reserve(records.size());
  for (const std::size_t tcr : tcrs.of_row) clusters.of_row.push_back(number[tcr]);
  return clusters;
}

std::vector<bool> near_duplicate_in(std::span<const Record> queries,
                                    std::span<const Record> references,
                                    std::span<const Column> columns) {
  const DistinctTcrs known = distinct_tcrs(references, columns);
  const TcrIndex index(cdr3s_of_tcrs(references, known, columns));
  std::unordered_set<std::string> keys;
  for (const std::size_t row : known.first_row) keys.insert(tcr_key(references[row], columns));
  const DistinctTcrs asked = distinct_tcrs(queries, columns);
  std::vector<bool> near(asked.count());
  for (std::size_t tcr = 0; tcr < asked.count(); ++tcr) {
    check_interrupt();
    const Record& record = queries[asked.first_row[tcr]];
    bool found = keys.contains(tcr_key(record, columns));
    if (!found) {
      index.visit(cdr3s_of(record, columns), [&](std::size_t) {
        found = true;
        return false;
      });
    }
    near[tcr] = found;
  }
  std::vector<bool> of_row;
  of_row.reserve(queries.size());
  for (const std::size_t tcr : asked.of_row) of_row.push_back(near[tcr]);
  return of_row;
}

}  // namespace tcrops::data
