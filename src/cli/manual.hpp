#pragma once

#include "describe.hpp"

#include <tcrops/core/field_table.hpp>

#include <span>
#include <string>
#include <string_view>

namespace tcrops::cli {

// The reference in its forms, all made from the same tables: describe(), the configuration fields,
// exit_statuses(), shapes() and these.

struct Variable {
  std::string_view name;
  std::string_view meaning;
};
[[nodiscard]] std::span<const Variable> environment_variables();

// "0 ok, 1 failure, …" for the end of --help, in lines of up to 100 characters.
[[nodiscard]] std::string exit_status_lines();

// The manual page, man(7).
[[nodiscard]] std::string manual_page(const CommandInfo& program, const FieldTable& fields);

// A table for README.md or data/README.md: "commands", "exit-statuses" or "results".
inline constexpr std::string_view kMarkdownTables[] = {"commands", "exit-statuses", "results"};
[[nodiscard]] std::string markdown_table(const std::string& which, const CommandInfo& program);

// Everything, as tcrops.man/1.
[[nodiscard]] Json manual_json(const CommandInfo& program, const FieldTable& fields);

}  // namespace tcrops::cli
