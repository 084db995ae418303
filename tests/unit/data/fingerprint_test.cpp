#include "fixtures.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/data/viral.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <test_data.hpp>

namespace tcrops::data {
namespace {

Fingerprint fingerprint_of(const std::vector<Record>& records) {
  ProfileBuilder builder(Counting::kTcrs);
  for (const Record& record : records) builder.add(record);
  return builder.fingerprint();
}

std::vector<Record> synthetic(const SyntheticOptions& options, std::uint64_t seed) {
  std::stringstream text;
  generate_synthetic(options, seed, [&](std::string_view piece) { text << piece; });
  return read_table(text, "synthetic", all_columns(), LabelRule::kRequired).records;
}

// Number of a block by its name.
std::size_t block_named(std::string_view name) {
  std::size_t block = 0;
  while (kFingerprintBlocks.at(block).name != name) ++block;
  return block;
}

// The two halves of a random order.
std::array<std::vector<Record>, 2> halves(std::vector<Record> records) {
  Rng(4, "fingerprint test").shuffle(records);
  const auto middle = records.begin() + static_cast<std::ptrdiff_t>(records.size() / 2);
  return {std::vector(records.begin(), middle), std::vector(middle, records.end())};
}

// Binders of GILGFVFTL in the columns of IMMREP22.
std::vector<Record> read_immrep(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  CsvReader reader(in, path.string());
  std::vector<std::string> row;
  REQUIRE(reader.next(row));
  REQUIRE(row.at(3) == "TRA_CDR3");
  std::vector<Record> records;
  while (reader.next(row)) {
    Record record;
    record[Column::kVAlpha] = row.at(1);
    record[Column::kJAlpha] = row.at(2);
    record[Column::kCdr3Alpha] = row.at(3);
    record[Column::kVBeta] = row.at(4);
    record[Column::kJBeta] = row.at(5);
    record[Column::kCdr3Beta] = row.at(6);
    record[Column::kEpitope] = row.at(13);
    record.label = row.at(0) == "1";
    records.push_back(record);
  }
  return records;
}

// Two records that share nothing, in bins neither.
std::array<Record, 2> strangers() {
  Record one = make_record("CAAAA", "GILGFVFTL", true);
  Record other;
  other.values = {"DDDDDDD",    "EEEEEEEE",   "TRAV9*01", "TRBV9*01",   "TRAJ9*01",
                  "TRBJ2-7*01", "NLVPMVATVQ", "2.0",      "HLA-B*07:02"};
  other.label = false;
  return {one, other};
}

}  // namespace

TEST_CASE("a fingerprint is as long for nothing as for anything") {
  CHECK(kFingerprintSize == 1776);
  CHECK(fingerprint_of({}) == Fingerprint{});
  const auto some = fingerprint_of({make_record("CASSF", "GILGFVFTL", true)});
  // The record has a value for each block; each sums to a million, but for rounding.
  const auto sum = std::accumulate(some.values.begin(), some.values.end(), std::uint64_t{0});
  CHECK(static_cast<double>(sum) == Approx(14e6).margin(20));
}

TEST_CASE("the blocks hold the shares, worked by hand") {
  std::vector<Record> records(4, make_record("CASSF", "GILGFVFTL", true));
  records[1][Column::kCdr3Beta] = "CASSLF";
  records[2][Column::kCdr3Beta] = "CASSWF";
  records[3].label = false;
  const Json blocks = to_json(fingerprint_of(records))["blocks"];
  REQUIRE(blocks.size() == kFingerprintBlocks.size());
  CHECK(blocks["length_beta"][5] == 333333);
  CHECK(blocks["length_beta"][6] == 666667);
  CHECK(blocks["label"] == Json{250000, 750000, 0});
  CHECK(blocks["letters_beta"][0] == 176471);  // 3 A of 17 letters
  CHECK(blocks["V_beta"][fingerprint_bin("TRBV2", 256)] == 1'000'000);
  CHECK(blocks["3mers_beta"][fingerprint_bin("CAS", 256)].get<int>() >= 272727);  // 3 of 11
}

TEST_CASE("equal sets are 0 apart, whatever the order of their rows") {
  auto records = synthetic({200, 3, 0.9}, 1);
  const Fingerprint before = fingerprint_of(records);
  Rng(1, "fingerprint test").shuffle(records);
  CHECK(fingerprint_of(records) == before);
  CHECK(distance(before, before).mean == 0);
  // Nor does the size, where the shares are the same.
  auto twice = records;
  twice.insert(twice.end(), records.begin(), records.end());
  CHECK(distance(before, fingerprint_of(twice)).mean == 0);
}

TEST_CASE("sets with nothing in common are 1 apart") {
  const auto [one, other] = strangers();
  const auto apart = distance(fingerprint_of({one}), fingerprint_of({other}));
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    INFO(kFingerprintBlocks[b].name);
    REQUIRE(apart.blocks[b].has_value());
    CHECK(*apart.blocks[b] == Approx(1.0));
  }
  CHECK(apart.mean == Approx(1.0));
  CHECK(apart.mean <= 1);
}

TEST_CASE("a distance is Hellinger's, symmetric, and skips what neither has") {
  std::vector<Record> one(4, make_record("CASSF", "GILGFVFTL", true));
  std::vector<Record> other = one;
  one[0].label = false;                                        // 1/4, 3/4
  for (std::size_t i = 0; i < 3; ++i) other[i].label = false;  // 3/4, 1/4
  for (auto* records : {&one, &other}) {
    for (Record& record : *records) record[Column::kMhc].clear();
  }
  const auto apart = distance(fingerprint_of(one), fingerprint_of(other));
  const double affinity = 2 * std::sqrt(0.25 * 0.75);
  CHECK(*apart.blocks[block_named("label")] == Approx(std::sqrt(1 - affinity)));
  CHECK_FALSE(apart.blocks[block_named("MHC")].has_value());
  CHECK(*apart.blocks[block_named("V_beta")] == 0);
  CHECK(apart.mean == Approx(std::sqrt(1 - affinity) / 13));
  CHECK(distance(fingerprint_of(other), fingerprint_of(one)).mean == apart.mean);
  // What only one has is as far as can be.
  one[0][Column::kMhc] = "HLA-A*02:01";
  const auto half = distance(fingerprint_of(one), fingerprint_of(other));
  CHECK(half.blocks[block_named("MHC")] == 1.0);
  CHECK(distance({}, {}).mean == 0);
}

TEST_CASE("alleles of one gene count as the gene") {
  std::vector<Record> one = {make_record("CASSF", "GILGFVFTL", true)};
  std::vector<Record> other = one;
  other[0][Column::kVBeta] = "TRBV2*03";
  CHECK(distance(fingerprint_of(one), fingerprint_of(other)).mean == 0);
}

TEST_CASE("what is read is what was written, and nothing else is read") {
  const Fingerprint written = fingerprint_of(synthetic({50, 3, 0.9}, 2));
  const Json json = Json::parse(canonical_json(to_json(written)));
  CHECK(fingerprint_from_json(json) == written);
  const auto refused = [&](const std::function<void(Json&)>& change) {
    Json changed = json;
    change(changed);
    return !fingerprint_from_json(changed);
  };
  CHECK(refused([](Json& j) { j = nullptr; }));
  CHECK(refused([](Json& j) { j.erase("schema"); }));
  CHECK(refused([](Json& j) { j["schema"] = "tcrops.fingerprint/2"; }));
  CHECK(refused([](Json& j) { j["blocks"].erase("MHC"); }));
  CHECK(refused([](Json& j) { j["blocks"] = Json::array(); }));
  CHECK(refused([](Json& j) { j["blocks"]["MHC"].push_back(0); }));
  CHECK(refused([](Json& j) { j["blocks"]["MHC"][3] = -1; }));
  CHECK(refused([](Json& j) { j["blocks"]["MHC"][3] = 0.5; }));
  CHECK(refused([](Json& j) { j["blocks"]["MHC"][3] = 1'000'001; }));
  CHECK_FALSE(fingerprint_of_profile(Json::array()).has_value());
  CHECK_FALSE(fingerprint_of_profile(Json{{"rows", 3}}).has_value());
}

TEST_CASE("halves of one set are nearer than two made-up sets") {
  const auto first = halves(synthetic({1200, 4, 0.9}, 1));
  const auto second = halves(synthetic({1200, 4, 0.9}, 2));
  const double within = distance(fingerprint_of(first[0]), fingerprint_of(first[1])).mean;
  const double between = distance(fingerprint_of(first[0]), fingerprint_of(second[0])).mean;
  CHECK(within < 0.1);
  CHECK(between > 2 * within);
}

TEST_CASE("halves of real sets are nearer than different sets") {
  const auto viral = test::find_test_data("viral");
  const auto immrep = test::find_test_data("immrep22_train");
  if (!viral || !immrep) return;
  std::ifstream beam(*viral / "01_beam-t_clones.csv", std::ios::binary);
  std::ifstream dextramer(*viral / "02_covid_dextramer_clones.csv", std::ios::binary);
  const std::array sets = {halves(build_viral_table(beam, dextramer).records),
                           halves(read_immrep(*immrep / "GILGFVFTL_recovered_positives.csv")),
                           halves(synthetic({1200, 6, 0.9}, 42))};
  for (std::size_t a = 0; a < sets.size(); ++a) {
    const double within = distance(fingerprint_of(sets[a][0]), fingerprint_of(sets[a][1])).mean;
    for (std::size_t b = 0; b < sets.size(); ++b) {
      if (a == b) continue;
      const double between = distance(fingerprint_of(sets[a][0]), fingerprint_of(sets[b][1])).mean;
      INFO("sets " << a << " and " << b << ": " << within << " and " << between);
      CHECK(within < between);
    }
  }
}

}  // namespace tcrops::data
