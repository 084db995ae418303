// What a model must show before it becomes champion: the section gates.
#include <tcrops/core/error.hpp>
#include <tcrops/stages/promotion.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

double value_of(const Json& facts, const std::string& metric) {
  const Json& value = facts.at(metric);
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

GateResult fair_test(const store::Artifact& evaluation) {
  const Json& facts = evaluation.manifest.facts;
  const auto caveats = facts.at("caveats").get<std::vector<std::string>>();
  return {
      .name = "fair_test",
      .passed = facts.at("fair").get<bool>(),
      .found = caveats.empty() ? "nothing against it" : fmt::format("{}", fmt::join(caveats, "; ")),
      .wanted = "test rows that the model cannot have known"};
}

GateResult minimum(const GatesConfig& gates, double value) {
  return {.name = "minimum",
          .passed = value >= gates.minimum,
          .found = fmt::format("{} {:.3f}", gates.metric, value),
          .wanted = fmt::format("at least {:.3f}", gates.minimum)};
}

GateResult beats_look_up(const GatesConfig& gates, const Json& facts, double value) {
  const double look_up = value_of(facts.at("baselines").at("nearest_neighbour"), gates.metric);
  return {.name = "beat_nearest_neighbour",
          .passed = value > look_up,
          .found = fmt::format("{} {:.3f}", gates.metric, value),
          .wanted = fmt::format("more than the look-up's {:.3f}", look_up)};
}

GateResult enough_positives(const GatesConfig& gates, const Json& facts) {
  const auto positives = facts.at("positives").get<std::int64_t>();
  return {.name = "minimum_positives",
          .passed = positives >= gates.minimum_positives,
          .found = fmt::format("{} positive test rows", positives),
          .wanted = fmt::format("at least {}", gates.minimum_positives)};
}

const eval::PairedMetric& metric_of(const Comparison& comparison, const std::string& name) {
  return *std::find_if(comparison.metrics.begin(), comparison.metrics.end(),
                       [&](const eval::PairedMetric& m) { return m.name == name; });
}

// "better": surely above; "not_worse": not surely below. Rows that one of the two has known say
// nothing; there must be others.
GateResult against_champion(const GatesConfig& gates, const std::vector<Comparison>& comparisons,
                            const std::string& champion) {
  const bool better = gates.champion == "better";
  GateResult result{
      .name = "champion",
      .passed = true,
      .found = "",
      .wanted = better ? "an interval above 0" : "an interval that is not all below 0"};
  std::size_t fair = 0;
  for (const Comparison& comparison : comparisons) {
    const bool counts = comparison.a.fair && comparison.b.fair;
    const eval::PairedMetric& metric = metric_of(comparison, gates.metric);
    fair += counts ? 1 : 0;
    if (counts) result.passed = result.passed && (better ? metric.low > 0 : metric.high >= 0);
    result.found += fmt::format(
        "{}{} {:+.3f} against {} on the test rows of {} (95 % interval "
        "{:+.3f} to {:+.3f}){}",
        result.found.empty() ? "" : "; ", gates.metric, metric.difference, champion,
        comparison.dataset.short_id(), metric.low, metric.high,
        counts ? "" : ", which is not a fair test of both");
  }
  if (fair == 0) {
    result.passed = false;
    result.wanted += ", on rows that are a fair test of both (or gates.champion=any)";
  }
  return result;
}

// On the candidate's test rows, and on the champion's where they are others.
std::vector<Comparison> comparisons_of(const store::Store& store, const PipelineConfig& config,
                                       const store::Artifact& candidate,
                                       const store::Artifact& champion) {
  const store::Artifact own = dataset_of(store, candidate);
  const store::Artifact other = dataset_of(store, champion);
  std::vector<Comparison> comparisons = {compare_models(store, config, candidate, champion, own)};
  if (other.id != own.id)
    comparisons.push_back(compare_models(store, config, candidate, champion, other));
  return comparisons;
}

Json champion_evidence(const GatesConfig& gates, const std::vector<Comparison>& comparisons,
                       std::int64_t version) {
  Json json = {{"version", version}, {"compared", Json::array()}};
  for (const Comparison& comparison : comparisons) {
    Json entry = to_json(metric_of(comparison, gates.metric));
    entry["dataset"] = comparison.dataset.id;
    entry["evaluations"] = {comparison.a.evaluation.id, comparison.b.evaluation.id};
    entry["fair"] = comparison.a.fair && comparison.b.fair;
    json["compared"].push_back(std::move(entry));
  }
  return json;
}

GateResult serve_check_passed(const store::Artifact& check) {
  std::vector<std::string> problems;
  for (const Json& each : check.manifest.facts.at("checks")) {
    if (!each.at("passed").get<bool>()) {
      problems.push_back(fmt::format("{}: {}", each.at("name").get<std::string>(),
                                     each.at("problem").get<std::string>()));
    }
  }
  return {.name = "serve_check",
          .passed = check.manifest.facts.at("passed").get<bool>(),
          .found =
              problems.empty() ? "all checks passed" : fmt::format("{}", fmt::join(problems, "; ")),
          .wanted = "every check passed"};
}

Json to_json(const GateResult& gate) {
  return {
      {"name", gate.name}, {"passed", gate.passed}, {"found", gate.found}, {"wanted", gate.wanted}};
}

// The champion until now, unless it is the same version or need not be looked at.
const store::ModelVersion* rival_of(const PipelineConfig& config,
                                    const store::RegisteredModel& model,
                                    const store::ModelVersion& version) {
  const auto at = model.aliases.find(store::kChampion);
  if (config.gates.champion == "any" || at == model.aliases.end()) return nullptr;
  return at->second == version.number ? nullptr : model.find(at->second);
}

}  // namespace

bool Judgement::passed() const {
  return std::all_of(gates.begin(), gates.end(), [](const GateResult& g) { return g.passed; });
}

Judgement judge(const store::Store& store, const PipelineConfig& config,
                const store::RegisteredModel& model, const store::ModelVersion& version) {
  const GatesConfig& gates = config.gates;
  const store::Artifact artifact = store.at(version.artifact);
  const store::Artifact dataset = dataset_of(store, artifact);
  const store::Artifact evaluation = *evaluate_model(store, config, artifact, dataset).artifact;
  const Json& facts = evaluation.manifest.facts;
  const double value = value_of(facts.at("model"), gates.metric);

  Judgement judgement;
  judgement.evidence = {{"evaluation", evaluation.id}, {gates.metric, number_or_null(value)}};
  if (gates.fair_test) judgement.gates.push_back(fair_test(evaluation));
  if (gates.minimum_positives > 0) judgement.gates.push_back(enough_positives(gates, facts));
  if (gates.minimum > 0) judgement.gates.push_back(minimum(gates, value));
  if (gates.beat_nearest_neighbour) judgement.gates.push_back(beats_look_up(gates, facts, value));
  if (const store::ModelVersion* rival = rival_of(config, model, version)) {
    const auto comparisons = comparisons_of(store, config, artifact, store.at(rival->artifact));
    const std::string name = fmt::format("{}@v{}", model.name, rival->number);
    judgement.gates.push_back(against_champion(gates, comparisons, name));
    judgement.evidence["champion"] = champion_evidence(gates, comparisons, rival->number);
  }
  if (gates.serve_check) {
    const store::Artifact check = check_model(store, config, artifact);
    judgement.gates.push_back(serve_check_passed(check));
    judgement.evidence["check"] = check.id;
  }
  judgement.evidence["gates"] = Json::array();
  for (const GateResult& gate : judgement.gates) {
    judgement.evidence["gates"].push_back(to_json(gate));
  }
  return judgement;
}

}  // namespace tcrops::stages
