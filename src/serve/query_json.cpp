// Logged requests as the API and the command give them.
#include <tcrops/serve/queries.hpp>

namespace tcrops::serve {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

Json to_json(const LoggedQuery& query) {
  return {{"id", query.id},
          {"number", query.number},
          {"time", query.time},
          {"route", query.route},
          {"status", query.status},
          {"valid", query.is_valid()},
          {"model", query.model},
          {"version", query.version},
          {"artifact", query.artifact},
          {"data_version", text_or_null(query.data_version)},
          {"reference", query.reference},
          {"rows", query.rows},
          {"scored", query.scored},
          {"rejected", query.rejected},
          {"unseen", query.unseen},
          {"far", query.far},
          {"seconds", query.seconds},
          {"digest", query.digest},
          {"media_type", text_or_null(query.media_type)},
          {"has_input", query.has_input},
          {"error", text_or_null(query.error)}};
}

Json to_json(const std::vector<LoggedRow>& rows, RowFacts facts) {
  Json json = Json::array();
  for (const LoggedRow& row : rows) {
    Json& each = json.emplace_back(Json{{"line", row.line},
                                        {"score", row.score ? number_or_null(*row.score) : Json()},
                                        {"call", row.score ? Json(row.call) : Json()}});
    if (facts == RowFacts::kAll) each["problem_kind"] = text_or_null(row.problem_kind);
  }
  return json;
}

Json to_json(const QueryDetail& detail) {
  Json json = to_json(detail.query);
  json["outputs"] = to_json(detail.outputs);
  json["input"] = detail.input ? Json(valid_utf8(detail.input->body)) : Json();
  json["content_type"] =
      text_or_null(detail.input ? detail.input->content_type : detail.query.media_type);
  return json;
}

}  // namespace tcrops::serve
