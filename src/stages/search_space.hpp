#pragma once

#include "fitting.hpp"

#include <tcrops/stages/configuration.hpp>
#include <tcrops/tune/pruner.hpp>
#include <tcrops/tune/space.hpp>
#include <tcrops/tune/tpe_options.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// Paths of the fields that a parameter may be named after, in the order of the table: those of
// network and train that shape a training. Not train.from, refit and threshold: the first two are
// for stage train, and trials are compared by calls that one rule makes.
[[nodiscard]] std::vector<std::string> searchable_fields(const FieldTable& table);

// What is searched: tune.space, or where that is empty model, learning_rate and epochs within the
// bounds of the section.
[[nodiscard]] tune::Space search_space(const PipelineConfig& config);

// What is wrong with tune.space beside the fields that it names.
[[nodiscard]] Problems space_problems(const FieldTable& table, const PipelineConfig& config);

// The parameters that a trial trains with: the configuration's but for the point's, and without
// refit, which is for stage train. Throws Error (kConfiguration) for values that do not go together
// (network_problems); its text is that problem's.
[[nodiscard]] FitParameters trial_parameters(const tune::Point& point,
                                             const PipelineConfig& config);

// Those of an entry of a study's fact "best", as the configuration has them otherwise, refit
// included. Throws Json::exception for what is no such entry, and as trial_parameters.
[[nodiscard]] FitParameters best_parameters(const Json& best, const PipelineConfig& config);

// None where the configuration has none.
[[nodiscard]] std::optional<tune::Pruner> pruner_of(const TuneConfig& config);
[[nodiscard]] tune::TpeOptions tpe_options_of(const TuneConfig& config);

}  // namespace tcrops::stages
