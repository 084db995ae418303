// POST /v1/predict: a table in, the same rows with their scores out. GET /v1/examples: such rows.
#include "answer_json.hpp"
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

class PredictQuestion : public RowsQuestion {
 public:
  PredictQuestion(Api& api, const Request& request) : RowsQuestion(request), api_(api) {}

  [[nodiscard]] std::string route() const override { return kPredictPath; }

  [[nodiscard]] std::shared_ptr<ServedModel> model() override {
    choose_type();
    wish_ = wish_of(request());
    return api_.models.named(wish_.model);
  }

  [[nodiscard]] stages::SmallTable read(const ServedModel& model) override {
    return table_of(request().body, request().header("content-type"), wish_.source, model.needs(),
                    api_.request_rows);
  }

  [[nodiscard]] Response write(const ServedModel& model, const stages::SmallTable& table,
                               std::span<const stages::Answer> answers) override {
    Response response;
    response.type = type_;
    response.body = type_ == kJson
                        ? model.answer_json().text(request().id, wish_.echo, table, answers)
                        : table.answered(answers);
    return response;
  }

 private:
  // In what form the answer is wanted: that of the question, if anything will do.
  void choose_type() {
    const std::string sent = media_type(request().header("content-type"));
    const std::string& accept = request().header("accept");
    type_ = sent == kCsv || sent == kTsv ? sent : kJson;
    if (accept.empty() || accept == "*/*") return;
    std::vector<std::string> offered = {kJson, kCsv, kTsv};
    if (type_ != kJson) offered = {type_, kJson};
    type_ = accepted_type(accept, offered);
    if (!type_.empty()) return;
    throw HttpError(406, fmt::format("this can be answered as {} only", fmt::join(offered, ", ")));
  }

  Api& api_;
  Wish wish_;
  std::string type_;
};

std::vector<Response> predict(Api& api, std::span<const Request> requests) {
  std::vector<std::unique_ptr<RowsQuestion>> questions;
  questions.reserve(requests.size());
  for (const Request& request : requests)
    questions.push_back(std::make_unique<PredictQuestion>(api, request));
  return answer_rows(api, questions);
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
  response.model_lines = model->header_lines();
  return response;
}

}  // namespace

void add_predict_routes(Router& router, Api& api) {
  router.add({"POST", kPredictPath,
              [&api](const Request& request, const PathValues&) {
                return predict(api, std::span(&request, 1)).front();
              },
              Role::kPredict,
              [&api](std::span<const Request> requests) { return predict(api, requests); }});
  router.add({"GET", "/v1/examples",
              [&api](const Request& request, const PathValues&) { return examples(api, request); },
              Role::kPredict});
}

}  // namespace tcrops::serve
