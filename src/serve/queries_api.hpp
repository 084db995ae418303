#pragma once

#include "api.hpp"
#include "query_log.hpp"
#include "router.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tcrops::serve {

// A body scored once more.
struct Rescored {
  Json model;  // that did: "name", "version", "artifact", "data_version"
  std::vector<LoggedRow> rows;
};
// Scores what an entry that has its input was sent. `reference`: "viral@v3", or "" for the model
// that is served. Throws HttpError: 404 for no such model, 409 for what cannot be scored again.
using Rescore = std::function<Rescored(const QueryDetail& detail, const std::string& reference)>;
[[nodiscard]] Rescored rescore(Api& api, const QueryDetail& detail, const std::string& reference);

// GET /v1/queries, GET /v1/queries/{id}, POST /v1/queries/{id}/rerun. `log`, which outlives the
// router, may be null: no log is kept, and there are no entries.
void add_query_routes(Router& router, const QueryLog* log, Rescore score_again);
// GET /v1/monitor.
void add_monitor_route(Router& router, const QueryLog* log);

// How the log is kept: {"sequences", "keep_days", "lost", "problem"}; null without one.
[[nodiscard]] Json logging_json(const QueryLog* log);

}  // namespace tcrops::serve
