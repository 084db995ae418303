#pragma once

#include <tcrops/core/field_table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// Sections of a pipeline file that say how a trained model is used.

struct EnsembleConfig {
  std::string from = "none";
  std::int64_t members = 5;
  std::vector<std::string> variants;
};

struct CalibrationConfig {
  std::string method = "platt";
  std::int64_t minimum_positives = 10;
};

struct BackgroundConfig {
  std::string from = "training";
  std::int64_t tcrs = 1000;
};

void add_ensemble(FieldTable& table, EnsembleConfig& c);
void add_calibration(FieldTable& table, CalibrationConfig& c);
void add_background(FieldTable& table, BackgroundConfig& c);

// An ensemble of a study's models where there is no study, or fewer of them.
[[nodiscard]] Problems unfit_ensemble(const FieldTable& table, const EnsembleConfig& c,
                                      const std::string& train_from, std::int64_t kept);

}  // namespace tcrops::stages
