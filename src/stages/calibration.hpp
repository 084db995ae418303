#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/eval/calibration.hpp>
#include <tcrops/stages/model_use_configuration.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tcrops::stages {

// Rows that the networks which score them were not trained on, with what they made of them.
struct JudgedRows {
  std::string origin;  // "validation" or "out_of_fold"
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<float> logits;
};

// A curve and the rows it was fitted on; its probabilities hold where positives are as frequent.
struct CalibrationCurve {
  std::variant<eval::PlattCurve, eval::IsotonicCurve> curve;
  std::size_t rows = 0;
  std::size_t positives = 0;

  [[nodiscard]] double at(float logit) const;
};

// From a model's logits to probabilities.
struct Calibration {
  std::string method;  // "platt" or "isotonic"
  std::string origin;  // as JudgedRows
  CalibrationCurve pooled;
  std::map<std::string, CalibrationCurve> by_epitope;

  // That of the epitope, or of all rows.
  [[nodiscard]] const CalibrationCurve& curve_of(const std::string& epitope) const;
};

// An epitope has a curve of its own where it has minimum_positives positive and as many negative
// rows, and its probabilities rise with the score; else that of all rows counts. Empty when method
// is "none", a class is missing altogether, or even the curve of all rows falls. Rows whose logit
// is no number are left out.
[[nodiscard]] std::optional<Calibration> fit_calibration(const CalibrationConfig& config,
                                                         const JudgedRows& rows);

// As it stands in model.json. Reading throws Json::exception for a missing key or wrong type and
// Error (kArtifact) for a curve that is none.
[[nodiscard]] Json to_json(const Calibration& calibration);
[[nodiscard]] Calibration calibration_from_json(const Json& json);

// {"method", "rows" (their origin), "count", "positives", "own_curves"}, for a manifest.
[[nodiscard]] Json summary(const Calibration& calibration);

}  // namespace tcrops::stages
