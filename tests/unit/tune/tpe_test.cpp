#include "tpe.hpp"

#include "axis.hpp"

#include <tcrops/core/error.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>

namespace tcrops::tune {
namespace {

using Places = std::vector<std::size_t>;

Observation finished(std::int64_t number, double value, bool acceptable = true) {
  return {number, {}, true, acceptable, value, false, -1};
}

Observation running(std::int64_t number) { return {number, {}, false, true, 0.0, false, -1}; }

TEST_CASE("the best tenth, rounded up and 25 at most, is good") {
  std::vector<Observation> observations;
  for (const auto& [finished_count, good] : std::vector<std::pair<int, std::size_t>>{
           {0, 0}, {1, 1}, {10, 1}, {11, 2}, {25, 3}, {50, 5}, {100, 10}, {241, 25}, {400, 25}}) {
    observations.clear();
    for (int i = 0; i < finished_count; ++i) observations.push_back(finished(i, i));
    const Split split = split_observations(observations);
    CHECK(split.good.size() == good);
    CHECK(split.good.size() + split.bad.size() == observations.size());
    if (good != 0) CHECK(split.good.back() + 1 == observations.size());
  }
}

TEST_CASE("running trials are bad and do not count for the size of the good") {
  std::vector<Observation> observations;
  for (int i = 0; i < 10; ++i) observations.push_back(finished(i, -i));
  for (int i = 10; i < 30; ++i) observations.push_back(running(i));
  const Split split = split_observations(observations);
  CHECK(split.good == Places{0});
  CHECK(split.bad.size() == 29);
}

TEST_CASE("what may not win is never good, equal values go by number") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<Observation> observations = {
      finished(0, 100.0, false), finished(1, nan), finished(2, infinity), finished(3, 1.0),
      finished(4, 2.0),          finished(5, 2.0), finished(6, 0.0),      finished(7, -1.0),
      finished(8, -2.0),         finished(9, 2.0), finished(10, -3.0)};
  CHECK(split_observations(observations).good == Places{4, 5});
  for (Observation& each : observations) each.acceptable = each.number == 7;
  CHECK(split_observations(observations).good == Places{7});
}

TEST_CASE("coordinates and back") {
  const Parameter rate{"rate", FloatRange{0.001, 0.1, true}};
  const Parameter epochs{"epochs", IntegerRange{5, 25}};
  const Parameter model{"model", Choice{{"small", "large"}}};
  CHECK(coordinate(rate, Value(0.01)) == Approx(std::log(0.01)));
  CHECK(std::get<double>(value_at(rate, std::log(0.01))) == Approx(0.01));
  CHECK(std::get<double>(value_at(rate, axis_of(rate).high)) <= 0.1);
  CHECK(std::get<double>(value_at(rate, axis_of(rate).low)) >= 0.001);
  CHECK(axis_of(epochs).low == 4.5);
  CHECK(axis_of(epochs).high == 25.5);
  CHECK(value_at(epochs, 25.0) == Value(std::int64_t{25}));
  CHECK(coordinate(model, Value("large")) == 1.0);
  CHECK(value_at(model, 0.0) == Value("small"));
}

TEST_CASE("values that do not belong to the space are refused") {
  const Parameter rate{"rate", FloatRange{0.001, 0.1, true}};
  CHECK_THROWS_AS(coordinate(rate, Value(1.0)), Error);
  CHECK_THROWS_AS(coordinate(rate, Value("x")), Error);
  CHECK_THROWS_AS(coordinate({"n", IntegerRange{0, 3}}, Value(std::int64_t{4})), Error);
  CHECK_THROWS_AS(coordinate({"c", Choice{{"a"}}}, Value("b")), Error);
  const std::vector<Observation> observations = {finished(0, 1.0)};
  Rng rng(1);
  CHECK_THROWS_AS(suggest_tpe({rate}, observations, {}, rng), Error);
}

TEST_CASE("parameters with a single value are left out of the search") {
  const Space space = {
      {"a", FloatRange{2.0, 2.0, true}}, {"b", IntegerRange{3, 3}}, {"c", Choice{{"only"}}}};
  Rng rng(1);
  const Point expected = {{"a", 2.0}, {"b", std::int64_t{3}}, {"c", "only"}};
  CHECK(suggest_tpe(space, {}, {}, rng) == expected);
  Space larger = space;
  larger.push_back({"d", FloatRange{0.0, 1.0, false}});
  const Point point = suggest_tpe(larger, {}, {}, rng);
  CHECK(point.size() == 4);
  CHECK(point.at("a") == Value(2.0));
}

}  // namespace
}  // namespace tcrops::tune
