#include "answers.hpp"
#include "golden.hpp"
#include "served_checks.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/batch_predict.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/stages/serve_check.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace tcrops::stages {
namespace {

// Runs one check; an Error is its problem, a returned text too.
CheckResult run_check(const std::string& name, const std::function<std::string()>& check) {
  try {
    std::string problem = check();
    const bool passed = problem.empty();
    return {name, passed, std::move(problem)};
  } catch (const Error& e) {
    const bool is_stopped = e.code() == ExitCode::kInterrupted ||
                            e.code() == ExitCode::kTerminated || e.code() == ExitCode::kTemporary;
    if (is_stopped) throw;
    return {name, false, e.what()};
  } catch (const Json::exception& e) {
    return {name, false, fmt::format("model.json: {}", e.what())};
  }
}

std::string check_hashes(const store::Store& store, const store::Artifact& artifact) {
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    static_cast<void>(store.read(artifact, name));
  }
  return "";
}

std::vector<std::string> names_of(const std::vector<data::Column>& columns) {
  std::vector<std::string> names;
  for (const data::Column column : columns) names.emplace_back(data::column_name(column));
  return names;
}

// What model.json promises beside what the encoder reads. That the tensors are those of the network
// and the network takes what the encoder gives has been seen by loading it.
std::string check_signature(const Model& model) {
  const Json& signature = model.description.at("signature");
  const auto promised = signature.at("columns").get<std::vector<std::string>>();
  const auto read = names_of(model.encoder->features());
  if (promised != read) {
    return fmt::format("model.json names the columns {}, but the encoder reads {}",
                       fmt::join(promised, ", "), fmt::join(read, ", "));
  }
  std::vector<std::string> optional = names_of(model.optional);
  for (const std::string& name : optional) {
    if (std::find(read.begin(), read.end(), name) == read.end())
      return fmt::format("the optional column {} is none that the model reads", name);
  }
  std::sort(optional.begin(), optional.end());
  const auto twice = std::adjacent_find(optional.begin(), optional.end());
  if (twice != optional.end()) return fmt::format("the optional column {} is named twice", *twice);
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
    const Answer& answer = given[i];
    for (const auto& [column, value, most] :
         {std::tuple{AnswerColumn::kScore, std::optional(answer.score), 1.0},
          std::tuple{AnswerColumn::kProbability, answer.probability, 1.0},
          std::tuple{AnswerColumn::kPercentile, answer.percentile, 100.0},
          std::tuple{AnswerColumn::kNearestTcr, answer.nearest_tcr, 1.0}}) {
      if (value && !(*value >= 0.0 && *value <= most)) {
        return fmt::format("example {}: {} is {}, not from 0 to {}", i + 1, column_name(column),
                           *value, most);
      }
    }
  }
  return "";
}

// A folder for the table that `predict` is asked about.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(make_unique_directory(std::filesystem::temp_directory_path(), "tcrops-check-")) {}
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The model as a server has it, and what is asked of it.
struct Served {
  LoadedModel model;
  std::vector<data::Record> golden;  // records that have a score
  std::string examples;              // as a table

  [[nodiscard]] AnswerRows answer() {
    return [this](std::span<const data::Record> records) { return model.of(records); };
  }
};

// Golden rows, examples and a row that is none, in the way of the server and in that of `predict`.
std::string check_parity(const store::Store& store, const std::string& device, Served& served) {
  const ScratchFolder scratch;
  BatchPredictOptions options;
  options.input.path = scratch.file("rows.csv");
  options.output = scratch.file("predicted.csv");
  options.device = device;
  for (const std::string& table : {data::format_table_csv(served.golden), served.examples}) {
    const std::string rows = table + "~,~,~\n";
    write_file(options.input.path, rows);
    // Of an epitope that the model does not know, each example may lack a score.
    try {
      static_cast<void>(batch_predict(store, served.model.artifact(), options));
    } catch (const Error& e) {
      if (e.code() != ExitCode::kInputData || table != served.examples) throw;
      continue;
    }
    std::string problem = served_difference(
        read_file(options.output), served_table(rows, served.model.needs(), served.answer()));
    if (!problem.empty()) return problem;
  }
  return "";
}

// From a table of one row to the same with its answer.
Json measure_latency(Served& served, std::int64_t requests) {
  std::vector<std::string> tables;
  for (const data::Record& record : served.golden)
    tables.push_back(data::format_table_csv({record}));
  const auto answer = served.answer();
  const TableNeeds& needs = served.model.needs();
  for (const std::string& table : tables) {  // warms caches up
    static_cast<void>(served_table(table, needs, answer));
  }
  std::vector<double> times;
  for (std::int64_t i = 0; i < requests; ++i) {
    check_interrupt();
    const auto begin = std::chrono::steady_clock::now();
    static_cast<void>(
        served_table(tables[static_cast<std::size_t>(i) % tables.size()], needs, answer));
    const std::chrono::duration<double, std::milli> spent =
        std::chrono::steady_clock::now() - begin;
    times.push_back(spent.count());
  }
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) {
    return times[static_cast<std::size_t>(q * static_cast<double>(times.size() - 1))];
  };
  return {{"median_ms", quantile(0.5)}, {"p99_ms", quantile(0.99)}, {"requests", requests}};
}

// No measured number in the text: it becomes part of the artifact, which equal runs must share.
std::string check_latency(const Json& latency, const ServeCheckOptions& limits) {
  const auto is_over = [&](const char* figure, double limit) {
    return limit > 0.0 && latency.at(figure).get<double>() > limit;
  };
  if (is_over("median_ms", limits.max_p50_ms))
    return fmt::format("half of the single rows take longer than {} ms", limits.max_p50_ms);
  if (is_over("p99_ms", limits.max_p99_ms))
    return fmt::format("1 % of single rows take longer than {} ms", limits.max_p99_ms);
  return "";
}

std::string check_memory(const Json& memory, double limit_mib) {
  const double mib = memory.at("resident_bytes").get<double>() / 1024.0 / 1024.0;
  return limit_mib > 0.0 && mib > limit_mib
             ? fmt::format("more than {} MiB are held with the model loaded and used", limit_mib)
             : std::string();
}

using AddCheck = std::function<bool(const std::string&, const std::function<std::string()>&)>;

void check_served(const store::Store& store, const store::Artifact& artifact,
                  const ServeCheckOptions& options, const AddCheck& add, ServeCheckReport& report) {
  std::unique_ptr<Served> loaded;
  const bool serves = add("server", [&] {
    loaded = std::make_unique<Served>(LoadedModel(store, artifact, options.device),
                                      read_golden(store, artifact).records,
                                      store.read(artifact, "examples.csv"));
    return std::string();
  });
  if (!serves) return;
  Served& served = *loaded;
  const TableNeeds& needs = served.model.needs();
  add("missing_values", [&] { return missing_value_fault(served.golden, needs, served.answer()); });
  add("parity", [&] { return check_parity(store, options.device, served); });
  add("malformed_tables",
      [&] { return malformed_table_fault(served.golden.front(), needs, served.answer()); });
  add("latency", [&] {
    report.latency = measure_latency(served, options.latency_requests);
    return check_latency(report.latency, options);
  });
  add("memory", [&] {
    report.memory = {{"resident_bytes", resident_bytes()}};
    return check_memory(report.memory, options.max_memory_mib);
  });
}

// Whether the model is one that a server would begin to load.
bool check_loaded(const store::Store& store, const store::Artifact& artifact,
                  const nn::Device& device, const AddCheck& add) {
  Model model;
  const bool loaded = add("load", [&] {
    model = load_model(store, artifact, device);
    return std::string();
  });
  if (!loaded) return false;
  bool good = add("signature", [&] { return check_signature(model); });
  good = add("golden", [&] { return check_golden(store, model, device).problem; }) && good;
  if (!add("round_trip", [&] { return check_round_trip(store, model); })) return false;
  good = add("malformed_rows", [&] { return check_malformed(store, model); }) && good;
  return add("answers", [&] { return check_answers(store, model); }) && good;
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
  if (check_loaded(store, artifact, device, add))
    check_served(store, artifact, options, add, report);
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
                  {context.config.train.device, config.latency_requests, config.max_p50_ms,
                   config.max_p99_ms, config.max_memory_mib});
  run.notes["latency"] = report.latency;
  run.notes["memory"] = report.memory;
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
          .version = 2,
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
