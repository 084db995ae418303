#pragma once

#include <string_view>

namespace tcrops::serve {

// The description of the API, OpenAPI 3.1: openapi.json, as it was compiled in.
[[nodiscard]] std::string_view openapi_text();

}  // namespace tcrops::serve
