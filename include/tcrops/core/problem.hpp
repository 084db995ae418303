#pragma once

#include <tcrops/core/json.hpp>

#include <string>
#include <vector>

namespace tcrops {

// Where a value came from, lowest priority first.
enum class Origin { kDefault, kFile, kEnvironment, kCommandLine };

[[nodiscard]] const char* origin_name(Origin origin);

// Where exactly a value was set.
struct Place {
  Origin origin = Origin::kDefault;
  std::string name{};      // the file, the variable or the option; empty for a default
  std::size_t line = 0;    // from 1; 0 when it is not known, and outside files
  std::size_t column = 0;  // from 1, in bytes

  // "own.json:3:5", "TCROPS_SEED", "--set" or "default".
  [[nodiscard]] std::string text() const;
};

// One thing that is wrong with a configuration.
struct Problem {
  Place place;
  std::string key;  // "train.epochs", as it was written; empty when it is not about one
  std::string message;

  // One line: "own.json:3:5: train.epoch: unknown key; did you mean …".
  [[nodiscard]] std::string text() const;
};

using Problems = std::vector<Problem>;

// A value for messages: one line, at most some 80 bytes, valid UTF-8.
[[nodiscard]] std::string shown(const Json& value);

void append(Problems& all, Problems more);

// Throws Error (kConfiguration) with all of them, one per line; returns when there are none.
void require_none(const Problems& problems);

}  // namespace tcrops
