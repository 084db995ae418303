#include "answers.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/serve_check.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

namespace tcrops::stages {
namespace {

constexpr double kOtherBackendTolerance = 1e-5;

// Runs one check; an Error is its problem, a returned text too.
CheckResult run_check(const std::string& name, const std::function<std::string()>& check) {
  try {
    std::string problem = check();
    const bool passed = problem.empty();
    return {name, passed, std::move(problem)};
  } catch (const Error& e) {
    if (e.code() == ExitCode::kInterrupted || e.code() == ExitCode::kTerminated) throw;
    return {name, false, e.what()};
  }
}

std::string check_hashes(const store::Store& store, const store::Artifact& artifact) {
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    static_cast<void>(store.read(artifact, name));
  }
  return "";
}

std::string check_golden(const store::Store& store, const Model& model, const nn::Device& device) {
  const Golden golden = read_golden(store, model.artifact);
  if (golden.records.empty())
    return "golden.json is empty; a model without known answers cannot be checked";
  const auto scored = score(model, golden.records);
  const bool same_backend = nn::backend_class(device) == model.artifact.manifest.backend_class;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    if (!scored[i].logit) return fmt::format("row {}: {}", i + 1, scored[i].problem);
    const double expected = static_cast<double>(golden.logits[i]);
    const double got = static_cast<double>(*scored[i].logit);
    const double allowed =
        same_backend ? 0.0 : kOtherBackendTolerance * std::max(1.0, std::abs(expected));
    if (!(std::abs(got - expected) <= allowed)) {
      return fmt::format("row {}: logit {} instead of {} (allowed difference {})", i + 1, got,
                         expected, allowed);
    }
  }
  return "";
}

std::string check_round_trip(const store::Store& store, const Model& model) {
  const auto examples = read_examples(store, model.artifact);
  if (examples.empty()) return "examples.csv is empty";
  for (std::size_t i = 0; i < examples.size(); ++i) {
    data::EncodedRows rows;
    if (const auto fault = model.encoder->encode(examples[i], rows)) {
      return fmt::format("example {}: {}", i + 1, fault->reason);
    }
    // A name that the fit did not see cannot come back; the encoder says so itself.
    if (model.encoder->why_not_invertible(rows, 0)) continue;
    const data::Record back = model.encoder->decode(rows, 0);
    for (const data::Column column : model.encoder->features()) {
      if (back[column] != examples[i][column]) {
        return fmt::format("example {}: {} does not come back from its encoded form", i + 1,
                           data::column_name(column));
      }
    }
  }
  return "";
}

// A row that cannot be right must get a reason and no score.
std::string check_malformed(const store::Store& store, const Model& model) {
  const auto examples = read_examples(store, model.artifact);
  for (const data::Column column : model.encoder->features()) {
    data::Record broken = examples.front();
    broken[column] += std::string(300, '~');
    const auto scored = score(model, std::span<const data::Record>(&broken, 1));
    if (scored.front().logit || scored.front().problem.empty()) {
      return fmt::format("a broken {} is scored as if it were right", data::column_name(column));
    }
  }
  return "";
}

// What is said besides the score is there and within its bounds.
std::string check_answers(const store::Store& store, const Model& model) {
  const auto examples = read_examples(store, model.artifact);
  Answers answers(store, model, false);
  const std::vector<Answer> given = answers.of(examples);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!given[i].problem.empty()) continue;
    for (const auto& [name, most] :
         {std::pair{"score", 1.0}, std::pair{"probability", 1.0}, std::pair{"percentile", 100.0},
          std::pair{"nearest_tcr", 1.0}}) {
      const auto& columns = answers.columns();
      const auto at = std::find(columns.begin(), columns.end(), name) - columns.begin();
      const std::string& text = given[i].fields[static_cast<std::size_t>(at)];
      if (text.empty()) continue;
      const double value = std::stod(text);
      if (!(value >= 0.0 && value <= most)) {
        return fmt::format("example {}: {} is {}, not from 0 to {}", i + 1, name, text, most);
      }
    }
  }
  return "";
}

Json measure_latency(const store::Store& store, const Model& model, std::int64_t requests) {
  const auto examples = read_examples(store, model.artifact);
  std::vector<double> times;
  for (std::int64_t i = -5; i < requests; ++i) {  // the first few warm caches up
    check_interrupt();
    const auto& record = examples[static_cast<std::size_t>(i + 5) % examples.size()];
    const auto begin = std::chrono::steady_clock::now();
    static_cast<void>(score(model, std::span<const data::Record>(&record, 1)));
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - begin;
    if (i >= 0) times.push_back(spent.count());
  }
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) {
    return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
  };
  return {{"median_ms", quantile(0.5)}, {"p99_ms", quantile(0.99)}, {"requests", requests}};
}

// No measured number in the text: it becomes part of the artifact, which equal runs must share.
std::string check_latency(const ServeCheckReport& report, double limit) {
  const bool slow = limit > 0.0 && report.latency.at("p99_ms").get<double>() > limit;
  return slow ? fmt::format("1 % of single rows take longer than {} ms", limit) : std::string();
}

}  // namespace

bool ServeCheckReport::passed() const {
  return std::all_of(checks.begin(), checks.end(), [](const CheckResult& c) { return c.passed; });
}

Json ServeCheckReport::checks_json() const {
  Json list = Json::array();
  for (const CheckResult& check : checks) {
    list.push_back({{"name", check.name}, {"passed", check.passed}, {"problem", check.problem}});
  }
  return list;
}

ServeCheckReport serve_check(const store::Store& store, const store::Artifact& artifact,
                             const ServeCheckOptions& options) {
  const nn::Device device = nn::resolve_device(options.device);
  ServeCheckReport report;
  const auto add = [&](const std::string& name, const std::function<std::string()>& check) {
    report.checks.push_back(run_check(name, check));
    return report.checks.back().passed;
  };
  add("hashes", [&] { return check_hashes(store, artifact); });
  Model model;
  const bool loaded = add("load", [&] {
    model = load_model(store, artifact, device);
    return std::string();
  });
  if (!loaded) return report;
  add("golden", [&] { return check_golden(store, model, device); });
  const bool examples = add("round_trip", [&] { return check_round_trip(store, model); });
  if (!examples) return report;
  add("malformed_rows", [&] { return check_malformed(store, model); });
  add("answers", [&] { return check_answers(store, model); });
  add("latency", [&] {
    report.latency = measure_latency(store, model, options.latency_requests);
    return check_latency(report, options.max_p99_ms);
  });
  return report;
}

namespace {

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.configuration = context.config.fields().resolved("serve_check", true);
  key.backend_class = nn::backend_class(nn::resolve_device(context.config.train.device));
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  const ServeCheckConfig& config = context.config.serve_check;
  const ServeCheckReport report =
      serve_check(context.store, context.input(Stage::kTrain),
                  {context.config.train.device, config.latency_requests, config.max_p99_ms});
  run.notes["latency"] = report.latency;
  store::Manifest manifest = manifest_for(store::Kind::kCheck, key);
  manifest.facts = {{"passed", report.passed()}, {"checks", report.checks_json()}};
  store::Draft draft = context.store.begin_draft();
  draft.add("checks.json", canonical_json({{"schema", "tcrops.serve_check/1"},
                                           {"passed", report.passed()},
                                           {"checks", report.checks_json()}}));
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition serve_check_stage() {
  return {.stage = Stage::kServeCheck,
          .kind = store::Kind::kCheck,
          .version = 1,
          .upstream = [](const PipelineConfig&) { return std::vector<Stage>{Stage::kTrain}; },
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                return Json{{"serve_check", c}};
              },
          .reusable = false};
}

}  // namespace tcrops::stages
