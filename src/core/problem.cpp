#include "field_value.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/json.hpp>
#include <tcrops/core/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tcrops {
namespace {

// A key comes from the user: what would break the line, or is too long for it, is shown as JSON.
std::string shown_key(const std::string& key) {
  constexpr std::size_t kLongest = 80;
  const bool plain = key.size() <= kLongest && std::all_of(key.begin(), key.end(), [](char c) {
                       const auto byte = static_cast<unsigned char>(c);
                       return byte > 0x20U && byte < 0x7fU;
                     });
  return plain ? key : shown(key);
}

}  // namespace

const char* origin_name(Origin origin) {
  switch (origin) {
    case Origin::kDefault:
      return "default";
    case Origin::kFile:
      return "file";
    case Origin::kEnvironment:
      return "environment";
    case Origin::kCommandLine:
      return "command line";
  }
  return "";
}

std::string Place::text() const {
  if (origin == Origin::kDefault) return origin_name(origin);
  return line == 0 ? name : fmt::format("{}:{}:{}", name, line, column);
}

std::string Problem::text() const {
  std::string line;
  if (place.origin == Origin::kFile) line = place.text() + ": ";
  if (place.origin == Origin::kEnvironment) line = "environment variable " + place.text() + ": ";
  if (place.origin == Origin::kCommandLine) line = place.text() + " ";
  if (!key.empty()) line += shown_key(key) + ": ";
  return line + message;
}

void append(Problems& all, Problems more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void require_none(const Problems& problems) {
  if (problems.empty()) return;
  if (problems.size() == 1) throw Error(ExitCode::kConfiguration, problems.front().text());
  std::string text = "what is wrong with the configuration:";
  for (const Problem& problem : problems) text += "\n  " + problem.text();
  throw Error(ExitCode::kConfiguration, text);
}

}  // namespace tcrops
