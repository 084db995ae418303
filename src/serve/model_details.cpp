#include "model_details.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/stages/study.hpp>
#include <tcrops/store/lineage.hpp>
#include <tcrops/tune/importance.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <sstream>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::size_t kMostCurvePoints = 200;

// What `read` makes, or null where the store does not have it whole.
Json or_null(const std::function<Json()>& read) {
  try {
    return read();
  } catch (const Error&) {
    return nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

Json json_file(const store::Store& store, const store::Artifact& artifact,
               const std::string& name) {
  Json json = Json::parse(store.read(artifact, name), nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? Json() : json;
}

struct ScoredRow {
  double score = 0.0;
  bool binds = false;
};

// From scores.csv: the model's score and the label of each test row, best first.
std::vector<ScoredRow> scored_rows(const std::string& csv) {
  std::istringstream in(csv);
  data::CsvReader reader(in, "scores.csv");
  std::vector<std::string> fields;
  reader.next(fields);
  const auto label = static_cast<std::size_t>(
      std::find(fields.begin(), fields.end(), data::kLabelColumn) - fields.begin());
  std::vector<ScoredRow> rows;
  while (reader.next(fields)) {
    if (label + 1 >= fields.size()) continue;
    const auto score = parse_number(fields[label + 1]);
    if (score && !std::isnan(*score)) rows.push_back({*score, fields[label] == "1"});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ScoredRow& a, const ScoredRow& b) { return a.score > b.score; });
  return rows;
}

// Every n-th point and the last, so that a page can draw it.
Json thinned(const std::vector<std::pair<double, double>>& points) {
  Json list = Json::array();
  const std::size_t step = points.size() / kMostCurvePoints + 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i % step == 0 || i + 1 == points.size())
      list.push_back({points[i].first, points[i].second});
  }
  return list;
}

// ROC (false and true positive rate) and precision over recall, a point for each different score.
Json curves_of(const std::vector<ScoredRow>& rows) {
  const auto positives = static_cast<double>(
      std::count_if(rows.begin(), rows.end(), [](const ScoredRow& row) { return row.binds; }));
  const double negatives = static_cast<double>(rows.size()) - positives;
  if (positives == 0.0 || negatives == 0.0) return nullptr;
  std::vector<std::pair<double, double>> roc = {{0.0, 0.0}};
  std::vector<std::pair<double, double>> precision;
  double hits = 0.0;
  double called = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    hits += rows[i].binds ? 1.0 : 0.0;
    called += 1.0;
    if (i + 1 < rows.size() && rows[i + 1].score == rows[i].score) continue;
    roc.emplace_back((called - hits) / negatives, hits / positives);
    precision.emplace_back(hits / positives, hits / called);
  }
  return {{"roc", thinned(roc)}, {"pr", thinned(precision)}};
}

Json figure(const Json& report, const char* name) {
  const Json interval = report.value("intervals", Json::object()).value(name, Json());
  const bool known = interval.is_array() && interval.size() == 2;
  return {{"value", report.value(name, Json())},
          {"low", known ? interval[0] : Json()},
          {"high", known ? interval[1] : Json()}};
}

Json figures(const Json& report) {
  Json json = Json::object();
  for (const char* name : {"auroc", "auroc01", "average_precision", "precision", "recall", "f1"})
    json[name] = figure(report, name);
  for (const char* name : {"rows", "positives", "seen"}) {
    if (report.contains(name)) json[name] = report.at(name);
  }
  return json;
}

Json evaluation_json(const store::Store& store, const store::Artifact& evaluation) {
  const Json metrics = json_file(store, evaluation, "metrics.json");
  const Json& model = metrics.at("model");
  Json epitopes = Json::array();
  for (const Json& group : model.at("per_group")) {
    Json entry = figures(group);
    entry["epitope"] = group.at("group");
    epitopes.push_back(std::move(entry));
  }
  Json baselines = Json::object();
  for (const auto& [name, report] : metrics.at("baselines").items())
    baselines[name] = {{"pooled", figures(report.at("pooled"))},
                       {"macro", figures(report.at("macro"))}};
  return {{"artifact", evaluation.id},
          {"scored_as", metrics.value("scored_as", Json())},
          {"caveats", metrics.value("caveats", Json::array())},
          {"pooled", figures(model.at("pooled"))},
          {"macro", figures(model.at("macro"))},
          {"epitopes", epitopes},
          {"baselines", baselines},
          {"curves", curves_of(scored_rows(store.read(evaluation, "scores.csv")))}};
}

// The last time it was judged.
Json last_evaluation(const store::Store& store, const std::string& model) {
  const auto catalog = store.catalog();
  for (auto entry = catalog.rbegin(); entry != catalog.rend(); ++entry) {
    const auto parent = entry->parents.find("model");
    if (entry->kind != "evaluation" || parent == entry->parents.end() || parent->second != model)
      continue;
    Json json = or_null([&] { return evaluation_json(store, store.at(entry->id)); });
    if (!json.is_null()) return json;
  }
  return nullptr;
}

Json study_json(const store::Store& store, const std::string& id) {
  const stages::StudyView study = stages::find_study(store, "", id);
  Json trials = Json::array();
  std::vector<tune::Trial> ended;
  for (const tune::TrialRecord& record : study.records) {
    const tune::Trial& trial = record.trial;
    trials.push_back({{"number", trial.number},
                      {"state", tune::state_name(trial.state)},
                      {"value", std::isfinite(trial.value) ? Json(trial.value) : Json()},
                      {"parameters", tune::to_json(trial.point)}});
    if (record.phase == tune::Phase::kEnded) ended.push_back(trial);
  }
  Json importance = Json::object();
  for (const tune::Importance& each : tune::importances(study.space, ended))
    importance[each.name] = each.importance ? Json(*each.importance) : Json();
  return {{"artifact", study.id},
          {"objective", study.configuration.at("tune").value("objective", Json())},
          {"trials", trials},
          {"importance", importance},
          {"kept", study.kept}};
}

Json lineage_json(const store::Lineage& lineage) {
  Json list = Json::array();
  for (const store::LineageNode& node : lineage.nodes) {
    Json parents = Json::object();
    for (const store::LineageEdge& edge : lineage.edges) {
      if (edge.to == node.id) parents[edge.role] = edge.from;
    }
    const bool has_run = node.run.is_object();
    list.push_back({{"artifact", node.id},
                    {"kind", node.kind},
                    {"stage", node.stage},
                    {"names", node.names},
                    {"made", has_run ? node.run.value("finished", Json()) : Json()},
                    {"problem", node.problem.empty() ? Json() : Json(node.problem)},
                    {"parents", parents}});
  }
  return list;
}

std::string study_in(const store::Lineage& lineage) {
  for (const store::LineageNode& node : lineage.nodes) {
    if (node.kind == "study") return node.id;
  }
  return {};
}

Json moves_json(const store::RegisteredModel& model) {
  Json list = Json::array();
  for (const store::RegistryEvent& event : model.events) {
    list.push_back({{"time", event.time},
                    {"event", event.event},
                    {"version", event.version},
                    {"by", event.by},
                    {"reason", event.reason}});
  }
  return list;
}

}  // namespace

Json model_details(const store::Store& store, const store::RegisteredModel& model,
                   const store::ModelVersion& version) {
  Json details = {{"trained", nullptr},      {"parameters", nullptr}, {"configuration", nullptr},
                  {"facts", nullptr},        {"parents", nullptr},    {"history", nullptr},
                  {"evaluation", nullptr},   {"study", nullptr},      {"lineage", nullptr},
                  {"log", moves_json(model)}};
  std::optional<store::Artifact> artifact;
  try {
    artifact = store.at(version.artifact);
  } catch (const Error&) {
    return details;  // it was removed, or is damaged
  }
  details["configuration"] = artifact->manifest.configuration;
  details["facts"] = artifact->manifest.facts;
  details["parameters"] = artifact->manifest.facts.value("parameters", Json());
  details["parents"] = artifact->manifest.parents;
  details["history"] = or_null([&] { return json_file(store, *artifact, "history.json"); });
  details["evaluation"] = or_null([&] { return last_evaluation(store, artifact->id); });
  std::string study;
  details["lineage"] = or_null([&] {
    const store::Lineage lineage = store::ancestors_of(store, artifact->id);
    study = study_in(lineage);
    return lineage_json(lineage);
  });
  if (details["lineage"].is_array()) details["trained"] = details["lineage"][0]["made"];
  if (!study.empty()) details["study"] = or_null([&] { return study_json(store, study); });
  return details;
}

}  // namespace tcrops::serve
