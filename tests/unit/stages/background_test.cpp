#include "background.hpp"

#include "calibration.hpp"
#include "epitope_facts.hpp"

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace tcrops::stages {
namespace {

data::Record record(const std::string& beta, const std::string& epitope, bool label) {
  data::Record result;
  result[data::Column::kCdr3Beta] = beta;
  result[data::Column::kEpitope] = epitope;
  result[data::Column::kMhc] = "HLA-A*02:01";
  result.label = label;
  return result;
}

std::vector<data::Record> training() {
  std::vector<data::Record> rows;
  for (int i = 0; i < 50; ++i) {
    const std::string beta = "CASS" + std::string(static_cast<std::size_t>(i), 'G') + "F";
    rows.push_back(record(beta, "GIL", i % 5 == 0));
    rows.push_back(record(beta, "NLV", i % 7 == 0));
    rows.back().origin = i % 2 == 1 ? data::Origin::kBackground : data::Origin::kNone;
  }
  return rows;
}

// Longer is higher; NLV a little more.
std::vector<std::optional<float>> scores(std::span<const data::Record> records) {
  std::vector<std::optional<float>> all;
  for (const data::Record& each : records) {
    all.emplace_back(static_cast<float>(each[data::Column::kCdr3Beta].size()) +
                     (each[data::Column::kEpitope] == "NLV" ? 0.5F : 0.0F));
  }
  return all;
}

TEST_CASE("a background is a choice by the seed among distinct TCRs, and reads as written") {
  const auto rows = training();
  const Background all = choose_background({"training", 1000}, rows, 1);
  CHECK(all.size() == 50);
  for (const BackgroundTcr& tcr : all) {
    CHECK(tcr.record[data::Column::kEpitope].empty());
    CHECK(tcr.record[data::Column::kMhc].empty());
  }
  CHECK(choose_background({"controls", 1000}, rows, 1).size() == 25);
  CHECK(choose_background({"none", 1000}, rows, 1).empty());
  const Background some = choose_background({"training", 20}, rows, 1);
  CHECK(some.size() == 20);
  CHECK(format_background(some) == format_background(choose_background({"training", 20}, rows, 1)));
  CHECK(format_background(some) != format_background(choose_background({"training", 20}, rows, 2)));
  CHECK(format_background(parse_background(format_background(all), "b")) == format_background(all));
  CHECK_THROWS(parse_background("CDR3_beta\nCASSF\n", "b"));
  CHECK_THROWS(choose_background({"controls", 10}, std::span(rows).first(2), 1));
}

TEST_CASE("a percentile counts the background that scores as high, without binders") {
  const Background background = choose_background({"training", 1000}, training(), 1);
  for (const std::string epitope : {"GIL", "NLV", "UNSEEN"}) {
    EpitopeFacts facts;
    const auto logits = logits_before(background, epitope, "HLA-A*02:01", scores);
    CHECK(std::is_sorted(logits.begin(), logits.end()));
    facts.background = Ranks(logits);
    for (float logit = 3.0F; logit < 60.0F; logit += 0.5F) {
      std::vector<data::Record> rows;
      for (BackgroundTcr tcr : background) {
        if (tcr.binds.contains(epitope)) continue;
        tcr.record[data::Column::kEpitope] = epitope;
        rows.push_back(tcr.record);
      }
      double above = 0.0;
      for (const auto& each : scores(rows)) above += *each >= logit ? 1.0 : 0.0;
      const auto got = facts.percentile(logit);
      REQUIRE(got);
      CHECK(*got == Approx(100.0 * above / static_cast<double>(rows.size())));
    }
  }
  CHECK_FALSE(EpitopeFacts().percentile(1.0F));
}

TEST_CASE(
    "what is the same for an epitope and MHC is found once, and again when it was forgotten") {
  std::vector<std::string> asked;
  const auto find = [&asked](const std::string& epitope, const std::string& mhc) {
    asked.push_back(epitope + '/' + mhc);
    EpitopeFacts facts;
    facts.nearest_epitope = epitope.size();
    if (epitope.starts_with("LARGE")) facts.background = Ranks(std::vector<float>(1'500'000));
    return facts;
  };
  KnownEpitopes sees_mhc(true, find);
  data::Record other = record("CASSF", "GIL", false);
  other[data::Column::kMhc] = "HLA-B*07:02";
  for (int i = 0; i < 2; ++i) {
    CHECK(sees_mhc.of(record("CASSF", "GIL", false)).nearest_epitope == 3U);
    CHECK(sees_mhc.of(record("CASSGF", "UNSEEN", false)).nearest_epitope == 6U);
    static_cast<void>(sees_mhc.of(other));
  }
  CHECK(asked ==
        std::vector<std::string>{"GIL/HLA-A*02:01", "UNSEEN/HLA-A*02:01", "GIL/HLA-B*07:02"});
  asked.clear();
  KnownEpitopes blind(false, find);
  static_cast<void>(blind.of(other));
  static_cast<void>(blind.of(record("CASSF", "GIL", false)));
  CHECK(asked == std::vector<std::string>{"GIL/"});
  for (const std::string epitope : {"LARGE1", "LARGE2", "LARGE3", "LARGE3", "GIL"})
    CHECK(blind.of(record("CASSF", epitope, false)).nearest_epitope == epitope.size());
  CHECK(asked == std::vector<std::string>{"GIL/", "LARGE1/", "LARGE2/", "LARGE3/", "GIL/"});
}

JudgedRows judged() {
  JudgedRows rows{"validation", {}, {}, {}};
  for (int i = 0; i < 200; ++i) {
    rows.labels.push_back(i % 4 == 0 ? 1 : 0);
    rows.epitopes.emplace_back(i < 160 ? "MANY" : (i < 180 ? "FEW" : "TURNED"));
    const float up = i % 4 == 0 ? 1.0F : -1.0F;
    rows.logits.push_back((i >= 180 ? -up : up) + static_cast<float>(i % 3) - 1.0F);
  }
  rows.labels.push_back(1);
  rows.epitopes.emplace_back("MANY");
  rows.logits.push_back(std::numeric_limits<float>::quiet_NaN());
  return rows;
}

TEST_CASE("epitopes with enough rows of both classes have a curve of their own if it rises") {
  for (const std::string method : {"platt", "isotonic"}) {
    const auto calibration = fit_calibration({method, 5}, judged());
    REQUIRE(calibration);
    CHECK(calibration->pooled.rows == 200);
    CHECK(calibration->pooled.positives == 50);
    CHECK(calibration->by_epitope.contains("MANY"));
    CHECK(calibration->by_epitope.contains("FEW"));
    CHECK_FALSE(calibration->by_epitope.contains("TURNED"));
    CHECK(&calibration->curve_of("OTHER") == &calibration->pooled);
    CHECK(&calibration->curve_of("MANY") == &calibration->by_epitope.at("MANY"));
    const Json json = to_json(*calibration);
    CHECK(to_json(calibration_from_json(json)) == json);
    CHECK(fit_calibration({method, 6}, judged())->by_epitope.size() == 1);
  }
  CHECK_FALSE(fit_calibration({"none", 5}, judged()));
  JudgedRows turned = judged();
  for (float& logit : turned.logits) logit = -logit;
  CHECK_FALSE(fit_calibration({"platt", 5}, turned));
  JudgedRows negatives = judged();
  for (auto& label : negatives.labels) label = 0;
  CHECK_FALSE(fit_calibration({"isotonic", 5}, negatives));
}

}  // namespace
}  // namespace tcrops::stages
