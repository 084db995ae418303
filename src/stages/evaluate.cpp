// Stage evaluate: the test rows, looked at once, beside the baselines on the same rows.
#include "evaluation_facts.hpp"
#include "evaluation_files.hpp"
#include "evaluation_past.hpp"
#include "evaluation_predictors.hpp"
#include "evaluation_slices.hpp"
#include "model.hpp"
#include "stage.hpp"

#include <tcrops/eval/judgement.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace tcrops::stages {
namespace {

std::vector<Stage> upstream(const PipelineConfig&) { return {Stage::kPreprocess, Stage::kTrain}; }

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.configuration = context.config.fields().resolved("evaluate", true);
  key.backend_class = context.input(Stage::kTrain).manifest.backend_class;
}

// The rows as `judge` takes them.
struct TestRows {
  std::vector<std::string> epitopes;
  std::vector<std::string> clusters;
  std::vector<std::string> tcrs;

  explicit TestRows(const SideData& test) : epitopes(test.epitopes()) {
    for (const data::Record& record : test.records) {
      clusters.push_back(cluster_of(record));
      tcrs.push_back(data::tcr_key(record));
    }
  }
};

// epitope -> "seen" or "unseen"
std::map<std::string, std::string> kinds_of(const std::vector<std::string>& epitopes,
                                            const std::set<std::string>& seen) {
  std::map<std::string, std::string> kinds;
  for (const std::string& epitope : epitopes) {
    kinds.try_emplace(epitope, seen.contains(epitope) ? "seen" : "unseen");
  }
  return kinds;
}

eval::Resampling resampling_of(const StageContext& context) {
  const EvaluateConfig& config = context.config.evaluate;
  return {config.resamples, static_cast<std::uint64_t>(config.seed)};
}

// The model's report first, then those of the baselines.
std::vector<Json> judge_all(const StageContext& context, const SideData& test,
                            const ScoredRows& model, const std::vector<ScoredRows>& baselines,
                            const std::set<std::string>& seen) {
  const TestRows rows(test);
  std::vector<eval::Predictor> predictors = {
      {model.scores, model.threshold, model.probabilities, true}};
  for (const ScoredRows& each : baselines) {
    predictors.push_back({each.scores, each.threshold, each.probabilities, false});
  }
  const auto kinds = kinds_of(rows.epitopes, seen);
  std::vector<Json> reports = eval::judge({test.labels, rows.epitopes, rows.clusters, rows.tcrs},
                                          predictors, resampling_of(context), kinds);
  for (Json& report : reports) {
    for (Json& group : report["per_group"]) {
      group["seen"] = kinds.at(group["group"].get<std::string>()) == "seen";
    }
  }
  return reports;
}

Json metrics_of(const StageContext& context, const Dataset& dataset, const SideData& test,
                const Caveats& reasons, const std::set<std::string>& seen_epitopes,
                const ModelScores& model, const std::vector<ScoredRows>& baselines) {
  Caveats caveats = reasons;
  const auto unscored = std::count(model.unscored.begin(), model.unscored.end(), true);
  if (unscored > 0) {
    caveats.others.push_back(fmt::format(
        "the model cannot score {} of these rows; they count as not binding", unscored));
  }
  std::vector<Json> reports = judge_all(context, test, model.rows, baselines, seen_epitopes);
  Json metrics = {{"schema", "tcrops.evaluation/2"},
                  {"side", "test"},
                  {"scored_as", caveats.scored_as()},
                  {"reasons", caveats.unfair},
                  {"caveats", caveats.all()},
                  {"unscored_rows", unscored},
                  {"bootstrap",
                   {{"resamples", context.config.evaluate.resamples},
                    {"seed", context.config.evaluate.seed},
                    {"level", 0.95},
                    {"drawn", "TCRs (both CDR3s), with all their rows"}}},
                  {"baselines", Json::object()},
                  {"by_origin", reports_by_origin(test, model.rows, resampling_of(context))},
                  {"slices", Json::object()}};
  for (std::size_t b = 0; b < baselines.size(); ++b) {
    metrics["baselines"][baselines[b].name] = std::move(reports[b + 1]);
  }
  metrics["model"] = std::move(reports.front());
  const auto nearest = std::find_if(baselines.begin(), baselines.end(), [](const ScoredRows& each) {
    return each.name == "nearest_neighbour";
  });
  metrics["slices"] = slices_of(test, dataset.extra_names, model.rows, *nearest);
  return metrics;
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  const Dataset dataset = read_dataset(context.store, context.input(Stage::kPreprocess));
  const Model model = load_model(context.store, context.input(Stage::kTrain),
                                 nn::resolve_device(context.config.train.device));
  const ModelPast past = past_of(context, dataset);
  const SideData test = side_of(dataset, data::Side::kTest);
  const ModelScores scores = model_scores(model, test);
  const auto rule = model.description.at("parameters").at("threshold").get<std::string>();
  const std::vector<ScoredRows> baselines = baseline_scores(past, test, rule);
  const Json metrics =
      metrics_of(context, dataset, test, caveats_of(context, past, test, model.encoder->features()),
                 past.seen_epitopes(), scores, baselines);

  store::Manifest manifest = manifest_for(store::Kind::kEvaluation, key);
  manifest.facts = evaluation_facts(metrics);
  store::Draft draft = context.store.begin_draft();
  draft.add("metrics.json", canonical_json(metrics));
  draft.add("scores.csv", scores_csv(test, scores, baselines));
  draft.add("epytope.csv", epytope_csv(test, scores, context.input(Stage::kPreprocess).short_id()));
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition evaluate_stage() {
  return {.stage = Stage::kEvaluate,
          .kind = store::Kind::kEvaluation,
          .version = 5,
          .upstream = upstream,
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                return Json{{"evaluate", c}};
              },
          .reusable = true};
}

}  // namespace tcrops::stages
