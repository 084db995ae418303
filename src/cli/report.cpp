#include "report.hpp"

#include "evaluation_report.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace tcrops::cli {
namespace {

std::string number(const Json& value, int digits = 3) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : "-";
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "-" where the trial did not have the parameter.
std::string point_value(const Json& point, const std::string& name) {
  if (!point.contains(name)) return "-";
  const Json& value = point.at(name);
  return value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : text(value);
}

// "5 swapped, 3 measured"
std::string counts_text(const Json& counts) {
  std::string out;
  for (const auto& [name, count] : counts.items()) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count.dump(), name);
  }
  return out;
}

std::string leaks_text(const Json& facts) {
  if (facts.value("leak_free", false)) return "leak check passed\n";
  std::string out;
  const Json leaks = facts.value("leaks", Json::array());
  for (const Json& leak : leaks) out += fmt::format("LEAK: {}\n", text(leak));
  return out;
}

std::string dataset_text(const Json& facts, const std::string& report) {
  std::string sides;
  for (const char* side : {"train", "validation", "test"}) {
    sides +=
        fmt::format("{}{} {}", sides.empty() ? "" : ", ", facts.at("sides").value(side, 0), side);
  }
  std::string out =
      fmt::format("{} rows, {} positive ({}); {} features", facts.at("rows").dump(),
                  facts.at("positives").dump(), sides, facts.at("feature_width").dump());
  if (facts.at("refused") > 0 || facts.value("changed", 0) > 0) {
    out += fmt::format("; {} refused and {} changed, see {}", facts.at("refused").dump(),
                       facts.value("changed", 0), report);
  }
  out += '\n';
  const Json origins = facts.value("negatives", Json::object());
  if (!origins.empty()) out += fmt::format("negatives: {}\n", counts_text(origins));
  const Json missing = facts.value("negatives_missing", Json::object());
  if (!missing.empty()) {
    out += fmt::format("fewer negatives than wanted, for want of other TCRs: {}\n",
                       counts_text(missing));
  }
  if (facts.contains("near_test_rows")) {
    out += fmt::format("{} rows left out: near the test, a table of its own\n",
                       facts.at("near_test_rows").dump());
  }
  if (facts.value("excluded_rows", 0) > 0) {
    out += fmt::format("{} rows left out: their TCR or epitope stands on another side\n",
                       facts.at("excluded_rows").dump());
  }
  return out + leaks_text(facts);
}

// The parameters that some of the best trials had.
std::set<std::string> searched(const Json& facts) {
  std::set<std::string> names;
  for (const Json& best : facts.at("best")) {
    for (const auto& [name, value] : best.at("point").items()) names.insert(name);
  }
  return names;
}

// "learning_rate" of "train.learning_rate".
std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// Their values, then their value, and how it varies with the seed, if that was tried.
std::string best_table(const Json& facts) {
  const std::set<std::string> parameters = searched(facts);
  const Json& metrics_of = facts.at("select_on");
  std::vector<std::string> header = {"trial"};
  for (const std::string& name : parameters) header.push_back(last_part(name));
  header.emplace_back("value");
  const std::size_t seeds = facts.at("best").at(0).at("spread").at("seeds").size();
  if (seeds > 1) header.insert(header.end(), {fmt::format("mean of {}", seeds), "sd"});
  header.insert(header.end(), {"AP", "AUROC", "precision", "recall", "weights"});
  std::vector<std::vector<std::string>> rows;
  for (const Json& best : facts.at("best")) {
    std::vector<std::string> row = {best.at("trial").dump()};
    for (const std::string& name : parameters) row.push_back(point_value(best.at("point"), name));
    row.push_back(number(best.at("value"), 4));
    const Json& spread = best.at("spread");
    if (seeds > 1)
      row.insert(row.end(), {number(spread.at("mean"), 4), number(spread.at("sd"), 4)});
    const Json& metrics = best.at("metrics").at(text(metrics_of));
    for (const char* name : {"average_precision", "auroc", "precision", "recall"})
      row.push_back(number(metrics.at(name)));
    row.push_back(best.at("trained_numbers").dump());
    rows.push_back(std::move(row));
  }
  return format_table(header, rows);
}

std::string study_text(const Json& facts) {
  std::string out =
      fmt::format("{} trials, maximising {} on the {} rows", facts.at("trials").dump(),
                  text(facts.at("objective")), text(facts.at("select_on")));
  for (const char* what : {"pruned", "failed", "not_acceptable"}) {
    const auto count = facts.value(what, std::int64_t{0});
    if (count == 0) continue;
    out += fmt::format("; {} {}", count,
                       std::string_view(what) == "not_acceptable" ? "not acceptable" : what);
  }
  return out + "\n" + best_table(facts);
}

std::string model_text(const Json& facts) {
  const Json& parameters = facts.at("parameters");
  const bool left_out = facts.at("metrics").contains("out_of_fold");
  const Json& metrics = facts.at("metrics").at(left_out ? "out_of_fold" : "validation");
  const std::string epochs = facts.contains("ensemble")
                                 ? fmt::format("{} epochs in all", facts.at("epochs_run").dump())
                                 : fmt::format("{} of {} epochs", facts.at("epochs_run").dump(),
                                               parameters.at("epochs").dump());
  return fmt::format("{}, learning rate {:.5f}, {}, {} weights; {} AP {}, AUROC {}\n",
                     text(parameters.at("model")), parameters.at("learning_rate").get<double>(),
                     epochs, facts.at("trained_numbers").dump(),
                     left_out ? "out-of-fold" : "validation",
                     number(metrics.at("average_precision")), number(metrics.at("auroc"))) +
         model_use_text(facts);
}

// What became of it, in one word.
std::string stage_result(const stages::StageOutcome& outcome) {
  if (outcome.failure) return "failed";
  if (outcome.blocked_by) return "not run";
  return outcome.reused ? "reused" : "made";
}

}  // namespace

std::string stage_table(const std::vector<stages::StageOutcome>& outcomes) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& outcome : outcomes) {
    const bool made = outcome.artifact.has_value() && !outcome.reused;
    rows.push_back({stages::stage_name(outcome.stage), stage_result(outcome),
                    outcome.artifact ? store::kind_name(outcome.artifact->manifest.kind) : "-",
                    outcome.artifact ? outcome.artifact->short_id() : "-",
                    made ? fmt::format("{:.1f}", outcome.seconds) : "-"});
  }
  return format_table({"stage", "result", "artifact", "id", "seconds"}, rows);
}

std::string model_use_text(const Json& facts) {
  std::string out;
  if (facts.contains("ensemble")) {
    const Json& ensemble = facts.at("ensemble");
    out += fmt::format("ensemble of {} networks, from {}; its logit is the mean of theirs\n",
                       ensemble.at("members").dump(), text(ensemble.at("from")));
  }
  if (facts.contains("calibration")) {
    const Json& calibration = facts.at("calibration");
    const auto rows = calibration.at("count").get<double>();
    out += fmt::format(
        "probabilities: {}, fitted on {} {} rows, {:.1f} % of them positive; {} epitopes have a "
        "curve of their own\n",
        text(calibration.at("method")), calibration.at("count").dump(),
        calibration.at("rows") == "out_of_fold" ? "left-out" : "validation",
        100.0 * calibration.at("positives").get<double>() / rows,
        calibration.at("own_curves").dump());
  }
  if (facts.contains("background")) {
    const Json& background = facts.at("background");
    out += fmt::format("percentiles: among {} TCRs, background \"{}\"\n",
                       background.at("tcrs").dump(), text(background.at("from")));
  }
  if (facts.contains("nearest")) {
    const Json& nearest = facts.at("nearest");
    out += fmt::format("far from training: similarity below {}, the {}\n",
                       number(nearest.at("far_below")), text(nearest.at("chosen")));
  }
  return out;
}

std::string checks_text(const Json& checks) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& check : checks) {
    rows.push_back({text(check.at("name")), check.at("passed").get<bool>() ? "ok" : "FAILED",
                    text(check.at("problem"))});
  }
  return format_table({"check", "result", "problem"}, rows);
}

std::string stage_text(const stages::StageOutcome& outcome) {
  const Json& facts = outcome.artifact->manifest.facts;
  switch (outcome.artifact->manifest.kind) {
    case store::Kind::kRaw: {
      std::string out = fmt::format("source {}", text(facts.at("source")));
      for (const char* key : {"origin", "licence", "citation"}) {
        if (facts.contains(key)) out += fmt::format("\n{}: {}", key, text(facts.at(key)));
      }
      if (facts.contains("test_source")) {
        out += fmt::format("\ntest source {}", text(facts.at("test_source")));
        for (const char* key : {"origin", "licence", "citation"}) {
          const std::string name = fmt::format("test_{}", key);
          if (facts.contains(name)) out += fmt::format("\ntest {}: {}", key, text(facts.at(name)));
        }
      }
      return out + "\n";
    }
    case store::Kind::kDataset:
      return dataset_text(facts, outcome.artifact->file("cleaning.csv").string());
    case store::Kind::kStudy:
      return study_text(facts);
    case store::Kind::kModel:
      return model_text(facts);
    case store::Kind::kEvaluation:
      return evaluation_text(facts);
    case store::Kind::kCheck:
      return checks_text(facts.at("checks"));
    case store::Kind::kPredictions:
      return fmt::format("{} rows predicted, {} called binding: {}\n", facts.at("rows").dump(),
                         facts.at("called").dump(),
                         outcome.artifact->file("predictions.csv").string());
  }
  return "";
}

Json outcome_json(const stages::StageOutcome& outcome) {
  const auto& artifact = outcome.artifact;
  return {
      {"stage", stages::stage_name(outcome.stage)},
      {"result", stage_result(outcome)},
      {"kind", artifact ? Json(store::kind_name(artifact->manifest.kind)) : Json()},
      {"artifact", artifact ? Json(artifact->id) : Json()},
      {"path", artifact ? Json(artifact->directory.string()) : Json()},
      {"reused", outcome.reused},
      {"seconds", outcome.seconds},
      {"facts", artifact ? artifact->manifest.facts : Json()},
      {"problem", outcome.failure ? Json(outcome.failure->what()) : Json()},
      {"blocked_by", outcome.blocked_by ? Json(stages::stage_name(*outcome.blocked_by)) : Json()}};
}

}  // namespace tcrops::cli
