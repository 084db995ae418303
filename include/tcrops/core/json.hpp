#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace tcrops {

// Objects keep their keys sorted, so equal values print equal bytes.
using Json = nlohmann::json;

// The one byte form used for everything that is hashed: sorted keys, indent 1, shortest number that
// reads back to the same double, trailing newline. Throws Error when a number is not finite or a
// string is not UTF-8.
[[nodiscard]] std::string canonical_json(const Json& value);

// JSON has no NaN: a value that is not finite becomes null.
[[nodiscard]] Json number_or_null(double value);

// The text with every byte that is not UTF-8 replaced by U+FFFD, for names that come from outside.
[[nodiscard]] std::string valid_utf8(const std::string& text);

// Parses JSON written by tcrops; `name` stands for the source in the message. Throws Error with
// kArtifact.
[[nodiscard]] Json parse_json(const std::string& text, const std::string& name);

}  // namespace tcrops
