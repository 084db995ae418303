#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::store {

// Aliases: names of a model's version that may move.
inline constexpr const char* kChampion = "champion";    // the one to use
inline constexpr const char* kPrevious = "previous";    // what a rollback goes back to
inline constexpr const char* kCandidate = "candidate";  // the newest that wants to be champion

// One version of a registered model; never changes.
struct ModelVersion {
  std::int64_t number = 0;  // from 1
  std::string artifact;     // id of a model
  std::string time;         // UTC
  std::string by;           // "user@host"
  std::string source;       // where it comes from, for people: "trained", "study 12ab…, rank 2"
};

// One line of a model's log: who moved what, when, why and on what evidence.
struct RegistryEvent {
  std::string event;  // "register", "candidate", "promote", "rollback"
  std::int64_t version = 0;
  std::string time;
  std::string by;
  std::string reason;
  Json evidence;     // null or what the mover saw
  std::string hash;  // of the line
};

// A registered model, replayed from its log.
struct RegisteredModel {
  std::string name;
  std::vector<ModelVersion> versions;           // by number
  std::map<std::string, std::int64_t> aliases;  // those that are set
  std::vector<std::int64_t> champions;  // promotions that were not rolled back, the champion last
  std::vector<RegistryEvent> events;    // oldest first
  std::vector<std::string> problems;    // the log was changed or cannot be read

  [[nodiscard]] const ModelVersion* find(std::int64_t number) const;
  [[nodiscard]] const ModelVersion* find_artifact(const std::string& id) const;
  // The aliases of a version, in the order champion, previous, candidate.
  [[nodiscard]] std::vector<std::string> aliases_of(std::int64_t number) const;
};

// Who moves and why; empty texts are filled in or left out.
struct Move {
  std::string by;
  std::string reason;
  Json evidence{};  // null: none
};

// The models of a store. Each has one hash-chained log, models/<name>.jsonl, which is the whole
// truth about its versions and aliases: a move is one appended line. Processes on several machines
// may move at once. The hash of each line is noted in the store's log too, so that lines cut off at
// the end, or a log that was deleted, are noticed. All members throw Error; kArtifact when a log
// was changed (nothing is appended to it then).
class Registry {
 public:
  explicit Registry(const Store& store) : store_(store) {}

  // Names of all registered models, sorted; also of those whose log is gone.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<RegisteredModel> all() const;
  // kArtifact with the nearest name when there is no such model.
  [[nodiscard]] RegisteredModel read(const std::string& name) const;
  // "name@champion" or "name@v3". kArtifact with what exists otherwise.
  [[nodiscard]] ModelVersion resolve(const std::string& reference) const;

  // Whether an added version becomes the candidate (never one that is the champion).
  enum class Candidate { kNo, kIfNew, kYes };
  // Adds a version for a model artifact, or returns the one that it has already.
  ModelVersion add(const std::string& name, const std::string& artifact, const std::string& source,
                   Candidate candidate, const Move& move) const;
  // Called before a move with the model as it is then, while nobody else can move it; may throw to
  // prevent the move.
  using Check = std::function<void(const RegisteredModel& before)>;

  // Makes a version the champion; the champion until now becomes `previous`. kUsage when it is the
  // champion already. Returns the model as it is right after the move.
  RegisteredModel promote(const std::string& name, std::int64_t version, const Move& move,
                          const Check& check = {}) const;
  // Goes back to the champion before the last promotion; again, to the one before that. kArtifact
  // when there was none. Returns the model as it is right after the move.
  RegisteredModel rollback(const std::string& name, const Move& move,
                           const Check& check = {}) const;

  // Problems of all logs.
  [[nodiscard]] std::vector<VerifyProblem> verify() const;

 private:
  RegisteredModel append(
      const std::string& name,
      const std::function<std::optional<Json>(const RegisteredModel&)>& decide) const;

  const Store& store_;
};

}  // namespace tcrops::store
