#include "fixtures.hpp"

#include <tcrops/data/profile.hpp>
#include <tcrops/data/profile_change.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <sstream>

namespace tcrops::data {
namespace {

Record with_gene(const std::string& gene, std::size_t number) {
  Record record = make_record("CASS" + std::string(number, 'A') + "F", "GILGFVFTL", true);
  record[Column::kVBeta] = gene;
  return record;
}

// Four TCRs, of which `changed` use another gene.
Json four_tcrs(std::size_t changed) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < 4; ++i) {
    records.push_back(with_gene(i < changed ? "TRBV9*01" : "TRBV2*01", i + 1));
  }
  return profile(records, {});
}

const DistributionChange* find(const ProfileChange& change, const std::string& name) {
  const auto at = std::find_if(change.distributions.begin(), change.distributions.end(),
                               [&](const auto& each) { return each.name == name; });
  return at == change.distributions.end() ? nullptr : &*at;
}

Json synthetic_profile(const SyntheticOptions& options, std::uint64_t seed) {
  std::stringstream text;
  generate_synthetic(options, seed, [&](std::string_view piece) { text << piece; });
  return profile(read_table(text, "synthetic", all_columns(), LabelRule::kRequired).records, {});
}

}  // namespace

TEST_CASE("only what was changed moved, worked by hand") {
  const auto change = profile_change(four_tcrs(1), four_tcrs(3), "profiles");
  REQUIRE(!change.distributions.empty());
  const DistributionChange& first = change.distributions.front();
  CHECK(first.name == "genes.V_beta");
  CHECK(first.distance == Approx(std::sqrt(1 - 2 * std::sqrt(0.25 * 0.75))));
  CHECK(first.was_total == 4);
  REQUIRE(first.movers.size() == 2);
  CHECK(first.movers[0].value == "TRBV2*01");
  CHECK(first.movers[0].was == 0.75);
  CHECK(first.movers[0].now == 0.25);
  CHECK(first.movers[1].value == "TRBV9*01");
  for (std::size_t i = 1; i < change.distributions.size(); ++i) {
    INFO(change.distributions[i].name);
    CHECK(change.distributions[i].distance == 0);
    CHECK(change.distributions[i].movers.empty());
  }
  CHECK(change.missing.empty());
  CHECK(change.new_epitopes.empty());
  CHECK(change.not_compared.empty());
  CHECK(change.distance.value() > 0);
  CHECK(change.distance.value() < first.distance);
}

TEST_CASE("nothing moved from a profile to itself") {
  const Json one = synthetic_profile({200, 3, 0.9}, 1);
  const auto change = profile_change(one, one, "profiles");
  CHECK(change.distance == 0.0);
  CHECK(change.distributions.size() > 15);
  for (const auto& each : change.distributions) CHECK(each.movers.empty());
}

TEST_CASE("epitopes come and go, and counts change") {
  const std::vector<Record> was = {make_record("CASSF", "GILGFVFTL", true),
                                   make_record("CASSF", "NLVPMVATV", false)};
  const std::vector<Record> now = {
      make_record("CASSF", "GILGFVFTL", true), make_record("CASWF", "GLCTLVAML", true),
      make_record("CASSF", "GLCTLVAML", false), make_record("CASSF", "YLQPRTFLL", false)};
  const auto change = profile_change(profile(was, {}), profile(now, {}), "profiles");
  REQUIRE(change.new_epitopes.size() == 2);
  CHECK(change.new_epitopes[0].epitope == "GLCTLVAML");
  CHECK(change.new_epitopes[0].rows == 2);
  CHECK(change.new_epitopes[1].epitope == "YLQPRTFLL");
  REQUIRE(change.vanished_epitopes.size() == 1);
  CHECK(change.vanished_epitopes[0].epitope == "NLVPMVATV");
  const Json json = to_json(change);
  CHECK(json["counts"]["rows"] == Json{{"a", 2}, {"b", 4}});
  CHECK(json["counts"]["tcrs"] == Json{{"a", 1}, {"b", 2}});
  CHECK(json["counts"]["epitopes"] == Json{{"a", 2}, {"b", 3}});
  CHECK(json["new_epitopes"]["count"] == 2);
  CHECK_NOTHROW(canonical_json(json));
}

TEST_CASE("a share of missing values is among what moved") {
  std::vector<Record> records(4, make_record("CASSF", "GILGFVFTL", true));
  const Json was = profile(records, {});
  records[2][Column::kMhc].clear();
  const auto change = profile_change(was, profile(records, {}), "profiles");
  REQUIRE(change.missing.size() == 1);
  CHECK(change.missing[0].value == "MHC");
  CHECK(change.missing[0].was == 0);
  CHECK(change.missing[0].now == 0.25);
}

TEST_CASE("what was planted is what moved most among the genes") {
  const SyntheticOptions options{1200, 2, 1.0};
  const auto change =
      profile_change(synthetic_profile(options, 1), synthetic_profile(options, 2), "profiles");
  const DistributionChange* genes = find(change, "genes.V_beta");
  REQUIRE(genes != nullptr);
  std::vector<std::string> planted;
  for (const std::uint64_t seed : {1U, 2U}) {
    const Json truth = synthetic_truth(options, seed);
    for (const Json& target : truth["epitopes"]) planted.push_back(target["V_beta"]);
  }
  for (std::size_t i = 0; i < planted.size(); ++i) {
    INFO(genes->movers.at(i).value);
    CHECK(std::find(planted.begin(), planted.end(), genes->movers.at(i).value) != planted.end());
  }
  CHECK(change.new_epitopes.size() == 2);
  CHECK(change.vanished_epitopes.size() == 2);
  CHECK(find(change, "epitopes")->distance == Approx(1.0));
}

TEST_CASE("3-mers that are not listed count among the others") {
  Json was = four_tcrs(0);
  Json now = was;
  was["kmers"]["CDR3_beta"] = {{"total", 10}, {"distinct", 9}, {"top", {{"AAA", 4}, {"AAC", 3}}}};
  now["kmers"]["CDR3_beta"] = {{"total", 20}, {"distinct", 9}, {"top", {{"AAA", 8}, {"AAD", 4}}}};
  const auto change = profile_change(was, now, "profiles");
  const DistributionChange* kmers = find(change, "kmers.CDR3_beta");
  REQUIRE(kmers != nullptr);
  CHECK(kmers->was_total == 10);
  CHECK(kmers->now_total == 20);
  // AAA kept its share. AAC would be listed had it as much as before; AAD may have had as much.
  REQUIRE(kmers->movers.size() == 2);
  CHECK(kmers->movers[0].value == "(others)");
  CHECK(kmers->movers[0].was == Approx(0.3));
  CHECK(kmers->movers[0].now == Approx(0.6));
  CHECK(kmers->movers[1].value == "AAC");
  CHECK(kmers->movers[1].now == 0);
}

TEST_CASE("an older profile is compared in what it has") {
  Json old = four_tcrs(0);
  for (const char* key : {"schema", "counted", "positions", "kmers", "mhc", "classes", "origins",
                          "missing", "fingerprint", "tcrs_per_epitope"}) {
    old.erase(key);
  }
  const auto change = profile_change(old, four_tcrs(2), "profiles");
  CHECK_FALSE(change.distance.has_value());
  CHECK(find(change, "genes.V_beta") != nullptr);
  CHECK(find(change, "mhc") == nullptr);
  const auto& skipped = change.not_compared;
  for (const char* name : {"classes", "kmers.CDR3_beta", "mhc", "positions.CDR3_alpha"}) {
    CHECK(std::find(skipped.begin(), skipped.end(), name) != skipped.end());
  }
  CHECK(to_json(change)["distance"].is_null());
  const auto back = profile_change(four_tcrs(2), old, "profiles");
  CHECK(back.not_compared == skipped);
}

TEST_CASE("what is no profile ends with its name") {
  const Json good = four_tcrs(0);
  const auto fails = [&](const std::function<void(Json&)>& change) {
    Json bad = good;
    change(bad);
    return fails_with(ExitCode::kArtifact,
                      "a.json: ", [&] { (void)profile_change(good, bad, "a.json"); }) &&
           fails_with(ExitCode::kArtifact,
                      "a.json: ", [&] { (void)profile_change(bad, good, "a.json"); });
  };
  CHECK(fails([](Json& j) { j = Json::array(); }));
  CHECK(fails([](Json& j) { j.erase("rows"); }));
  CHECK(fails([](Json& j) { j["rows"] = "many"; }));
  CHECK(fails([](Json& j) { j["genes"] = 3; }));
  CHECK(fails([](Json& j) { j["genes"]["V_beta"]["TRBV2*01"] = -1; }));
  CHECK(fails([](Json& j) { j["genes"]["V_beta"]["TRBV2*01"] = 0.5; }));
  CHECK(fails([](Json& j) { j["lengths"]["CDR3_beta"] = Json::array(); }));
  CHECK(fails([](Json& j) { j["kmers"]["CDR3_beta"] = Json::object(); }));
  CHECK(fails([](Json& j) { j["kmers"]["CDR3_beta"]["total"] = 1; }));
  CHECK(fails([](Json& j) { j["epitopes"]["GILGFVFTL"] = nullptr; }));
}

}  // namespace tcrops::data
