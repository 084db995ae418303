// What may be asked about earlier requests.
#include "queries_api.hpp"

#include "query_parameters.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tcrops::serve {
namespace {

constexpr double kMostListed = 1000.0;

QueryFilter filter_of(const Request& request) {
  const QueryParameters given(request,
                              {"limit", "before", "model", "valid", "search", "from", "to"});
  QueryFilter filter;
  if (const auto limit = given.whole("limit", 1.0, kMostListed))
    filter.limit = static_cast<std::size_t>(*limit);
  filter.before = given.whole("before", 0.0, 9e15);
  filter.model = given.text("model");
  filter.valid = given.flag("valid");
  filter.search = given.text("search");
  filter.from = given.number("from", -1e12, 1e12);
  filter.to = given.number("to", -1e12, 1e12);
  return filter;
}

Response list(const QueryLog* log, const Request& request) {
  const QueryFilter filter = filter_of(request);
  QueryPage page;
  if (log != nullptr)
    page = read_log([&] { return QueryReader(log->options().file).list(filter); });
  Json queries = Json::array();
  for (const LoggedQuery& query : page.queries) queries.push_back(to_json(query));
  return json_response({{"schema", "tcrops.queries/1"},
                        {"logging", logging_json(log)},
                        {"queries", std::move(queries)},
                        {"next", page.next ? Json(*page.next) : Json()}});
}

// By its id, or of several with that id the one whose number is given.
QueryDetail detail_of(const QueryLog* log, const std::string& id,
                      std::optional<std::int64_t> number) {
  std::optional<QueryDetail> found;
  if (log != nullptr) {
    const QueryReader reader(log->options().file);
    found = read_log([&] { return number ? reader.at(*number) : reader.find(id); });
  }
  if (!found || found->query.id != id) {
    throw HttpError(404, fmt::format("no request {} in the query log; entries are removed after "
                                     "serve.keep_days, and the newest take a moment to arrive",
                                     valid_utf8(id)));
  }
  return std::move(*found);
}

Response one(const QueryLog* log, const Request& request, const std::string& id) {
  const QueryParameters given(request, {"number"});
  Json body = to_json(detail_of(log, id, given.whole("number", 0.0, 9e15)));
  body["schema"] = "tcrops.query/1";
  return json_response(body);
}

// Scores of the same lines side by side; null where there is none.
Json beside(const std::vector<LoggedRow>& then, const std::vector<LoggedRow>& now) {
  std::map<std::size_t, std::pair<Json, Json>> lines;
  for (const LoggedRow& row : then)
    lines[row.line].first = row.score ? number_or_null(*row.score) : Json();
  for (const LoggedRow& row : now)
    lines[row.line].second = row.score ? number_or_null(*row.score) : Json();
  Json json = Json::array();
  for (const auto& [line, scores] : lines)
    json.push_back({{"line", line}, {"then", scores.first}, {"now", scores.second}});
  return json;
}

Response rerun(const QueryLog* log, const Rescore& score_again, const Request& request,
               const std::string& id) {
  const QueryParameters given(request, {"model", "number"});
  const QueryDetail detail = detail_of(log, id, given.whole("number", 0.0, 9e15));
  const LoggedQuery& query = detail.query;
  if (!detail.input) {
    throw HttpError(409, fmt::format("what request {} sent was not kept, so it cannot be scored "
                                     "again; start the server with --log-sequences to keep it",
                                     query.id));
  }
  Rescored now = score_again(detail, given.text("model"));
  const Json then_model = {{"name", query.model},
                           {"version", query.version},
                           {"artifact", query.artifact},
                           {"data_version", query.data_version}};
  return json_response(
      {{"schema", "tcrops.rerun/1"},
       {"id", query.id},
       {"number", query.number},
       {"then", {{"model", then_model}, {"rows", to_json(detail.outputs, RowFacts::kScores)}}},
       {"now", {{"model", now.model}, {"rows", to_json(now.rows, RowFacts::kScores)}}},
       {"rows", beside(detail.outputs, now.rows)}});
}

}  // namespace

Json logging_json(const QueryLog* log) {
  if (log == nullptr) return nullptr;
  const std::string problem = log->problem();
  return {{"sequences", log->options().inputs},
          {"keep_days", log->options().keep_days},
          {"lost", log->counts().lost},
          {"problem", problem.empty() ? Json() : Json(problem)}};
}

void add_query_routes(Router& router, const QueryLog* log, Rescore score_again) {
  router.add({"GET", "/v1/queries",
              [log](const Request& request, const PathValues&) { return list(log, request); }});
  router.add({"GET", "/v1/queries/{id}", [log](const Request& request, const PathValues& values) {
                return one(log, request, values[0]);
              }});
  router.add({"POST", "/v1/queries/{id}/rerun",
              [log, score_again = std::move(score_again)](const Request& request,
                                                          const PathValues& values) {
                return rerun(log, score_again, request, values[0]);
              },
              Role::kPredict});
}

}  // namespace tcrops::serve
