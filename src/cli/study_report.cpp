#include "study_report.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops::cli {
namespace {

constexpr std::size_t kShortId = 12;
constexpr int kBarWidth = 30;

std::string number(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string short_id(const Json& id) { return id.get<std::string>().substr(0, kShortId); }

// A share of the whole, or of the largest, as a bar.
std::string bar(double share) {
  static constexpr std::string_view kCell = "█";
  const auto cells = static_cast<std::size_t>(std::lround(share * kBarWidth));
  std::string text;
  text.reserve(cells * kCell.size());
  for (std::size_t i = 0; i < cells; ++i) text.append(kCell);
  return text;
}

std::string search_line(const Json& study) {
  const Json& c = study.at("configuration");
  std::string search = c.at("sampler").get<std::string>();
  if (c.contains("preset")) search += fmt::format(" ({})", number(c.at("preset")));
  const std::string pruner = c.value("pruner", "none");
  const auto window = c.at("window").get<std::int64_t>();
  return fmt::format(
      "maximises {}; {}, pruner {}, {}, seed {}\n", number(c.at("objective")), search, pruner,
      window == 0 ? "chosen from all that is there" : fmt::format("window {}", window),
      study.at("seed").dump());
}

std::string count_line(const Json& study) {
  const Json& count = study.at("count");
  const auto of = [&](const char* name) { return count.at(name).get<std::int64_t>(); };
  const std::int64_t ended = of("complete") + of("pruned") + of("failed");
  std::string line = fmt::format("{} of {} trials have ended", ended, study.at("total").dump());
  if (of("pruned") > 0) {
    line += fmt::format(", {} of them pruned ({:.0f} %)", of("pruned"),
                        100.0 * static_cast<double>(of("pruned")) / static_cast<double>(ended));
  }
  if (of("failed") > 0) line += fmt::format(", {} failed", of("failed"));
  if (of("not_acceptable") > 0) line += fmt::format(", {} not acceptable", of("not_acceptable"));
  if (of("running") > 0) line += fmt::format("; {} running", of("running"));
  if (of("waiting") > 0) line += fmt::format("; {} given back, waiting", of("waiting"));
  std::int64_t lost = 0;
  std::int64_t released = 0;
  for (const Json& attempt : study.at("attempts")) {
    lost += attempt.at("how") == "lost" ? 1 : 0;
    released += attempt.at("how") == "released" ? 1 : 0;
  }
  if (lost > 0) line += fmt::format("; {} attempts of workers that died", lost);
  if (released > 0) line += fmt::format("; {} attempts given back", released);
  if (!study.at("late_results").empty())
    line += fmt::format("; {} late results", study.at("late_results").size());
  return fmt::format("{}\n", line);
}

std::vector<std::string> parameter_names(const Json& study) {
  std::vector<std::string> names;
  for (const Json& parameter : study.at("space")) names.push_back(parameter.at("name"));
  return names;
}

std::string trial_table(const Json& study, std::size_t most) {
  const std::vector<std::string> names = parameter_names(study);
  std::vector<std::string> header = {"trial", "value"};
  header.insert(header.end(), names.begin(), names.end());
  header.insert(header.end(), {"weights", "seconds", "origin"});
  std::vector<std::vector<std::string>> rows;
  for (const Json& best : study.at("best")) {
    if (rows.size() == most) break;
    const Json& trial = study.at("trials").at(best.get<std::size_t>());
    std::vector<std::string> row = {trial.at("number").dump(), number(trial.at("value"))};
    for (const std::string& name : names)
      row.push_back(number(trial.at("point").value(name, Json())));
    row.push_back(trial.at("trained_numbers").dump());
    row.push_back(trial.at("seconds").is_null()
                      ? "-"
                      : fmt::format("{:.1f}", trial.at("seconds").get<double>()));
    row.push_back(number(trial.at("origin")).empty() ? "-" : number(trial.at("origin")));
    rows.push_back(std::move(row));
  }
  return rows.empty() ? "" : fmt::format("\n{}", format_table(header, rows));
}

std::string progress_table(const Json& study) {
  const Json& steps = study.at("best_so_far");
  if (steps.size() < 2) return "";
  const auto first = steps.front().at("value").get<double>();
  const auto last = steps.back().at("value").get<double>();
  std::vector<std::vector<std::string>> rows;
  for (const Json& step : steps) {
    const double share = (step.at("value").get<double>() - first) / (last - first);
    rows.push_back({step.at("trial").dump(), number(step.at("value")), bar(share)});
  }
  return fmt::format("\n{}", format_table({"trial", "best so far", ""}, rows));
}

std::string importance_table(const Json& study) {
  std::vector<std::vector<std::string>> rows;
  std::vector<Json> sorted = study.at("importance");
  std::stable_sort(sorted.begin(), sorted.end(), [](const Json& a, const Json& b) {
    const auto of = [](const Json& x) {
      return x.at("importance").is_null() ? -1.0 : x.at("importance").get<double>();
    };
    return of(a) > of(b);
  });
  for (const Json& each : sorted) {
    if (each.at("importance").is_null()) continue;
    const auto share = each.at("importance").get<double>();
    rows.push_back({each.at("parameter"), fmt::format("{:.3f}", share), bar(share)});
  }
  if (rows.empty()) return "\nimportance of the parameters: too few trials to tell\n";
  return fmt::format("\n{}", format_table({"parameter", "importance", ""}, rows));
}

std::string kept_table(const Json& study) {
  if (!study.at("kept").is_array()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const Json& each : study.at("kept")) {
    if (!each.contains("spread")) return "";
    const Json& spread = each.at("spread");
    rows.push_back({each.at("trial").dump(), number(each.at("value")), number(spread.at("mean")),
                    number(spread.at("sd")), std::to_string(spread.at("seeds").size())});
  }
  return fmt::format("\n{}", format_table({"kept trial", "value", "mean", "sd", "seeds"}, rows));
}

std::string failures(const Json& study) {
  constexpr std::size_t kMost = 3;
  std::string text;
  std::size_t shown = 0;
  for (const Json& trial : study.at("trials")) {
    if (trial.at("state") != "failed" || shown == kMost) continue;
    text +=
        fmt::format("trial {} failed: {}\n", trial.at("number").dump(), number(trial.at("reason")));
    ++shown;
  }
  return text.empty() ? "" : fmt::format("\n{}", text);
}

}  // namespace

std::string study_list_text(const std::vector<stages::StudySummary>& studies) {
  if (studies.empty()) return "no studies\n";
  std::vector<std::vector<std::string>> rows;
  for (const stages::StudySummary& each : studies) {
    rows.push_back({each.id.substr(0, kShortId), each.name.empty() ? "-" : each.name, each.place,
                    fmt::format("{} of {}", each.finished, each.trials),
                    std::to_string(each.running), number(each.best)});
  }
  return format_table({"id", "name", "place", "ended", "running", "best"}, rows);
}

std::string study_text(const Json& study, std::size_t best) {
  return fmt::format("study {} {} ({})\n", short_id(study.at("id")), number(study.at("name")),
                     number(study.at("place"))) +
         search_line(study) + count_line(study) + trial_table(study, best) + progress_table(study) +
         importance_table(study) + kept_table(study) + failures(study);
}

}  // namespace tcrops::cli
