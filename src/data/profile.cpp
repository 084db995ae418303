#include "profile_counts.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/profile.hpp>

#include <fmt/format.h>

#include <bit>
#include <map>
#include <string>
#include <unordered_set>

namespace tcrops::data {
namespace {

constexpr std::size_t kSideCount = 3;
constexpr std::array kCdr3Columns = {Column::kCdr3Alpha, Column::kCdr3Beta};
constexpr std::array kGeneColumns = {Column::kVAlpha, Column::kVBeta, Column::kJAlpha,
                                     Column::kJBeta};
// All but the epitope's, which is counted over rows.
constexpr std::array kLoopColumns = {Column::kCdr3Alpha, Column::kCdr3Beta, Column::kCdr1Alpha,
                                     Column::kCdr2Alpha, Column::kCdr1Beta, Column::kCdr2Beta};
// Stands for "records are counted, not TCRs".
constexpr std::size_t kNoTcr = SIZE_MAX;

// One group of rows: all, one side, or one epitope.
struct Tally {
  std::size_t rows = 0;
  std::size_t positives = 0;
  std::unordered_set<std::size_t> tcrs;

  void add(std::size_t tcr, const Record& record) {
    ++rows;
    positives += record.label.value_or(false) ? 1 : 0;
    if (tcr != kNoTcr) tcrs.insert(tcr);
  }
  [[nodiscard]] Json json(Counting counting) const {
    Json counted = tcrs.size();
    if (counting == Counting::kRecords) counted = nullptr;
    return {{"rows", rows}, {"tcrs", std::move(counted)}, {"positives", positives}};
  }
};

// A group and its parts by side.
struct SidedTally {
  Tally all;
  std::array<Tally, kSideCount> by_side;
  std::unordered_set<std::size_t> binders;  // TCRs of positive rows

  void add(std::size_t tcr, const Record& record, std::optional<Side> side) {
    all.add(tcr, record);
    if (side) by_side.at(static_cast<std::size_t>(*side)).add(tcr, record);
  }
};

std::string name_of(Column column) { return std::string(column_name(column)); }

// A name that is not there has no bin.
void add_to_bin(std::span<std::uint64_t> bins, std::string_view name, std::uint64_t count) {
  if (!name.empty()) bins[fingerprint_bin(name, bins.size())] += count;
}

// "0", "1", "2-3", "4-7", …
std::string doubling_bin(std::uint64_t count) {
  if (count < 2) return std::to_string(count);
  const std::uint64_t low = std::bit_floor(count);
  return fmt::format("{}-{}", low, 2 * low - 1);
}

}  // namespace

struct ProfileBuilder::State {
  explicit State(Counting how) : counting(how) {}

  Counting counting;
  bool with_sides = false;
  std::unordered_map<std::string, std::size_t> tcr_numbers;
  SidedTally whole;
  std::unordered_map<std::string, SidedTally> epitopes;
  std::size_t other_epitopes = 0;
  std::array<std::uint64_t, kOriginNames.size()> origins{};
  std::array<std::size_t, kColumnCount> missing{};
  std::size_t unlabelled = 0;
  NameCounts mhcs;
  std::array<LengthCounts, kColumnCount> lengths;
  std::array<NameCounts, kColumnCount> genes;
  std::array<LetterCounts, kCdr3Columns.size()> letters;

  [[nodiscard]] std::size_t negatives() const {
    return whole.all.rows - whole.all.positives - unlabelled;
  }
  LengthCounts& lengths_of(Column column) { return lengths[static_cast<std::size_t>(column)]; }
  // Number of the record's TCR, counting the shapes of one that is new; kNoTcr: every record is.
  std::size_t count_tcr(const Record& record);
  void count_shapes(const Record& record);
  void count_row(const Record& record);
  void count_epitope(std::size_t tcr, const Record& record, std::optional<Side> side);
  [[nodiscard]] Json tally_json(const SidedTally& tally) const;
  [[nodiscard]] Json tcrs_per_epitope() const;
  void add_rows_to(Json& json) const;
  void add_shapes_to(Json& json) const;
};

std::size_t ProfileBuilder::State::count_tcr(const Record& record) {
  if (counting == Counting::kRecords) {
    count_shapes(record);
    return kNoTcr;
  }
  const auto [at, is_new] = tcr_numbers.try_emplace(tcr_key(record), tcr_numbers.size());
  if (is_new) count_shapes(record);
  return at->second;
}

void ProfileBuilder::State::count_shapes(const Record& record) {
  for (const Column column : kLoopColumns) lengths_of(column).add(record[column]);
  for (const Column column : kGeneColumns) {
    if (!record[column].empty()) genes[static_cast<std::size_t>(column)].add(record[column]);
  }
  for (std::size_t i = 0; i < kCdr3Columns.size(); ++i) letters[i].add(record[kCdr3Columns[i]]);
}

void ProfileBuilder::State::count_row(const Record& record) {
  for (std::size_t c = 0; c < kColumnCount; ++c) missing[c] += record.values[c].empty() ? 1 : 0;
  unlabelled += record.label ? 0 : 1;
  if (record.label == false) ++origins.at(static_cast<std::size_t>(record.origin));
  mhcs.add(record[Column::kMhc]);
  lengths_of(Column::kEpitope).add(record[Column::kEpitope]);
}

void ProfileBuilder::State::count_epitope(std::size_t tcr, const Record& record,
                                          std::optional<Side> side) {
  auto at = epitopes.find(record[Column::kEpitope]);
  if (at == epitopes.end()) {
    if (counting == Counting::kRecords && epitopes.size() >= kProfileNames) {
      ++other_epitopes;
      return;
    }
    at = epitopes.try_emplace(record[Column::kEpitope]).first;
  }
  at->second.add(tcr, record, side);
  if (tcr != kNoTcr && record.label == true) at->second.binders.insert(tcr);
}

Json ProfileBuilder::State::tally_json(const SidedTally& tally) const {
  Json value = tally.all.json(counting);
  if (!with_sides) return value;
  for (std::size_t s = 0; s < kSideCount; ++s) {
    value["sides"][std::string(side_name(static_cast<Side>(s)))] = tally.by_side[s].json(counting);
  }
  return value;
}

Json ProfileBuilder::State::tcrs_per_epitope() const {
  std::map<std::string, std::size_t> bins;
  for (const auto& [name, tally] : epitopes) {
    ++bins[doubling_bin(counting == Counting::kTcrs ? tally.binders.size() : tally.all.positives)];
  }
  return bins;
}

void ProfileBuilder::State::add_rows_to(Json& json) const {
  json["epitopes"] = Json::object();
  for (const auto& [name, tally] : epitopes) json["epitopes"][valid_utf8(name)] = tally_json(tally);
  if (other_epitopes > 0) json["other_epitopes"] = other_epitopes;
  json["tcrs_per_epitope"] = tcrs_per_epitope();
  json["classes"] = {
      {"positive", whole.all.positives}, {"negative", negatives()}, {"unlabelled", unlabelled}};
  json["origins"] = Json::object();
  for (std::size_t o = 0; o < origins.size(); ++o) {
    const std::string name(o == 0 ? "unknown" : kOriginNames[o]);
    if (origins[o] > 0) json["origins"][name] = origins[o];
  }
  json["mhc"] = mhcs.json();
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    json["missing"][std::string(kColumnNames[c])] = missing[c];
  }
  json["missing"][std::string(kLabelColumn)] = unlabelled;
}

void ProfileBuilder::State::add_shapes_to(Json& json) const {
  const auto put = [&json](const char* key, Column column, Json value) {
    if (!value.empty()) json[key][name_of(column)] = std::move(value);
  };
  for (const char* key : {"lengths", "genes", "letters", "positions", "kmers"}) {
    json[key] = Json::object();
  }
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    put("lengths", static_cast<Column>(c), lengths[c].json());
    put("genes", static_cast<Column>(c), genes[c].json());
  }
  for (std::size_t i = 0; i < kCdr3Columns.size(); ++i) {
    put("letters", kCdr3Columns[i], letters[i].letters());
    put("positions", kCdr3Columns[i], letters[i].positions());
    put("kmers", kCdr3Columns[i], letters[i].kmers());
  }
}

ProfileBuilder::ProfileBuilder(Counting counting) : state_(std::make_unique<State>(counting)) {}
ProfileBuilder::ProfileBuilder(ProfileBuilder&&) noexcept = default;
ProfileBuilder& ProfileBuilder::operator=(ProfileBuilder&&) noexcept = default;
ProfileBuilder::~ProfileBuilder() = default;

void ProfileBuilder::add(const Record& record, std::optional<Side> side) {
  check_interrupt();
  if (state_->whole.all.rows == 0) state_->with_sides = side.has_value();
  if (state_->with_sides != side.has_value()) {
    throw Error(ExitCode::kFailure, "profile: some records have a side and others none");
  }
  const std::size_t tcr = state_->count_tcr(record);
  state_->count_row(record);
  state_->whole.add(tcr, record, side);
  state_->count_epitope(tcr, record, side);
}

Json ProfileBuilder::json() const {
  Json json = state_->tally_json(state_->whole);
  json["schema"] = "tcrops.profile/1";
  json["counted"] = state_->counting == Counting::kTcrs ? "tcrs" : "records";
  state_->add_rows_to(json);
  state_->add_shapes_to(json);
  json["fingerprint"] = to_json(fingerprint());
  return json;
}

Fingerprint ProfileBuilder::fingerprint() const {
  std::array<std::uint64_t, kFingerprintSize> counts{};
  std::span<std::uint64_t> left = counts;
  std::size_t block = 0;
  const auto next = [&] {
    const auto bins = left.first(kFingerprintBlocks[block].bins);
    left = left.subspan(kFingerprintBlocks[block++].bins);
    return bins;
  };
  for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta, Column::kEpitope}) {
    state_->lengths_of(column).add_to(next());
  }
  for (const Column column : kGeneColumns) {
    const auto bins = next();
    for (const auto& [name, count] : state_->genes[static_cast<std::size_t>(column)].counts()) {
      add_to_bin(bins, name.substr(0, name.find('*')), count);
    }
  }
  for (const LetterCounts& letters : state_->letters) letters.add_letters(next());
  for (const LetterCounts& letters : state_->letters) letters.add_kmers(next());
  const auto epitope_bins = next();
  for (const auto& [name, tally] : state_->epitopes) add_to_bin(epitope_bins, name, tally.all.rows);
  const auto mhc_bins = next();
  for (const auto& [name, count] : state_->mhcs.counts()) add_to_bin(mhc_bins, name, count);
  const auto labels = next();
  labels[0] = state_->negatives();
  labels[1] = state_->whole.all.positives;
  labels[2] = state_->unlabelled;
  return fingerprint_of_counts(counts);
}

Json profile(std::span<const Record> records, std::span<const Side> sides) {
  const bool with_sides = !sides.empty();
  if (with_sides && sides.size() != records.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("profile: {} records but {} sides", records.size(), sides.size()));
  }
  ProfileBuilder builder(Counting::kTcrs);
  for (std::size_t i = 0; i < records.size(); ++i) {
    builder.add(records[i], with_sides ? std::optional(sides[i]) : std::nullopt);
  }
  return builder.json();
}

}  // namespace tcrops::data
