#include "served_checks.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/table.hpp>

#include <catch_all.hpp>
#include <error_code.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace tcrops::stages {
namespace {

using data::Column;

data::Record good_record() {
  data::Record record;
  record[Column::kCdr3Alpha] = "CAVRDSNYQLIW";
  record[Column::kCdr3Beta] = "CASSIRSSYEQYF";
  record[Column::kEpitope] = "GILGFVFTL";
  record[Column::kMhc] = "HLA-A*02:01";
  return record;
}

TableNeeds needs_of(std::vector<Column> required) {
  return {std::move(required),
          {Column::kCdr3Alpha, Column::kCdr3Beta, Column::kEpitope},
          {AnswerColumn::kScore, AnswerColumn::kCall}};
}

std::vector<Answer> half(std::span<const data::Record> records) {
  Answer answer;
  answer.score = 0.5;
  answer.call = true;
  return std::vector<Answer>(records.size(), answer);
}

std::vector<Answer> only_with_alpha(std::span<const data::Record> records) {
  std::vector<Answer> answers = half(records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i][Column::kCdr3Alpha].empty()) answers[i].problem = "no alpha chain";
  }
  return answers;
}

const std::vector<Column> kAll = {Column::kCdr3Alpha, Column::kCdr3Beta, Column::kEpitope};
const std::vector<Column> kWithoutAlpha = {Column::kCdr3Beta, Column::kEpitope};

TEST_CASE("a served table has its answers behind its rows") {
  const std::string table = data::format_table_csv({good_record()}) + "~,~,~\n";
  const std::string served = served_table(table, needs_of(kAll), half);
  CHECK(served.find("score,call,problem\n") != std::string::npos);
  CHECK(served.find("0.5,1,\n") != std::string::npos);
  CHECK(served.find("fields, but the header has") != std::string::npos);
  CHECK(error_code([&] { static_cast<void>(served_table("", needs_of(kAll), half)); }) ==
        ExitCode::kInputData);
}

TEST_CASE("the first line that differs is shown") {
  CHECK(served_difference("a\nb\n", "a\nb\n").empty());
  CHECK(served_difference("a\nb\n", "a\nc\n") ==
        "line 2: a server answers \"c\" where `predict` writes \"b\"");
  CHECK(served_difference("a\nb\n", "a\n").starts_with("line 2: "));
  CHECK(served_difference("a\n", "a\nb\n").starts_with("line 2: "));
  CHECK(served_difference("a\n", "a").starts_with("line 2: "));
  CHECK(served_difference("", "(no row)").starts_with("line 1: "));
}

TEST_CASE("malformed tables get no score from a reader that looks at them") {
  CHECK(malformed_table_fault(good_record(), needs_of(kAll), half).empty());
}

TEST_CASE("a malformed table that gets a score is named") {
  // What asks for nothing and looks at nothing takes rows that are none.
  TableNeeds careless = needs_of({});
  careless.used = {Column::kMhc};
  const std::string fault = malformed_table_fault(good_record(), careless, half);
  CHECK(fault.find(" gets a score") != std::string::npos);
}

TEST_CASE("a malformed table that ends in another error is named") {
  // A scorer that cannot stand an empty batch, as after a table of which no row can be read.
  const auto fragile = [](std::span<const data::Record> records) {
    if (records.empty()) throw std::out_of_range("no first record");
    return half(records);
  };
  const std::string fault = malformed_table_fault(good_record(), needs_of(kAll), fragile);
  CHECK(fault.find("ends in an internal error: no first record") != std::string::npos);
}

TEST_CASE("a missing value gets a score where the column is optional, and only there") {
  const std::vector<data::Record> good = {good_record()};
  CHECK(missing_value_fault(good, needs_of(kAll), half).empty());
  CHECK(missing_value_fault(good, needs_of(kWithoutAlpha), half).empty());
  CHECK(missing_value_fault(good, needs_of(kWithoutAlpha), only_with_alpha) ==
        "a row without CDR3_alpha gets no score, but the column is optional");
}

}  // namespace
}  // namespace tcrops::stages
