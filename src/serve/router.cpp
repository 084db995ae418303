#include "router.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <set>
#include <utility>

namespace tcrops::serve {
namespace {

bool is_value(const std::string& part) { return part.starts_with('{'); }

bool fits(const std::vector<std::string>& wanted, const std::vector<std::string>& given) {
  if (wanted.size() != given.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (is_value(wanted[i]) ? given[i].empty() : wanted[i] != given[i]) return false;
  }
  return true;
}

}  // namespace

void Router::add(Route route) {
  auto parts = split(route.path, '/');
  entries_.push_back({std::move(route), std::move(parts)});
}

std::vector<std::string> Router::routes() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.route.method + " " + entry.route.path);
  return names;
}

Router::Match Router::match(const std::string& method, const std::string& path) const {
  const std::string wanted = method == "HEAD" ? "GET" : method;
  const auto given = split(path, '/');
  std::set<std::string> allowed;
  for (const Entry& entry : entries_) {
    if (!fits(entry.parts, given)) continue;
    const Route& route = entry.route;
    if (route.method == wanted) {
      Match match{&route, {}};
      for (std::size_t i = 0; i < given.size(); ++i) {
        if (is_value(entry.parts[i])) match.values.push_back(given[i]);
      }
      return match;
    }
    allowed.insert(route.method);
    if (route.method == "GET") allowed.insert("HEAD");
  }
  if (!allowed.empty()) {
    const std::string list = fmt::format("{}", fmt::join(allowed, ", "));
    throw HttpError(405, fmt::format("{} {}: this path takes {}", method, path, list),
                    {{"Allow", list}});
  }
  std::vector<std::string> paths;
  for (const Entry& entry : entries_) paths.push_back(entry.route.path);
  throw HttpError(404, fmt::format("there is no {}{}; GET /openapi.json says what there is", path,
                                   suggestion(path, paths)));
}

}  // namespace tcrops::serve
