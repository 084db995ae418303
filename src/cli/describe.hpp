#pragma once

#include <tcrops/core/json.hpp>

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace tcrops::cli {

// What the command line offers, read from the CLI11 app that parses it. Completion, manual page and
// tables for readers are made from this, so that none of them is a second list.

struct OptionInfo {
  std::vector<std::string> names;    // "-c", "--config"; the argument's name when positional
  std::string type;                  // CLI11's type_name: "FILE"; empty for a flag
  std::vector<std::string> choices;  // when only these values are allowed
  std::string limits;                // other demands of its validators
  std::string help;
  std::string default_value;
  std::string variable;  // the environment variable that sets it
  bool positional = false;
  bool required = false;
  bool repeatable = false;

  [[nodiscard]] bool operator==(const OptionInfo&) const = default;
  [[nodiscard]] const std::string& long_name() const { return names.back(); }
};

struct CommandInfo {
  std::string name;  // "ls"
  std::string path;  // "artifacts ls"; empty for the program
  std::string group;
  std::string summary;
  std::string example;  // empty when it is its parent's
  bool needs_command = false;
  std::vector<OptionInfo> options;
  std::vector<CommandInfo> commands;
};

// Before the example in a command's footer.
inline constexpr const char* kExampleMark = "Example: ";

// What is hidden from help is left out.
[[nodiscard]] CommandInfo describe(const CLI::App& app);

[[nodiscard]] Json to_json(const CommandInfo& command);

}  // namespace tcrops::cli
