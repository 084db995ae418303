#pragma once

#include "session.hpp"

#include <tcrops/stages/pipeline.hpp>

namespace tcrops::cli {

// Shared by the commands that bring about one stage's artifact.
void add_stage_options(CLI::App& app, Session& session, stages::PipelineOptions& options);
int run_stage(Session& session, stages::Stage stage, const stages::PipelineOptions& options);

}  // namespace tcrops::cli
