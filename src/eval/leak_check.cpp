#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/similarity.hpp>
#include <tcrops/eval/leak_check.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

namespace tcrops::eval {
namespace {

using data::Column;
using data::Record;
using data::Side;

constexpr std::size_t kExamples = 5;

// The rows with what the checks ask of them.
struct Rows {
  std::span<const Record> records;
  std::span<const Side> sides;
  std::span<const Column> columns;
  data::DistinctTcrs tcrs;

  [[nodiscard]] bool on(std::size_t row, Side side) const { return sides[row] == side; }
  // A labelled row with an epitope.
  [[nodiscard]] bool labelled(std::size_t row) const {
    return records[row].label.has_value() && !records[row][Column::kEpitope].empty();
  }
  [[nodiscard]] const std::string& epitope(std::size_t row) const {
    return records[row][Column::kEpitope];
  }
  [[nodiscard]] const std::string& mhc(std::size_t row) const { return records[row][Column::kMhc]; }
  // A letter for each of the columns and MHC, whether it is missing.
  [[nodiscard]] std::string gaps(std::size_t row) const {
    std::string letters(1, mhc(row).empty() ? '-' : 'x');
    for (const Column column : columns) letters += records[row][column].empty() ? '-' : 'x';
    return letters;
  }
};

// Counts things by number, once each, with the first row of each as its example.
class Collector {
 public:
  void add(std::size_t thing, std::size_t row) { rows_.try_emplace(thing, row); }

  [[nodiscard]] LeakCount count(const Rows& rows) const {
    LeakCount result{rows_.size(), {}};
    for (const auto& [thing, row] : rows_) {
      if (rows.records[row].line > 0) result.lines.push_back(rows.records[row].line);
    }
    std::sort(result.lines.begin(), result.lines.end());
    result.lines.resize(std::min(result.lines.size(), kExamples));
    return result;
  }

 private:
  std::map<std::size_t, std::size_t> rows_;
};

// Sides, as bits, on which something was seen.
unsigned bit(Side side) { return 1U << static_cast<unsigned>(side); }
bool several(unsigned bits) { return (bits & (bits - 1U)) != 0; }

LeakCount count_shared(const Rows& rows) {
  std::vector<unsigned> seen(rows.tcrs.count(), 0);
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    seen[rows.tcrs.of_row[row]] |= bit(rows.sides[row]);
  }
  Collector shared;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (several(seen[rows.tcrs.of_row[row]])) shared.add(rows.tcrs.of_row[row], row);
  }
  return shared.count(rows);
}

// One row of each TCR of a side.
std::vector<std::size_t> rows_of_side(const Rows& rows, Side side) {
  std::map<std::size_t, std::size_t> first;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (rows.on(row, side)) first.try_emplace(rows.tcrs.of_row[row], row);
  }
  std::vector<std::size_t> of_side;
  of_side.reserve(first.size());
  for (const auto& [tcr, row] : first) of_side.push_back(row);
  return of_side;
}

std::vector<Record> take(std::span<const Record> records, const std::vector<std::size_t>& rows) {
  std::vector<Record> taken;
  taken.reserve(rows.size());
  for (const std::size_t row : rows) taken.push_back(records[row]);
  return taken;
}

LeakCount count_near(const Rows& rows, Side asked, Side known) {
  const std::vector<std::size_t> queries = rows_of_side(rows, asked);
  const std::vector<bool> near = data::near_duplicate_in(
      take(rows.records, queries), take(rows.records, rows_of_side(rows, known)), rows.columns);
  Collector found;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (near[i]) found.add(rows.tcrs.of_row[queries[i]], queries[i]);
  }
  return found.count(rows);
}

LeakCount count_across_sides(const Rows& rows) {
  std::vector<std::array<unsigned, 2>> seen(rows.tcrs.count());  // sides by label
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.labelled(row)) continue;
    seen[rows.tcrs.of_row[row]][*rows.records[row].label ? 1 : 0] |= bit(rows.sides[row]);
  }
  Collector found;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    const auto& [no, yes] = seen[rows.tcrs.of_row[row]];
    if (no != 0 && yes != 0 && several(no | yes)) found.add(rows.tcrs.of_row[row], row);
  }
  return found.count(rows);
}

LeakCount count_conflicts(const Rows& rows) {
  std::map<std::pair<std::size_t, std::string>, std::pair<bool, std::size_t>> first;
  Collector found;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    check_interrupt();
    if (!rows.labelled(row)) continue;
    const bool label = *rows.records[row].label;
    const auto at =
        first.try_emplace({rows.tcrs.of_row[row], rows.epitope(row)}, std::pair(label, row)).first;
    if (at->second.first != label) found.add(at->second.second, row);
  }
  return found.count(rows);
}

LeakCount count_without_binder(const Rows& rows) {
  std::map<std::string, std::size_t> first;  // row of the epitope
  std::map<std::string, bool> bound;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.labelled(row)) continue;
    first.try_emplace(rows.epitope(row), row);
    bound[rows.epitope(row)] |= *rows.records[row].label;
  }
  Collector found;
  for (const auto& [epitope, row] : first) {
    if (!bound.at(epitope)) found.add(row, row);
  }
  return found.count(rows);
}

LeakCount count_one_label_rows(const Rows& rows) {
  struct Seen {
    unsigned train = 0;  // labels, as bits
    unsigned test = 0;
  };
  std::map<std::string, Seen> labels;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.labelled(row) || rows.on(row, Side::kValidation)) continue;
    Seen& seen = labels[rows.epitope(row)];
    (rows.on(row, Side::kTrain) ? seen.train : seen.test) |= *rows.records[row].label ? 2U : 1U;
  }
  Collector found;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.labelled(row) || !rows.on(row, Side::kTest)) continue;
    const Seen& seen = labels.at(rows.epitope(row));
    if (seen.train == seen.test && !several(seen.test)) found.add(row, row);
  }
  return found.count(rows);
}

// Labelled rows and positives among them.
struct Share {
  std::size_t rows = 0;
  std::size_t positives = 0;

  void add(bool label) {
    ++rows;
    positives += label ? 1 : 0;
  }
  [[nodiscard]] double value() const {
    return rows == 0 ? 0.5 : static_cast<double>(positives) / static_cast<double>(rows);
  }
};

struct Scored {
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;

  [[nodiscard]] std::size_t positives() const {
    return labels.size() -
           static_cast<std::size_t>(std::count(labels.begin(), labels.end(), std::uint8_t{0}));
  }
};

// Of the AUROC when the same numbers of both labels are given to the rows by chance.
double chance_variance(const Scored& scored) {
  const auto n = static_cast<double>(scored.labels.size());
  const auto p = static_cast<double>(scored.positives());
  std::map<double, double> of_score;
  for (const double score : scored.scores) ++of_score[score];
  double ties = 0.0;
  for (const auto& [score, t] : of_score) ties += t * (t * t - 1.0);
  return (n + 1.0 - ties / (n * (n - 1.0))) / (12.0 * p * (n - p));
}

// The labelled rows of test with their scores, under the name that `group` gives each.
using ScoreOf = std::function<double(std::size_t row)>;
using GroupOf = std::function<std::string(std::size_t row)>;
FrequencyScore score_test(const Rows& rows, const ScoreOf& score, const GroupOf& group) {
  std::map<std::string, Scored> groups;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.on(row, Side::kTest) || !rows.labelled(row)) continue;
    Scored& of_group = groups[group(row)];
    of_group.labels.push_back(*rows.records[row].label ? 1 : 0);
    of_group.scores.push_back(score(row));
  }
  FrequencyScore result;
  double sum = 0.0;
  double variance = 0.0;
  for (const auto& [name, scored] : groups) {
    const double area = auroc(scored.labels, scored.scores);
    if (std::isnan(area)) continue;
    sum += area;
    variance += chance_variance(scored);
    ++result.epitopes;
    result.positives += scored.positives();
    result.negatives += scored.labels.size() - scored.positives();
  }
  if (result.epitopes > 0) {
    result.auroc = sum / static_cast<double>(result.epitopes);
    result.standard_error =
        std::sqrt(std::max(variance, 0.0)) / static_cast<double>(result.epitopes);
  }
  return result;
}

// What the labelled rows of train show, and how often a TCR occurs in test.
struct Frequencies {
  using OfPair = std::map<std::pair<std::string, std::string>, Share>;

  std::vector<std::size_t> test_rows;  // of each TCR
  std::vector<Share> of_tcr;
  std::map<std::string, Share> of_epitope;
  OfPair of_mhc;   // by epitope and MHC
  OfPair of_gaps;  // by epitope and gaps
};

Frequencies learn(const Rows& rows) {
  Frequencies seen;
  seen.test_rows.assign(rows.tcrs.count(), 0);
  seen.of_tcr.resize(rows.tcrs.count());
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    check_interrupt();
    if (!rows.labelled(row)) continue;
    const std::size_t tcr = rows.tcrs.of_row[row];
    if (rows.on(row, Side::kTest)) ++seen.test_rows[tcr];
    if (!rows.on(row, Side::kTrain)) continue;
    const bool label = *rows.records[row].label;
    seen.of_tcr[tcr].add(label);
    seen.of_epitope[rows.epitope(row)].add(label);
    seen.of_mhc[{rows.epitope(row), rows.mhc(row)}].add(label);
    seen.of_gaps[{rows.epitope(row), rows.gaps(row)}].add(label);
  }
  return seen;
}

LeakCheck with_frequencies(LeakCheck check, const Rows& rows) {
  const Frequencies seen = learn(rows);
  const auto share_in = [](const auto& shares, const auto& key) {
    const auto at = shares.find(key);
    return (at == shares.end() ? Share{} : at->second).value();
  };
  const GroupOf by_epitope = [&](std::size_t row) { return rows.epitope(row); };
  const GroupOf together = [](std::size_t) { return std::string(); };
  const ScoreOf tcr_rows = [&](std::size_t row) {
    return -static_cast<double>(seen.test_rows[rows.tcrs.of_row[row]]);
  };
  const ScoreOf tcr_share = [&](std::size_t row) {
    return seen.of_tcr[rows.tcrs.of_row[row]].value();
  };
  const ScoreOf mhc_share = [&](std::size_t row) {
    return share_in(seen.of_mhc, std::pair(rows.epitope(row), rows.mhc(row)));
  };
  const ScoreOf missing_share = [&](std::size_t row) {
    return share_in(seen.of_gaps, std::pair(rows.epitope(row), rows.gaps(row)));
  };
  const ScoreOf epitope_share = [&](std::size_t row) {
    return share_in(seen.of_epitope, rows.epitope(row));
  };
  check.tcr_rows = score_test(rows, tcr_rows, by_epitope);
  check.tcr_share = score_test(rows, tcr_share, by_epitope);
  check.mhc_share = score_test(rows, mhc_share, by_epitope);
  check.missing_share = score_test(rows, missing_share, by_epitope);
  check.epitope_share = score_test(rows, epitope_share, together);
  return check;
}

Json count_json(const LeakCount& count) { return {{"count", count.count}, {"lines", count.lines}}; }

Json score_json(const FrequencyScore& score) {
  return {{"auroc", number_or_null(score.auroc)},
          {"epitopes", score.epitopes},
          {"positives", score.positives},
          {"negatives", score.negatives},
          {"standard_error", score.standard_error}};
}

Json judged_json(const FrequencyScore& score) {
  Json json = score_json(score);
  json["leak"] = score.leaks();
  return json;
}

}  // namespace

bool FrequencyScore::leaks() const {
  return std::abs(auroc - 0.5) > std::max(0.1, 3.0 * standard_error);
}

std::vector<std::string> LeakCheck::failures() const {
  std::vector<std::string> failed;
  const auto add_count = [&](const LeakCount& count, std::string_view what) {
    if (count.count == 0) return;
    std::string line = fmt::format("{} {}", count.count, what);
    if (!count.lines.empty()) line += fmt::format(" (lines {})", fmt::join(count.lines, ", "));
    failed.push_back(line);
  };
  const auto add_score = [&](const FrequencyScore& score, std::string_view what) {
    if (!score.leaks()) return;
    failed.push_back(
        fmt::format("{} gives the labels of test away: macro AUROC {:.3f} over {} "
                    "epitopes",
                    what, score.auroc, score.epitopes));
  };
  add_count(shared_tcrs, "TCRs stand on several sides");
  add_count(near_test_train, "TCRs of test have a near duplicate in train");
  add_count(near_validation_train, "TCRs of validation have a near duplicate in train");
  add_count(near_test_validation, "TCRs of test have a near duplicate in validation");
  add_count(label_across_sides, "TCRs bind on one side and do not on another");
  add_count(label_conflicts, "TCR-epitope pairs are called both binding and not binding");
  add_score(tcr_rows, "how often a TCR occurs in test");
  add_score(tcr_share, "how often a TCR binds in train");
  add_score(mhc_share, "which MHC binds the epitope in train");
  add_score(missing_share, "which columns are missing where the epitope is bound in train");
  return failed;
}

Json LeakCheck::to_json() const {
  return {{"schema", "tcrops.leak_check/1"},
          {"passed", passed()},
          {"failures", failures()},
          {"shared_tcrs", count_json(shared_tcrs)},
          {"near_test_train", count_json(near_test_train)},
          {"near_validation_train", count_json(near_validation_train)},
          {"near_test_validation", count_json(near_test_validation)},
          {"label_across_sides", count_json(label_across_sides)},
          {"label_conflicts", count_json(label_conflicts)},
          {"epitopes_without_binder", count_json(epitopes_without_binder)},
          {"one_label_rows", count_json(one_label_rows)},
          {"tcr_rows", judged_json(tcr_rows)},
          {"tcr_share", judged_json(tcr_share)},
          {"mhc_share", judged_json(mhc_share)},
          {"missing_share", judged_json(missing_share)},
          {"epitope_share", score_json(epitope_share)}};
}

LeakCheck check_leaks(std::span<const Record> records, std::span<const Side> sides,
                      std::span<const Column> columns) {
  if (records.size() != sides.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("check_leaks: {} records but {} sides", records.size(), sides.size()));
  }
  const Rows rows{records, sides, columns, data::distinct_tcrs(records, columns)};
  LeakCheck check;
  check.shared_tcrs = count_shared(rows);
  check.near_test_train = count_near(rows, Side::kTest, Side::kTrain);
  check.near_validation_train = count_near(rows, Side::kValidation, Side::kTrain);
  check.near_test_validation = count_near(rows, Side::kTest, Side::kValidation);
  check.label_across_sides = count_across_sides(rows);
  check.label_conflicts = count_conflicts(rows);
  check.epitopes_without_binder = count_without_binder(rows);
  check.one_label_rows = count_one_label_rows(rows);
  return with_frequencies(std::move(check), rows);
}

}  // namespace tcrops::eval
