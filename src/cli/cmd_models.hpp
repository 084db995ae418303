#pragma once

#include "session.hpp"

#include <tcrops/store/registry.hpp>

#include <string>

namespace tcrops::cli {

// Who moves a model and why, from the command line.
void add_move_options(CLI::App& app, store::Move& move);
// "viral@v3"
[[nodiscard]] std::string version_name(const std::string& model, std::int64_t version);

void add_models_compare(CLI::App& app, Session& session);
void add_models_promote(CLI::App& app, Session& session);
void add_models_quantise(CLI::App& app, Session& session);

}  // namespace tcrops::cli
