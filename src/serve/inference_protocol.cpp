// The Open Inference Protocol, version 2 (KServe): one column of the table per BYTES input.
#include "answer_json.hpp"
#include "api.hpp"
#include "request_rows.hpp"

#include <tcrops/core/version.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace tcrops::serve {
namespace {

constexpr const char* kProblem = "problem";

std::string datatype_of(const std::string& column) {
  if (column == "flags" || column == kProblem) return "BYTES";
  if (column == "call") return "BOOL";
  return column == "nearest_epitope" ? "INT64" : "FP64";
}

Json tensor_json(const std::string& name, const std::string& datatype) {
  return {{"name", name}, {"datatype", datatype}, {"shape", {-1}}};
}

std::vector<std::string> outputs_of(const ServedModel& model) {
  std::vector<std::string> outputs = names_of(model.needs().columns);
  outputs.emplace_back(kProblem);
  return outputs;
}

// The model by the name, and version where one is given. By name alone it is the one that is
// served.
std::shared_ptr<ServedModel> model_named(const Api& api, const PathValues& values) {
  auto model = api.current.get();
  const ModelIdentity& identity = model->identity();
  if (values[0] != identity.name) {
    throw HttpError(404, fmt::format("model \"{}\" is not served here; \"{}\" is",
                                     valid_utf8(values[0]), identity.name));
  }
  if (values.size() > 1 && values[1] != identity.version)
    return api.models.named(fmt::format("{}@v{}", identity.name, values[1]));
  return model;
}

Response metadata(const Api& api, const PathValues& values) {
  const auto model = model_named(api, values);
  Json inputs = Json::array();
  for (const data::Column column : model->needs().used)
    inputs.push_back(tensor_json(std::string(data::column_name(column)), "BYTES"));
  Json outputs = Json::array();
  for (const std::string& name : outputs_of(*model))
    outputs.push_back(tensor_json(name, datatype_of(name)));
  Response response = json_response({{"name", model->identity().name},
                                     {"versions", {model->identity().version}},
                                     {"platform", "tcrops"},
                                     {"inputs", inputs},
                                     {"outputs", outputs}});
  response.model_lines = model->header_lines();
  return response;
}

// One input: its name and its texts.
std::pair<std::string, std::vector<std::string>> column_of(const Json& input) {
  const Json name = input.is_object() ? input.value("name", Json()) : Json();
  if (!name.is_string()) throw HttpError(400, "an input needs a name");
  const auto text = name.get<std::string>();
  if (input.value("datatype", Json()) != "BYTES")
    throw HttpError(400, fmt::format("input {}: its datatype must be BYTES", text));
  const Json data = input.value("data", Json());
  std::vector<std::string> values;
  const bool is_texts = data.is_array() && std::all_of(data.begin(), data.end(),
                                                       [](const auto& v) { return v.is_string(); });
  if (!is_texts) throw HttpError(400, fmt::format("input {}: data must be a list of texts", text));
  for (const Json& value : data) values.push_back(value.get<std::string>());
  const Json shape = input.value("shape", Json());
  if (shape != Json{values.size()} && shape != Json{values.size(), 1}) {
    throw HttpError(400, fmt::format("input {}: its shape is [{}] or [{}, 1], as its data are",
                                     text, values.size(), values.size()));
  }
  return {text, std::move(values)};
}

Columns columns_of(const Json& document, std::size_t most_rows) {
  const Json inputs = document.is_object() ? document.value("inputs", Json()) : Json();
  if (!inputs.is_array() || inputs.empty())
    throw HttpError(400, "the body needs \"inputs\": a list with one entry per column");
  Columns columns;
  for (const Json& input : inputs) {
    columns.push_back(column_of(input));
    if (columns.back().second.size() > most_rows) throw too_many_rows(most_rows);
    if (columns.back().second.size() != columns.front().second.size() ||
        columns.back().second.empty())
      throw HttpError(400, "all inputs need the same number of texts, and at least one");
  }
  return columns;
}

// The outputs that were asked for by name; all when none were.
std::vector<std::string> wanted_outputs(const Json& document, const ServedModel& model) {
  const auto all = outputs_of(model);
  const Json outputs = document.value("outputs", Json::array());
  if (!outputs.is_array()) throw HttpError(400, "\"outputs\" must be a list");
  if (outputs.empty()) return all;
  std::vector<std::string> wanted;
  for (const Json& output : outputs) {
    const Json name = output.is_object() ? output.value("name", Json()) : Json();
    if (!name.is_string() ||
        std::find(all.begin(), all.end(), name.get<std::string>()) == all.end())
      throw HttpError(400, fmt::format("an output is one of {}", fmt::join(all, ", ")));
    wanted.push_back(name.get<std::string>());
    if (std::count(wanted.begin(), wanted.end(), wanted.back()) > 1)
      throw HttpError(400, fmt::format("output {} is asked for twice", wanted.back()));
  }
  return wanted;
}

// The column of that name; none for the problem.
std::optional<stages::AnswerColumn> answer_column(const ServedModel& model,
                                                  const std::string& output) {
  for (const stages::AnswerColumn column : model.needs().columns) {
    if (column_name(column) == output) return column;
  }
  return std::nullopt;
}

// Appends what one row says in one output. Numbers that a row does not have are null.
void append_value(std::string& to, std::optional<stages::AnswerColumn> column,
                  const stages::SmallTable::Row& row, const stages::Answer* answer) {
  const std::string& problem = answer == nullptr ? row.problem : answer->problem;
  const bool is_known = problem.empty() && answer != nullptr;
  if (!column) {
    to += Json(problem).dump(-1, ' ', false, Json::error_handler_t::replace);
  } else if (column == stages::AnswerColumn::kFlags) {
    to += '"';
    if (is_known) append_text(to, *answer, *column);
    to += '"';
  } else if (is_known) {
    append_json(to, *answer, *column);
  } else {
    to += "null";
  }
}

std::string output_json(const std::string& output, const ServedModel& model,
                        const stages::SmallTable& table, std::span<const stages::Answer> answers) {
  const auto column = answer_column(model, output);
  std::string data;
  for (const auto& row : table.rows()) {
    if (!data.empty()) data += ',';
    append_value(data, column, row, row.record ? &answers[*row.record] : nullptr);
  }
  return fmt::format("{{\"name\":{},\"datatype\":\"{}\",\"shape\":[{}],\"data\":[{}]}}",
                     Json(output).dump(), datatype_of(output), table.rows().size(), data);
}

class InferQuestion : public RowsQuestion {
 public:
  InferQuestion(const Api& api, const Request& request, const PathValues& values, std::string route)
      : RowsQuestion(request), api_(api), values_(values), route_(std::move(route)) {}

  [[nodiscard]] std::string route() const override { return route_; }

  [[nodiscard]] std::shared_ptr<ServedModel> model() override { return model_named(api_, values_); }

  [[nodiscard]] stages::SmallTable read(const ServedModel& model) override {
    document_ = parse_body(request().body);
    const Columns columns = columns_of(document_, api_.request_rows);
    outputs_ = wanted_outputs(document_, model);
    stages::TableSource source;
    source.path = "inputs";
    source.means = data::Means::kNames;
    return table_of(columns, source, model.needs(), api_.request_rows);
  }

  [[nodiscard]] Response write(const ServedModel& model, const stages::SmallTable& table,
                               std::span<const stages::Answer> answers) override {
    const Json id = document_.value("id", Json());
    std::string text =
        fmt::format("{{\"model_name\":{},\"model_version\":{},\"id\":{},\"outputs\":[",
                    Json(model.identity().name).dump(), Json(model.identity().version).dump(),
                    Json(id.is_string() ? id : Json(request().id)).dump());
    for (const std::string& output : outputs_) {
      if (&output != &outputs_.front()) text += ',';
      text += output_json(output, model, table, answers);
    }
    Response response;
    response.body = text + "]}\n";
    return response;
  }

 private:
  const Api& api_;
  const PathValues& values_;
  std::string route_;
  Json document_;
  std::vector<std::string> outputs_;
};

Response infer(Api& api, const Request& request, const PathValues& values,
               const std::string& route) {
  const std::unique_ptr<RowsQuestion> question =
      std::make_unique<InferQuestion>(api, request, values, route);
  return answer_rows(api, std::span(&question, 1)).front();
}

// A model answers only after its golden rows got what they should.
Response ready(const Api& api) {
  Response response = json_response({{"live", true}, {"ready", true}});
  response.model_lines = api.current.get()->header_lines();
  return response;
}

}  // namespace

void add_inference_routes(Router& router, Api& api) {
  router.add({"GET", "/v2", [](const Request&, const PathValues&) {
                return json_response(
                    {{"name", "tcrops"}, {"version", version()}, {"extensions", Json::array()}});
              }});
  router.add({"GET", "/v2/health/live",
              [](const Request&, const PathValues&) {
                return json_response({{"live", true}});
              },
              kAnybody});
  router.add({"GET", "/v2/health/ready",
              [&api](const Request&, const PathValues&) { return ready(api); }, kAnybody});
  for (const std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    router.add({"GET", model, [&api](const Request&, const PathValues& values) {
                  return metadata(api, values);
                }});
    router.add({"GET", model + "/ready", [&api](const Request&, const PathValues& values) {
                  const auto served = model_named(api, values);
                  Response response = json_response({{"name", values[0]}, {"ready", true}});
                  response.model_lines = served->header_lines();
                  return response;
                }});
    router.add({"POST", model + "/infer",
                [&api, route = model + "/infer"](const Request& request, const PathValues& values) {
                  return infer(api, request, values, route);
                },
                Role::kPredict});
  }
}

}  // namespace tcrops::serve
