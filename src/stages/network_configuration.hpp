#pragma once

#include <tcrops/core/field_table.hpp>
#include <tcrops/stages/configuration.hpp>

namespace tcrops::stages {

// Section "network": what networks are made of.
void add_network(FieldTable& table, nn::NetworkOptions& options);
// The fields of section "train" that say how a network is trained.
void add_training(FieldTable& table, TrainConfig& train);
// What no single field can check.
[[nodiscard]] Problems network_problems(const FieldTable& table, const PipelineConfig& config);

}  // namespace tcrops::stages
