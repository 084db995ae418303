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
  data::DistinctTcrs tcrs;

  [[nodiscard]] bool on(std::size_t row, Side side) const { return sides[row] == side; }
  // A labelled row with an epitope.
  [[nodiscard]] bool labelled(std::size_t row) const {
    return records[row].label.has_value() && !records[row][Column::kEpitope].empty();
  }
  [[nodiscard]] const std::string& epitope(std::size_t row) const {
    return records[row][Column::kEpitope];
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

LeakCount count_near(const Rows& rows, Side asked, Side known, std::span<const Column> columns) {
  const std::vector<std::size_t> queries = rows_of_side(rows, asked);
  const std::vector<bool> near = data::near_duplicate_in(
      take(rows.records, queries), take(rows.records, rows_of_side(rows, known)), columns);
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
  for (const auto& [name, scored] : groups) {
    const double area = auroc(scored.labels, scored.scores);
    if (std::isnan(area)) continue;
    sum += area;
    ++result.epitopes;
    result.positives += scored.positives();
    result.negatives += scored.labels.size() - scored.positives();
  }
  if (result.epitopes > 0) result.auroc = sum / static_cast<double>(result.epitopes);
  return result;
}

LeakCheck with_frequencies(LeakCheck check, const Rows& rows) {
  std::vector<std::size_t> test_rows(rows.tcrs.count(), 0);
  std::vector<Share> of_tcr(rows.tcrs.count());
  std::map<std::string, Share> of_epitope;
  for (std::size_t row = 0; row < rows.records.size(); ++row) {
    if (!rows.labelled(row)) continue;
    const std::size_t tcr = rows.tcrs.of_row[row];
    if (rows.on(row, Side::kTest)) ++test_rows[tcr];
    if (!rows.on(row, Side::kTrain)) continue;
    of_tcr[tcr].add(*rows.records[row].label);
    of_epitope[rows.epitope(row)].add(*rows.records[row].label);
  }
  const GroupOf by_epitope = [&](std::size_t row) { return rows.epitope(row); };
  const GroupOf together = [](std::size_t) { return std::string(); };
  check.tcr_rows = score_test(
      rows, [&](std::size_t row) { return -static_cast<double>(test_rows[rows.tcrs.of_row[row]]); },
      by_epitope);
  check.tcr_share = score_test(
      rows, [&](std::size_t row) { return of_tcr[rows.tcrs.of_row[row]].value(); }, by_epitope);
  check.epitope_share = score_test(
      rows, [&](std::size_t row) { return of_epitope[rows.epitope(row)].value(); }, together);
  return check;
}

Json count_json(const LeakCount& count) { return {{"count", count.count}, {"lines", count.lines}}; }

Json score_json(const FrequencyScore& score) {
  return {{"auroc", number_or_null(score.auroc)},
          {"epitopes", score.epitopes},
          {"positives", score.positives},
          {"negatives", score.negatives},
          {"standard_error", score.standard_error()}};
}

Json judged_json(const FrequencyScore& score) {
  Json json = score_json(score);
  json["leak"] = score.leaks();
  return json;
}

}  // namespace

double FrequencyScore::standard_error() const {
  if (positives == 0 || negatives == 0) return 0.0;
  const auto p = static_cast<double>(positives);
  const auto n = static_cast<double>(negatives);
  return std::sqrt((p + n + 1.0) / (12.0 * p * n));
}

bool FrequencyScore::leaks() const {
  return std::abs(auroc - 0.5) > std::max(0.1, 3.0 * standard_error());
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
          {"tcr_rows", judged_json(tcr_rows)},
          {"tcr_share", judged_json(tcr_share)},
          {"epitope_share", score_json(epitope_share)}};
}

LeakCheck check_leaks(std::span<const Record> records, std::span<const Side> sides,
                      std::span<const Column> columns) {
  if (records.size() != sides.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("check_leaks: {} records but {} sides", records.size(), sides.size()));
  }
  const Rows rows{records, sides, data::distinct_tcrs(records, columns)};
  LeakCheck check;
  check.shared_tcrs = count_shared(rows);
  check.near_test_train = count_near(rows, Side::kTest, Side::kTrain, columns);
  check.near_validation_train = count_near(rows, Side::kValidation, Side::kTrain, columns);
  check.near_test_validation = count_near(rows, Side::kTest, Side::kValidation, columns);
  check.label_across_sides = count_across_sides(rows);
  check.label_conflicts = count_conflicts(rows);
  return with_frequencies(std::move(check), rows);
}

}  // namespace tcrops::eval
