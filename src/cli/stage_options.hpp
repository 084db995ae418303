#pragma once

#include "session.hpp"

#include <tcrops/stages/pipeline.hpp>

namespace tcrops::cli {

// Shared by the commands that bring about one stage's artifact.
void add_stage_options(CLI::App& app, Session& session, stages::PipelineOptions& options);
// Says on stderr that a stage begins.
void announce(stages::Stage stage);
// Options of a pipeline say nothing about a model that is named: better refused (kUsage) than
// ignored.
void require_no_pipeline_options(const Session& session, const stages::PipelineOptions& options);
int run_stage(Session& session, stages::Stage stage, const stages::PipelineOptions& options);

}  // namespace tcrops::cli
