#pragma once

#include "describe.hpp"

#include <tcrops/core/field_table.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// One way to go on: the whole word that could stand in the place of the one being typed. The texts
// kCompleteFile and kCompleteFolder leave it to the shell to list files or folders.
struct Candidate {
  std::string text;
  std::string help;
};
inline constexpr const char* kCompleteFile = ":file";
inline constexpr const char* kCompleteFolder = ":folder";

// What may follow on a command line. `words` are those after the program's name, the last one being
// typed and perhaps empty. Never throws for what the user typed; nothing is written or loaded.
[[nodiscard]] std::vector<Candidate> complete(const CommandInfo& program, const FieldTable& fields,
                                              const std::vector<std::string>& words);

// A command line as Bash has it, up to the cursor, in words without their quotes; the last one is
// being typed and perhaps empty.
struct TypedLine {
  std::vector<std::string> words;
  bool in_quotes = false;  // the last one is
};
[[nodiscard]] TypedLine read_line(const std::string& line);

}  // namespace tcrops::cli
