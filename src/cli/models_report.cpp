#include "models_report.hpp"

#include "cmd_artifacts.hpp"
#include "cmd_models.hpp"
#include "report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace tcrops::cli {
namespace {

std::string number(const Json& value) {
  return value.is_number() ? fmt::format("{:.3f}", value.get<double>()) : "-";
}

std::string alias_text(const store::RegisteredModel& model, const char* alias) {
  const auto at = model.aliases.find(alias);
  return at == model.aliases.end() ? "-" : fmt::format("v{}", at->second);
}

Json event_json(const store::RegistryEvent& event) {
  return {{"event", event.event}, {"version", event.version}, {"time", event.time},
          {"by", event.by},       {"reason", event.reason},   {"evidence", event.evidence},
          {"sha256", event.hash}};
}

// None when it was removed or is damaged; `artifacts verify` tells which.
std::optional<store::Artifact> find_artifact(const store::Store& store, const std::string& id) {
  try {
    return store.at(id);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// What a model's manifest says of it; null for what it does not, or when it has been removed.
Json manifest_parts(const store::Store& store, const std::string& id) {
  Json parts = {{"present", false}, {"path", nullptr},       {"parents", nullptr},
                {"seed", nullptr},  {"parameters", nullptr}, {"metrics", nullptr},
                {"use", nullptr}};
  const auto artifact = find_artifact(store, id);
  if (!artifact) return parts;
  const Json& facts = artifact->manifest.facts;
  parts["present"] = true;
  parts["path"] = artifact->directory.string();
  parts["parents"] = artifact->manifest.parents;
  parts["seed"] = artifact->manifest.seed;
  parts["parameters"] = facts.value("parameters", Json());
  parts["metrics"] = facts.value("metrics", Json());
  parts["use"] = Json::object();
  for (const char* name : {"ensemble", "calibration", "background", "nearest"}) {
    if (facts.contains(name)) parts["use"][name] = facts.at(name);
  }
  return parts;
}

Json version_parts(const store::Store& store, const store::RegisteredModel& model,
                   const store::ModelVersion& version) {
  Json json = manifest_parts(store, version.artifact);
  json["version"] = version.number;
  json["aliases"] = model.aliases_of(version.number);
  json["artifact"] = version.artifact;
  json["registered"] = version.time;
  json["by"] = version.by;
  json["source"] = version.source;
  return json;
}

// Judged on which test rows, with what result; oldest first.
Json evaluations_of(const store::Store& store, const std::string& model) {
  Json found = Json::array();
  for (const store::CatalogEntry& entry : store.catalog()) {
    const auto parent = entry.parents.find("model");
    if (entry.kind != "evaluation" || parent == entry.parents.end() || parent->second != model)
      continue;
    const auto artifact = find_artifact(store, entry.id);
    if (!artifact) continue;
    const Json& facts = artifact->manifest.facts;
    found.push_back(
        {{"artifact", entry.id},
         {"dataset", artifact->manifest.parents.at("dataset")},
         {"rows", facts.at("rows")},
         {"positives", facts.at("positives")},
         {"model", facts.at("model")},
         {"nearest_neighbour", facts.at("baselines").at("nearest_neighbour")},
         {"scored_as",
          facts.value("scored_as", facts.value("fair", true) ? "test" : "not a test score")},
         {"caveats", facts.at("caveats")}});
  }
  return found;
}

std::string joined(const Json& texts, const char* otherwise = "-") {
  const auto list = texts.get<std::vector<std::string>>();
  return list.empty() ? otherwise : fmt::format("{}", fmt::join(list, ", "));
}

// The parameters that a person asks for first.
std::string short_parameters(const Json& parameters) {
  if (!parameters.is_object()) return "-";
  return fmt::format("{}, learning rate {:.5f}, {} epochs", parameters.value("model", "?"),
                     parameters.value("learning_rate", 0.0), parameters.value("epochs", 0));
}

Json validation_precision(const Json& metrics) {
  if (!metrics.is_object() || metrics.empty()) return nullptr;
  return metrics.begin()->value("average_precision", Json());
}

// The values that decided; --json has all of it.
std::string short_evidence(const Json& evidence) {
  if (!evidence.is_object()) return "-";
  std::vector<std::string> parts;
  for (const auto& [key, value] : evidence.items()) {
    if (value.is_number()) parts.push_back(fmt::format("{} {}", key, number(value)));
    if (value.is_string())
      parts.push_back(fmt::format("{} {}", key, shown_id(value.get<std::string>())));
  }
  if (const auto champion = evidence.find("champion"); champion != evidence.end()) {
    for (const Json& compared : champion->at("compared")) {
      parts.push_back(fmt::format("{} against v{} ({} to {})", number(compared.at("difference")),
                                  champion->at("version").dump(), number(compared.at("low")),
                                  number(compared.at("high"))));
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string shown_value(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : value.dump();
}

}  // namespace

Json models_json(const std::vector<store::RegisteredModel>& models) {
  Json json = {{"schema", "tcrops.models/1"}, {"models", Json::array()}};
  for (const auto& model : models) {
    json["models"].push_back(
        {{"name", model.name},
         {"versions", model.versions.size()},
         {"aliases", model.aliases},
         {"last_move", model.events.empty() ? Json() : event_json(model.events.back())},
         {"problems", model.problems}});
  }
  return json;
}

std::string models_text(const std::vector<store::RegisteredModel>& models) {
  if (models.empty()) return "no model is registered yet; `tcrops train` registers what it makes\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& model : models) {
    const std::string last = model.events.empty() ? "-"
                                                  : fmt::format("{} {}", model.events.back().time,
                                                                model.events.back().event);
    rows.push_back({model.name, std::to_string(model.versions.size()),
                    alias_text(model, store::kChampion), alias_text(model, store::kPrevious),
                    alias_text(model, store::kCandidate),
                    model.problems.empty() ? last : "LOG CHANGED"});
  }
  return format_table({"model", "versions", "champion", "previous", "candidate", "last move"},
                      rows);
}

Json model_json(const store::Store& store, const store::RegisteredModel& model) {
  Json json = {{"schema", "tcrops.model/1"},
               {"name", model.name},
               {"aliases", model.aliases},
               {"problems", model.problems},
               {"versions", Json::array()}};
  for (const auto& version : model.versions)
    json["versions"].push_back(version_parts(store, model, version));
  return json;
}

std::string model_text(const store::Store& store, const store::RegisteredModel& model) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& version : model.versions) {
    const Json parts = version_parts(store, model, version);
    rows.push_back({fmt::format("v{}", version.number), joined(parts["aliases"]),
                    shown_id(version.artifact), version.time,
                    parts["present"].get<bool>() ? short_parameters(parts["parameters"])
                                                 : "not in the store any more",
                    number(validation_precision(parts["metrics"])), version.source});
  }
  return format_table(
      {"version", "alias", "artifact", "registered", "parameters", "validation AP", "from"}, rows);
}

Json version_json(const store::Store& store, const store::RegisteredModel& model,
                  const store::ModelVersion& version) {
  Json json = version_parts(store, model, version);
  json["schema"] = "tcrops.model_version/1";
  json["name"] = model.name;
  json["evaluations"] = evaluations_of(store, version.artifact);
  json["events"] = Json::array();
  for (const auto& event : model.events) {
    if (event.version == version.number) json["events"].push_back(event_json(event));
  }
  return json;
}

std::string version_text(const Json& version) {
  std::vector<std::vector<std::string>> facts;
  const auto add = [&](const std::string& name, const std::string& value) {
    facts.push_back({name, value});
  };
  add("version",
      version_name(version["name"].get<std::string>(), version["version"].get<std::int64_t>()));
  add("alias", joined(version["aliases"]));
  add("artifact", version["artifact"].get<std::string>());
  add("registered", fmt::format("{} by {}", version["registered"].get<std::string>(),
                                version["by"].get<std::string>()));
  add("from", version["source"].get<std::string>());
  if (!version["present"].get<bool>()) add("in the store", "no, or damaged");
  for (const auto& [path, value] : flatten_json({{"made from", version["parents"]},
                                                 {"parameter", version["parameters"]},
                                                 {"metric", version["metrics"]}})) {
    std::string name = path;
    std::replace(name.begin(), name.end(), '.', ' ');
    if (!value.is_null()) add(name, shown_value(value));
  }
  std::string text = format_table({"what", "value"}, facts);
  if (!version["use"].is_null()) text += model_use_text(version["use"]);
  std::vector<std::vector<std::string>> judged;
  std::string caveats;
  for (const Json& each : version["evaluations"]) {
    const auto row = [&](const std::string& name, const Json& metrics) {
      judged.push_back({shown_id(each["dataset"].get<std::string>()), name,
                        number(metrics["macro_auroc"]), number(metrics["macro_average_precision"]),
                        number(metrics["pooled_auroc"]),
                        number(metrics["pooled_average_precision"])});
    };
    row(each["scored_as"] == "test" ? "model" : "model (not a test score)", each["model"]);
    row("1-nearest-neighbour", each["nearest_neighbour"]);
    for (const Json& caveat : each["caveats"])
      caveats += fmt::format("WARNING: {}\n", caveat.get<std::string>());
  }
  if (!judged.empty()) {
    text +=
        "\n" +
        format_table({"test rows of", "", "macro AUROC", "macro AP", "pooled AUROC", "pooled AP"},
                     judged) +
        caveats;
  }
  return text;
}

Json model_log_json(const store::RegisteredModel& model) {
  Json json = {{"schema", "tcrops.model_log/1"},
               {"name", model.name},
               {"problems", model.problems},
               {"events", Json::array()}};
  for (const auto& event : model.events) json["events"].push_back(event_json(event));
  return json;
}

std::string model_log_text(const store::RegisteredModel& model) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& event : model.events) {
    const store::ModelVersion* version = model.find(event.version);
    const bool made = event.event == "register" && version != nullptr && event.reason.empty();
    const std::string why = made ? version->source : event.reason;
    rows.push_back({event.time, event.event, fmt::format("v{}", event.version), event.by,
                    why.empty() ? "-" : why, short_evidence(event.evidence)});
  }
  return format_table({"time", "move", "version", "by", "reason", "evidence"}, rows);
}

Json comparison_json(const stages::Comparison& comparison) {
  Json metrics = Json::array();
  for (const auto& metric : comparison.metrics) metrics.push_back(stages::to_json(metric));
  const auto side = [](const stages::ComparedModel& model) {
    return Json{{"model", model.model.id},
                {"evaluation", model.evaluation.id},
                {"scored_as", model.fair ? "test" : "not a test score"},
                {"caveats", model.caveats}};
  };
  return {{"schema", "tcrops.comparison/1"},   {"a", side(comparison.a)},
          {"b", side(comparison.b)},           {"dataset", comparison.dataset.id},
          {"rows", comparison.rows},           {"positives", comparison.positives},
          {"resamples", comparison.resamples}, {"metrics", metrics}};
}

std::string comparison_text(const stages::Comparison& comparison, const std::string& a,
                            const std::string& b) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& metric : comparison.metrics) {
    const char* verdict = metric.low > 0    ? "a is better"
                          : metric.high < 0 ? "b is better"
                                            : "cannot be told";
    rows.push_back({metric.name, fmt::format("{:.3f}", metric.a), fmt::format("{:.3f}", metric.b),
                    fmt::format("{:+.3f}", metric.difference),
                    fmt::format("{:+.3f} to {:+.3f}", metric.low, metric.high), verdict});
  }
  std::string text = fmt::format(
      "a: {} ({})\nb: {} ({})\n{} test rows, {} positive, of dataset {}; paired bootstrap of "
      "their TCRs, {} draws\n\n",
      a, comparison.a.model.short_id(), b, comparison.b.model.short_id(), comparison.rows,
      comparison.positives, comparison.dataset.short_id(), comparison.resamples);
  text += format_table({"metric", "a", "b", "a - b", "95 % interval", ""}, rows);
  const auto warn = [&](const char* name, const stages::ComparedModel& model) {
    for (const std::string& caveat : model.caveats)
      text += fmt::format("WARNING: {}: {}\n", name, caveat);
  };
  warn("a", comparison.a);
  warn("b", comparison.b);
  return text;
}

std::string gates_text(const std::vector<stages::GateResult>& gates) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& gate : gates) {
    rows.push_back({gate.name, gate.passed ? "ok" : "FAILED", gate.found, gate.wanted});
  }
  return format_table({"gate", "result", "found", "wanted"}, rows);
}

}  // namespace tcrops::cli
