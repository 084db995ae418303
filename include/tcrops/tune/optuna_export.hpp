#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/tune/study.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::db {
class Database;
}

namespace tcrops::tune {

// When a trial ran, in seconds since 1970; empty where it is not known.
struct TrialTimes {
  std::optional<double> started;
  std::optional<double> finished;
};

struct OptunaExportOptions {
  // Whether a study of the same name is deleted first; otherwise it is an Error (kUsage).
  bool replace = false;
  // Of each trial, in the order of the trials; empty where no time is known. Optuna's timestamps
  // have no zone: these are in UTC, while its own are in the local time of whoever wrote them.
  std::vector<TrialTimes> times;
  // User attributes of the study: an object.
  Json attributes = Json::object();
};

// Writes a study into tables as Optuna 3.1's RDBStorage makes them (schema 12, v3.0.0.d), which are
// made where there are none, beside the studies in them. `optuna.load_study` of 3.1 opens it as
// "sqlite:///FILE" or "postgresql://...", to look at or to go on with; later versions after `optuna
// storage upgrade`.
//
// The direction is MAXIMIZE, and the best trial is the best of ours; among equal values Optuna may
// name another. States:
//   COMPLETE  complete, acceptable, and its value finite;
//   PRUNED    pruned, with the last value as Optuna keeps it, none where nothing was reported; and
//             complete but not acceptable or infinite: its value can be read and its samplers learn
//             from it as of a pruned one, but it cannot win, which a COMPLETE one would and a FAIL
//             one could not tell;
//   FAIL      failed; complete with NaN, as in Optuna; and a number that no trial has, as Optuna
//             counts without gaps (its attribute "missing" is true);
//   RUNNING   running.
// Parameters that a trial does not have are absent. Reports are intermediate values. User
// attributes of a trial: "acceptable", and where there are any "weights", "reason", "origin",
// "decision" and the numbers of its details under their path ("details.auc"). The system attribute
// "constraints", by which Optuna's samplers and its later best_trial know what is feasible, is 0 or
// 1 for one that is not acceptable.
//
// All or nothing. Throws Error: kUsage for a study that is there, kConfiguration for a wrong space
// or for a database that has tables of the same name that are not these, kArtifact for trials of
// another space or two with one number, and what the database throws. When the connection was lost
// just as the export ended, a study that "is there" may be the one just written.
void export_to_optuna(db::Database& database, const std::string& study, const Space& space,
                      std::span<const Trial> trials, const OptunaExportOptions& options = {});

}  // namespace tcrops::tune
