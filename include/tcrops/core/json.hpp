#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace tcrops {

// Objects keep their keys sorted, so equal values print equal bytes.
using Json = nlohmann::json;

// The one byte form used for everything that is hashed: sorted keys, indent 1, shortest number that
// reads back to the same double, trailing newline. Throws Error when a number is not finite or a
// string is not UTF-8.
[[nodiscard]] std::string canonical_json(const Json& value);

// JSON has no NaN: a value that is not finite becomes null.
[[nodiscard]] Json number_or_null(double value);

// The leaves of an object by their dotted path ("tune.trials"). A list is one leaf, and so is an
// empty object.
[[nodiscard]] std::map<std::string, Json> flatten_json(const Json& value);

// A path whose values differ between two objects; null where one has no such path.
struct JsonDifference {
  std::string path;
  Json was;
  Json now;
};
// Sorted by path.
[[nodiscard]] std::vector<JsonDifference> json_differences(const Json& was, const Json& now);

// The text with every byte that is not UTF-8 replaced by U+FFFD, for names that come from outside.
[[nodiscard]] std::string valid_utf8(const std::string& text);

// Parses JSON written by tcrops; `name` stands for the source in the message. Throws Error with
// kArtifact.
[[nodiscard]] Json parse_json(const std::string& text, const std::string& name);

}  // namespace tcrops
