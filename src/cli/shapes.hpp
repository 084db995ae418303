#pragma once

#include <span>
#include <string_view>

namespace tcrops::cli {

// The documented shape of a command's --json: one row per schema. Manual page and data/README.md
// show this table, and tests/e2e/contract_test.py holds every command to it.

struct Key {
  std::string_view name;
  std::string_view meaning;
};

struct Shape {
  std::string_view schema;    // the value of the key "schema"
  std::string_view command;   // what prints it
  std::span<const Key> keys;  // its top level, but for "schema"
};

[[nodiscard]] std::span<const Shape> shapes();

}  // namespace tcrops::cli
