#include "search_space.hpp"

#include "network_configuration.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>

namespace tcrops::stages {
namespace {

// The parameters of the default space and the fields that they stand for.
const std::map<std::string, std::string>& short_names() {
  static const std::map<std::string, std::string> names = {{"model", "train.model"},
                                                           {"learning_rate", "train.learning_rate"},
                                                           {"epochs", "train.epochs"}};
  return names;
}

struct Refusal {
  const char* path;
  const char* why;
};
constexpr Refusal kNotSearched[] = {
    {"train.from", "it says where stage train takes its parameters from"},
    {"train.refit", "stage train does that, and no trial"},
    {"train.threshold", "trials are compared by calls that one rule makes"},
    {"train.device", "it does not shape the result"}};

const char* why_not_searched(const std::string& path) {
  for (const Refusal& refusal : kNotSearched) {
    if (path == refusal.path) return refusal.why;
  }
  return "only fields of network and train shape a training";
}

const Field* field_at(const FieldTable& table, const std::string& path) {
  for (const Field& field : table.fields()) {
    if (field.path() == path) return &field;
  }
  return nullptr;
}

// The nearest of some paths, by the whole of it or by what follows the section.
std::string suggested_path(const std::string& word, const std::vector<std::string>& paths) {
  const auto leaf = [](const std::string& path) { return path.substr(path.rfind('.') + 1); };
  std::vector<std::string> leaves;
  for (const std::string& path : paths) leaves.push_back(leaf(path));
  if (std::find(leaves.begin(), leaves.end(), leaf(word)) == leaves.end()) {
    if (std::string text = suggestion(word, paths); !text.empty()) return text;
  }
  const auto best = nearest_word(leaf(word), leaves);
  if (!best) return "";
  const auto at = std::find(leaves.begin(), leaves.end(), *best) - leaves.begin();
  return fmt::format("; did you mean \"{}\"?", paths[static_cast<std::size_t>(at)]);
}

Json json_of(const tune::Value& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

// As --set takes it.
std::string text_of(const tune::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : json_of(value).dump();
}

// A configuration with the sections network and train of another one, to be changed.
class ChangedConfig {
 public:
  explicit ChangedConfig(const PipelineConfig& base) {
    const FieldTable& table = base.fields();
    const Json sections = {{"network", table.resolved("network", true)},
                           {"train", table.resolved("train", true)}};
    require_none(config_.fields().read_text(sections.dump(), "configuration"));
  }

  Problems set(const std::string& path, const tune::Value& value) {
    return config_.fields().assign(path + "=" + text_of(value), "tune.space");
  }

  // What does not go together.
  [[nodiscard]] Problems problems() {
    config_.tune.models = {config_.train.model};
    return network_problems(config_.fields(), config_);
  }

  [[nodiscard]] FitParameters parameters() const { return fit_parameters(config_); }

 private:
  PipelineConfig config_;
};

struct Misfit {
  InnerPath part;  // of the parameter
  std::string message;
};
using Misfits = std::vector<Misfit>;

// Why a domain does not fit a field.
class DomainFit {
 public:
  // `entry` is the parameter as it was written, for the messages.
  DomainFit(const PipelineConfig& config, const Field& field, const Json& entry)
      : config_(config),
        table_(config.fields()),
        field_(field),
        entry_(entry),
        path_(field.path()) {}

  Misfits operator()(const tune::FloatRange&) const {
    if (field_.type == "integer") {
      return {{{"type"},
               fmt::format("{} takes whole numbers; take the type integer, or choice", path_)}};
    }
    return range_misfits();
  }
  Misfits operator()(const tune::IntegerRange&) const { return range_misfits(); }
  Misfits operator()(const tune::Choice& choice) const {
    Misfits misfits;
    for (std::size_t i = 0; i < choice.options.size(); ++i) {
      for (std::string& message : option_refusals(choice.options[i])) {
        misfits.push_back({{"options", std::to_string(i)}, std::move(message)});
      }
    }
    return misfits;
  }

 private:
  [[nodiscard]] Misfits range_misfits() const {
    if (field_.type != "number" && field_.type != "integer") {
      return {{{"type"},
               fmt::format("{} is {}, which has no range; take the type choice", path_,
                           field_.type == "array" ? "a list" : "a text")}};
    }
    Misfits misfits;
    for (const char* end : {"low", "high"}) {
      for (std::string& message : table_.refusals(path_, entry_.at(end))) {
        misfits.push_back({{end}, std::move(message)});
      }
    }
    return misfits;
  }

  [[nodiscard]] std::vector<std::string> option_refusals(const tune::Value& option) const {
    if (field_.type != "array") return table_.refusals(path_, json_of(option));
    if (!std::holds_alternative<std::string>(option)) {
      const std::string example =
          field_.default_value.empty() && !field_.examples.empty()
              ? field_.examples.front()
              : fmt::format("{}", fmt::join(texts_of(field_.default_value), ","));
      return {fmt::format("{} is a list; write it as a text like \"{}\", not {}", path_, example,
                          json_of(option).dump())};
    }
    const auto& text = std::get<std::string>(option);
    std::vector<std::string> refusals = table_.refusals(path_, table_.meant_by(path_, text));
    return refusals.empty() ? list_refusals(option) : refusals;
  }

  // What the field alone does not say of its items, such as that one names no kernel.
  [[nodiscard]] std::vector<std::string> list_refusals(const tune::Value& option) const {
    ChangedConfig changed(config_);
    require_none(changed.set(path_, option));
    std::vector<std::string> refusals;
    for (Problem& problem : changed.problems()) {
      if (problem.key == path_) refusals.push_back(std::move(problem.message));
    }
    return refusals;
  }

  static std::vector<std::string> texts_of(const Json& list) {
    std::vector<std::string> texts;
    for (const Json& item : list) {
      texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
    }
    return texts;
  }

  const PipelineConfig& config_;
  const FieldTable& table_;
  const Field& field_;
  const Json& entry_;
  std::string path_;
};

Misfits misfits_of(const tune::Parameter& parameter, const Json& entry,
                   const PipelineConfig& config, const std::vector<std::string>& searchable) {
  const FieldTable& table = config.fields();
  const std::string& name = parameter.name;
  const Field* const field = field_at(table, name);
  if (field == nullptr) {
    return {{{"name"},
             fmt::format("there is no field {}{}", shown(name), suggested_path(name, searchable))}};
  }
  if (std::find(searchable.begin(), searchable.end(), name) == searchable.end()) {
    return {{{"name"}, fmt::format("{} cannot be searched: {}", name, why_not_searched(name))}};
  }
  return std::visit(DomainFit(config, *field, entry), parameter.domain);
}

}  // namespace

std::vector<std::string> searchable_fields(const FieldTable& table) {
  std::vector<std::string> paths;
  for (const Field& field : table.fields()) {
    if (field.section != "network" && field.section != "train") continue;
    const auto is_it = [&](const Refusal& refusal) { return field.path() == refusal.path; };
    if (std::none_of(std::begin(kNotSearched), std::end(kNotSearched), is_it)) {
      paths.push_back(field.path());
    }
  }
  return paths;
}

tune::Space search_space(const PipelineConfig& config) {
  const TuneConfig& c = config.tune;
  if (!c.space.empty()) return tune::space_from_json(c.space);
  tune::Space space = {
      {"model", tune::Choice{c.models}},
      {"learning_rate", tune::FloatRange{c.learning_rate_min, c.learning_rate_max, false}},
      {"epochs", tune::IntegerRange{c.epochs_min, c.epochs_max}}};
  tune::check_space(space);
  return space;
}

Problems space_problems(const FieldTable& table, const PipelineConfig& config) {
  constexpr const char* kField = "tune.space";
  if (config.tune.space.empty() || table.at(kField).refused) return {};
  const std::vector<std::string> searchable = searchable_fields(table);
  const tune::Space space = search_space(config);
  Problems problems;
  for (std::size_t i = 0; i < space.size(); ++i) {
    for (const Misfit& misfit : misfits_of(space[i], config.tune.space[i], config, searchable)) {
      InnerPath part = {std::to_string(i)};
      part.insert(part.end(), misfit.part.begin(), misfit.part.end());
      append(problems, table.inner_problem(kField, part, misfit.message));
    }
  }
  return problems;
}

FitParameters trial_parameters(const tune::Point& point, const PipelineConfig& config) {
  ChangedConfig trial(config);
  Problems problems;
  for (const auto& [name, value] : point) {
    const auto known = short_names().find(name);
    append(problems, trial.set(known == short_names().end() ? name : known->second, value));
  }
  if (problems.empty()) problems = trial.problems();
  if (!problems.empty()) {
    std::vector<std::string> texts;
    for (const Problem& problem : problems) {
      texts.push_back(fmt::format("{}: {}", problem.key, problem.message));
    }
    throw Error(ExitCode::kConfiguration, fmt::format("{}", fmt::join(texts, "; ")));
  }
  FitParameters parameters = trial.parameters();
  parameters.refit = false;
  return parameters;
}

FitParameters best_parameters(const Json& best, const PipelineConfig& config) {
  // A study before there were points chose these three.
  Json values = best.contains("point") ? best.at("point") : Json::object();
  if (!best.contains("point")) {
    for (const auto& [name, path] : short_names()) values[name] = best.at("parameters").at(name);
  }
  tune::Point point;
  for (const auto& [name, value] : values.items()) {
    if (value.is_string()) {
      point[name] = value.get<std::string>();
    } else if (value.is_number_integer()) {
      point[name] = value.get<std::int64_t>();
    } else {
      point[name] = value.get<double>();
    }
  }
  FitParameters parameters = trial_parameters(point, config);
  parameters.refit = config.train.refit;
  return parameters;
}

std::optional<tune::Pruner> pruner_of(const TuneConfig& c) {
  const auto factor = [&c](std::int64_t own) {
    return c.pruner_reduction_factor == 0 ? own : c.pruner_reduction_factor;
  };
  if (c.pruner == "none") return std::nullopt;
  if (c.pruner == "asha") {
    return tune::AshaPruner{.min_resource = c.pruner_minimum_epochs,
                            .reduction_factor = factor(tune::AshaPruner{}.reduction_factor),
                            .early_stopping_rate = c.pruner_early_stopping_rate};
  }
  if (c.pruner == "hyperband") {
    return tune::HyperbandPruner{
        .min_resource = c.pruner_minimum_epochs,
        .max_resource = c.pruner_maximum_epochs,
        .reduction_factor = factor(tune::HyperbandPruner{}.reduction_factor)};
  }
  return tune::PercentilePruner{.percentile = c.pruner == "median" ? 50.0 : c.pruner_percentile,
                                .startup_trials = c.pruner_startup_trials,
                                .warmup_steps = c.pruner_warmup_epochs,
                                .interval_steps = c.pruner_interval_epochs};
}

tune::TpeOptions tpe_options_of(const TuneConfig& c) {
  tune::TpeOptions options = tune::tpe_options(c.preset);
  if (c.startup_trials != 0) options.startup_trials = c.startup_trials;
  return options;
}

}  // namespace tcrops::stages
