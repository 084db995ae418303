#include <tcrops/core/error.hpp>
#include <tcrops/tune/sampler.hpp>

#include <catch_all.hpp>
#include <cmath>

namespace tcrops::tune {
namespace {

const Space kSpace = {{"rate", FloatRange{0.001, 0.1, true}},
                      {"epochs", IntegerRange{5, 25}},
                      {"model", Choice{{"small", "medium", "large"}}}};

std::vector<Observation> history(std::int64_t count) {
  std::vector<Observation> observations;
  for (std::int64_t i = 0; i < count; ++i) {
    Observation each;
    each.number = i;
    each.point = suggest(SamplerKind::kRandom, kSpace, 1, i, {});
    each.finished = true;
    each.value = -std::abs(std::log(std::get<double>(each.point.at("rate"))) - std::log(0.01));
    observations.push_back(each);
  }
  return observations;
}

TEST_CASE("samplers by name") {
  CHECK(sampler_from_name("random") == SamplerKind::kRandom);
  CHECK(sampler_from_name("tpe") == SamplerKind::kTpe);
  CHECK_THROWS_AS(sampler_from_name("tpee"), Error);
}

TEST_CASE("random draws fill the space evenly") {
  int low_rate = 0;
  std::vector<int> epochs(26, 0);
  std::map<std::string, int> models;
  constexpr int kDraws = 4200;
  for (int i = 0; i < kDraws; ++i) {
    const Point point = suggest(SamplerKind::kRandom, kSpace, 3, i, {});
    const double rate = std::get<double>(point.at("rate"));
    REQUIRE(rate >= 0.001);
    REQUIRE(rate <= 0.1);
    low_rate += rate < 0.01 ? 1 : 0;
    ++epochs.at(static_cast<std::size_t>(std::get<std::int64_t>(point.at("epochs"))));
    ++models[std::get<std::string>(point.at("model"))];
  }
  CHECK(low_rate == Approx(kDraws / 2.0).margin(150));
  for (std::size_t i = 5; i <= 25; ++i) CHECK(epochs[i] == Approx(200).margin(60));
  CHECK(epochs[4] == 0);
  REQUIRE(models.size() == 3);
  for (const auto& [name, count] : models) CHECK(count == Approx(kDraws / 3.0).margin(120));
}

TEST_CASE("a suggestion is a function of its arguments") {
  const std::vector<Observation> seen = history(15);
  const Point point = suggest(SamplerKind::kTpe, kSpace, 7, 15, seen);
  CHECK(point == suggest(SamplerKind::kTpe, kSpace, 7, 15, seen));
  CHECK(point != suggest(SamplerKind::kTpe, kSpace, 8, 15, seen));
  CHECK(point != suggest(SamplerKind::kTpe, kSpace, 7, 16, seen));
}

TEST_CASE("until enough trials have finished TPE draws what random draws") {
  std::vector<Observation> seen = history(10);
  const Point random = suggest(SamplerKind::kRandom, kSpace, 7, 10, seen);
  CHECK(suggest(SamplerKind::kTpe, kSpace, 7, 10, seen) != random);
  seen.back().finished = false;
  CHECK(suggest(SamplerKind::kTpe, kSpace, 7, 10, seen) == random);
  CHECK(suggest(SamplerKind::kTpe, kSpace, 7, 10, seen, {9, 24}) != random);
}

TEST_CASE("TPE goes where the good trials were, and a running trial pushes it away") {
  std::vector<Observation> seen = history(60);
  double distance = 0.0;
  for (std::int64_t i = 60; i < 90; ++i) {
    const Point point = suggest(SamplerKind::kTpe, kSpace, 1, i, seen);
    distance += std::abs(std::log10(std::get<double>(point.at("rate"))) + 2.0) / 30.0;
  }
  CHECK(distance < 0.25);  // random: 0.5
  const Point before = suggest(SamplerKind::kTpe, kSpace, 1, 90, seen);
  for (std::int64_t i = 60; i < 80; ++i) {
    Observation busy;
    busy.number = i;
    busy.point = before;
    seen.push_back(busy);
  }
  CHECK(suggest(SamplerKind::kTpe, kSpace, 1, 90, seen) != before);
}

TEST_CASE("TPE works without any observation and rejects nonsense") {
  const Point point = suggest(SamplerKind::kTpe, kSpace, 1, 0, {}, {0, 24});
  CHECK(point.size() == 3);
  CHECK(suggest(SamplerKind::kTpe, {}, 1, 0, {}, {0, 24}).empty());
  CHECK_THROWS_AS(suggest(SamplerKind::kTpe, kSpace, 1, 0, {}, {10, 0}), Error);
  CHECK_THROWS_AS(suggest(SamplerKind::kTpe, {{"x", IntegerRange{2, 1}}}, 1, 0, {}), Error);
}

}  // namespace
}  // namespace tcrops::tune
