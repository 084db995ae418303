#include "kernel_rules.hpp"
#include "parzen.hpp"
#include "tpe.hpp"

#include <tcrops/core/error.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>

// The published forms of TPE. Reference numbers come from the published rules by an independent
// computation with numpy and scipy; tests/interop/tpe_parity.py compares with Optuna itself.

namespace tcrops::tune {
namespace {

using Numbers = std::vector<double>;

const Axis kUnit{Axis::Kind::kContinuous, -1.0, 1.0};
const Numbers kBelow = {-0.4, 0.1};
const Numbers kAbove = {0.9, -0.9, 0.5, 0.3};

void check_equal(const Numbers& values, const Numbers& expected, double margin = 1e-12) {
  REQUIRE(values.size() == expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(values[i] == Approx(expected[i]).margin(margin));
  }
}

ParzenEstimator estimator_of(const Axis& axis, const Numbers& places, const TpeOptions& options,
                             Numbers weights = {}) {
  if (weights.empty()) {
    weights = age_weights(places.size());
    weights.push_back(options.prior_weight);
  }
  return {{axis}, {places}, std::move(weights), options};
}

Numbers widths(const std::string& preset, const Numbers& places) {
  return kernel_widths(-1.0, 1.0, places, 1, tpe_options(preset));
}

Numbers probabilities(const ParzenEstimator& estimator, const Numbers& places) {
  Numbers result;
  for (const double x : places) result.push_back(std::exp(estimator.log_density({x})));
  return result;
}

// log l(x) - log g(x) at -0.5, 0, 0.25 and 0.8.
Numbers scores(const ParzenEstimator& below, const ParzenEstimator& above) {
  Numbers result;
  for (const double x : {-0.5, 0.0, 0.25, 0.8}) {
    result.push_back(below.log_density({x}) - above.log_density({x}));
  }
  return result;
}

Numbers scores(const std::string& preset) {
  const TpeOptions options = tpe_options(preset);
  return scores(estimator_of(kUnit, kBelow, options), estimator_of(kUnit, kAbove, options));
}

TEST_CASE("presets by name, the default first") {
  REQUIRE(tpe_presets().size() == 5);
  CHECK(tpe_presets().front() == "optuna-5.0");
  for (const std::string& name : tpe_presets()) CHECK_NOTHROW(check_tpe_options(tpe_options(name)));
  CHECK_THROWS_WITH(tpe_options("optuna-5"),
                    Catch::Matchers::Contains("did you mean \"optuna-5.0\"") &&
                        Catch::Matchers::Contains("hyperopt"));
}

TEST_CASE("options that fit no estimator are refused") {
  const auto refused = [](const auto& change) {
    TpeOptions options;
    change(options);
    CHECK_THROWS_AS(check_tpe_options(options), Error);
  };
  refused([](TpeOptions& o) { o.candidates = 0; });
  refused([](TpeOptions& o) { o.good_share = 0.0; });
  refused([](TpeOptions& o) { o.good_share = std::nan(""); });
  refused([](TpeOptions& o) { o.most_good = 0; });
  refused([](TpeOptions& o) { o.prior_weight = 0.0; });
  refused([](TpeOptions& o) { o.narrowest = 2.0; });
  refused([](TpeOptions& o) { o.truncation = Truncation::kMixture; });
  refused([](TpeOptions& o) { o.categories = CategoryKernels::kCounts; });
}

TEST_CASE("how many trials are good") {
  using Table = std::vector<std::pair<int, std::size_t>>;
  const std::vector<std::pair<std::string, Table>> tables = {
      {"optuna-5.0", {{10, 1}, {25, 3}, {30, 3}, {50, 5}, {100, 10}, {241, 25}, {400, 25}}},
      {"optuna-4.9", {{10, 1}, {25, 3}, {241, 25}}},
      {"optuna-4.8", {{10, 1}, {25, 3}, {241, 25}}},
      {"hyperopt", {{20, 2}, {64, 2}, {100, 3}, {300, 5}, {1000, 8}, {10000, 25}}},
      {"paper", {{10, 2}, {20, 3}, {100, 15}, {160, 24}, {161, 25}, {400, 25}}}};
  for (const auto& [preset, table] : tables) {
    for (const auto& [finished, good] : table) {
      std::vector<Observation> observations(static_cast<std::size_t>(finished));
      for (int i = 0; i < finished; ++i) {
        observations[static_cast<std::size_t>(i)] = {i, {}, true, true, double(i), false, -1};
      }
      CAPTURE(preset, finished);
      CHECK(split_observations(observations, tpe_options(preset)).good.size() == good);
    }
  }
}

TEST_CASE("what running trials count as") {
  std::vector<Observation> observations;
  for (std::int64_t i = 0; i < 60; ++i) {
    observations.push_back({i, {}, i < 20, true, -double(i), false, -1});
  }
  const auto sizes = [&](const char* preset) {
    const Split split = split_observations(observations, tpe_options(preset));
    return std::pair(split.good.size(), split.bad.size());
  };
  CHECK(sizes("optuna-5.0") == std::pair<std::size_t, std::size_t>{2, 58});
  CHECK(sizes("optuna-4.9") == std::pair<std::size_t, std::size_t>{2, 18});
  CHECK(sizes("optuna-4.8") == std::pair<std::size_t, std::size_t>{2, 18});
  CHECK(sizes("hyperopt") == std::pair<std::size_t, std::size_t>{2, 58});
  CHECK(sizes("paper") == std::pair<std::size_t, std::size_t>{3, 17});
  observations.resize(200);
  for (std::int64_t i = 60; i < 200; ++i) {
    observations[static_cast<std::size_t>(i)] = {i, {}, false, true, 0.0, false, -1};
  }
  CHECK(sizes("optuna-5.0").first == 2);
  CHECK(sizes("hyperopt").first == 4);  // 0.25 sqrt(200) = 3.5
}

TEST_CASE("the random start counts running trials for hyperopt only") {
  const Space space = {{"x", FloatRange{0.0, 1.0}}};
  std::vector<Observation> observations;
  for (std::int64_t i = 0; i < 19; ++i) {
    observations.push_back({i, {{"x", 0.02 * double(i)}}, i < 9, true, double(i), false, -1});
  }
  const auto is_random = [&](const char* preset) {
    return suggest(SamplerKind::kTpe, space, 5, 40, observations, tpe_options(preset)) ==
           suggest(SamplerKind::kRandom, space, 5, 40, observations);
  };
  for (const std::string& name : tpe_presets()) CHECK(is_random(name.c_str()));
  observations.push_back({19, {{"x", 0.5}}, false, true, 0.0, false, -1});
  for (const std::string& name : tpe_presets())
    CHECK(is_random(name.c_str()) == (name != "hyperopt"));
  observations.push_back({20, {{"x", 0.5}}, true, true, 0.0, false, -1});
  for (const std::string& name : tpe_presets()) CHECK_FALSE(is_random(name.c_str()));
}

TEST_CASE("pruned trials rank after the completed, by how far they came") {
  const auto pruned = [](std::int64_t number, std::int64_t step, double value) {
    return Observation{number, {}, true, true, value, true, step};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Observation> observations = {pruned(0, 3, 9.0),
                                                 pruned(1, 5, -1.0),
                                                 pruned(2, 5, 4.0),
                                                 pruned(3, -1, nan),
                                                 {4, {}, true, true, -100.0, false, -1},
                                                 {5, {}, true, false, 100.0, false, -1},
                                                 pruned(6, 5, nan)};
  TpeOptions options;
  options.good_share = 1.0;
  const auto good = [&](std::int64_t most) {
    options.most_good = most;
    return split_observations(observations, options).good;
  };
  using Places = std::vector<std::size_t>;
  CHECK(good(1) == Places{4});
  CHECK(good(2) == Places{2, 4});
  CHECK(good(3) == Places{1, 2, 4});
  CHECK(good(4) == Places{1, 2, 4, 6});
  CHECK(good(5) == Places{0, 1, 2, 4, 6});
  CHECK(good(6) == Places{0, 1, 2, 3, 4, 6});
  CHECK(good(7) == Places{0, 1, 2, 3, 4, 6});
}

TEST_CASE("kernel widths of every preset") {
  const double third = 1.0 / 3.0;
  check_equal(widths("optuna-5.0", kBelow), {0.5, 0.5});
  check_equal(widths("optuna-5.0", kAbove), {0.4, 1.2, 0.4, 1.2});
  check_equal(widths("optuna-4.9", kAbove), {0.4, 1.2, 0.4, 1.2});
  check_equal(widths("optuna-4.8", kBelow), {0.5, 0.5});
  check_equal(widths("optuna-4.8", kAbove), {0.4, 0.9, 0.4, third});
  check_equal(widths("hyperopt", kBelow), {0.5, 0.5});
  check_equal(widths("hyperopt", kAbove), {0.4, 0.9, 0.4, third});
  check_equal(widths("paper", kBelow), {0.6, 0.9});
  check_equal(widths("paper", kAbove), {0.4, 0.9, 0.4, 0.3});
}

TEST_CASE("the width of a single observation") {
  check_equal(widths("optuna-5.0", {-0.6}), {1.6});
  check_equal(widths("optuna-4.9", {-0.6}), {1.6});
  check_equal(widths("optuna-4.8", {-0.7}), {0.7});
  check_equal(widths("hyperopt", {-0.7}), {1.0});
  check_equal(widths("paper", {-0.7}), {0.7});
}

TEST_CASE("how narrow equal observations may become") {
  const Numbers many(200, 0.2);
  CHECK(widths("optuna-5.0", many).front() == Approx(0.02));
  CHECK(widths("hyperopt", many).at(1) == Approx(0.02));
  CHECK(widths("paper", many).at(1) == Approx(0.06));
  CHECK(widths("paper", {0.2, 0.2, 0.2}).at(1) == Approx(0.08));
  TpeOptions unlimited;
  unlimited.most_kernels = 0.0;
  CHECK(kernel_widths(-1.0, 1.0, many, 1, unlimited).front() < 1e-9);
}

TEST_CASE("neighbours and ends without the prior; widths by count") {
  TpeOptions options;
  options.width = KernelWidth::kNeighboursOrEnds;
  check_equal(kernel_widths(-1.0, 1.0, Numbers{-0.4, 0.4, 0.41, 0.42}, 1, options),
              {0.8, 0.8, 1.0 / 3.0, 0.58});
  options.width = KernelWidth::kByCount;
  const double width = 0.2 * std::pow(50.0, -1.0 / 7.0) * 2.0;
  CHECK(kernel_widths(-1.0, 1.0, Numbers(50, 0.1), 3, options).front() == Approx(width));
}

TEST_CASE("scores of the presets") {
  check_equal(scores("optuna-5.0"),
              {0.582307690337, 0.395392545950, -0.015681745065, -0.968632625983}, 1e-10);
  check_equal(scores("optuna-4.9"), scores("optuna-5.0"));
  check_equal(scores("optuna-4.8"),
              {0.770610350150, 0.293139845380, -0.193943750452, -0.900873156561}, 1e-10);
  check_equal(scores("hyperopt"),
              {1.079277605863, 0.279924760996, -0.291003937453, -1.075578680585}, 1e-10);
}

TEST_CASE("the paper weighs good trials by improvement") {
  check_equal(improvement_weights(Numbers{5.0, 3.0, 0.5, std::nan("")}, 1.0),
              {4.0, 2.0, 1e-12, 1e-12});
  check_equal(improvement_weights(Numbers{5.0}, std::nan("")), {1e-12});
  const TpeOptions options = tpe_options("paper");
  check_equal(scores(estimator_of(kUnit, kBelow, options, {4.0, 2.0, 3.0}),
                     estimator_of(kUnit, kAbove, options, Numbers(5, 1.0))),
              {0.836125711661, 0.173699690848, -0.352045847581, -0.795870208192}, 1e-10);
}

TEST_CASE("grids: hyperopt halves the cells at the ends, Optuna widens the range") {
  const Numbers values = {0.0, 0.5, 1.0, 1.5, 2.0};
  Axis axis{Axis::Kind::kGrid, 0.0, 2.0, 5, 0.0, 0.5};
  check_equal(probabilities(estimator_of(axis, {0.5, 2.0}, tpe_options("hyperopt")), values),
              {0.124978119526, 0.320525122205, 0.271846029551, 0.195095472939, 0.087555255779},
              1e-10);
  axis.low = -0.25;
  axis.high = 2.25;
  check_equal(probabilities(estimator_of(axis, {0.5, 2.0}, {}), values),
              {0.173937529849, 0.199245419536, 0.213523534641, 0.213728044019, 0.199565471954},
              1e-10);
}

TEST_CASE("integers on a log range: the mass of each cell") {
  const Axis axis = axis_of({"n", IntegerRange{1, 8, true}});
  const ParzenEstimator estimator = estimator_of(axis, {std::log(2.0), std::log(8.0)}, {});
  Numbers places;
  for (const double value : {1.0, 2.0, 5.0, 8.0}) places.push_back(std::log(value));
  check_equal(probabilities(estimator, places),
              {0.313640985871, 0.191496983576, 0.082464151775, 0.048469658499}, 1e-10);
  places.clear();
  for (int value = 1; value <= 8; ++value) places.push_back(std::log(value));
  double sum = 0.0;
  for (const double each : probabilities(estimator, places)) sum += each;
  CHECK(sum == Approx(1.0));
}

TEST_CASE("hyperopt counts categories by age and draws from the mixture cut as a whole") {
  const TpeOptions options = tpe_options("hyperopt");
  const Axis category{Axis::Kind::kCategory, 0.0, 1.0, 3};
  check_equal(probabilities(estimator_of(category, {2.0, 0.0, 2.0}, options), {0.0, 1.0, 2.0}),
              {2.0 / 6.0, 1.0 / 6.0, 3.0 / 6.0});
  Numbers old(26, 1.0);  // the first weighs 1/26
  old.front() = 0.0;
  const double least = 1.0 / 26.0;
  check_equal(probabilities(estimator_of(category, old, options), {0.0, 2.0}),
              {(least + 1.0) / (least + 28.0), 1.0 / (least + 28.0)});

  const ParzenEstimator estimator = estimator_of(kUnit, {-0.9, 0.6}, options);
  double sum = 0.0;
  double left = 0.0;
  for (int cell = 0; cell < 1000; ++cell) {
    const double x = -1.0 + (cell + 0.5) / 500.0;
    const double share = std::exp(estimator.log_density({x})) / 500.0;
    sum += share;
    left += x < 0.0 ? share : 0.0;
  }
  CHECK(sum == Approx(1.0).epsilon(1e-5));
  Rng rng(4, "test.preset");
  double drawn = 0.0;
  for (int i = 0; i < 20000; ++i) drawn += estimator.draw(rng)[0] < 0.0 ? 1.0 / 20000 : 0.0;
  CHECK(drawn == Approx(left).margin(0.015));
}

}  // namespace
}  // namespace tcrops::tune
