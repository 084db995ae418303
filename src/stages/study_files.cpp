#include "study_files.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tcrops::stages {
namespace {

constexpr auto kFirstCheckpoint = std::chrono::milliseconds(1000);

constexpr const char* kOfTrial = "trial-";
constexpr const char* kOfKept = "kept-";

// A study whose database was removed may begin again in the same folder, and without a window its
// trials then have other points.
std::string name_of(const char* prefix, const tune::Trial& trial) {
  constexpr std::size_t kDigits = 8;
  const std::string point = sha256_hex(canonical_json(tune::to_json(trial.point)));
  return fmt::format("{}{:06}.{}", prefix, trial.number, point.substr(0, kDigits));
}

std::string weights_name(const tune::Trial& trial) {
  return name_of(kOfTrial, trial) + ".safetensors";
}
std::string value_name(const tune::Trial& trial, std::size_t repetition) {
  return fmt::format("{}.{}.json", name_of(kOfKept, trial), repetition);
}
std::string checkpoint_name(std::int64_t number, std::size_t part) {
  return fmt::format("{}{:06}.{}.checkpoint", kOfTrial, number, part);
}

Json report_json(const tune::TrialRecord& record, std::size_t i, bool with_events) {
  const tune::Trial& trial = record.trial;
  Json json = {{"step", trial.reports[i].step}, {"value", number_or_null(trial.reports[i].value)}};
  if (i < trial.decisions.size()) json["decision"] = tune::to_json(trial.decisions[i]);
  if (with_events) json["event"] = record.told[i];
  return json;
}

Json record_json(const tune::TrialRecord& record, bool with_events) {
  const tune::Trial& trial = record.trial;
  Json json = {{"number", trial.number},
               {"state", tune::state_name(trial.state)},
               {"point", tune::to_json(trial.point)},
               {"value", number_or_null(trial.value)},
               {"acceptable", trial.acceptable},
               {"reason", trial.reason},
               {"trained_numbers", trial.weights},
               {"details", trial.details}};
  if (!trial.origin.empty()) json["origin"] = trial.origin;
  if (!trial.reports.empty()) {
    json["reports"] = Json::array();
    for (std::size_t i = 0; i < trial.reports.size(); ++i)
      json["reports"].push_back(report_json(record, i, with_events));
  }
  if (with_events) {
    json["begun_at_event"] = record.seen;
    json["ended_at_event"] = record.ended;
  }
  return json;
}

double number_of(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

tune::TrialRecord record_from_json(const Json& json, const tune::Space& space) {
  tune::TrialRecord record;
  tune::Trial& trial = record.trial;
  record.phase = tune::Phase::kEnded;
  trial.number = json.at("number").get<std::int64_t>();
  trial.point = tune::point_from_json(json.at("point"), space);
  trial.state = tune::state_from_name(json.value("state", "complete"));
  trial.value = number_of(json.at("value"));
  trial.acceptable = json.at("acceptable").get<bool>();
  trial.reason = json.at("reason").get<std::string>();
  trial.weights = json.at("trained_numbers").get<std::int64_t>();
  trial.details = json.at("details");
  trial.origin = json.value("origin", "");
  record.seen = json.value("begun_at_event", std::int64_t{0});
  record.ended = json.value("ended_at_event", std::int64_t{0});
  for (const Json& report : json.value("reports", Json::array())) {
    trial.reports.push_back({report.at("step").get<std::int64_t>(), number_of(report.at("value"))});
    record.told.push_back(report.value("event", std::int64_t{0}));
    if (!report.contains("decision")) continue;
    trial.decisions.push_back(tune::decision_from_json(report.at("decision")));
    if (trial.decisions.back().prune) trial.decision = trial.decisions.back();
  }
  return record;
}

}  // namespace

Json records_json(const std::vector<tune::TrialRecord>& records, bool with_events) {
  Json json = Json::array();
  for (const tune::TrialRecord& record : records) json.push_back(record_json(record, with_events));
  return json;
}

std::vector<tune::TrialRecord> records_from_json(const Json& json, const tune::Space& space) {
  std::vector<tune::TrialRecord> records;
  try {
    for (const Json& each : json) records.push_back(record_from_json(each, space));
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("stored trials: {}", e.what()));
  }
  return records;
}

std::vector<tune::Trial> trials_of(const std::vector<tune::TrialRecord>& records) {
  std::vector<tune::Trial> trials;
  for (const tune::TrialRecord& record : records) trials.push_back(record.trial);
  return trials;
}

StoredStudy read_study(const store::Store& store, const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kStudy) {
    throw Error(ExitCode::kArtifact, fmt::format("{} is a {}, not a study", artifact.short_id(),
                                                 store::kind_name(artifact.manifest.kind)));
  }
  StoredStudy study;
  try {
    study.space =
        tune::space_from_json(parse_json(store.read(artifact, "space.json"), "space.json"));
  } catch (const Error& e) {
    throw Error(ExitCode::kArtifact, fmt::format("study {}: {}", artifact.short_id(), e.what()));
  }
  study.records = records_from_json(parse_json(store.read(artifact, "trials.json"), "trials.json"),
                                    study.space);
  return study;
}

bool StudyFolder::has_file(const std::string& name) {
  return name.starts_with(kOfTrial) || name.starts_with(kOfKept) ||
         name.starts_with(database_name());
}

std::string StudyFolder::database_url() const {
  return "sqlite:" + (work_.directory() / database_name()).string();
}

bool StudyFolder::has_database() const {
  std::error_code unknown;
  return std::filesystem::exists(work_.directory() / database_name(), unknown);
}

CheckpointPlace StudyFolder::checkpoint(std::int64_t number, std::size_t part,
                                        const std::string& owner) const {
  const std::string file = checkpoint_name(number, part);
  const auto load = [work = work_, file]() -> std::optional<std::string> {
    const auto path = work.directory() / file;
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) return std::nullopt;
    return read_file(path, ExitCode::kArtifact);
  };
  const auto save = [work = work_, file](std::string_view bytes) { work.write(file, bytes); };
  return {file, owner, load, save, kFirstCheckpoint};
}

void StudyFolder::drop_checkpoints(std::int64_t number) const {
  std::error_code ignored;
  for (std::size_t part = 0;
       std::filesystem::remove(work_.directory() / checkpoint_name(number, part), ignored);
       ++part) {
  }
}

void StudyFolder::keep_weights(const tune::Trial& trial,
                               const std::vector<tune::TrialRecord>& known,
                               const std::vector<nn::Tensor>& weights) {
  const std::lock_guard lock(mutex_);
  std::vector<tune::Trial> trials = trials_of(known);
  std::erase_if(trials, [&](const tune::Trial& each) { return each.number == trial.number; });
  trials.push_back(trial);
  const auto best = tune::best_trials(trials, keep_);
  const auto is_best = [&](std::int64_t number) {
    return std::find(best.begin(), best.end(), number) != best.end();
  };
  if (!is_best(trial.number)) return;
  const std::string name = weights_name(trial);
  work_.write(name, nn::write_safetensors(weights));
  kept_[trial.number] = name;
  // One that another thread has just ended is not known yet, and may be the best.
  const auto has_lost = [&](std::int64_t number) {
    const auto at = static_cast<std::size_t>(number);
    return at < known.size() && known[at].phase == tune::Phase::kEnded && !is_best(number);
  };
  std::erase_if(kept_, [&](const auto& each) {
    if (!has_lost(each.first)) return false;
    std::error_code ignored;
    std::filesystem::remove(work_.directory() / each.second, ignored);
    return true;
  });
}

std::optional<std::vector<nn::Tensor>> StudyFolder::weights(const tune::Trial& trial) const {
  const auto path = work_.directory() / weights_name(trial);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return std::nullopt;
  try {
    return nn::read_safetensors(read_file(path, ExitCode::kArtifact), path.string());
  } catch (const Error&) {
    return std::nullopt;
  }
}

void StudyFolder::keep_value(const tune::Trial& trial, std::size_t repetition,
                             const Json& value) const {
  work_.write(value_name(trial, repetition), canonical_json({{"value", value}}));
}

std::optional<Json> StudyFolder::value(const tune::Trial& trial, std::size_t repetition) const {
  const auto path = work_.directory() / value_name(trial, repetition);
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return std::nullopt;
  try {
    return parse_json(read_file(path, ExitCode::kArtifact), path.string()).at("value");
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace tcrops::stages
