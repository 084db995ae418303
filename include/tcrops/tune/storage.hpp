#pragma once

#include <tcrops/db/database.hpp>
#include <tcrops/tune/study.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::tune {

// A study in a database, which any number of workers on any number of machines share.
// data/README.md has the tables. Every change of a study is an event with a number, made in one
// transaction that holds the study's row; so "what was known" is one number, and a study can be
// repeated from it.

// A study as it is known to the database.
struct StudyEntry {
  std::string id;    // digest of all that shapes its trials
  std::string name;  // for people
  Json definition;   // all that a worker needs, written once
  std::int64_t trials = 0;
  double created = 0.0;  // seconds since 1970, the database's clock
  std::int64_t finished = 0;
  std::int64_t running = 0;  // with a lease that has not run out
};
// Empty where the database has no study. Throws Error (kArtifact) for tables of a newer program.
[[nodiscard]] std::vector<StudyEntry> list_studies(db::Database& database);

// Where a trial is in the storage.
enum class Phase {
  kWaiting,  // given back, or not yet begun again
  kRunning,  // somebody has a lease, which may have run out
  kEnded
};

struct TrialRecord {
  Trial trial;
  Phase phase = Phase::kRunning;
  std::int64_t seen = 0;           // event that began it: its point knows what was before
  std::int64_t ended = 0;          // event that ended it; 0: none yet
  std::vector<std::int64_t> told;  // event of each report
  std::int64_t attempt = 0;        // how often it was begun, less the times it was given back
  std::string worker;              // the last that had it
  std::string job;                 // of a scheduler, "" where there is none
  std::int64_t step = 0;           // the last that a running one is known to have reached
  double lease_until = 0.0;
  double started = 0.0;  // first attempt; seconds since 1970, the database's clock
  double finished = 0.0;
};

// All trials of a study, with details.
[[nodiscard]] std::vector<TrialRecord> read_records(db::Database& database, const std::string& id,
                                                    const Space& space);

// One attempt at one trial, for people and tests.
struct Attempt {
  std::int64_t number = 0;
  std::int64_t attempt = 0;
  std::string worker;
  std::string job;
  double started = 0.0;
  std::optional<double> ended;
  std::string how;  // "", finished, released, failed, lost
};

// What came too late: of a worker whose lease had run out and whose trial was begun again.
struct LateResult {
  std::int64_t number = 0;
  std::string worker;
  double time = 0.0;
  Json outcome;
};

[[nodiscard]] std::vector<Attempt> read_attempts(db::Database& database, const std::string& id);
[[nodiscard]] std::vector<LateResult> read_late_results(db::Database& database,
                                                        const std::string& id);

struct WorkerName {
  std::string name;  // host and process
  std::string job;
};

// A trial that this worker has. The token is the fence: whatever the clock says, only the last one
// that was handed out counts.
struct Claim {
  std::int64_t number = 0;
  std::string token;
  Point point;
  std::string origin;
  std::int64_t attempt = 1;
};

// One connection's view of one study. Not thread-safe. What can be repeated is repeated after a
// lost connection (db::Database::transaction); each member can safely take effect twice.
class StudyStorage {
 public:
  // Makes the tables and the study where they are absent. `definition` as StudyEntry has it. A
  // study of the id keeps its number of trials if that is higher. Throws Error (kArtifact) when the
  // id is there with another definition.
  StudyStorage(db::Database database, std::string id, const std::string& name,
               const Json& definition, Space space, StudyOptions options);

  struct Terms {
    double lease_seconds = 60.0;
    std::int64_t attempts = 5;  // before a trial whose workers died counts as failed
  };
  enum class Free { kClaimed, kLater, kNone };
  // The next trial: one that was given back or whose lease has run out, else a new one. kLater:
  // others must finish first, or may still lose theirs. kNone: all trials have ended. The same
  // token gives the same trial.
  [[nodiscard]] std::pair<Free, std::optional<Claim>> claim(const WorkerName& worker,
                                                            const std::string& token,
                                                            const Terms& terms);
  // Keeps a report and judges it; a step that was reported before, also in an earlier attempt,
  // gives what was decided then. None without a pruner, and when the lease is lost.
  [[nodiscard]] std::optional<Decision> report(const Claim& claim, const Report& report);
  // False: the lease was lost, and the result is kept as a late one.
  bool finish(const Claim& claim, const WorkerName& worker, const Trial& trial);
  // Gives the trial back; `charge`: the attempt counts, as that of a worker that died does.
  void release(const Claim& claim, bool charge);
  // False: the lease is lost.
  bool renew(const Claim& claim, double lease_seconds, std::int64_t step);
  // Raises the number of trials to this; a lower one changes nothing. Returns what it is now.
  std::int64_t raise_trials(std::int64_t trials);

  // Takes over ended trials of an equal study from elsewhere, the first ones without a gap, if this
  // one has none yet. Returns how many.
  std::int64_t take_over(const std::vector<TrialRecord>& records);

  [[nodiscard]] std::int64_t trials() const { return options_.trials; }
  [[nodiscard]] bool has_pruner() const { return options_.pruner.has_value(); }
  [[nodiscard]] std::int64_t ended() const;
  // As of the last call that looked: by number, without details.
  [[nodiscard]] const std::vector<TrialRecord>& records() const { return records_; }
  void refresh();
  db::Database& database() { return database_; }

 private:
  // One at a time for each study: `work` begins with begin_event(), which holds the study's row.
  void change(const std::function<void()>& work) {
    database_.transaction(work, db::Isolation::kLocking);
  }
  std::int64_t begin_event();
  void look(std::int64_t event);
  [[nodiscard]] bool window_open() const;
  std::optional<Claim> claimed_with(const std::string& token) const;
  std::optional<Claim> claim_again(const WorkerName& worker, const std::string& token,
                                   const Terms& terms, std::int64_t event, double now);
  Claim claim_new(const WorkerName& worker, const std::string& token, const Terms& terms,
                  std::int64_t event, double now);
  bool holds(const Claim& claim);

  db::Database database_;
  std::string id_;
  Space space_;
  StudyOptions options_;
  std::vector<TrialRecord> records_;
  std::vector<std::string> tokens_;  // by trial
  std::int64_t looked_ = 0;          // the last event in records_
};

}  // namespace tcrops::tune
