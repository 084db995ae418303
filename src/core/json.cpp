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
  // What handles JSON recurses, so a text from outside must not decide how deep.
  constexpr int kDeepest = 100;
  const auto limit = [&](int depth, Json::parse_event_t, Json&) {
    if (depth <= kDeepest) return true;
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: more than {} values inside values", name, kDeepest));
  };
  try {
    return Json::parse(text, limit);
  } catch (const Json::exception& e) {  // bad syntax, or a number too large for a double
    throw Error(ExitCode::kArtifact, fmt::format("{}: not valid JSON: {}", name, e.what()));
  }
}

std::map<std::string, Json> flatten_json(const Json& value) {
  std::map<std::string, Json> leaves;
  if (!value.is_object()) return leaves;
  for (const auto& [key, inner] : value.items()) {
    if (!inner.is_object() || inner.empty()) {
      leaves[key] = inner;
      continue;
    }
    for (auto& [path, leaf] : flatten_json(inner)) leaves[key + "." + path] = leaf;
  }
  return leaves;
}

std::vector<JsonDifference> json_differences(const Json& was, const Json& now) {
  const auto before = flatten_json(was);
  std::map<std::string, JsonDifference> found;
  for (const auto& [path, value] : before) found[path] = {path, value, nullptr};
  for (const auto& [path, value] : flatten_json(now)) {
    const auto at = before.find(path);
    if (at != before.end() && at->second == value) {
      found.erase(path);
    } else {
      found[path] = {path, at == before.end() ? Json() : at->second, value};
    }
  }
  std::vector<JsonDifference> differences;
  for (auto& [path, difference] : found) differences.push_back(std::move(difference));
  return differences;
}

}  // namespace tcrops
