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

// The keys that lead to a value: {"train", "epochs"}; for an item of a list its number from 0.
using KeyPath = std::vector<std::string>;
// What leads on from a value: "[0].low".
[[nodiscard]] std::string path_text(const KeyPath& path);

// JSON (comments allowed) together with the places of keys, and of those items of lists that are
// objects, of the first six levels; of what is below the second level only the first 100,000. Where
// a key is given twice, that of the last one, whose value is also the one in `value`.
struct PositionedJson {
  Json value;  // discarded after bad syntax
  std::map<KeyPath, TextPosition> positions;
  Problems problems;  // bad syntax, which is then the only one, and keys given twice
};

// `name` is that of the file, for the problems.
[[nodiscard]] PositionedJson parse_positioned_json(const std::string& text,
                                                   const std::string& name);

}  // namespace tcrops
