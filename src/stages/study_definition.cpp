#include "study_definition.hpp"

#include "search_space.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

constexpr std::size_t kShortId = 12;
constexpr const char* kSchema = "tcrops.study_definition/1";

// Settings of tune that say how many trials there are and what becomes of the best.
constexpr const char* kOfTheWhole[] = {"trials", "keep", "keep_seeds", "attempts"};

Json without_the_whole(Json configuration) {
  for (const char* name : kOfTheWhole) configuration["tune"].erase(name);
  return configuration;
}

std::vector<tune::Proposal> proposals_from_json(const Json& json, const tune::Space& space) {
  std::vector<tune::Proposal> first;
  for (const Json& each : json) {
    first.push_back(
        {tune::point_from_json(each.at("point"), space), each.at("origin").get<std::string>()});
  }
  return first;
}

}  // namespace

tune::StudyOptions study_options(const PipelineConfig& config, std::vector<tune::Proposal> first) {
  return {.sampler = tune::sampler_from_name(config.tune.sampler),
          .tpe = tpe_options_of(config.tune),
          .pruner = pruner_of(config.tune),
          .trials = config.tune.trials,
          .seed = static_cast<std::uint64_t>(config.seed),
          .window = config.tune.window,
          .first = std::move(first)};
}

store::ReuseKey study_key(const store::ReuseKey& key) {
  store::ReuseKey shaping = key;
  shaping.configuration = without_the_whole(key.configuration);
  return shaping;
}

store::ReuseKey study_key(const Json& document) {
  return {stage_name(Stage::kTune),
          document.at("stage_version").get<std::int64_t>(),
          document.at("configuration"),
          {{store::kind_name(store::Kind::kDataset), document.at("dataset").get<std::string>()}},
          document.at("seed").get<std::int64_t>(),
          document.at("backend_class").get<std::string>()};
}

StudyDefinition define_study(const PipelineConfig& config, const store::ReuseKey& key,
                             const WarmStart& warm_start) {
  StudyDefinition study;
  study.id = study_key(key).digest();
  study.name = config.name;
  study.space = search_space(config);
  study.options = study_options(config, warm_start.first);
  study.document = {{"schema", kSchema},
                    {"stage_version", key.stage_version},
                    {"configuration", without_the_whole(key.configuration)},
                    {"seed", key.seed},
                    {"backend_class", key.backend_class},
                    {"dataset", key.parents.at(store::kind_name(store::Kind::kDataset))},
                    {"first", proposals_json(warm_start.first)},
                    {"warm_start", warm_start.studies}};
  return study;
}

WarmStart warm_start_of(const Json& document, const tune::Space& space) {
  try {
    return {proposals_from_json(document.at("first"), space),
            document.at("warm_start").get<std::vector<std::string>>()};
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("a study's definition: {}", e.what()));
  }
}

WarmStart warm_start_of(const store::Manifest& study, const tune::Space& space) {
  WarmStart warm;
  try {
    warm.first = proposals_from_json(study.facts.value("warm_start", Json::array()), space);
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("a study's facts: {}", e.what()));
  }
  for (std::size_t i = 1;; ++i) {
    const auto parent = study.parents.find(fmt::format("{}{}", kWarmStartRole, i));
    if (parent == study.parents.end()) return warm;
    warm.studies.push_back(parent->second);
  }
}

Json proposals_json(const std::vector<tune::Proposal>& first) {
  Json json = Json::array();
  for (const tune::Proposal& each : first)
    json.push_back({{"point", tune::to_json(each.point)}, {"origin", each.origin}});
  return json;
}

void require_backend_class(const std::string& study, const std::string& theirs,
                           const nn::Device& device) {
  const std::string ours = nn::backend_class(device);
  if (ours == theirs) return;
  throw Error(ExitCode::kConfiguration,
              fmt::format("study {} was trained by {}, and this would be by {}: its trials would "
                          "not be comparable; choose another --device or machine",
                          study.substr(0, kShortId), theirs, ours));
}

tune::Space space_of_study(const tune::StudyEntry& entry, PipelineConfig& config) {
  const Json& document = entry.definition;
  const StageDefinition stage = tune_stage();
  try {
    if (document.at("schema") != kSchema || document.at("stage_version") != stage.version) {
      throw Error(
          ExitCode::kArtifact,
          fmt::format("the study was begun by version {} of stage tune, this program has {}",
                      document.at("stage_version").dump(), stage.version));
    }
    if (study_key(document).digest() != entry.id) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("study {}: its definition is not the one that gave it its id; was it "
                              "changed by hand?",
                              entry.id.substr(0, kShortId)));
    }
    restore_configuration(stage, document.at("configuration"),
                          document.at("seed").get<std::int64_t>(), "cpu", config);
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("a study's definition: {}", e.what()));
  }
  return search_space(config);
}

StudyDefinition restore_study(const tune::StudyEntry& entry, const std::string& device,
                              PipelineConfig& config) {
  StudyDefinition study{entry.id, entry.name, entry.definition, space_of_study(entry, config), {}};
  config.name = entry.name;
  config.tune.trials = entry.trials;
  config.train.device = device;
  require_backend_class(entry.id, entry.definition.at("backend_class").get<std::string>(),
                        nn::resolve_device(device));
  study.options = study_options(config, warm_start_of(entry.definition, study.space).first);
  return study;
}

}  // namespace tcrops::stages
