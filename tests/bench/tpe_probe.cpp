// Runs the search engine for bench_tpe.py.
// Usage: tpe_probe study FUNCTION SAMPLER TRIALS SEEDS   best values by seed
//        tpe_probe cost SPACE SAMPLER TRIALS             seconds of some suggestions after so many
// FUNCTION: branin, hartmann6, rosenbrock4, mixed; SPACE: mixed, floats (10 parameters each);
// SAMPLER: random or a preset of TPE.
#include <tcrops/core/rng.hpp>
#include <tcrops/tune/study.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <numbers>
#include <string>

namespace {

using namespace tcrops::tune;
using tcrops::Json;

struct Problem {
  Space space;
  std::function<double(const Point&)> loss;
};

double real(const Point& point, const std::string& name) {
  return std::get<double>(point.at(name));
}

Space boxes(int count, double low, double high) {
  Space space;
  for (int i = 0; i < count; ++i) space.push_back({fmt::format("x{}", i), FloatRange{low, high}});
  return space;
}

std::vector<double> places(const Point& point) {
  std::vector<double> result;
  for (std::size_t i = 0; i < point.size(); ++i) {
    result.push_back(real(point, fmt::format("x{}", i)));
  }
  return result;
}

// Minimum 0.397887.
double branin(const Point& point) {
  constexpr double kPi = std::numbers::pi;
  const double x = real(point, "x");
  const double valley = real(point, "y") - 5.1 * x * x / (4.0 * kPi * kPi) + 5.0 * x / kPi - 6.0;
  return valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * kPi)) * std::cos(x) + 10.0;
}

// Minimum -3.32237.
double hartmann6(const Point& point) {
  constexpr std::array<double, 4> kHeights = {1.0, 1.2, 3.0, 3.2};
  constexpr std::array<std::array<double, 6>, 4> kRates = {{{10.0, 3.0, 17.0, 3.5, 1.7, 8.0},
                                                            {0.05, 10.0, 17.0, 0.1, 8.0, 14.0},
                                                            {3.0, 3.5, 1.7, 10.0, 17.0, 8.0},
                                                            {17.0, 8.0, 0.05, 10.0, 0.1, 14.0}}};
  constexpr std::array<std::array<double, 6>, 4> kCentres = {
      {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
       {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
       {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
       {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}}};
  const std::vector<double> x = places(point);
  double sum = 0.0;
  for (std::size_t i = 0; i < kHeights.size(); ++i) {
    double exponent = 0.0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      exponent += kRates[i][j] * std::pow(x[j] - kCentres[i][j], 2.0);
    }
    sum += kHeights[i] * std::exp(-exponent);
  }
  return -sum;
}

// Minimum 0 at 1, 1, 1, 1.
double rosenbrock(const Point& point) {
  const std::vector<double> x = places(point);
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    sum += 100.0 * std::pow(x[i + 1] - x[i] * x[i], 2.0) + std::pow(1.0 - x[i], 2.0);
  }
  return sum;
}

// Minimum 0 at rate 0.01, width 96, kind c.
double mixed(const Point& point) {
  static const std::map<std::string, double> extra = {
      {"a", 1.0}, {"b", 0.6}, {"c", 0.0}, {"d", 0.3}};
  const auto width = static_cast<double>(std::get<std::int64_t>(point.at("width")));
  return std::pow(std::log10(real(point, "rate")) + 2.0, 2.0) +
         std::pow((width - 96.0) / 64.0, 2.0) + extra.at(std::get<std::string>(point.at("kind")));
}

Problem problem_of(const std::string& name) {
  if (name == "branin") {
    return {{{"x", FloatRange{-5.0, 10.0}}, {"y", FloatRange{0.0, 15.0}}}, branin};
  }
  if (name == "hartmann6") return {boxes(6, 0.0, 1.0), hartmann6};
  if (name == "rosenbrock4") return {boxes(4, -2.048, 2.048), rosenbrock};
  return {{{"rate", FloatRange{1e-5, 1.0, true}},
           {"width", IntegerRange{8, 256}},
           {"kind", Choice{{"a", "b", "c", "d"}}}},
          mixed};
}

StudyOptions options_of(const std::string& sampler) {
  StudyOptions options;
  options.window = 1;
  if (sampler == "random") {
    options.sampler = SamplerKind::kRandom;
  } else {
    options.tpe = tpe_options(sampler);
  }
  return options;
}

Json study(const std::string& function, const std::string& sampler, int trials, int seeds) {
  const Problem problem = problem_of(function);
  const Objective objective = [&](std::int64_t, const Point& point, const Reporter&) {
    Trial trial;
    trial.value = -problem.loss(point);
    return trial;
  };
  Json best = Json::array();
  for (int seed = 0; seed < seeds; ++seed) {
    StudyOptions options = options_of(sampler);
    options.trials = trials;
    options.seed = static_cast<std::uint64_t>(seed);
    const std::vector<Trial> done = run_study(problem.space, options, objective);
    best.push_back(-done[static_cast<std::size_t>(best_trials(done, 1).at(0))].value);
  }
  return best;
}

Json cost(const std::string& name, const std::string& sampler, int trials) {
  Space space = boxes(name == "floats" ? 10 : 4, 0.0, 1.0);
  if (name != "floats") {
    for (int i = 0; i < 2; ++i) {
      space.push_back({fmt::format("rate{}", i), FloatRange{1e-5, 1.0, true}});
      space.push_back({fmt::format("units{}", i), IntegerRange{1, 64}});
      space.push_back({fmt::format("kind{}", i), Choice{{"a", "b", "c", "d"}}});
    }
  }
  const StudyOptions options = options_of(sampler);
  std::vector<Observation> seen;
  tcrops::Rng rng(1, "bench.tpe");
  for (std::int64_t i = 0; i < trials; ++i) {
    seen.push_back(
        {i, suggest(SamplerKind::kRandom, space, 1, i, {}), true, true, rng.uniform(), false, -1});
  }
  Json seconds = Json::array();
  for (std::int64_t i = trials; i < trials + 21; ++i) {
    const auto started = std::chrono::steady_clock::now();
    const Point point = suggest(options.sampler, space, 1, i, seen, options.tpe);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started;
    if (point.size() == space.size()) seconds.push_back(passed.count());
  }
  return seconds;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 5 && words[0] == "study") {
    std::cout << study(words[1], words[2], std::stoi(words[3]), std::stoi(words[4])).dump() << "\n";
  } else if (words.size() == 4 && words[0] == "cost") {
    std::cout << cost(words[1], words[2], std::stoi(words[3])).dump() << "\n";
  } else {
    std::cerr << "usage: tpe_probe study FUNCTION SAMPLER TRIALS SEEDS\n"
                 "       tpe_probe cost SPACE SAMPLER TRIALS\n";
    return 2;
  }
  return 0;
}
