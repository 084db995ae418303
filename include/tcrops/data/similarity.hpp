// Which TCRs are nearly the same. Two TCRs are near duplicates when they share at least one CDR3
// chain and every chain that both have differs by at most one edit (one letter replaced, put in or
// taken out). Genes have no say, so equal CDR3s with other genes are near duplicates. A chain that
// is not among the given columns counts as missing. Pure functions; everything here may be called
// from several threads.
#pragma once

#include <tcrops/data/record.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Whether the Levenshtein distance is at most `limit`. Meant for limits of a few edits: the time
// grows as 3^limit, and texts that differ early are told apart at once.
[[nodiscard]] bool within_edits(std::string_view a, std::string_view b, std::size_t limit);

// The CDR3s of a TCR; an empty one is missing.
struct Cdr3s {
  std::string alpha;
  std::string beta;
};
[[nodiscard]] Cdr3s cdr3s_of(const Record& record, std::span<const Column> columns = kTcrColumns);

[[nodiscard]] bool near_duplicates(const Cdr3s& a, const Cdr3s& b);

// The distinct TCRs (tcr_key over `columns`) of a table, numbered in the order of their keys, so
// the order of the rows has no say.
struct DistinctTcrs {
  std::vector<std::size_t> of_row;     // number of the row's TCR
  std::vector<std::size_t> first_row;  // of each TCR

  [[nodiscard]] std::size_t count() const { return first_row.size(); }
};
[[nodiscard]] DistinctTcrs distinct_tcrs(std::span<const Record> records,
                                         std::span<const Column> columns = kTcrColumns);

// Clusters of TCRs: the connected components of "is a near duplicate of". So two TCRs of one
// cluster need not be near duplicates, but two of different clusters never are. A TCR without
// either CDR3 is alone. Clusters are numbered by their first TCR, in the order of the keys.
struct Clusters {
  std::vector<std::size_t> of_row;
  std::vector<std::size_t> tcrs;  // distinct TCRs in each cluster

  [[nodiscard]] std::size_t count() const { return tcrs.size(); }
};
[[nodiscard]] Clusters cluster_tcrs(std::span<const Record> records,
                                    std::span<const Column> columns = kTcrColumns);

// For each row of `queries`, whether its TCR or a near duplicate of it is among `references`.
// Without either CDR3 only an equal TCR counts.
[[nodiscard]] std::vector<bool> near_duplicate_in(std::span<const Record> queries,
                                                  std::span<const Record> references,
                                                  std::span<const Column> columns = kTcrColumns);

}  // namespace tcrops::data
