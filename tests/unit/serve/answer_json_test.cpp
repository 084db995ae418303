// Answers as JSON, beside the same document made by the JSON library.
#include "answer_json.hpp"

#include "api.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <sstream>

using namespace tcrops;
using namespace tcrops::serve;
using data::Column;

namespace {

using Shown = stages::AnswerColumn;
const std::vector<Shown> kColumns = {Shown::kScore, Shown::kPercentile, Shown::kNearestEpitope,
                                     Shown::kFlags, Shown::kCall};

stages::Answer answer_of(double score, std::optional<double> percentile, std::size_t edits,
                         bool far) {
  stages::Answer answer;
  answer.score = score;
  answer.percentile = percentile;
  answer.nearest_epitope = edits;
  answer.unseen_epitope = edits > 0;
  answer.far_from_training = far;
  answer.call = score > 0.5;
  return answer;
}

stages::Answer answer_with(std::string problem) {
  stages::Answer answer;
  answer.problem = std::move(problem);
  return answer;
}

Json values_of(const stages::Answer& answer) {
  Json flags = Json::array();
  if (answer.unseen_epitope) flags.push_back("unseen_epitope");
  if (answer.far_from_training) flags.push_back("far_from_training");
  return {
      std::isfinite(answer.score) ? Json(answer.score) : Json(),
      answer.percentile && std::isfinite(*answer.percentile) ? Json(*answer.percentile) : Json(),
      *answer.nearest_epitope, flags, answer.call};
}

std::string plainly(const stages::SmallTable& table, std::span<const stages::Answer> answers,
                    const Json& model, const std::string& id, bool echo) {
  const auto quoted = [](const Json& text) {
    return text.dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string text = Json{
      {"schema", "tcrops.predictions/1"},
      {"request_id", id},
      {"format", table.format()},
      {"columns", names_of(kColumns)},
      {"model", model}}.dump();
  text.back() = ',';
  text += "\"rows\":[";
  for (const auto& row : table.rows()) {
    const stages::Answer* answer = row.record ? &answers[*row.record] : nullptr;
    const std::string& problem = answer == nullptr ? row.problem : answer->problem;
    text += &row == &table.rows().front() ? "" : ",";
    text += "{\"line\":" + std::to_string(row.line);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      text += ",\"" + std::string(column_name(kColumns[i])) + "\":";
      text += problem.empty() ? values_of(*answer)[i].dump() : "null";
    }
    text += ",\"problem\":" + (problem.empty() ? "null" : quoted(problem));
    if (echo) {
      Json values;
      if (row.record) {
        values = Json::object();
        const data::Record& record = table.records()[*row.record];
        for (std::size_t c = 0; c < data::kColumnCount; ++c) {
          const std::string name(data::kColumnNames[c]);
          if (!record.values[c].empty()) values[name] = record.values[c];
        }
      }
      text += ",\"record\":" + quoted(values);
    }
    text += '}';
  }
  return text + "]}\n";
}

}  // namespace

TEST_CASE("answers are written as the JSON library would write them") {
  std::istringstream in(
      "CDR3_beta,Epitope,MHC,V_beta,clone_id\nCASSIRSSYEQYF,GILGFVFTL,A2,TRBV19,\"a \\\"\"b\"\n"
      "CASSXF,GILGFVFTL,,,\nCASSF,NLVPMVATV,,,7\nCASSYF,NLVPMVATV,,,\nCASSWF,NLVPMVATV,,,\n");
  const stages::TableNeeds needs = {{Column::kCdr3Beta}, {Column::kCdr3Beta}, kColumns};
  const stages::SmallTable table(in, {}, needs, 9);
  REQUIRE(table.records().size() == 4);
  const std::vector<stages::Answer> answers = {
      answer_of(0.9123457, 12.5, 0, false), answer_of(1e-05, std::nullopt, 3, true),
      answer_with("CDR3_beta: \"letter\" \\ \xFF\x01 \xC3\xA9"),
      answer_of(std::nan(""), -std::numeric_limits<double>::infinity(), 1, false)};
  const Json model = {{"name", "a \"model\""}, {"threshold", 0.25}};
  const AnswerJson json(kColumns, model);
  for (const bool echo : {false, true}) {
    for (const char* id : {"0123-abc", "\"\\\n"})
      CHECK(json.text(id, echo, table, answers) == plainly(table, answers, model, id, echo));
  }
  CHECK(record_as_json({}) == "{}");
}
