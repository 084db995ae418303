#include <tcrops/core/error.hpp>
#include <tcrops/tune/study.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace tcrops::tune {
namespace {

const Space kSpace = {{"x", FloatRange{-5.0, 5.0, false}},
                      {"n", IntegerRange{1, 4}},
                      {"model", Choice{{"small", "large"}}}};

Trial judge(std::int64_t, const Point& point, const Reporter&) {
  Trial trial;
  const double x = std::get<double>(point.at("x"));
  const auto n = std::get<std::int64_t>(point.at("n"));
  trial.value = -(x - 1.0) * (x - 1.0) - static_cast<double>(n);
  trial.weights = std::get<std::string>(point.at("model")) == "small" ? 10 : 1000;
  trial.details = {{"x", x}};
  return trial;
}

StudyOptions options_for(std::int64_t trials, std::int64_t window) {
  StudyOptions options;
  options.trials = trials;
  options.window = window;
  options.seed = 11;
  return options;
}

Json summary(const std::vector<Trial>& trials) {
  Json json = Json::array();
  for (const Trial& trial : trials) {
    json.push_back({trial.number, to_json(trial.point), trial.value, trial.acceptable, trial.reason,
                    trial.weights, trial.details});
  }
  return json;
}

TEST_CASE("trial n knows the trials up to n - window and the places of the rest") {
  const std::vector<Trial> trials = run_study(kSpace, options_for(25, 3), judge);
  REQUIRE(trials.size() == 25);
  std::vector<Observation> seen;
  for (std::int64_t n = 0; n < 25; ++n) {
    for (Observation& each : seen) each.finished = each.number <= n - 3;
    const Trial& trial = trials[static_cast<std::size_t>(n)];
    CHECK(trial.number == n);
    CHECK(trial.point == suggest(SamplerKind::kTpe, kSpace, 11, n, seen));
    seen.push_back({n, trial.point, false, true, trial.value});
  }
}

TEST_CASE("without a window a trial alone knows all earlier ones") {
  CHECK(summary(run_study(kSpace, options_for(20, 0), judge)) ==
        summary(run_study(kSpace, options_for(20, 1), judge)));
}

TEST_CASE("more trials do not change the first") {
  Json longer = summary(run_study(kSpace, options_for(25, 2), judge));
  longer.erase(longer.begin() + 15, longer.end());
  CHECK(longer == summary(run_study(kSpace, options_for(15, 2), judge)));
}

TEST_CASE("proposals are tried first and say where they are from") {
  StudyOptions options = options_for(6, 2);
  const Point good = {{"x", 1.0}, {"n", std::int64_t{1}}, {"model", std::string("small")}};
  const Point other = {{"x", -4.0}, {"n", std::int64_t{4}}, {"model", std::string("large")}};
  options.first = {{good, "elsewhere"}, {other, "by hand"}};
  const std::vector<Trial> trials = run_study(kSpace, options, judge);
  CHECK(trials[0].point == good);
  CHECK(trials[0].origin == "elsewhere");
  CHECK(trials[1].point == other);
  CHECK(trials[1].origin == "by hand");
  CHECK(trials[2].origin.empty());
  CHECK(best_trials(trials, 1).at(0) == 0);
}

// Even trials rise to 1, odd ones stay at 0.
Trial by_steps(std::int64_t number, const Point&, const Reporter& report) {
  Trial trial;
  for (std::int64_t step = 0; step < 4; ++step) {
    trial.value = number % 2 == 0 ? static_cast<double>(step + 1) / 4.0 : 0.0;
    trial.details["steps"] = step + 1;
    if (report({step, trial.value})) break;
  }
  trial.value = number % 2 == 0 ? 1.5 : -1.5;
  return trial;
}

TEST_CASE("a pruner ends trials early, from what the window lets it know") {
  StudyOptions options = options_for(10, 2);
  options.pruner = PercentilePruner{50.0, 2, 1, 1, 1};
  const std::vector<Trial> trials = run_study(kSpace, options, by_steps);
  for (const Trial& trial : trials) {
    INFO(trial.number);
    // Trial 3 knows only 0 and 1, of whose values 0.5 and 0 the median is above 0.
    const bool pruned = trial.number % 2 == 1 && trial.number >= 3;
    CHECK(trial.state == (pruned ? TrialState::kPruned : TrialState::kComplete));
    CHECK(trial.reports.size() == (pruned ? 2U : 4U));
    CHECK(trial.decisions.size() == trial.reports.size());
    CHECK(trial.decision.has_value() == pruned);
    if (pruned) {
      CHECK(trial.value == 0.0);  // the last it reported
      CHECK(trial.decision->step == std::optional<std::int64_t>(1));
      CHECK(trial.decision->own == std::optional<double>(0.0));
    }
  }
  for (const std::int64_t number : best_trials(trials, 10)) CHECK((number % 2 == 0 || number == 1));
}

TEST_CASE("without a pruner nothing that is reported is kept") {
  for (const Trial& trial : run_study(kSpace, options_for(4, 1), by_steps)) {
    CHECK(trial.state == TrialState::kComplete);
    CHECK(trial.reports.empty());
    CHECK(trial.decisions.empty());
  }
}

TEST_CASE("what the objective throws comes out") {
  const Objective objective = [](std::int64_t number, const Point& point, const Reporter& report) {
    if (number == 3) throw std::runtime_error("trial 3 broke");
    return judge(number, point, report);
  };
  CHECK_THROWS_WITH(run_study(kSpace, options_for(9, 2), objective), "trial 3 broke");
}

// Results of an earlier version: the same study gives the same trials for as long as it is stored.
TEST_CASE("the default preset proposes what it has always proposed") {
  const Space space = {{"rate", FloatRange{0.001, 0.1, true}},
                       {"width", FloatRange{-2.0, 3.0}},
                       {"epochs", IntegerRange{5, 25}},
                       {"one", IntegerRange{3, 3}},
                       {"model", Choice{{"small", "medium", "large"}}}};
  const auto value_of = [](const Point& point) {
    const double rate = std::log10(std::get<double>(point.at("rate"))) + 2.0;
    const double width = std::get<double>(point.at("width")) - 1.0;
    const auto epochs = static_cast<double>(std::get<std::int64_t>(point.at("epochs")) - 12) / 8.0;
    return -(rate * rate + width * width + epochs * epochs) -
           (point.at("model") == Value("medium") ? 0.0 : 0.5);
  };
  const Objective objective = [&](std::int64_t number, const Point& point, const Reporter&) {
    Trial trial;
    trial.value = value_of(point);
    trial.acceptable = number % 17 != 3;
    return trial;
  };
  const auto check = [&](const Point& point, double rate, double width, std::int64_t epochs,
                         const char* model) {
    CHECK(std::get<double>(point.at("rate")) == Approx(rate).epsilon(1e-9));
    CHECK(std::get<double>(point.at("width")) == Approx(width).epsilon(1e-9));
    CHECK(point.at("epochs") == Value(epochs));
    CHECK(point.at("model") == Value(model));
  };
  StudyOptions options = options_for(120, 1);
  options.seed = 1;
  std::vector<Trial> trials = run_study(space, options, objective);
  check(trials[59].point, 0.010047561536164599, 1.0551358684855496, 14, "small");
  check(trials[119].point, 0.01057404986301867, 0.8820209413843495, 10, "medium");
  options.seed = 2;
  options.window = 3;
  trials = run_study(space, options, objective);
  check(trials[59].point, 0.007774776071044442, 0.8799796459279795, 11, "medium");
  check(trials[119].point, 0.010161172663050215, 1.017115651715306, 12, "medium");
}

TEST_CASE("a value that is not finite is not acceptable and can be written") {
  const Objective objective = [](std::int64_t number, const Point& point, const Reporter& report) {
    Trial trial = judge(number, point, report);
    if (number == 1) trial.value = std::numeric_limits<double>::quiet_NaN();
    if (number == 2) trial.value = std::numeric_limits<double>::infinity();
    return trial;
  };
  const std::vector<Trial> trials = run_study(kSpace, options_for(15, 2), objective);
  for (const std::size_t i : {1U, 2U}) {
    CHECK_FALSE(trials[i].acceptable);
    CHECK(trials[i].value == 0.0);
    CHECK(trials[i].reason.find("not a finite number") != std::string::npos);
  }
  CHECK(trials[0].acceptable);
  CHECK_NOTHROW(canonical_json(summary(trials)));
  for (const std::int64_t number : best_trials(trials, 15)) CHECK((number != 1 && number != 2));
}

TEST_CASE("nonsense options are refused, an empty study is empty") {
  CHECK(run_study(kSpace, options_for(0, 2), judge).empty());
  CHECK_THROWS_AS(run_study(kSpace, options_for(-1, 2), judge), Error);
  CHECK_THROWS_AS(run_study(kSpace, options_for(5, -1), judge), Error);
  CHECK_THROWS_AS(run_study({{"x", Choice{}}}, options_for(5, 2), judge), Error);
}

Trial trial_of(std::int64_t number, double value, std::int64_t weights, double x) {
  Trial trial;
  trial.number = number;
  trial.value = value;
  trial.weights = weights;
  trial.point = {{"x", x}};
  return trial;
}

TEST_CASE("best_trials: value, then fewer weights, then number, no point twice") {
  std::vector<Trial> trials = {trial_of(0, 1.0, 100, 0.0),       trial_of(1, 2.0, 100, 0.1),
                               trial_of(2, 2.0, 10, 0.2),        trial_of(3, 2.0, 100, 0.3),
                               trial_of(4, 9.0, 1, 0.4),         trial_of(5, 2.0, 5, 0.2),
                               trial_of(6, std::nan(""), 1, 0.6)};
  trials[4].acceptable = false;
  using Numbers = std::vector<std::int64_t>;
  CHECK(best_trials(trials, 3) == Numbers{5, 1, 3});
  CHECK(best_trials(trials, 1) == Numbers{5});
  CHECK(best_trials(trials, 99) == Numbers{5, 1, 3, 0});
  CHECK(best_trials(trials, 0).empty());
  CHECK(best_trials({}, 3).empty());
}

}  // namespace
}  // namespace tcrops::tune
