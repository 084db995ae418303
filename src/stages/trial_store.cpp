#include "trial_store.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::stages {
namespace {

std::string record_name(std::int64_t number) { return fmt::format("trial-{:06}.json", number); }
std::string weights_name(std::int64_t number) {
  return fmt::format("trial-{:06}.safetensors", number);
}

}  // namespace

Json trial_to_json(const tune::Trial& trial) {
  return {{"number", trial.number},
          {"point", tune::to_json(trial.point)},
          {"value", number_or_null(trial.value)},
          {"acceptable", trial.acceptable},
          {"reason", trial.reason},
          {"trained_numbers", trial.weights},
          {"details", trial.details}};
}

TrialStore::TrialStore(store::WorkFolder work, tune::Space space)
    : work_(std::move(work)), space_(std::move(space)) {}

void TrialStore::keep_weights(std::int64_t number, const std::vector<nn::Tensor>& weights) const {
  work_.write(weights_name(number), nn::write_safetensors(weights));
}

void TrialStore::keep(const tune::Trial& trial) const {
  work_.write(record_name(trial.number), canonical_json(trial_to_json(trial)));
}

bool TrialStore::recall(std::int64_t number, const tune::Point& point, tune::Trial& trial) const {
  const auto path = work_.directory() / record_name(number);
  if (!std::filesystem::exists(path)) return false;
  try {
    const Json json = parse_json(read_file(path, ExitCode::kArtifact), path.string());
    if (tune::point_from_json(json.at("point"), space_) != point) return false;
    trial.number = number;
    trial.point = point;
    trial.value = json.at("value").is_null() ? std::nan("") : json.at("value").get<double>();
    trial.acceptable = json.at("acceptable").get<bool>();
    trial.reason = json.at("reason").get<std::string>();
    trial.weights = json.at("trained_numbers").get<std::int64_t>();
    trial.details = json.at("details");
    // A process that was killed while it dropped the folder may have left a record alone.
    return !trial.acceptable || std::filesystem::exists(path.parent_path() / weights_name(number));
  } catch (const Error&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
}

std::vector<nn::Tensor> TrialStore::weights(std::int64_t number) const {
  const auto path = work_.directory() / weights_name(number);
  return nn::read_safetensors(read_file(path, ExitCode::kArtifact), path.string());
}

}  // namespace tcrops::stages
