#include "query_parameters.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops::serve {

QueryParameters::QueryParameters(const Request& request, const std::vector<std::string>& known)
    : request_(request) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw HttpError(400, fmt::format("?{}: not understood; there are {}", valid_utf8(name),
                                     fmt::join(known, ", ")));
  }
}

std::string QueryParameters::text(const std::string& name) const {
  const std::string& value = request_.query_value(name);
  if (value.find('\0') != std::string::npos || valid_utf8(value) != value)
    throw HttpError(400, fmt::format("?{}: a text in UTF-8 is needed", name));
  return value;
}

std::optional<double> QueryParameters::number(const std::string& name, double least,
                                              double most) const {
  const std::string given = text(name);
  if (given.empty()) return std::nullopt;
  const auto value = parse_number(given);
  if (!value || !(*value >= least && *value <= most)) {
    throw HttpError(400, fmt::format("?{}: a number from {} to {} is needed", name, least, most));
  }
  return value;
}

std::optional<std::int64_t> QueryParameters::whole(const std::string& name, double least,
                                                   double most) const {
  const auto value = number(name, least, most);
  if (!value) return std::nullopt;
  if (std::trunc(*value) != *value)
    throw HttpError(400, fmt::format("?{}: a whole number is needed", name));
  return static_cast<std::int64_t>(*value);
}

std::optional<bool> QueryParameters::flag(const std::string& name) const {
  const std::string given = text(name);
  if (given.empty()) return std::nullopt;
  if (given == "true" || given == "1") return true;
  if (given == "false" || given == "0") return false;
  throw HttpError(400, fmt::format("?{}: true or false is needed", name));
}

}  // namespace tcrops::serve
