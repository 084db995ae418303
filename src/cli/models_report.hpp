#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/promotion.hpp>
#include <tcrops/store/registry.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// What the commands of `models` say, for people and as JSON.

[[nodiscard]] Json models_json(const std::vector<store::RegisteredModel>& models);
[[nodiscard]] std::string models_text(const std::vector<store::RegisteredModel>& models);

[[nodiscard]] Json model_json(const store::Store& store, const store::RegisteredModel& model);
[[nodiscard]] std::string model_text(const store::Store& store,
                                     const store::RegisteredModel& model);

[[nodiscard]] Json version_json(const store::Store& store, const store::RegisteredModel& model,
                                const store::ModelVersion& version);
// Of what version_json gave.
[[nodiscard]] std::string version_text(const Json& version);

[[nodiscard]] Json model_log_json(const store::RegisteredModel& model);
[[nodiscard]] std::string model_log_text(const store::RegisteredModel& model);

[[nodiscard]] Json comparison_json(const stages::Comparison& comparison);
[[nodiscard]] std::string comparison_text(const stages::Comparison& comparison,
                                          const std::string& a, const std::string& b);

[[nodiscard]] std::string gates_text(const std::vector<stages::GateResult>& gates);

}  // namespace tcrops::cli
