#pragma once

#include "http.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {

// Values of the {…} of a route's path, in order.
using PathValues = std::vector<std::string>;
using Handler = std::function<Response(const Request&, const PathValues&)>;
// Small requests that came at the same time, answered together: one response for each, whatever is
// wrong with it. Called by a thread that other clients wait for.
using HandlerTogether = std::function<std::vector<Response>(std::span<const Request>)>;

struct Route {
  std::string method;  // "GET" (HEAD, too) or "POST"
  std::string path;    // "/v1/models/{name}"
  Handler handler;
  std::optional<Role> role = Role::kRead;  // whoever asks must have it; empty: anybody may
  HandlerTogether together{};              // optional
};
inline constexpr std::optional<Role> kAnybody = std::nullopt;

class Router {
 public:
  void add(Route route);

  struct Match {
    const Route* route = nullptr;  // good until the next add()
    PathValues values;
  };
  // Throws HttpError: 404 for a path that is none, with the nearest one that is; 405 with Allow for
  // a method that it does not have.
  [[nodiscard]] Match match(const std::string& method, const std::string& path) const;
  // "GET /v1/models", in the order in which they were added.
  [[nodiscard]] std::vector<std::string> routes() const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> parts;  // of its path, between slashes
  };
  std::vector<Entry> entries_;
};

}  // namespace tcrops::serve
