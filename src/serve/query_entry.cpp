#include "api.hpp"
#include "clock.hpp"
#include "metrics.hpp"
#include "queries_api.hpp"
#include "query_log.hpp"
#include "query_rows.hpp"
#include "request_rows.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace tcrops::serve {
namespace {

constexpr const char* kTableRoute = "/v1/predict";

// The types that the server reads. A type may be any text, so others are not repeated.
constexpr std::array<std::string_view, 6> kMediaTypes = {
    "text/csv",   "application/json",         "text/tab-separated-values",
    "text/plain", "application/octet-stream", "multipart/form-data"};
constexpr std::string_view kOtherType = "other";

std::string_view known_media_type(std::string_view header) {
  const auto known = [](std::string_view type) {
    return std::find(kMediaTypes.begin(), kMediaTypes.end(), type);
  };
  auto found = known(header);
  if (found == kMediaTypes.end()) {
    const std::string type = media_type(header);
    if (type.empty()) return {};
    found = known(type);
  }
  return found == kMediaTypes.end() ? kOtherType : *found;
}

LoggedRow logged_row(const stages::SmallTable::Row& row, const stages::Answer* answer) {
  LoggedRow logged;
  logged.line = row.line;
  const std::string& problem = answer == nullptr ? row.problem : answer->problem;
  if (answer == nullptr || !problem.empty()) {
    logged.problem_kind = reason_of(problem);
  } else {
    logged.score = answer->score;
    logged.call = answer->call;
  }
  return logged;
}

const stages::Answer* answer_to(const stages::SmallTable::Row& row,
                                std::span<const stages::Answer> answers) {
  return row.record ? &answers[*row.record] : nullptr;
}

}  // namespace

QueryEntry entry_of(const Asked& asked, bool keep_input) {
  QueryEntry entry;
  entry.route = asked.route;
  entry.status = asked.status;
  entry.seconds = asked.seconds;
  entry.time = now_seconds() - asked.seconds;
  if (asked.model) entry.model = asked.model->logged();
  if (asked.request != nullptr) {
    const Request& request = *asked.request;
    const std::string content_type = request.header("content-type");
    entry.id = request.id;
    entry.describe_body(request.body, content_type);
    if (keep_input)
      entry.input = std::make_shared<const LoggedInput>(
          LoggedInput{request.body, content_type, request.query_value("format"),
                      request.query_value("epitope"), request.query_value("mhc")});
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
  Rescored rescored{short_facts(*model), {}};
  for (const auto& row : table.rows()) {
    if (rescored.rows.size() == kLoggedRows) break;
    LoggedRow& now = rescored.rows.emplace_back(logged_row(row, answer_to(row, *answers)));
    if (now.score) now.score = stages::with_written_digits(*now.score);
  }
  return rescored;
}

void QueryEntry::describe_body(std::string_view body, std::string_view content_type) {
  digest = sha256(body);
  media_type = known_media_type(content_type);
}

void QueryEntry::add_rows(const stages::SmallTable& table,
                          std::span<const stages::Answer> answers) {
  for (const auto& row : table.rows()) {
    const stages::Answer* const answer = answer_to(row, answers);
    const LoggedRow logged = logged_row(row, answer);
    if (answer == nullptr || !answer->problem.empty()) {
      ++rejected;
    } else {
      ++scored;
      if (answer->unseen_epitope) ++unseen;
      if (answer->far_from_training) ++far;
      if (logged.score) ++scores[score_bin(*logged.score)];
    }
    if (rows++ < kLoggedRows) outputs = with_row(std::move(outputs), logged);
  }
}

std::size_t QueryEntry::bytes() const {
  return sizeof(QueryEntry) + id.size() + outputs.capacity() + (input ? input->body.size() : 0);
}

std::string_view failure_kind(int status) {
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
