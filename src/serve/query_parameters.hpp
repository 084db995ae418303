#pragma once

#include "http.hpp"

#include <tcrops/core/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::serve {

// What stands behind the ? of a request. All members throw HttpError 400 that names the parameter.
class QueryParameters {
 public:
  // `known`: a request with another one is refused.
  QueryParameters(const Request& request, const std::vector<std::string>& known);

  // Empty when it is not given, or given without a value.
  [[nodiscard]] std::string text(const std::string& name) const;
  [[nodiscard]] std::optional<double> number(const std::string& name, double least,
                                             double most) const;
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& name, double least,
                                                  double most) const;
  [[nodiscard]] std::optional<bool> flag(const std::string& name) const;

 private:
  const Request& request_;
};

// What `read` returns; a log that is locked for too long is the server's fault for now (503).
template <class Read>
auto read_log(const Read& read) {
  try {
    return read();
  } catch (const Error& e) {
    if (e.code() != ExitCode::kTemporary) throw;
    throw HttpError(503, "the query log is held by others; try again", {{"Retry-After", "5"}});
  }
}

}  // namespace tcrops::serve
