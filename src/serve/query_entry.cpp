#include "api.hpp"
#include "clock.hpp"
#include "metrics.hpp"
#include "queries_api.hpp"
#include "query_log.hpp"
#include "request_rows.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <chrono>

namespace tcrops::serve {
namespace {

constexpr const char* kTableRoute = "/v1/predict";

}  // namespace

QueryEntry entry_of(const Asked& asked) {
  QueryEntry entry;
  LoggedQuery& query = entry.query;
  query.route = asked.route;
  query.status = asked.status;
  query.seconds = asked.seconds;
  query.time = now_seconds() - asked.seconds;
  query.error = failure_kind(asked.status);
  if (asked.model) {
    const ModelIdentity& identity = asked.model->identity();
    query.model = identity.name;
    query.version = identity.version;
    query.artifact = identity.artifact.id;
    query.data_version = identity.data_version();
    query.reference = identity.reference;
  }
  if (asked.request != nullptr) {
    const Request& request = *asked.request;
    query.id = request.id;
    entry.input = {request.body, request.header("content-type"), request.query_value("format"),
                   request.query_value("epitope"), request.query_value("mhc")};
  }
  if (asked.table != nullptr) entry.add_rows(*asked.table, asked.answers);
  return entry;
}

Rescored rescore(Api& api, const QueryDetail& detail, const std::string& reference) {
  if (detail.query.route != kTableRoute) {
    throw HttpError(409, fmt::format("only requests to {} can be scored again, this one went to {}",
                                     kTableRoute, detail.query.route));
  }
  const LoggedInput& input = *detail.input;
  const auto model = api.models.named(reference);
  stages::TableSource source;
  source.path = "input";
  if (!input.format.empty()) source.format = input.format;
  source.epitope = input.epitope;
  source.mhc = input.mhc;
  const auto table =
      table_of(input.body, input.content_type, source, model->needs(), api.request_rows);
  const auto answers = model->engine().answers(table.records());
  if (!answers)
    throw HttpError(503, "too many rows wait already; try again", {{"Retry-After", "1"}});
  QueryEntry entry;
  entry.add_rows(table, *answers);
  return {short_facts(*model), std::move(entry.rows)};
}

void QueryEntry::add_rows(const stages::SmallTable& table,
                          std::span<const stages::Answer> answers) {
  for (const auto& row : table.rows()) {
    const stages::Answer* const answer = row.record ? &answers[*row.record] : nullptr;
    const std::string& problem = answer == nullptr ? row.problem : answer->problem;
    LoggedRow logged;
    logged.line = row.line;
    ++query.rows;
    if (answer == nullptr || !problem.empty()) {
      ++query.rejected;
      logged.problem_kind = reason_of(problem);
    } else {
      ++query.scored;
      if (answer->unseen_epitope) ++query.unseen;
      if (answer->far_from_training) ++query.far;
      logged.score = parse_number(answer->fields.front());
      logged.call = answer->call;
      if (logged.score) ++scores[score_bin(*logged.score)];
    }
    if (rows.size() < kLoggedRows) rows.push_back(std::move(logged));
  }
}

std::string failure_kind(int status) {
  switch (status) {
    case 400:
      return "bad request";
    case 401:
    case 403:
      return "not allowed";
    case 404:
      return "not found";
    case 406:
    case 415:
      return "other type";
    case 413:
      return "too large";
    case 503:
      return "overloaded";
    default:
      return status < 400 ? "" : status < 500 ? "bad request" : "internal error";
  }
}

}  // namespace tcrops::serve
