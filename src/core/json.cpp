#include <tcrops/core/error.hpp>
#include <tcrops/core/json.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops {
namespace {

void require_finite(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    throw Error(ExitCode::kFailure, "a number that is not finite cannot be stored");
  }
  if (value.is_structured()) {
    for (const Json& item : value) require_finite(item);
  }
}

}  // namespace

std::string canonical_json(const Json& value) {
  require_finite(value);
  try {
    return value.dump(1) + "\n";
  } catch (const Json::type_error& e) {
    throw Error(ExitCode::kInputData, fmt::format("text is not UTF-8: {}", e.what()));
  }
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

std::string valid_utf8(const std::string& text) {
  const std::string quoted = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

Json parse_json(const std::string& text, const std::string& name) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {  // bad syntax, or a number too large for a double
    throw Error(ExitCode::kArtifact, fmt::format("{}: not valid JSON: {}", name, e.what()));
  }
}

}  // namespace tcrops
