#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/core/problem.hpp>

#include <map>
#include <string>
#include <vector>

namespace tcrops {

struct TextPosition {
  std::size_t line = 1;    // from 1
  std::size_t column = 1;  // from 1, in bytes
};

// The keys that lead to a value: {"train", "epochs"}.
using KeyPath = std::vector<std::string>;

// JSON (comments allowed) together with the places of the keys of the first two levels; where a key
// is given twice, that of the last one, whose value is also the one in `value`.
struct PositionedJson {
  Json value;  // discarded after bad syntax
  std::map<KeyPath, TextPosition> positions;
  Problems problems;  // bad syntax, which is then the only one, and keys given twice
};

// `name` is that of the file, for the problems.
[[nodiscard]] PositionedJson parse_positioned_json(const std::string& text,
                                                   const std::string& name);

}  // namespace tcrops
