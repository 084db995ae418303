#include "groups.hpp"
#include "tpe.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/tune/study.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <set>

// Conditions, steps, log integers and choices of numbers through the samplers.

namespace tcrops::tune {
namespace {

using Groups = std::vector<std::vector<std::size_t>>;

TEST_CASE("groups are what has always occurred together") {
  CHECK(groups_of({}).empty());
  CHECK(groups_of(std::vector<Presence>{{true, true, false, false}}) == Groups{{0, 1}});
  // {0,1} and {0,2}: 0 is in both, 1 and 2 in one each.
  CHECK(groups_of(std::vector<Presence>{{true, true, false, false}, {true, false, true, false}}) ==
        Groups{{0}, {1}, {2}});
  // {0,2,3} after {0,1}: 2 and 3 came together.
  CHECK(groups_of(std::vector<Presence>{{true, true, false, false}, {true, false, true, true}}) ==
        Groups{{0}, {1}, {2, 3}});
  CHECK(groups_of(std::vector<Presence>{
            {true, true, true, false}, {true, true, true, false}, {true, true, false, true}}) ==
        Groups{{0, 1}, {2}, {3}});
}

Space conditional() {
  Space space = {{"model", Choice{{"line", "net", "tree"}}},
                 {"rate", FloatRange{1e-4, 1.0, true}},
                 {"layers", IntegerRange{1, 4}},
                 {"dropout", FloatRange{0.0, 0.5, false, 0.1}},
                 {"depth", IntegerRange{1, 64, true}},
                 {"batch", Choice{{std::int64_t{16}, std::int64_t{64}, std::int64_t{256}}}},
                 {"seed", IntegerRange{7, 7}}};
  space[2].when = Condition{"model", {"net"}};
  space[3].when = Condition{"model", {"net"}};
  space[4].when = Condition{"model", {"tree"}};
  space[6].when = Condition{"model", {"tree"}};
  return space;
}

// Smaller is better; 0 for a net of three layers with dropout 0.2 and rate 0.01.
double loss(const Point& point) {
  const double rate = std::log10(std::get<double>(point.at("rate"))) + 2.0;
  const std::string& model = std::get<std::string>(point.at("model"));
  double sum = 0.2 * rate * rate;
  if (model == "line") return sum + 1.0;
  if (model == "tree") {
    const auto depth = static_cast<double>(std::get<std::int64_t>(point.at("depth")));
    return sum + 0.6 + 0.1 * std::abs(std::log2(depth) - 3.0);
  }
  sum += 0.3 * std::abs(static_cast<double>(std::get<std::int64_t>(point.at("layers"))) - 3.0);
  return sum + 2.0 * std::abs(std::get<double>(point.at("dropout")) - 0.2);
}

std::vector<Trial> study(const Space& space, const std::string& preset, std::int64_t trials,
                         std::uint64_t seed, SamplerKind sampler = SamplerKind::kTpe) {
  StudyOptions options;
  options.sampler = sampler;
  options.tpe = tpe_options(preset);
  options.trials = trials;
  options.seed = seed;
  return run_study(space, options, [](std::int64_t, const Point& point, const Reporter&) {
    Trial trial;
    trial.value = -loss(point);
    return trial;
  });
}

TEST_CASE("every preset proposes points of a conditional space") {
  const Space space = conditional();
  for (const std::string& preset : tpe_presets()) {
    CAPTURE(preset);
    std::set<std::string> models;
    for (const Trial& trial : study(space, preset, 80, 1)) {
      // Exactly the active parameters, each within its domain and on its grid.
      CHECK(point_from_json(to_json(trial.point), space) == trial.point);
      models.insert(std::get<std::string>(trial.point.at("model")));
    }
    CHECK(models.size() == 3);
  }
}

TEST_CASE("every preset finds the good branch and beats random search there") {
  const Space space = conditional();
  const auto median = [&](const std::string& preset, SamplerKind sampler) {
    std::vector<double> best;
    for (std::uint64_t seed = 0; seed < 11; ++seed) {
      const auto trials = study(space, preset, 80, seed, sampler);
      best.push_back(-trials[static_cast<std::size_t>(best_trials(trials, 1).at(0))].value);
    }
    std::sort(best.begin(), best.end());
    return best[5];
  };
  const double random = median("optuna-5.0", SamplerKind::kRandom);
  for (const std::string& preset : tpe_presets()) {
    const double tpe = median(preset, SamplerKind::kTpe);
    CAPTURE(preset, tpe, random);
    CHECK(tpe < 0.5 * random);
    CHECK(tpe >= 0.0);
  }
}

TEST_CASE("a parameter learns from the trials that have it only") {
  Space space = {{"kind", Choice{{"a", "b"}}}, {"x", FloatRange{0.0, 1.0}}};
  space[1].when = Condition{"kind", {"a"}};
  std::vector<Observation> seen;
  for (std::int64_t i = 0; i < 60; ++i) {
    // "a" is better, and the better the larger x.
    const double x = static_cast<double>(i * 37 % 60) / 60.0;
    if (i % 2 == 0) {
      seen.push_back({i, {{"kind", "a"}, {"x", x}}, true, true, 1.0 + x, false, -1});
    } else {
      seen.push_back({i, {{"kind", "b"}}, true, true, 0.0, false, -1});
    }
  }
  for (const std::string& preset : tpe_presets()) {
    double sum = 0.0;
    int count = 0;
    for (std::int64_t i = 60; i < 120; ++i) {
      const Point point = suggest(SamplerKind::kTpe, space, 3, i, seen, tpe_options(preset));
      if (point.count("x") == 0) continue;
      sum += std::get<double>(point.at("x"));
      ++count;
    }
    CAPTURE(preset);
    CHECK(count > 30);
    CHECK(sum / count > 0.75);
  }
}

TEST_CASE("a branch that no trial took is drawn at random") {
  Space space = {{"kind", Choice{{"a", "b"}}}, {"x", FloatRange{0.0, 1.0}}};
  space[1].when = Condition{"kind", {"b"}};
  std::vector<Observation> seen;
  for (std::int64_t i = 0; i < 20; ++i) {
    seen.push_back({i, {{"kind", "a"}}, true, true, -double(i), false, -1});
  }
  for (const std::string& preset : tpe_presets()) {
    for (std::int64_t i = 20; i < 300; ++i) {
      const Point point = suggest(SamplerKind::kTpe, space, 3, i, seen, tpe_options(preset));
      CHECK(point.count("x") == (point.at("kind") == Value("b") ? 1U : 0U));
    }
  }
}

TEST_CASE("observations that lack an active parameter, or have an inactive one, are refused") {
  Space space = {{"kind", Choice{{"a", "b"}}}, {"x", FloatRange{0.0, 1.0}}};
  space[1].when = Condition{"kind", {"b"}};
  Rng rng(1);
  const auto refused = [&](Point point) {
    const std::vector<Observation> seen = {{0, std::move(point), true, true, 0.0, false, -1}};
    CHECK_THROWS_WITH(suggest_tpe(space, seen, {}, rng), Catch::Matchers::Contains("\"x\""));
  };
  refused({{"kind", "b"}});
  refused({{"kind", "a"}, {"x", 0.5}});
  refused({{"kind", "b"}, {"x", 2.0}});
}

TEST_CASE("random draws are even on grids and log integers") {
  const Space space = {{"step", FloatRange{0.0, 1.0, false, 0.25}},
                       {"even", IntegerRange{2, 11, false, 3}},
                       {"log", IntegerRange{1, 100, true}},
                       {"size", Choice{{std::int64_t{16}, 0.5}}}};
  std::map<double, int> steps;
  std::map<std::int64_t, int> evens;
  int small = 0;
  int sizes = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Point point = suggest(SamplerKind::kRandom, space, 3, i, {});
    ++steps[std::get<double>(point.at("step"))];
    ++evens[std::get<std::int64_t>(point.at("even"))];
    const auto log = std::get<std::int64_t>(point.at("log"));
    CHECK((log >= 1 && log <= 100));
    small += log <= 7 ? 1 : 0;
    sizes += point.at("size") == Value(std::int64_t{16}) ? 1 : 0;
  }
  CHECK(steps.size() == 5);
  for (const auto& [value, count] : steps) {
    CHECK(value * 4.0 == std::round(value * 4.0));
    CHECK(count == Approx(kDraws / 5.0).margin(120));
  }
  CHECK(evens.size() == 4);
  for (const std::int64_t value : {2, 5, 8, 11}) {
    CHECK(evens[value] == Approx(kDraws / 4.0).margin(120));
  }
  CHECK(small == Approx(kDraws * std::log(15.0) / std::log(201.0)).margin(150));
  CHECK(sizes == Approx(kDraws / 2.0).margin(150));
}

TEST_CASE("a step that does not reach the end leaves the end out") {
  const Space space = {{"x", FloatRange{0.0, 1.0, false, 0.3}},
                       {"n", IntegerRange{1, 6, false, 2}}};
  std::vector<Observation> seen;
  for (std::int64_t i = 0; i < 60; ++i) {
    const Point point = suggest(SamplerKind::kTpe, space, 1, i, seen);
    const double x = std::get<double>(point.at("x"));
    const auto n = std::get<std::int64_t>(point.at("n"));
    CHECK(x <= 0.91);
    CHECK((n == 1 || n == 3 || n == 5));
    seen.push_back({i, point, true, true, x + static_cast<double>(n), false, -1});
  }
}

}  // namespace
}  // namespace tcrops::tune
