#include "fixtures.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <catch_all.hpp>
#include <map>
#include <set>
#include <sstream>

namespace tcrops::data {
namespace {

std::vector<Record> synthetic(const SyntheticOptions& options, std::uint64_t seed) {
  std::stringstream text;
  generate_synthetic(options, seed, [&](std::string_view piece) { text << piece; });
  return read_table(text, "synthetic", all_columns(), LabelRule::kRequired).records;
}

// Rows of several kinds: positives, negatives of three origins, an unlabelled one, missing values.
std::vector<Record> mixed() {
  std::vector<Record> records(6, make_record("CASSF", "GILGFVFTL", true));
  records[1] = make_record("CASSLF", "NLVPMVATV", false);
  records[1].origin = Origin::kSwapped;
  records[2] = make_record("CASSLF", "GILGFVFTL", false);
  records[2].origin = Origin::kBackground;
  records[3].label.reset();
  records[4][Column::kMhc].clear();
  records[4][Column::kVAlpha].clear();
  records[4].label = false;
  records[5][Column::kCdr1Beta] = "SGHAT";
  return records;
}

Json streamed(const std::vector<Record>& records) {
  ProfileBuilder builder(Counting::kRecords);
  for (const Record& record : records) builder.add(record);
  return builder.json();
}

}  // namespace

TEST_CASE("a profile counts what is labelled, where it comes from and what is missing") {
  const Json value = profile(mixed(), {});
  CHECK(value["schema"] == "tcrops.profile/1");
  CHECK(value["counted"] == "tcrs");
  CHECK(value["rows"] == 6);
  CHECK(value["tcrs"] == 4);
  CHECK(value["classes"] == Json{{"positive", 2}, {"negative", 3}, {"unlabelled", 1}});
  CHECK(value["origins"] == Json{{"swapped", 1}, {"background", 1}, {"unknown", 1}});
  CHECK(value["mhc"] == Json{{"HLA-A*02:01", 5}, {"", 1}});
  CHECK(value["missing"]["V_alpha"] == 1);
  CHECK(value["missing"]["MHC"] == 1);
  CHECK(value["missing"]["CDR1_beta"] == 5);
  CHECK(value["missing"]["CDR2_beta"] == 6);
  CHECK(value["missing"]["Label"] == 1);
  CHECK(value["missing"]["CDR3_beta"] == 0);
  CHECK(value["lengths"]["CDR1_beta"] == Json{{"5", 1}});
  CHECK_FALSE(value["lengths"].contains("CDR2_beta"));
  // Two TCRs bind GILGFVFTL, none NLVPMVATV.
  CHECK(value["tcrs_per_epitope"] == Json{{"0", 1}, {"2-3", 1}});
}

TEST_CASE("letters are counted at their place and in threes, worked by hand") {
  const std::vector<Record> records = {make_record("CASSF", "GILGFVFTL", true),
                                       make_record("CAWSLF", "GILGFVFTL", true)};
  const Json value = profile(records, {});
  CHECK(value["positions"]["CDR3_beta"] == Json{{"1 C", 2},
                                                {"2 A", 2},
                                                {"3 S", 1},
                                                {"3 W", 1},
                                                {"-1 F", 2},
                                                {"-2 S", 1},
                                                {"-2 L", 1},
                                                {"-3 S", 1}});
  CHECK(value["kmers"]["CDR3_beta"]["total"] == 7);
  CHECK(value["kmers"]["CDR3_beta"]["distinct"] == 7);
  CHECK(value["kmers"]["CDR3_beta"]["top"] ==
        Json{{"CAS", 1}, {"ASS", 1}, {"SSF", 1}, {"CAW", 1}, {"AWS", 1}, {"WSL", 1}, {"SLF", 1}});
}

TEST_CASE("letters that are no amino acids break a 3-mer and have no place") {
  const std::vector<Record> records = {make_record("CAX_SSF\xC3", "GILGFVFTL", true)};
  const Json value = profile(records, {});
  CHECK(value["kmers"]["CDR3_beta"]["top"] == Json{{"SSF", 1}});
  CHECK(value["letters"]["CDR3_beta"]["X"] == 1);
  CHECK(value["letters"]["CDR3_beta"]["(other)"] == 1);
  CHECK_FALSE(value["positions"]["CDR3_beta"].contains("3 X"));
  CHECK_NOTHROW(canonical_json(value));
}

TEST_CASE("the middle of a long CDR3 has no place, but is counted otherwise") {
  const std::string beta = "C" + std::string(28, 'A') + "F";
  const Json value = profile(std::vector{make_record(beta, "GILGFVFTL", true)}, {});
  std::uint64_t placed = 0;
  for (const auto& [place, count] : value["positions"]["CDR3_beta"].items()) {
    placed += count.get<std::uint64_t>();
  }
  CHECK(placed == 24);
  CHECK(value["letters"]["CDR3_beta"]["A"] == 28);
}

TEST_CASE("3-mers are the most frequent ones, by an independent count") {
  const auto records = synthetic({4000, 2, 0.5}, 3);
  std::map<std::string, std::uint64_t> counts;
  std::set<std::string> seen;
  for (const Record& record : records) {
    if (!seen.insert(tcr_key(record)).second) continue;
    const std::string& beta = record[Column::kCdr3Beta];
    for (std::size_t i = 0; i + 3 <= beta.size(); ++i) ++counts[beta.substr(i, 3)];
  }
  REQUIRE(counts.size() > kProfileKmers);
  std::vector<std::pair<std::uint64_t, std::string>> order;
  std::uint64_t total = 0;
  for (const auto& [name, count] : counts) {
    order.emplace_back(count, name);
    total += count;
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const Json kmers = profile(records, {})["kmers"]["CDR3_beta"];
  CHECK(kmers["total"] == total);
  CHECK(kmers["distinct"] == counts.size());
  CHECK(kmers["top"].size() == kProfileKmers);
  for (std::size_t i = 0; i < kProfileKmers; ++i) {
    CHECK(kmers["top"].value(order[i].second, std::uint64_t{0}) == order[i].first);
  }
}

TEST_CASE("as a stream a profile counts records and says so") {
  const auto records = mixed();
  const Json exact = profile(records, {});
  const Json stream = streamed(records);
  CHECK(stream["counted"] == "records");
  CHECK(stream["tcrs"].is_null());
  CHECK(stream["epitopes"]["GILGFVFTL"]["tcrs"].is_null());
  CHECK(stream["epitopes"]["GILGFVFTL"]["rows"] == 5);
  for (const char* key : {"rows", "positives", "classes", "origins", "mhc", "missing"}) {
    CHECK(stream[key] == exact[key]);
  }
  CHECK(exact["genes"]["V_beta"]["TRBV2*01"] == 4);
  CHECK(stream["genes"]["V_beta"]["TRBV2*01"] == 6);
  CHECK(stream["lengths"]["CDR3_beta"] == Json{{"5", 4}, {"6", 2}});

  // Where every TCR stands in equally many rows, shares are the same either way.
  const auto crossed = synthetic({300, 4, 0.9}, 5);
  CHECK(fingerprint_of_profile(profile(crossed, {})) == fingerprint_of_profile(streamed(crossed)));
}

TEST_CASE("a stream keeps no more names than it may") {
  ProfileBuilder builder(Counting::kRecords);
  Record record = make_record("CASSF", "GILGFVFTL", true);
  for (std::size_t i = 0; i < kProfileNames + 20; ++i) {
    record[Column::kEpitope] = fmt::format("E{}", i);
    record[Column::kMhc] = fmt::format("M{}", i);
    builder.add(record);
  }
  const Json value = builder.json();
  CHECK(value["rows"] == kProfileNames + 20);
  CHECK(value["epitopes"].size() == kProfileNames);
  CHECK(value["other_epitopes"] == 20);
  CHECK(value["mhc"]["(others)"] == 20);
}

TEST_CASE("the order of the rows has no say in a profile") {
  auto records = synthetic({120, 3, 0.9}, 8);
  const std::string before = canonical_json(profile(records, {}));
  Rng(1, "profile test").shuffle(records);
  CHECK(canonical_json(profile(records, {})) == before);
}

TEST_CASE("sides are for all records or for none") {
  ProfileBuilder builder(Counting::kTcrs);
  builder.add(make_record("CASSF", "GILGFVFTL", true), Side::kTest);
  CHECK(fails_with(ExitCode::kFailure, "others none",
                   [&] { builder.add(make_record("CASSF", "GILGFVFTL", true)); }));
  const std::vector<Record> two(2, make_record("CASSF", "GILGFVFTL", true));
  const std::vector<Side> one = {Side::kTest};
  CHECK(fails_with(ExitCode::kFailure, "2 records but 1 sides", [&] { (void)profile(two, one); }));
}

TEST_CASE("a profile of nothing is one") {
  const Json value = profile({}, {});
  CHECK(value["rows"] == 0);
  CHECK(value["kmers"].empty());
  CHECK(value["epitopes"].empty());
  CHECK(fingerprint_of_profile(value) == Fingerprint{});
}

}  // namespace tcrops::data
