#pragma once

#include "session.hpp"

#include <tcrops/stages/pipeline.hpp>

namespace tcrops::cli {

// What a command that brings about one stage's artifact may be told.
struct StageOptions {
  bool require_inputs = false;
  bool force = false;

  // Options of a pipeline that is to run until `stage`.
  [[nodiscard]] stages::PipelineOptions pipeline(stages::Stage stage) const;
};
void add_stage_options(CLI::App& app, Session& session, StageOptions& options);
// Says on stderr that a stage begins.
void announce(stages::Stage stage);
// Options of a pipeline say nothing about a model that is named: better refused (kUsage) than
// ignored.
void require_no_pipeline_options(const Session& session, const StageOptions& options);
int run_stage(Session& session, stages::Stage stage, const StageOptions& options);

}  // namespace tcrops::cli
