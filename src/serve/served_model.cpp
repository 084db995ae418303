#include "served_model.hpp"

#include "api.hpp"

#include <tcrops/core/file.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <time.h>
#include <utility>

namespace tcrops::serve {
namespace {

// When the run record says that the model was finished, since 1970; 0 when it does not say.
double finished_seconds(const store::Artifact& artifact) {
  std::string text;
  try {
    text = read_file(artifact.file("run.json"));
  } catch (const Error&) {
    return 0.0;
  }
  const Json run = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!run.is_object() || !run.value("finished", Json()).is_string()) return 0.0;
  const auto finished = run.at("finished").get<std::string>();
  tm time{};
  if (::strptime(finished.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time) == nullptr) return 0.0;
  return static_cast<double>(::timegm(&time));
}

}  // namespace

std::string ModelIdentity::data_version() const {
  const auto at = artifact.manifest.parents.find("dataset");
  return at == artifact.manifest.parents.end() ? std::string() : at->second;
}

ModelIdentity identify(const store::Store& store, const std::string& reference) {
  const std::size_t at = reference.find('@');
  if (at == std::string::npos || store.names().contains(reference)) {
    store::Artifact artifact = store.get(reference);
    std::string version = artifact.short_id();
    return {reference, reference, std::move(version), std::move(artifact)};
  }
  const auto version = store::Registry(store).resolve(reference);
  return {reference, reference.substr(0, at), std::to_string(version.number),
          store.at(version.artifact)};
}

ServedModel::ServedModel(const store::Store& store, ModelIdentity identity, std::size_t copies,
                         const std::string& device, const EngineLimits& limits,
                         Engine::OnBatch on_batch)
    : identity_(std::move(identity)) {
  const store::Artifact& artifact = identity_.artifact;
  for (std::size_t i = 0; i < copies; ++i) copies_.emplace_back(store, artifact, device);
  const stages::LoadedModel& model = copies_.front();
  needs_ = model.needs();
  labels_ = {identity_.name, identity_.version, artifact.id, finished_seconds(artifact)};
  logged_ = std::make_shared<const LoggedModel>(LoggedModel{identity_.name, identity_.version,
                                                            artifact.id, identity_.data_version(),
                                                            identity_.reference});
  facts_ = model.describe();
  facts_["reference"] = identity_.reference;
  facts_["name"] = identity_.name;
  facts_["version"] = identity_.version;
  facts_["artifact"] = artifact.id;
  facts_["data_version"] = identity_.data_version();
  facts_["backend_class"] = artifact.manifest.backend_class;
  facts_["columns"] = names_of(needs_.columns);
  facts_["golden"] = model.golden_bit_equal() ? "bit_equal" : "within_tolerance";
  header_lines_ = std::make_shared<const std::string>(
      fmt::format("X-Model-Id: {}\r\nX-Model-Version: {}\r\nX-Data-Version: {}\r\n", artifact.id,
                  identity_.version, identity_.data_version()));
  answer_json_ = {needs_.columns, short_facts(*this)};
  std::vector<Engine::Scorer> scorers;
  for (stages::LoadedModel& copy : copies_) {
    scorers.emplace_back([&copy](auto records) { return copy.of(records); });
  }
  engine_ = std::make_unique<Engine>(std::move(scorers), limits, std::move(on_batch));
}

}  // namespace tcrops::serve
