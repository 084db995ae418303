#include "evaluation_facts.hpp"

#include <tcrops/eval/judgement.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

Json summary(const Json& report) {
  Json figures = Json::object();
  Json intervals = Json::object();
  for (const char* part : {"macro", "pooled"}) {
    for (const char* name : eval::kFigureNames) {
      const std::string key = fmt::format("{}_{}", part, name);
      figures[key] = report.at(part).at(name);
      const Json& known = report.at(part).at("intervals");
      if (known.contains(name)) intervals[key] = known.at(name);
    }
  }
  // These four are of all rows together.
  for (const char* name : {"accuracy", "precision", "recall", "f1"}) {
    figures[name] = report.at("pooled").at(name);
  }
  figures["intervals"] = std::move(intervals);
  figures["rows"] = report.at("pooled").at("rows");
  figures["positives"] = report.at("pooled").at("positives");
  figures["groups"] = report.at("macro").at("groups");
  figures["ranked"] = report.at("pooled").at("ranked");
  return figures;
}

Json summaries(const Json& reports) {
  Json all = Json::object();
  for (const auto& [name, report] : reports.items()) all[name] = summary(report);
  return all;
}

// One entry per epitope; the look-up's area beside the model's.
Json epitopes_of(const Json& metrics) {
  const Json& nearest = metrics.at("baselines").at("nearest_neighbour").at("per_group");
  Json list = Json::array();
  for (const Json& group : metrics.at("model").at("per_group")) {
    Json entry = {{"epitope", group.at("group")}, {"seen", group.at("seen")}};
    Json intervals = Json::object();
    for (const char* name : {"rows", "positives", "auroc", "auroc01", "average_precision", "f1",
                             "mcc", "brier", "ece", "rank", "recall_at_1", "recall_at_3"}) {
      entry[name] = group.at(name);
      if (group.at("intervals").contains(name)) intervals[name] = group.at("intervals").at(name);
    }
    entry["intervals"] = std::move(intervals);
    entry["nearest_neighbour_auroc"] = nearest.at(list.size()).at("auroc");
    list.push_back(std::move(entry));
  }
  return list;
}

// Macro figures over seen and over unseen epitopes; the look-up's area beside the model's.
Json kinds_of(const Json& metrics) {
  Json kinds = metrics.at("model").value("by_kind", Json::object());
  const Json nearest =
      metrics.at("baselines").at("nearest_neighbour").value("by_kind", Json::object());
  for (auto& [kind, figures] : kinds.items()) {
    figures["nearest_neighbour_auroc"] = nearest.at(kind).at("auroc");
  }
  return kinds;
}

}  // namespace

Json evaluation_facts(const Json& metrics) {
  Json facts = {{"rows", metrics.at("model").at("pooled").at("rows")},
                {"positives", metrics.at("model").at("pooled").at("positives")},
                {"fair", metrics.at("reasons").empty()},
                {"model", summary(metrics.at("model"))},
                {"baselines", summaries(metrics.at("baselines"))},
                {"by_origin", summaries(metrics.at("by_origin"))},
                {"by_kind", kinds_of(metrics)},
                {"epitopes", epitopes_of(metrics)}};
  for (const char* name :
       {"scored_as", "reasons", "caveats", "unscored_rows", "bootstrap", "slices"}) {
    facts[name] = metrics.at(name);
  }
  return facts;
}

}  // namespace tcrops::stages
