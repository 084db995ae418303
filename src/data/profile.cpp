#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/profile.hpp>

#include <fmt/format.h>

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace tcrops::data {
namespace {

constexpr std::size_t kSideCount = 3;
constexpr std::array kCdr3Columns = {Column::kCdr3Alpha, Column::kCdr3Beta};
constexpr std::array kGeneColumns = {Column::kVAlpha, Column::kVBeta, Column::kJAlpha,
                                     Column::kJBeta};

// One group of rows: all, one side, or one epitope.
struct Tally {
  std::size_t rows = 0;
  std::size_t positives = 0;
  std::unordered_set<std::size_t> tcrs;

  void add(std::size_t tcr, const Record& record) {
    ++rows;
    positives += record.label.value_or(false) ? 1 : 0;
    tcrs.insert(tcr);
  }
  [[nodiscard]] Json json() const {
    return {{"rows", rows}, {"tcrs", tcrs.size()}, {"positives", positives}};
  }
};

// A group and its parts by side.
struct SidedTally {
  Tally all;
  std::array<Tally, kSideCount> by_side;

  [[nodiscard]] Json json(bool with_sides) const {
    Json value = all.json();
    if (!with_sides) return value;
    for (std::size_t s = 0; s < kSideCount; ++s) {
      value["sides"][std::string(side_name(static_cast<Side>(s)))] = by_side[s].json();
    }
    return value;
  }
};

using Counts = std::map<std::string, std::size_t>;
using CountsByColumn = std::map<std::string, Counts>;

// Length, gene and letter counts; a missing value is not counted.
struct Shapes {
  CountsByColumn lengths;
  CountsByColumn genes;
  CountsByColumn letters;

  void count_length(const Record& record, Column column) {
    if (record[column].empty()) return;
    ++lengths[name_of(column)][std::to_string(record[column].size())];
  }
  void count_tcr(const Record& record) {
    for (const Column column : kCdr3Columns) {
      count_length(record, column);
      for (const char c : record[column]) ++letters[name_of(column)][std::string(1, c)];
    }
    for (const Column column : kGeneColumns) {
      if (!record[column].empty()) ++genes[name_of(column)][record[column]];
    }
  }
  static std::string name_of(Column column) { return std::string(column_name(column)); }
};

}  // namespace

Json profile(std::span<const Record> records, std::span<const Side> sides) {
  const bool with_sides = !sides.empty();
  if (with_sides && sides.size() != records.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("profile: {} records but {} sides", records.size(), sides.size()));
  }
  std::unordered_map<std::string, std::size_t> tcr_numbers;
  SidedTally whole;
  std::map<std::string, SidedTally> epitopes;
  Shapes shapes;
  for (std::size_t i = 0; i < records.size(); ++i) {
    check_interrupt();
    const Record& record = records[i];
    const auto [at, is_new] = tcr_numbers.try_emplace(tcr_key(record), tcr_numbers.size());
    if (is_new) shapes.count_tcr(record);
    shapes.count_length(record, Column::kEpitope);
    for (SidedTally* tally : {&whole, &epitopes[record[Column::kEpitope]]}) {
      tally->all.add(at->second, record);
      if (with_sides) tally->by_side.at(static_cast<std::size_t>(sides[i])).add(at->second, record);
    }
  }
  Json result = whole.json(with_sides);
  result["epitopes"] = Json::object();
  for (const auto& [name, tally] : epitopes) result["epitopes"][name] = tally.json(with_sides);
  result["lengths"] = shapes.lengths;
  result["genes"] = shapes.genes;
  result["letters"] = shapes.letters;
  return result;
}

}  // namespace tcrops::data
