#include "folder.hpp"
#include "hash_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tcrops::store {
namespace {

constexpr const char* kLogSuffix = ".jsonl";

std::filesystem::path log_path(const Store& store, const std::string& name) {
  return store.root() / "models" / (name + kLogSuffix);
}

HashLog log_of(const Store& store, const std::string& name) {
  return {log_path(store, name), store.root() / "models" / (name + ".lock")};
}

std::int64_t version_of(const Json& entry) {
  const auto at = entry.find("version");
  return at != entry.end() && at->is_number_integer() ? at->get<std::int64_t>() : 0;
}

RegistryEvent event_of(const Json& entry, const std::string& hash) {
  const auto evidence = entry.find("evidence");
  return {.event = text_of(entry, "event"),
          .version = version_of(entry),
          .time = text_of(entry, "time"),
          .by = text_of(entry, "by"),
          .reason = text_of(entry, "reason"),
          .evidence = evidence == entry.end() ? Json() : *evidence,
          .hash = hash};
}

// Applies the lines of a log one after the other.
class Replay {
 public:
  explicit Replay(std::string name) { model_.name = std::move(name); }

  void apply(const Json& entry, const std::string& hash) {
    const RegistryEvent event = event_of(entry, hash);
    if (const std::string problem = problem_of(event); !problem.empty()) {
      model_.problems.push_back(fmt::format("models/{}{}: {}", model_.name, kLogSuffix, problem));
      return;
    }
    std::vector<std::int64_t>& champions = model_.champions;
    if (event.event == "register") {
      model_.versions.push_back({event.version, text_of(entry, "artifact"), event.time, event.by,
                                 text_of(entry, "source")});
      if (entry.value("candidate", Json()) == true) set(kCandidate, event.version);
    } else if (event.event == "candidate") {
      set(kCandidate, event.version);
    } else if (event.event == "promote") {
      champions.push_back(event.version);
      const auto candidate = model_.aliases.find(kCandidate);
      if (candidate != model_.aliases.end() && candidate->second == event.version)
        model_.aliases.erase(candidate);
    } else {
      champions.pop_back();
    }
    set(kChampion, champions.empty() ? 0 : champions.back());
    set(kPrevious, champions.size() < 2 ? 0 : champions[champions.size() - 2]);
    model_.events.push_back(event);
  }

  [[nodiscard]] RegisteredModel take() { return std::move(model_); }

 private:
  void set(const std::string& alias, std::int64_t version) {
    model_.aliases[alias] = version;
    if (version == 0) model_.aliases.erase(alias);
  }

  // Why a line cannot be what this program wrote; "" when it can.
  [[nodiscard]] std::string problem_of(const RegistryEvent& event) const {
    const auto next = std::ssize(model_.versions) + 1;
    if (event.event == "register") {
      return event.version == next
                 ? ""
                 : fmt::format("version {} is registered where {} is next", event.version, next);
    }
    const bool known =
        event.event == "candidate" || event.event == "promote" || event.event == "rollback";
    if (!known) return fmt::format("unknown move \"{}\"", event.event);
    if (model_.find(event.version) == nullptr)
      return fmt::format("{} of version {}, which was not registered", event.event, event.version);
    if (event.event == "rollback" && model_.champions.size() < 2)
      return "a rollback without an earlier champion";
    return "";
  }

  RegisteredModel model_;
};

using NotedLines = std::map<std::string, std::vector<std::string>>;

// Most lines are of other kinds, so only those that have the key are parsed.
NotedLines noted_lines(const Store& store) {
  NotedLines noted;
  const std::string bytes = store_log(store.root()).read_unchecked();
  for (const std::string_view line : whole_lines(bytes)) {
    if (line.find("\"line_sha256\"") == std::string_view::npos) continue;
    const Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (entry.is_object() && text_of(entry, "event") == "model")
      noted[text_of(entry, "name")].push_back(text_of(entry, "line_sha256"));
  }
  return noted;
}

RegisteredModel replay(const std::string& name, const LogContents& log, const NotedLines& noted) {
  Replay replayed(name);
  for (std::size_t i = 0; i < log.entries.size(); ++i)
    replayed.apply(log.entries[i], log.hashes[i]);
  RegisteredModel model = replayed.take();
  for (const std::string& problem : log.problems) {
    model.problems.push_back(fmt::format("models/{}", problem));
  }
  const std::set<std::string> there(log.hashes.begin(), log.hashes.end());
  const auto known = noted.find(name);
  const bool whole = known == noted.end() ||
                     std::all_of(known->second.begin(), known->second.end(),
                                 [&](const std::string& hash) { return there.contains(hash); });
  if (!whole) {
    model.problems.push_back(
        fmt::format("models/{}{}: lines that log.jsonl knows are missing", name, kLogSuffix));
  }
  return model;
}

void require_unchanged(const RegisteredModel& model) {
  if (model.problems.empty()) return;
  throw Error(ExitCode::kArtifact,
              fmt::format("the log of model {} was changed, so it cannot be trusted: {}; restore "
                          "models/{}{} from a backup",
                          model.name, fmt::join(model.problems, "; "), model.name, kLogSuffix));
}

std::string moved_by(const Move& move) {
  return move.by.empty() ? fmt::format("{}@{}", user_name(), host_name()) : move.by;
}

Json entry_of(const char* event, std::int64_t version, const Move& move) {
  Json entry = {
      {"event", event}, {"version", version}, {"time", utc_now()}, {"by", moved_by(move)}};
  if (!move.reason.empty()) entry["reason"] = move.reason;
  if (!move.evidence.is_null()) entry["evidence"] = move.evidence;
  return entry;
}

const ModelVersion& version_at(const RegisteredModel& model, std::int64_t number) {
  if (const ModelVersion* version = model.find(number)) return *version;
  throw Error(ExitCode::kArtifact, fmt::format("model {} has no version {}; it has {} of them",
                                               model.name, number, model.versions.size()));
}

}  // namespace

const ModelVersion* RegisteredModel::find(std::int64_t number) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const ModelVersion& v) { return v.number == number; });
  return at == versions.end() ? nullptr : &*at;
}

const ModelVersion* RegisteredModel::find_artifact(const std::string& id) const {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const ModelVersion& v) { return v.artifact == id; });
  return at == versions.end() ? nullptr : &*at;
}

std::vector<std::string> RegisteredModel::aliases_of(std::int64_t number) const {
  std::vector<std::string> names;
  for (const char* alias : {kChampion, kPrevious, kCandidate}) {
    const auto at = aliases.find(alias);
    if (at != aliases.end() && at->second == number) names.emplace_back(alias);
  }
  return names;
}

namespace {

// Those that have a log and those that had one.
std::vector<std::string> names_in(const Store& store, const NotedLines& noted) {
  std::set<std::string> found;
  for (const auto& [name, lines] : noted) found.insert(name);
  const auto folder = store.root() / "models";
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : entries_of(folder)) {
      // An empty one is what a process left that was killed before its first line.
      if (entry.path().extension() == kLogSuffix && entry.file_size() > 0)
        found.insert(entry.path().stem().string());
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace

std::vector<std::string> Registry::names() const { return names_in(store_, noted_lines(store_)); }

// A line is noted after it was written, so what was noted before a log is read is all in it.
std::vector<RegisteredModel> Registry::all() const {
  const NotedLines noted = noted_lines(store_);
  std::vector<RegisteredModel> models;
  for (const std::string& name : names_in(store_, noted))
    models.push_back(replay(name, log_of(store_, name).read(), noted));
  return models;
}

RegisteredModel Registry::read(const std::string& name) const {
  const NotedLines noted = noted_lines(store_);
  const auto known = names_in(store_, noted);
  if (!std::binary_search(known.begin(), known.end(), name)) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: no registered model \"{}\"{}; `tcrops models list` lists them",
                            store_.root().string(), name, suggestion(name, known)));
  }
  return replay(name, log_of(store_, name).read(), noted);
}

ModelVersion Registry::resolve(const std::string& reference) const {
  const std::size_t at = reference.find('@');
  const RegisteredModel model = read(reference.substr(0, at));
  require_unchanged(model);
  const std::string which = at == std::string::npos ? kChampion : reference.substr(at + 1);
  if (const auto alias = model.aliases.find(which); alias != model.aliases.end()) {
    return version_at(model, alias->second);
  }
  if (which.starts_with('v')) {
    if (const auto number = parse_integer(which.substr(1))) return version_at(model, *number);
  }
  std::vector<std::string> known;
  for (const auto& [alias, version] : model.aliases) known.push_back(alias);
  throw Error(ExitCode::kArtifact,
              fmt::format("model {} has no \"{}\"{}; it has {}{}v1 to v{}", model.name, which,
                          suggestion(which, known), fmt::join(known, ", "),
                          known.empty() ? "" : ", ", model.versions.size()));
}

RegisteredModel Registry::append(
    const std::string& name,
    const std::function<std::optional<Json>(const RegisteredModel&)>& decide) const {
  make_directories(store_.root() / "models");
  LogContents after;
  NotedLines noted;
  const std::string hash =
      log_of(store_, name).append_after([&](const LogContents& log) -> std::optional<Json> {
        noted = noted_lines(store_);
        const RegisteredModel model = replay(name, log, noted);
        require_unchanged(model);
        after = log;
        auto entry = decide(model);
        if (entry) after.entries.push_back(*entry);
        return entry;
      });
  if (!hash.empty()) {
    after.hashes.push_back(hash);
    static_cast<void>(store_log(store_.root())
                          .append({{"event", "model"}, {"name", name}, {"line_sha256", hash}}));
  }
  return replay(name, after, noted);
}

ModelVersion Registry::add(const std::string& name, const std::string& artifact,
                           const std::string& source, Candidate candidate, const Move& move) const {
  const auto after = append(name, [&](const RegisteredModel& model) -> std::optional<Json> {
    if (const ModelVersion* known = model.find_artifact(artifact)) {
      const auto aliases = model.aliases_of(known->number);
      const auto has = [&](const char* alias) {
        return std::find(aliases.begin(), aliases.end(), alias) != aliases.end();
      };
      if (candidate != Candidate::kYes || has(kChampion) || has(kCandidate)) return std::nullopt;
      return entry_of("candidate", known->number, move);
    }
    Json entry = entry_of("register", static_cast<std::int64_t>(model.versions.size()) + 1, move);
    entry["artifact"] = artifact;
    entry["source"] = source;
    entry["candidate"] = candidate != Candidate::kNo;
    return entry;
  });
  return *after.find_artifact(artifact);
}

RegisteredModel Registry::promote(const std::string& name, std::int64_t version, const Move& move,
                                  const Check& check) const {
  static_cast<void>(read(name));  // a model that is not there gets no log
  return append(name, [&](const RegisteredModel& model) -> std::optional<Json> {
    static_cast<void>(version_at(model, version));
    const auto at = model.aliases.find(kChampion);
    const std::int64_t champion = at == model.aliases.end() ? 0 : at->second;
    if (champion == version) {
      throw Error(ExitCode::kUsage,
                  fmt::format("{}@v{} is the champion already", model.name, version));
    }
    if (check) check(model);
    return entry_of("promote", version, move);
  });
}

RegisteredModel Registry::rollback(const std::string& name, const Move& move,
                                   const Check& check) const {
  static_cast<void>(read(name));
  return append(name, [&](const RegisteredModel& model) -> std::optional<Json> {
    const auto previous = model.aliases.find(kPrevious);
    if (previous == model.aliases.end()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("model {} has no earlier champion to go back to", model.name));
    }
    if (check) check(model);
    return entry_of("rollback", previous->second, move);
  });
}

std::vector<VerifyProblem> Registry::verify() const {
  std::vector<VerifyProblem> problems;
  for (const RegisteredModel& model : all()) {
    for (const std::string& problem : model.problems) problems.push_back({"", problem});
  }
  return problems;
}

}  // namespace tcrops::store
