// POST /v1/predict: a table in, the same rows with their scores out. GET /v1/examples: such rows.
#include "api.hpp"
#include "request_rows.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::serve {
namespace {

constexpr const char* kPredictPath = "/v1/predict";
constexpr const char* kJson = "application/json";
constexpr const char* kCsv = "text/csv";
constexpr const char* kTsv = "text/tab-separated-values";
constexpr std::int64_t kMostExamples = 1000;

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The values of a record by column; those that are missing are left out.
std::string record_as_json(const data::Record& record) {
  Json values = Json::object();
  for (std::size_t i = 0; i < data::kColumnCount; ++i) {
    if (!record.values[i].empty()) values[std::string(data::kColumnNames[i])] = record.values[i];
  }
  return values.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class JsonRows {
 public:
  JsonRows(const std::vector<std::string>& columns, const stages::SmallTable& table, bool echo)
      : columns_(columns), table_(table), echo_(echo) {
    for (const std::string& column : columns) keys_.push_back(quoted(column));
  }

  void append(std::string& text, const stages::SmallTable::Row& row,
              const stages::Answer* answer) const {
    const std::string& problem = answer == nullptr ? row.problem : answer->problem;
    const bool is_known = problem.empty() && answer != nullptr;
    text += fmt::format("{{\"line\":{}", row.line);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      text += ',';
      text += keys_[i];
      text += ':';
      text += is_known ? field_as_json(columns_[i], answer->fields[i]) : "null";
    }
    text += ",\"problem\":";
    text += problem.empty() ? "null" : quoted(problem);
    if (echo_) {
      text += ",\"record\":";
      text += row.record ? record_as_json(table_.records()[*row.record]) : "null";
    }
    text += '}';
  }

 private:
  const std::vector<std::string>& columns_;
  const stages::SmallTable& table_;
  bool echo_;
  std::vector<std::string> keys_;
};

std::string as_json(const Request& request, const ServedModel& model, bool echo,
                    const stages::SmallTable& table, std::span<const stages::Answer> answers) {
  const Json head = {{"schema", "tcrops.predictions/1"},
                     {"request_id", request.id},
                     {"format", table.format()},
                     {"columns", model.needs().columns},
                     {"model", short_facts(model)}};
  std::string text = head.dump();
  text.back() = ',';
  text += "\"rows\":[";
  const JsonRows rows(model.needs().columns, table, echo);
  for (const auto& row : table.rows()) {
    if (&row != &table.rows().front()) text += ',';
    rows.append(text, row, row.record ? &answers[*row.record] : nullptr);
  }
  return text + "]}\n";
}

Response predict(Api& api, const Request& request) {
  const std::string sent = media_type(request.header("content-type"));
  std::vector<std::string> offered = {kJson, kCsv, kTsv};
  if (sent == kCsv) offered = {kCsv, kJson};
  if (sent == kTsv) offered = {kTsv, kJson};
  const std::string type = accepted_type(request.header("accept"), offered);
  if (type.empty())
    throw HttpError(406, fmt::format("this can be answered as {} only", fmt::join(offered, ", ")));
  const Wish wish = wish_of(request);
  const auto model = api.models.named(wish.model);
  return answer_rows(
      api, request, kPredictPath, model,
      [&] {
        return table_of(request.body, request.header("content-type"), wish.source, model->needs(),
                        api.request_rows);
      },
      [&](const auto& table, const auto& answers) {
        Response response;
        response.type = type;
        response.body = type == kJson ? as_json(request, *model, wish.echo, table, answers)
                                      : table.answered(answers);
        return response;
      });
}

std::int64_t number_of(const Request& request, const std::string& name, std::int64_t otherwise,
                       std::int64_t most) {
  const std::string text = request.query_value(name);
  if (text.empty()) return otherwise;
  const auto number = parse_integer(text);
  if (!number || *number < 0 || *number > most)
    throw HttpError(400, fmt::format("?{}: a whole number up to {} is needed", name, most));
  return *number;
}

Response examples(const Api& api, const Request& request) {
  const auto model = api.models.named(request.query_value("model"));
  auto rows = stages::example_rows(api.store, model->identity().artifact);
  const auto count = static_cast<std::size_t>(number_of(request, "count", 10, kMostExamples));
  Rng random(static_cast<std::uint64_t>(number_of(request, "seed", 0, INT64_MAX)), "examples");
  random.shuffle(rows);
  rows.resize(std::min(count, rows.size()));
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < data::kBenchmarkColumnCount; ++i)
    fields.emplace_back(data::kColumnNames[i]);
  Json body = {{"schema", "tcrops.examples/1"}, {"columns", fields}, {"rows", Json::array()}};
  std::string csv;
  data::append_csv(csv, fields);
  for (const data::Record& record : rows) {
    fields.assign(record.values.begin(), record.values.begin() + data::kBenchmarkColumnCount);
    data::append_csv(csv, fields);
    Json row = Json::parse(record_as_json(record));
    row["binder"] = record.label ? Json(*record.label) : Json();
    body["rows"].push_back(std::move(row));
  }
  body["csv"] = csv;
  Response response = json_response(body);
  response.headers = model_headers(*model);
  return response;
}

}  // namespace

void add_predict_routes(Router& router, Api& api) {
  router.add({"POST", kPredictPath,
              [&api](const Request& request, const PathValues&) { return predict(api, request); },
              Role::kPredict});
  router.add({"GET", "/v1/examples",
              [&api](const Request& request, const PathValues&) { return examples(api, request); },
              Role::kPredict});
}

}  // namespace tcrops::serve
