// Any model on the test rows of any dataset, and two models on the same.
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/stages/promotion.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace tcrops::stages {
namespace {

void require_kind(const store::Artifact& artifact, store::Kind kind) {
  if (artifact.manifest.kind == kind) return;
  throw Error(ExitCode::kArtifact,
              fmt::format("{} is of kind {}, not {}", artifact.short_id(),
                          store::kind_name(artifact.manifest.kind), store::kind_name(kind)));
}

const std::string& dataset_id(const store::Artifact& model) {
  require_kind(model, store::Kind::kModel);
  const auto at = model.manifest.parents.find("dataset");
  if (at != model.manifest.parents.end()) return at->second;
  throw Error(ExitCode::kArtifact,
              fmt::format("model {} does not say what it was trained on", model.short_id()));
}

// The columns of scores.csv that a comparison needs, one entry per test row.
struct ScoreTable {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<std::string> tcrs;
  std::vector<double> scores;
};

ScoreTable read_scores(const store::Store& store, const store::Artifact& evaluation) {
  const std::string name = evaluation.file("scores.csv").string();
  std::istringstream in(store.read(evaluation, "scores.csv"));
  data::CsvReader reader(in, name);
  std::vector<std::string> fields;
  std::vector<std::string> header;
  reader.next(header);
  const auto column = [&](const char* wanted) {
    const auto at = std::find(header.begin(), header.end(), wanted);
    if (at == header.end()) {
      throw Error(ExitCode::kArtifact, fmt::format("{}: no column {}", name, wanted));
    }
    return static_cast<std::size_t>(at - header.begin());
  };
  const std::size_t alpha = column("CDR3_alpha");
  const std::size_t beta = column("CDR3_beta");
  const std::size_t epitope = column("Epitope");
  const std::size_t label = column("Label");
  const std::size_t score = column("score");
  ScoreTable table;
  while (reader.next(fields)) {
    const auto value = fields.size() == header.size() ? parse_number(fields[score]) : std::nullopt;
    if (!value || !std::isfinite(*value)) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}:{}: not a row of scores", name, reader.line()));
    }
    table.labels.push_back(fields[label] == "1" ? 1 : 0);
    table.epitopes.push_back(fields[epitope]);
    table.tcrs.push_back(fields[alpha] + " " + fields[beta]);
    table.scores.push_back(*value);
  }
  return table;
}

}  // namespace

store::Artifact dataset_of(const store::Store& store, const store::Artifact& model) {
  return store.at(dataset_id(model));
}

StageOutcome evaluate_model(const store::Store& store, const PipelineConfig& config,
                            const store::Artifact& model, const store::Artifact& dataset) {
  require_kind(dataset, store::Kind::kDataset);
  static_cast<void>(dataset_id(model));
  const StageDefinition definition = evaluate_stage();
  const StageContext context{{config, {{Stage::kPreprocess, dataset}, {Stage::kTrain, model}}},
                             store};
  const store::ReuseKey key = key_of(definition, context);
  StageOutcome outcome{.stage = Stage::kEvaluate, .artifact = store.find(key)};
  outcome.reused = outcome.artifact.has_value();
  if (outcome.reused) return outcome;
  RunRecord record;
  outcome.artifact = definition.make(context, key, store.work(key), record);
  outcome.seconds = record.seconds();
  return outcome;
}

store::Artifact check_model(const store::Store& store, const PipelineConfig& config,
                            const store::Artifact& model) {
  require_kind(model, store::Kind::kModel);
  const StageDefinition definition = serve_check_stage();
  const StageContext context{{config, {{Stage::kTrain, model}}}, store};
  const store::ReuseKey key = key_of(definition, context);
  RunRecord record;
  return definition.make(context, key, store.work(key), record);
}

Comparison compare_models(const store::Store& store, const PipelineConfig& config,
                          const store::Artifact& a, const store::Artifact& b,
                          const store::Artifact& dataset) {
  const auto judged = [&](const store::Artifact& model) {
    const store::Artifact evaluation = *evaluate_model(store, config, model, dataset).artifact;
    const Json& facts = evaluation.manifest.facts;
    return ComparedModel{model, evaluation, facts.at("caveats").get<std::vector<std::string>>(),
                         facts.at("fair").get<bool>()};
  };
  Comparison comparison{.a = judged(a),
                        .b = judged(b),
                        .dataset = dataset,
                        .resamples = config.gates.resamples,
                        .metrics = {}};
  const ScoreTable rows = read_scores(store, comparison.a.evaluation);
  const ScoreTable others = read_scores(store, comparison.b.evaluation);
  if (rows.labels != others.labels || rows.tcrs != others.tcrs ||
      rows.epitopes != others.epitopes) {
    throw Error(ExitCode::kArtifact, fmt::format("evaluations {} and {} are not of the same rows",
                                                 comparison.a.evaluation.short_id(),
                                                 comparison.b.evaluation.short_id()));
  }
  comparison.rows = std::ssize(rows.labels);
  comparison.positives = std::count(rows.labels.begin(), rows.labels.end(), std::uint8_t{1});
  comparison.metrics =
      eval::paired_bootstrap({rows.labels, rows.epitopes, rows.tcrs, rows.scores, others.scores},
                             comparison.resamples, static_cast<std::uint64_t>(config.seed));
  return comparison;
}

Json to_json(const eval::PairedMetric& metric) {
  return {{"metric", metric.name},
          {"a", number_or_null(metric.a)},
          {"b", number_or_null(metric.b)},
          {"difference", number_or_null(metric.difference)},
          {"low", number_or_null(metric.low)},
          {"high", number_or_null(metric.high)},
          {"share_better", number_or_null(metric.share_better)}};
}

}  // namespace tcrops::stages
