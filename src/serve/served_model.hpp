#pragma once

#include "answer_json.hpp"
#include "engine.hpp"
#include "metrics.hpp"
#include "query_log.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/store/store.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tcrops::serve {

// Which model a reference means now.
struct ModelIdentity {
  std::string reference;  // as it was given
  std::string name;       // of the registered model, or the reference itself
  std::string version;    // "3", or the short id of a model that is not registered
  store::Artifact artifact;

  // Id of the dataset it was trained on; "" when the manifest does not say.
  [[nodiscard]] std::string data_version() const;
};
// Throws Error (kArtifact) when it means nothing.
[[nodiscard]] ModelIdentity identify(const store::Store& store, const std::string& reference);

// A verified model that answers. Requests hold it while they need it. Thread-safe.
class ServedModel {
 public:
  // Loads it `copies` times. Throws as LoadedModel.
  ServedModel(const store::Store& store, ModelIdentity identity, std::size_t copies,
              const std::string& device, const EngineLimits& limits, Engine::OnBatch on_batch);

  [[nodiscard]] const ModelIdentity& identity() const { return identity_; }
  [[nodiscard]] const stages::TableNeeds& needs() const { return needs_; }
  [[nodiscard]] const Metrics::Version& labels() const { return labels_; }
  // What the query log notes of it; never null.
  [[nodiscard]] const std::shared_ptr<const LoggedModel>& logged() const { return logged_; }
  [[nodiscard]] Engine& engine() { return *engine_; }
  // {"name", "version", "artifact", "data_version", "golden", …}: what is said of it everywhere.
  [[nodiscard]] const Json& facts() const { return facts_; }
  // X-Model-Id and the like: lines for the header of what it answers.
  [[nodiscard]] const std::shared_ptr<const std::string>& header_lines() const {
    return header_lines_;
  }
  [[nodiscard]] const AnswerJson& answer_json() const { return answer_json_; }

 private:
  ModelIdentity identity_;
  stages::TableNeeds needs_;
  Metrics::Version labels_;
  std::shared_ptr<const LoggedModel> logged_;
  Json facts_;
  std::shared_ptr<const std::string> header_lines_;
  AnswerJson answer_json_;
  std::vector<stages::LoadedModel> copies_;
  std::unique_ptr<Engine> engine_;  // it scores with the copies
};

}  // namespace tcrops::serve
