#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/tune/importance.hpp>
#include <tcrops/tune/sampler.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace tcrops::tune {
namespace {

using Judge = std::function<double(const Point&)>;

// A random search.
std::vector<Trial> search(const Space& space, std::int64_t count, const Judge& judge,
                          std::uint64_t seed = 5) {
  std::vector<Trial> trials;
  for (std::int64_t n = 0; n < count; ++n) {
    Trial trial;
    trial.number = n;
    trial.point = suggest(SamplerKind::kRandom, space, seed, n, {});
    trial.value = judge(trial.point);
    trials.push_back(std::move(trial));
  }
  return trials;
}

double number(const Point& point, const std::string& name) {
  const Value& value = point.at(name);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return std::get<double>(value);
}

double sum_of(const std::vector<Importance>& list) {
  return std::accumulate(list.begin(), list.end(), 0.0, [](double sum, const Importance& each) {
    return sum + each.importance.value_or(0.0);
  });
}

const Space kThree = {
    {"x", FloatRange{-5.0, 5.0}}, {"y", FloatRange{-5.0, 5.0}}, {"z", FloatRange{-5.0, 5.0}}};

TEST_CASE("the only parameter that matters has nearly all of the importance") {
  const auto trials =
      search(kThree, 400, [](const Point& at) { return -std::abs(number(at, "x") - 2.0); });
  const auto result = importances(kThree, trials);
  REQUIRE(result.size() == 3);
  CHECK(result[0].name == "x");
  CHECK(result[1].name == "y");
  CHECK(*result[0].importance > 0.9);
  CHECK(*result[1].importance < 0.06);
  CHECK(*result[2].importance < 0.06);
  CHECK(result[2].trials == 400);
  CHECK(sum_of(result) == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("a steeper parameter is more important than a flatter one") {
  const auto trials = search(kThree, 1000, [](const Point& at) {
    return -3.0 * std::abs(number(at, "z")) - 1.0 * std::abs(number(at, "x"));
  });
  const auto result = importances(kThree, trials);
  CHECK(*result[2].importance > 1.5 * *result[0].importance);
  CHECK(*result[0].importance > 1.5 * *result[1].importance);
  CHECK(sum_of(result) == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("the larger value is the better one") {
  const Space space = {{"x", FloatRange{0.0, 1.0}}, {"y", FloatRange{0.0, 1.0}}};
  // Only y tells among the trials with a large x, only x among those with a small one.
  const Judge judge = [](const Point& at) {
    return number(at, "x") > 0.5 ? 1.0 + number(at, "y") : number(at, "x");
  };
  auto trials = search(space, 600, judge);
  const auto up = importances(space, trials);
  for (Trial& each : trials) each.value = -each.value;
  const auto down = importances(space, trials);
  CHECK(*up[1].importance > *up[0].importance);
  CHECK(*down[0].importance > 0.9);
}

const Space kKinds = {
    {"kind", Choice{{"a", "b", "c", "d"}}},      {"log", FloatRange{1e-5, 1.0, true}},
    {"step", FloatRange{0.0, 0.5, false, 0.05}}, {"whole", IntegerRange{1, 9}},
    {"units", IntegerRange{16, 256, false, 16}}, {"wide", IntegerRange{1, 4096, true}}};

TEST_CASE("every kind of parameter can be the one that matters") {
  const auto judge_by = [](std::size_t which) -> Judge {
    return [which](const Point& at) {
      const Value& value = at.at(kKinds[which].name);
      if (const auto* kind = std::get_if<std::string>(&value)) return *kind == "c" ? 1.0 : 0.0;
      const double x = number(at, kKinds[which].name);
      const std::string& name = kKinds[which].name;
      return name == "log" || name == "wide" ? -std::abs(std::log(x)) : -x;
    };
  };
  for (std::size_t which = 0; which < kKinds.size(); ++which) {
    INFO(kKinds[which].name);
    // Among equal values all are the best, so those of a few values need enough trials.
    const auto result = importances(kKinds, search(kKinds, 600, judge_by(which)));
    const auto best = std::max_element(
        result.begin(), result.end(), [](auto& a, auto& b) { return a.importance < b.importance; });
    CHECK(static_cast<std::size_t>(best - result.begin()) == which);
    CHECK(*best->importance > 0.75);
    CHECK(sum_of(result) == Approx(1.0).epsilon(1e-12));
  }
}

// Worked by hand: of 12 trials 4 have each option, which with the prior is 1/3 each; the best 2
// both have "a": b(a) = (2 + 1/3) / 3 = 7/9, the others 1/9. D = 3 (4/9)^2 + 2 * 3 (2/9)^2 = 8/9.
TEST_CASE("the divergence of a choice") {
  const Space space = {{"kind", Choice{{"a", "b", "c"}}}, {"twin", Choice{{"p", "q"}}}};
  std::vector<Trial> trials;
  for (int n = 0; n < 12; ++n) {
    const std::string kind(1, "abc"[n % 3]);
    // Half of all, and half of the best: as likely there as anywhere.
    const std::string twin(1, "pq"[n / 3 % 2]);
    Trial trial;
    trial.point = {{"kind", kind}, {"twin", twin}};
    trial.value = kind == "a" && n < 6 ? 1.0 : 0.0;
    trials.push_back(std::move(trial));
  }
  auto result = importances(space, trials, 0.1);
  CHECK(*result[0].importance == Approx(1.0).epsilon(1e-12));
  CHECK(*result[1].importance == Approx(0.0).margin(1e-15));
  // Now the best have one value of the twin as well: of 1/2 each, b(p) = (2 + 1/2) / 3 = 5/6.
  // D = 2 * 2 (1/3)^2 = 4/9, half of the other.
  for (Trial& each : trials) {
    each.value = each.point.at("kind") == Value("a") && each.point.at("twin") == Value("p");
  }
  result = importances(space, trials, 0.1);
  CHECK(*result[0].importance == Approx(2.0 / 3.0).epsilon(1e-12));
  CHECK(*result[1].importance == Approx(1.0 / 3.0).epsilon(1e-12));
}

TEST_CASE("a conditional parameter is judged where it is, and counts by how often it is") {
  Space space = {{"model", Choice{{"line", "net"}}},
                 {"depth", FloatRange{0.0, 1.0}, Condition{"model", {"net"}}},
                 {"noise", FloatRange{0.0, 1.0}, Condition{"model", {"net"}}}};
  const Judge judge = [](const Point& at) {
    return at.contains("depth") ? number(at, "depth") : -1.0;
  };
  std::vector<Trial> trials = search(space, 400, judge);
  const auto result = importances(space, trials);
  const auto nets = std::count_if(trials.begin(), trials.end(),
                                  [](const Trial& each) { return each.point.contains("depth"); });
  CHECK(result[0].trials == 400);
  CHECK(result[1].trials == nets);
  CHECK(*result[1].importance > 0.5);
  CHECK(*result[2].importance < 0.1);

  // What the lines' values are makes no difference to how depth and noise compare.
  for (Trial& each : trials) {
    if (!each.point.contains("depth")) each.value = 99.0;
  }
  const auto lines = importances(space, trials);
  CHECK(*lines[1].importance / *lines[2].importance ==
        Approx(*result[1].importance / *result[2].importance).epsilon(1e-9));

  // The model's own part is known from a study without the others: so is the weight of depth's.
  std::vector<Trial> only_nets;
  for (const Trial& each : trials) {
    if (each.point.contains("depth")) only_nets.push_back(each);
  }
  const Space flat = {{"depth", FloatRange{0.0, 1.0}}, {"noise", FloatRange{0.0, 1.0}}};
  for (Trial& each : only_nets) each.point.erase("model");
  const auto alone = importances(flat, only_nets);
  CHECK(*alone[0].importance / *alone[1].importance ==
        Approx(*result[1].importance / *result[2].importance).epsilon(1e-9));
}

TEST_CASE("a conditional parameter's part shrinks with its share of the trials") {
  const Space space = {{"model", Choice{{"line", "net"}}},
                       {"depth", FloatRange{0.0, 1.0}, Condition{"model", {"net"}}},
                       {"x", FloatRange{0.0, 1.0}}};
  // Of `nets` nets and as many lines as make it 400. depth and x are equal where both are; x stays
  // as it is in the lines, so both have the same divergence up to the share.
  const auto ratio = [&](int nets) {
    std::vector<Trial> trials;
    for (int n = 0; n < 400; ++n) {
      Trial trial;
      const double place = (n % nets + 0.5) / nets;
      trial.point = {{"model", std::string(n < nets ? "net" : "line")}, {"x", place}};
      if (n < nets) trial.point["depth"] = place;
      trial.value = place;
      trials.push_back(std::move(trial));
    }
    const auto result = importances(space, trials);
    return *result[1].importance / *result[2].importance;
  };
  CHECK(ratio(200) == Approx(0.5).epsilon(0.1));
  CHECK(ratio(100) == Approx(0.25).epsilon(0.15));
}

TEST_CASE("the order of the trials makes no difference") {
  auto trials = search(kKinds, 150, [](const Point& at) {
    return std::round(number(at, "whole")) - 0.1 * std::log(number(at, "log"));
  });
  const auto expected = importances(kKinds, trials);
  Rng rng(3, "order");
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = trials.size() - 1; i > 0; --i) {
      std::swap(trials[i], trials[rng.below(i + 1)]);
    }
    const auto result = importances(kKinds, trials);
    for (std::size_t p = 0; p < kKinds.size(); ++p) {
      CHECK(result[p].importance == expected[p].importance);
    }
  }
}

TEST_CASE("all trials equal to the last of the best are among them") {
  const Space space = {{"x", IntegerRange{0, 9}}};
  std::vector<Trial> trials;
  for (std::int64_t n = 0; n < 100; ++n) {
    Trial trial;
    trial.point = {{"x", n % 10}};
    trial.value = n % 10 < 4 ? 1.0 : 0.0;  // 40 are best although 10 are asked for
    trials.push_back(std::move(trial));
  }
  const Space two = {{"x", IntegerRange{0, 9}}, {"y", FloatRange{0.0, 1.0}}};
  for (std::size_t n = 0; n < trials.size(); ++n) {
    trials[n].point["y"] = static_cast<double>(n) / 100.0;
  }
  const auto by_ten = importances(two, trials, 0.1);
  const auto by_forty = importances(two, trials, 0.4);
  CHECK(by_ten[0].importance == by_forty[0].importance);
  CHECK(by_ten[0].importance != importances(two, trials, 0.41)[0].importance);
}

TEST_CASE("pruned and unacceptable trials count as tried, but are never among the best") {
  auto trials = search(kThree, 300, [](const Point& at) { return -std::abs(number(at, "x")); });
  const auto expected = importances(kThree, trials);
  // Higher values that must not count, in places where y would matter.
  auto worse = search(
      kThree, 300, [](const Point&) { return 0.0; }, 8);
  for (std::size_t n = 0; n < worse.size(); ++n) {
    worse[n].value = 100.0 + number(worse[n].point, "y");
    if (n % 3 == 0) worse[n].acceptable = false;
    if (n % 3 == 1) worse[n].state = TrialState::kPruned;
    if (n % 3 == 2) worse[n].value = std::numeric_limits<double>::quiet_NaN();
  }
  trials.insert(trials.end(), worse.begin(), worse.end());
  const auto result = importances(kThree, trials);
  CHECK(result[0].trials == 600);
  CHECK(*result[0].importance > 0.85);
  CHECK(*expected[0].importance > 0.85);
  // Running and failed trials are nothing.
  for (Trial& each : worse) {
    each.state = each.number % 2 == 0 ? TrialState::kRunning : TrialState::kFailed;
    each.acceptable = true;
    each.value = 1000.0;
  }
  trials.resize(300);
  trials.insert(trials.end(), worse.begin(), worse.end());
  CHECK(importances(kThree, trials)[0].importance == expected[0].importance);
  CHECK(importances(kThree, trials)[0].trials == 300);
}

TEST_CASE("a parameter that was always the same has no importance") {
  Space space = kThree;
  space.push_back({"one", IntegerRange{3, 3}});
  space.push_back({"only", Choice{{"a"}}});
  auto trials = search(space, 60, [](const Point& at) { return number(at, "x"); });
  for (Trial& each : trials) each.point["z"] = 1.25;
  const auto result = importances(space, trials);
  for (const std::size_t p : {2U, 3U, 4U}) CHECK(result[p].importance == 0.0);
  CHECK(result[4].trials == 60);
  CHECK(sum_of(result) == Approx(1.0).epsilon(1e-12));
}

TEST_CASE("with too little to go by an importance is absent") {
  const Judge judge = [](const Point& at) { return number(at, "x"); };
  auto trials = search(kThree, 10, judge);
  CHECK(importances(kThree, trials)[0].importance.has_value());
  CHECK_FALSE(importances(kThree, search(kThree, 9, judge))[0].importance.has_value());
  CHECK(importances(kThree, {})[0].trials == 0);
  CHECK_FALSE(importances(kThree, {})[0].importance.has_value());
  CHECK(importances({}, trials).empty());

  // A branch with fewer trials than it takes.
  const Space space = {{"model", Choice{{"line", "net"}}},
                       {"depth", FloatRange{0.0, 1.0}, Condition{"model", {"net"}}},
                       {"x", FloatRange{0.0, 1.0}}};
  auto some = search(space, 200, judge);
  int nets = 0;
  std::erase_if(some,
                [&](const Trial& each) { return each.point.contains("depth") && ++nets > 9; });
  const auto result = importances(space, some);
  CHECK(result[1].trials == 9);
  CHECK_FALSE(result[1].importance.has_value());
  CHECK(sum_of(result) == Approx(1.0).epsilon(1e-12));

  // Values that are all equal, and only one that may win.
  for (Trial& each : trials) each.value = 2.0;
  for (const Importance& each : importances(kThree, trials)) {
    CHECK_FALSE(each.importance.has_value());
  }
  for (Trial& each : trials) each.acceptable = each.number == 0;
  CHECK_FALSE(importances(kThree, trials)[0].importance.has_value());
  trials[1].acceptable = true;
  CHECK(importances(kThree, trials)[0].importance.has_value());
}

TEST_CASE("nonsense is refused") {
  auto trials = search(kThree, 12, [](const Point& at) { return number(at, "x"); });
  for (const double share : {0.0, 1.0, -0.5, std::nan("")}) {
    CHECK_THROWS_AS(importances(kThree, trials, share), Error);
  }
  CHECK_THROWS_AS(importances({{"x", Choice{}}}, trials), Error);
  trials[3].point["x"] = 7.0;
  CHECK_THROWS_WITH(importances(kThree, trials), Catch::Matchers::Contains("\"x\""));
  trials[3].point.erase("x");
  CHECK_THROWS_AS(importances(kThree, trials), Error);
}

}  // namespace
}  // namespace tcrops::tune
