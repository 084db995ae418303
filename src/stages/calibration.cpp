#include "calibration.hpp"

#include <tcrops/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tcrops::stages {
namespace {

struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<double> logits;

  void add(std::uint8_t label, float logit) {
    labels.push_back(label);
    logits.push_back(static_cast<double>(logit));
  }
  [[nodiscard]] std::size_t positives() const {
    return static_cast<std::size_t>(std::count(labels.begin(), labels.end(), std::uint8_t{1}));
  }
};

std::optional<CalibrationCurve> fit_curve(const std::string& method, const Rows& rows) {
  CalibrationCurve fitted;
  fitted.rows = rows.labels.size();
  fitted.positives = rows.positives();
  if (method == "platt") {
    const auto curve = eval::fit_platt(rows.labels, rows.logits);
    // A falling one would turn the model's order round.
    if (!curve || !(curve->slope > 0.0)) return std::nullopt;
    fitted.curve = *curve;
    return fitted;
  }
  auto curve = eval::fit_isotonic(rows.labels, rows.logits);
  if (!curve || !(curve->values.front() < curve->values.back())) return std::nullopt;
  fitted.curve = std::move(*curve);
  return fitted;
}

Json to_json(const CalibrationCurve& curve) {
  Json json = {{"rows", curve.rows}, {"positives", curve.positives}};
  if (const auto* platt = std::get_if<eval::PlattCurve>(&curve.curve)) {
    json["slope"] = platt->slope;
    json["intercept"] = platt->intercept;
  } else {
    const auto& isotonic = std::get<eval::IsotonicCurve>(curve.curve);
    json["logits"] = isotonic.scores;
    json["probabilities"] = isotonic.values;
  }
  return json;
}

CalibrationCurve curve_from_json(const std::string& method, const Json& json) {
  CalibrationCurve result;
  result.rows = json.at("rows").get<std::size_t>();
  result.positives = json.at("positives").get<std::size_t>();
  if (method == "platt") {
    result.curve =
        eval::PlattCurve{json.at("slope").get<double>(), json.at("intercept").get<double>()};
    return result;
  }
  eval::IsotonicCurve curve{json.at("logits").get<std::vector<double>>(),
                            json.at("probabilities").get<std::vector<double>>()};
  const auto& [scores, values] = curve;
  const bool ordered =
      std::adjacent_find(scores.begin(), scores.end(), std::greater_equal<>()) == scores.end() &&
      std::is_sorted(values.begin(), values.end());
  if (scores.empty() || scores.size() != values.size() || !ordered || values.front() < 0.0 ||
      values.back() > 1.0) {
    throw Error(ExitCode::kArtifact, "an isotonic calibration whose knots do not rise");
  }
  result.curve = std::move(curve);
  return result;
}

}  // namespace

double CalibrationCurve::at(float logit) const {
  return std::visit([&](const auto& each) { return each.at(static_cast<double>(logit)); }, curve);
}

const CalibrationCurve& Calibration::curve_of(const std::string& epitope) const {
  const auto own = by_epitope.find(epitope);
  return own == by_epitope.end() ? pooled : own->second;
}

std::optional<Calibration> fit_calibration(const CalibrationConfig& config,
                                           const JudgedRows& judged) {
  if (config.method == "none") return std::nullopt;
  Rows all;
  std::map<std::string, Rows> by_epitope;
  for (std::size_t i = 0; i < judged.logits.size(); ++i) {
    if (!std::isfinite(judged.logits[i])) continue;
    all.add(judged.labels[i], judged.logits[i]);
    by_epitope[judged.epitopes[i]].add(judged.labels[i], judged.logits[i]);
  }
  auto pooled = fit_curve(config.method, all);
  if (!pooled) return std::nullopt;
  Calibration calibration{config.method, judged.origin, std::move(*pooled), {}};
  const auto enough = static_cast<std::size_t>(config.minimum_positives);
  for (const auto& [epitope, rows] : by_epitope) {
    const std::size_t positives = rows.positives();
    if (epitope.empty() || positives < enough || rows.labels.size() - positives < enough) continue;
    if (auto own = fit_curve(config.method, rows)) {
      calibration.by_epitope.emplace(epitope, std::move(*own));
    }
  }
  return calibration;
}

Json to_json(const Calibration& calibration) {
  Json epitopes = Json::object();
  for (const auto& [epitope, curve] : calibration.by_epitope) epitopes[epitope] = to_json(curve);
  return {{"method", calibration.method},
          {"rows", calibration.origin},
          {"pooled", to_json(calibration.pooled)},
          {"epitopes", epitopes}};
}

Calibration calibration_from_json(const Json& json) {
  Calibration result;
  result.method = json.at("method").get<std::string>();
  result.origin = json.at("rows").get<std::string>();
  result.pooled = curve_from_json(result.method, json.at("pooled"));
  const Json& epitopes = json.at("epitopes");
  for (const auto& [epitope, curve] : epitopes.items()) {
    result.by_epitope.emplace(epitope, curve_from_json(result.method, curve));
  }
  return result;
}

Json summary(const Calibration& calibration) {
  return {{"method", calibration.method},
          {"rows", calibration.origin},
          {"count", calibration.pooled.rows},
          {"positives", calibration.pooled.positives},
          {"own_curves", calibration.by_epitope.size()}};
}

}  // namespace tcrops::stages
