#pragma once

#include "http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tcrops::serve {

// "%41" becomes "A". Empty for a % that is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// What the first line of a request asks for: "/v1/predict?format=airr".
struct Target {
  std::string path;  // decoded
  Headers query;     // decoded, + a blank; of a repeated name the first
};
// Throws HttpError 400 for what is no path on this server.
[[nodiscard]] Target parse_target(std::string_view text);

}  // namespace tcrops::serve
