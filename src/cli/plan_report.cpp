#include "plan_report.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tcrops::cli {
namespace {

using stages::PlannedStage;
using Action = PlannedStage::Action;

constexpr std::size_t kShownIdDigits = 12;
constexpr std::size_t kLongestValue = 40;

std::string action_name(Action action) {
  switch (action) {
    case Action::kReuse:
      return "reuse";
    case Action::kMake:
      return "make";
    case Action::kFollow:
      return "follow";
    case Action::kAlwaysMake:
      return "always";
    case Action::kMissing:
      return "missing";
  }
  return "";
}

// A value of a key; hashes and lists are cut.
std::string shown(const Json& value) {
  if (value.is_null()) return "nothing";
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.size() > kLongestValue) text = text.substr(0, kShownIdDigits) + "…";
  return text;
}

// "configuration.tune.trials" of a key is "tune.trials" to a person.
std::string shown_field(const std::string& path) {
  constexpr std::string_view kPrefix = "configuration.";
  return path.starts_with(kPrefix) ? path.substr(kPrefix.size()) : path;
}

std::vector<std::string> names_of(const std::vector<stages::Stage>& stages) {
  std::vector<std::string> names;
  for (const stages::Stage stage : stages) names.push_back(stages::stage_name(stage));
  return names;
}

std::string reason_of(const PlannedStage& stage) {
  switch (stage.action) {
    case Action::kReuse:
      return "unchanged";
    case Action::kAlwaysMake:
      return "judges the files on disk every time";
    case Action::kFollow:
      return fmt::format("if {} gives something new", fmt::join(names_of(stage.waits_for), " or "));
    case Action::kMissing:
      return "not in the store, and it may not be made";
    case Action::kMake:
      break;
  }
  if (stage.forced) return "forced";
  std::vector<std::string> reasons;
  for (const JsonDifference& change : stage.changes) {
    reasons.push_back(fmt::format("{}: {} -> {}", shown_field(change.path), shown(change.was),
                                  shown(change.now)));
  }
  if (!reasons.empty()) return fmt::format("{}", fmt::join(reasons, "; "));
  if (stage.previous.empty()) return "never made under this name";
  if (!stage.waits_for.empty())
    return fmt::format("after {}", fmt::join(names_of(stage.waits_for), " and "));
  return "its result is damaged or was removed";
}

}  // namespace

std::string plan_text(const std::vector<PlannedStage>& planned) {
  std::vector<std::vector<std::string>> rows;
  double seconds = 0.0;
  for (const PlannedStage& stage : planned) {
    const bool runs = stage.action != Action::kReuse && stage.action != Action::kMissing;
    if (runs) seconds += stage.seconds.value_or(0.0);
    std::string reason = reason_of(stage);
    if (!stage.resumes.empty())
      reason += fmt::format("; goes on from {}", fmt::join(stage.resumes, ", "));
    rows.push_back({stages::stage_name(stage.stage), action_name(stage.action),
                    stage.artifact.empty() ? "-" : stage.artifact.substr(0, kShownIdDigits),
                    runs && stage.seconds ? fmt::format("{:.1f}", *stage.seconds) : "-", reason});
  }
  return format_table({"stage", "plan", "id", "seconds", "why"}, rows) +
         fmt::format("nothing was run; at most {:.1f} s of work, as far as earlier runs tell\n",
                     seconds);
}

Json plan_json(const std::string& name, const std::vector<PlannedStage>& planned) {
  Json json = {{"schema", "tcrops.plan/1"}, {"name", name}, {"stages", Json::array()}};
  for (const PlannedStage& stage : planned) {
    Json changes = Json::array();
    for (const JsonDifference& change : stage.changes) {
      changes.push_back(
          {{"field", shown_field(change.path)}, {"was", change.was}, {"now", change.now}});
    }
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? Json() : Json(text);
    };
    json["stages"].push_back({{"stage", stages::stage_name(stage.stage)},
                              {"action", action_name(stage.action)},
                              {"forced", stage.forced},
                              {"reason", reason_of(stage)},
                              {"artifact", text_or_null(stage.artifact)},
                              {"previous", text_or_null(stage.previous)},
                              {"changes", changes},
                              {"waits_for", names_of(stage.waits_for)},
                              {"resumes", stage.resumes},
                              {"seconds", stage.seconds ? Json(*stage.seconds) : Json()}});
  }
  return json;
}

}  // namespace tcrops::cli
