#pragma once

#include "session.hpp"

#include <cstdint>
#include <string>

namespace tcrops::cli {

inline constexpr const char* kReferenceHelp =
    "name (viral.model), version (viral@champion, viral@v3) or the first 6 or more digits of an id";

// A subcommand of `artifacts` or `models`, with the options that all of them have.
CLI::App& add_store_command(CLI::App& app, Session& session, const std::string& name,
                            const std::string& help);

// A name that --as gives an artifact is a file's name too, and must not look like the beginning of
// an id. Throws Error (kUsage).
void require_artifact_name(const std::string& name);

// "1.2 MB"
[[nodiscard]] std::string shown_size(std::uint64_t bytes);
// The digits of an id that people see.
[[nodiscard]] std::string shown_id(const std::string& id);

void add_artifacts_lineage(CLI::App& app, Session& session);
void add_artifacts_diff(CLI::App& app, Session& session);
void add_artifacts_export(CLI::App& app, Session& session);
void add_artifacts_import(CLI::App& app, Session& session);
void add_artifacts_gc(CLI::App& app, Session& session);

}  // namespace tcrops::cli
