#include "golden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::stages {
namespace {

constexpr double kOtherBackendTolerance = 1e-5;

}  // namespace

GoldenCheck check_golden(const store::Store& store, const Model& model, const nn::Device& device) {
  const Golden golden = read_golden(store, model.artifact);
  if (golden.records.empty()) {
    return {false, "golden.json is empty; a model without known answers cannot be checked"};
  }
  GoldenCheck check;
  const auto scored = score(model, golden.records);
  const bool same_backend = nn::backend_class(device) == model.artifact.manifest.backend_class;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    if (!scored[i].logit) return {false, fmt::format("row {}: {}", i + 1, scored[i].problem)};
    const double expected = static_cast<double>(golden.logits[i]);
    const double got = static_cast<double>(*scored[i].logit);
    const double allowed =
        same_backend ? 0.0 : kOtherBackendTolerance * std::max(1.0, std::abs(expected));
    const double away = std::abs(got - expected);
    if (away != 0.0) check.bit_equal = false;
    if (!(away <= allowed)) {
      return {false, fmt::format("row {}: logit {} instead of {} (allowed difference {})", i + 1,
                                 got, expected, allowed)};
    }
  }
  return check;
}

}  // namespace tcrops::stages
