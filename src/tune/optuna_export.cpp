#include "axis.hpp"
#include "optuna_schema.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/db/database.hpp>
#include <tcrops/tune/optuna_export.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

namespace tcrops::tune {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

// Rows of one table, sent some at a time.
class Rows {
 public:
  Rows(db::Database& database, std::string into, std::size_t columns)
      : database_(database), into_(std::move(into)), columns_(columns) {}

  void add(std::initializer_list<db::Value> row) {
    values_.insert(values_.end(), row);
    if (values_.size() >= kMostRows * columns_) send();
  }

  void send() {
    if (values_.empty()) return;
    std::string sql = "insert into " + into_ + " values ";
    for (std::size_t i = 0; i < values_.size(); ++i) {
      sql += i % columns_ > 0 ? ", " : i > 0 ? "), (" : "(";
      sql += fmt::format(":p{}", i + 1);
    }
    database_.execute(sql + ")", values_);
    values_.clear();
  }

 private:
  static constexpr std::size_t kMostRows = 50;

  db::Database& database_;
  std::string into_;
  std::size_t columns_;
  std::vector<db::Value> values_;
};

// A number as Optuna stores it.
struct Stored {
  db::Value number;
  std::string type;
};

Stored stored(double number) {
  if (std::isnan(number)) return {{}, "NAN"};
  if (std::isinf(number)) return {{}, number > 0.0 ? "INF_POS" : "INF_NEG"};
  return {number, "FINITE"};
}

// In ASCII as Python writes it; what is not finite becomes null.
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// The highest value of a range with a step. Optuna computes with the decimals that a number shows
// and lowers an end that is not a whole number of steps away, so that it has to show few.
double last_of(const FloatRange& range) {
  const double steps = std::floor((range.high - range.low) / range.step + 1e-9);
  const double last = range.low + steps * range.step;
  return std::abs(last - range.high) < 1e-6 * range.step
             ? range.high
             : parse_number(fmt::format("{:.12g}", last)).value_or(last);
}

struct Distribution {
  Json operator()(const FloatRange& range) const {
    const bool stepped = range.step > 0.0;
    return {{"name", "FloatDistribution"},
            {"attributes",
             {{"low", range.low},
              {"high", stepped ? last_of(range) : range.high},
              {"log", range.log},
              {"step", stepped ? Json(range.step) : Json()}}}};
  }
  Json operator()(const IntegerRange& range) const {
    return {{"name", "IntDistribution"},
            {"attributes",
             {{"low", range.low},
              {"high", range.high - (range.high - range.low) % range.step},
              {"log", range.log},
              {"step", range.step}}}};
  }
  Json operator()(const Choice& choice) const {
    Json options = Json::array();
    for (const Value& option : choice.options) {
      std::visit([&](const auto& value) { options.push_back(value); }, option);
    }
    return {{"name", "CategoricalDistribution"}, {"attributes", {{"choices", options}}}};
  }
};

// The number itself, or the index of the option.
double stored_value(const Parameter& parameter, const Value& value) {
  const double place = coordinate(parameter, value);
  if (std::holds_alternative<Choice>(parameter.domain)) return place;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return std::get<double>(value);
}

db::Value timestamp(const std::optional<double>& seconds) {
  if (!seconds) return {};
  const auto all = static_cast<std::int64_t>(std::llround(*seconds * double{kMicroseconds}));
  const std::int64_t fraction = (all % kMicroseconds + kMicroseconds) % kMicroseconds;
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}",
                     fmt::gmtime(static_cast<std::time_t>((all - fraction) / kMicroseconds)),
                     fraction);
}

bool is_finished(const Trial& trial) {
  return trial.state == TrialState::kComplete || trial.state == TrialState::kPruned;
}

// What Optuna calls a trial's end, and whether it has a value.
struct Ending {
  std::string state;
  bool has_value = false;
};

Ending ending_of(const Trial& trial) {
  if (trial.state == TrialState::kRunning) return {"RUNNING"};
  if (trial.state == TrialState::kFailed) return {"FAIL"};
  if (trial.state == TrialState::kPruned) {
    return {"PRUNED", !trial.reports.empty() && !std::isnan(trial.value)};
  }
  if (std::isnan(trial.value)) return {"FAIL"};
  return {trial.acceptable && std::isfinite(trial.value) ? "COMPLETE" : "PRUNED", true};
}

Json attributes_of(const Trial& trial) {
  Json result = {{"acceptable", trial.acceptable}};
  if (trial.weights > 0) result["weights"] = trial.weights;
  if (!trial.reason.empty()) result["reason"] = trial.reason;
  if (!trial.origin.empty()) result["origin"] = trial.origin;
  if (trial.decision) result["decision"] = to_json(*trial.decision);
  if (!trial.details.is_object()) return result;
  for (const auto& [path, leaf] : flatten_json(trial.details)) {
    if (leaf.is_number()) result["details." + path] = leaf;
  }
  return result;
}

// The trials by number, each with its place in the list.
std::map<std::int64_t, std::size_t> places(std::span<const Trial> trials) {
  std::map<std::int64_t, std::size_t> result;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const std::int64_t number = trials[i].number;
    if (number < 0 || !result.emplace(number, i).second) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("export to Optuna: trial {} {}; a study's trials are numbered from 0 "
                              "and each number is there once",
                              number, number < 0 ? "is below 0" : "occurs twice"));
    }
  }
  return result;
}

class Export {
 public:
  Export(db::Database& database, const Space& space, std::span<const Trial> trials,
         const OptunaExportOptions& options)
      : database_(database), space_(space), trials_(trials), options_(options) {
    for (const Parameter& each : space) {
      distributions_.push_back(json_text(std::visit(Distribution{}, each.domain)));
    }
  }

  void write(const std::string& study) {
    prepare_optuna_tables(database_);
    if (const auto found = id_of(study)) {
      if (!options_.replace) {
        throw Error(ExitCode::kUsage,
                    fmt::format("{}: there is a study \"{}\" already; choose another name "
                                "(--as), or replace it (--replace)",
                                database_.address().shown(), study));
      }
      remove(*found);
    }
    database_.execute("insert into studies (study_name) values (:p1)", {study});
    const std::int64_t id = id_of(study).value();
    database_.execute(
        "insert into study_directions (direction, study_id, objective) values ('MAXIMIZE', :p1, 0)",
        {id});
    Rows attributes(database_, "study_user_attributes (study_id, \"key\", value_json)", 3);
    for (const auto& [key, value] : options_.attributes.items()) {
      attributes.add({id, key, json_text(value)});
    }
    attributes.send();
    write_trials(id);
  }

 private:
  [[nodiscard]] std::optional<std::int64_t> id_of(const std::string& study) {
    const auto rows =
        database_.query("select study_id from studies where study_name = :p1", {study});
    return rows.empty() ? std::nullopt : std::optional(db::integer(rows.at(0).at(0)));
  }

  void remove(std::int64_t study) {
    for (const char* table : {"trial_user_attributes", "trial_system_attributes", "trial_params",
                              "trial_values", "trial_intermediate_values", "trial_heartbeats"}) {
      database_.execute(
          fmt::format("delete from {} where trial_id in (select trial_id from trials where "
                      "study_id = :p1)",
                      table),
          {study});
    }
    for (const char* table : {"trials", "study_user_attributes", "study_system_attributes",
                              "study_directions", "studies"}) {
      database_.execute(fmt::format("delete from {} where study_id = :p1", table), {study});
    }
  }

  // Optuna counts a study's trials in the order of their ids.
  void write_trials(std::int64_t study) {
    const auto by_number = places(trials_);
    const std::int64_t count = by_number.empty() ? 0 : by_number.rbegin()->first + 1;
    Rows rows(database_, "trials (number, study_id, state, datetime_start, datetime_complete)", 5);
    for (std::int64_t number = 0; number < count; ++number) {
      const auto found = by_number.find(number);
      if (found == by_number.end()) {
        rows.add({number, study, std::string("FAIL"), {}, {}});
        continue;
      }
      const TrialTimes times =
          options_.times.empty() ? TrialTimes() : options_.times[found->second];
      rows.add({number, study, ending_of(trials_[found->second]).state, timestamp(times.started),
                timestamp(times.finished)});
    }
    rows.send();
    for (const db::Row& row : database_.query(
             "select trial_id, number from trials where study_id = :p1 order by number", {study})) {
      const auto found = by_number.find(db::integer(row.at(1)));
      const std::int64_t id = db::integer(row.at(0));
      if (found == by_number.end()) {
        user_attributes_.add({id, std::string("missing"), std::string("true")});
      } else {
        write_trial(id, trials_[found->second]);
      }
    }
    for (Rows* each : {&parameters_, &values_, &reports_, &user_attributes_, &system_attributes_}) {
      each->send();
    }
  }

  void write_trial(std::int64_t id, const Trial& trial) {
    for (std::size_t p = 0; p < space_.size(); ++p) {
      const auto found = trial.point.find(space_[p].name);
      const bool there = found != trial.point.end();
      if (there != is_active(space_[p], trial.point)) foreign_value(space_[p]);
      if (!there) continue;
      parameters_.add(
          {id, space_[p].name, stored_value(space_[p], found->second), distributions_[p]});
    }
    if (ending_of(trial).has_value) {
      const Stored value = stored(trial.value);
      values_.add({id, std::int64_t{0}, value.number, value.type});
    }
    for (const Report& report : trial.reports) {
      const Stored value = stored(report.value);
      reports_.add({id, report.step, value.number, value.type});
    }
    const Json attributes = attributes_of(trial);
    for (const auto& [key, value] : attributes.items()) {
      user_attributes_.add({id, key, json_text(value)});
    }
    if (is_finished(trial)) {
      system_attributes_.add(
          {id, std::string("constraints"), json_text(Json::array({trial.acceptable ? 0.0 : 1.0}))});
    }
  }

  db::Database& database_;
  const Space& space_;
  std::span<const Trial> trials_;
  const OptunaExportOptions& options_;
  std::vector<std::string> distributions_;  // by parameter

  Rows parameters_{database_, "trial_params (trial_id, param_name, param_value, distribution_json)",
                   4};
  Rows values_{database_, "trial_values (trial_id, objective, value, value_type)", 4};
  Rows reports_{database_,
                "trial_intermediate_values (trial_id, step, intermediate_value, "
                "intermediate_value_type)",
                4};
  Rows user_attributes_{database_, "trial_user_attributes (trial_id, \"key\", value_json)", 3};
  Rows system_attributes_{database_, "trial_system_attributes (trial_id, \"key\", value_json)", 3};
};

}  // namespace

void export_to_optuna(db::Database& database, const std::string& study, const Space& space,
                      std::span<const Trial> trials, const OptunaExportOptions& options) {
  check_space(space);
  if (!options.times.empty() && options.times.size() != trials.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("export to Optuna: {} trials have the times of {}; give one for each, "
                            "or none",
                            trials.size(), options.times.size()));
  }
  if (!options.attributes.is_object()) {
    throw Error(ExitCode::kFailure, "export to Optuna: a study's attributes must be an object");
  }
  // Anew each time: the work may begin again.
  database.transaction([&] { Export(database, space, trials, options).write(study); });
}

}  // namespace tcrops::tune
