#pragma once

#include <tcrops/core/json.hpp>

#include <map>
#include <string>

namespace tcrops {

struct TextPosition {
  std::size_t line = 1;    // from 1
  std::size_t column = 1;  // from 1, in bytes
};

// JSON (comments allowed) together with the place of every key, by its path: "train.epochs".
struct PositionedJson {
  Json value;
  std::map<std::string, TextPosition> positions;
};

// Throws Error (kConfiguration) as `name:line:column: …` for bad syntax and for a key given twice.
[[nodiscard]] PositionedJson parse_positioned_json(const std::string& text,
                                                   const std::string& name);

}  // namespace tcrops
