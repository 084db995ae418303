#include "request_rows.hpp"

#include "api.hpp"

#include <tcrops/core/error.hpp>

#include <catch2/catch.hpp>

using namespace tcrops;
using namespace tcrops::serve;
using data::Column;

namespace {

const stages::TableNeeds kNeeds = {{Column::kCdr3Beta, Column::kEpitope},
                                   {Column::kCdr3Beta, Column::kEpitope, Column::kMhc},
                                   {stages::AnswerColumn::kScore, stages::AnswerColumn::kCall}};

Request request_of(const std::string& type, const std::string& body, Headers query = {}) {
  Request request;
  request.headers = {{"content-type", type}};
  request.body = body;
  request.query = std::move(query);
  return request;
}

stages::SmallTable table_of_request(const Request& request, std::size_t most_rows) {
  return table_of(request.body, request.header("content-type"), wish_of(request).source, kNeeds,
                  most_rows);
}

std::pair<int, std::string> refusal_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const HttpError& e) {
    return {e.status(), e.what()};
  }
  return {200, ""};
}

std::pair<int, std::string> refusal_of(const Request& request, std::size_t most_rows = 100) {
  return refusal_of([&] { static_cast<void>(table_of_request(request, most_rows)); });
}

}  // namespace

TEST_CASE("JSON rows become columns") {
  const auto columns = columns_of_json(
      R"({"rows": [{"a": "x,\"y\"", "b": 1}, {"c": true, "a": null}, {"b": 0.5}], "more": 1})", 3);
  CHECK(columns ==
        Columns{{"a", {"x,\"y\"", "", ""}}, {"b", {"1", "", "0.5"}}, {"c", {"", "true", ""}}});
  CHECK(csv_of(columns) == "a,b,c\n\"x,\"\"y\"\"\",1,\n,,true\n,0.5,\n");
}

TEST_CASE("JSON that holds no rows is refused with what is wrong") {
  for (const auto& [body, said] : std::vector<std::pair<std::string, std::string>>{
           {"", "near byte 1"},
           {"{\"rows\": [", "no JSON"},
           {"{\"rows\": [{\"a\": \"\xff\"}]}", "no JSON"},
           {"[]", "{\"rows\""},
           {"{\"rows\": []}", "at least one row"},
           {"{\"rows\": {}}", "{\"rows\""},
           {"{\"rows\": [{\"a\": 1}, 2]}", "row 2: an object"},
           {"{\"rows\": [{\"a\": [1]}]}", "row 1: a: a text"},
           {"{\"rows\": [{}]}", "no keys"}}) {
    CAPTURE(body);
    const auto [status, text] = refusal_of([&] { static_cast<void>(columns_of_json(body, 9)); });
    CHECK(status == 400);
    CHECK(text.find(said) != std::string::npos);
  }
  std::string many = R"({"rows": [{)";
  for (int i = 0; i < 300; ++i) many += "\"k" + std::to_string(i) + "\": 1,";
  many.back() = '}';
  CHECK(refusal_of([&] { static_cast<void>(columns_of_json(many + "]}", 9)); }).first == 400);
  // Refused at the first row too many, before the others take memory.
  std::string long_one = R"({"rows": [{"a": 1},{},{},{},{)";
  CHECK(refusal_of([&] { static_cast<void>(columns_of_json(long_one, 3)); }).first == 413);
}

TEST_CASE("a table comes in any format and keeps its rows in order") {
  const std::string csv =
      "CDR3_beta,Epitope,MHC\nCASSIRSSYEQYF,GILGFVFTL,HLA-A*02:01\nCASSXF,GILGFVFTL,\n"
      "CASSLAPGATNEKLFF,,\n";
  const auto table = table_of_request(request_of("text/csv; charset=utf-8", csv), 3);
  REQUIRE(table.rows().size() == 3);
  REQUIRE(table.records().size() == 1);
  CHECK(table.records()[0][Column::kCdr3Beta] == "CASSIRSSYEQYF");
  CHECK(table.rows()[0].record == 0U);
  CHECK(table.rows()[0].problem.empty());
  CHECK(table.rows()[1].line == 3);
  CHECK(table.rows()[1].problem.find("CDR3_beta") == 0);
  CHECK(table.rows()[2].problem.find("Epitope") == 0);
  stages::Answer answer;
  answer.score = 0.5;
  answer.call = true;
  const std::string text = table.answered({&answer, 1});
  CHECK(text.starts_with(
      "CDR3_beta,Epitope,MHC,score,call,problem\n"
      "CASSIRSSYEQYF,GILGFVFTL,HLA-A*02:01,0.5,1,\nCASSXF,GILGFVFTL,,,,CDR3_beta: "));

  const auto json = table_of_request(
      request_of("application/json",
                 R"({"rows": [{"CDR3_beta": "CASSIRSSYEQYF"}, {"CDR3_beta": "CASSF"}]})",
                 {{"epitope", "GILGFVFTL"}, {"mhc", "A2"}}),
      2);
  REQUIRE(json.records().size() == 2);
  CHECK(json.records()[1][Column::kEpitope] == "GILGFVFTL");
  CHECK(json.records()[1][Column::kMhc] == "HLA-A*02");
}

TEST_CASE("what is too much or no table is refused") {
  const std::string csv = "CDR3_beta,Epitope\nCASSF,GILGFVFTL\nCASSF,GILGFVFTL\n";
  CHECK(refusal_of(request_of("text/csv", csv), 1).first == 413);
  CHECK(refusal_of(request_of("image/png", csv)).first == 415);
  const auto [status, text] = refusal_of(request_of("text/csv", csv, {{"fromat", "x"}}));
  CHECK(status == 400);
  CHECK(text.find("?fromat") == 0);
  CHECK_THROWS_AS(table_of_request(request_of("text/csv", "a,b\n1,2\n"), 9), Error);
  CHECK_THROWS_AS(table_of_request(request_of("text/csv", "CDR3_beta,Epitope\n"), 9), Error);
  CHECK_THROWS_AS(table_of_request(request_of("text/csv", csv, {{"format", "nonsense"}}), 9),
                  Error);
}

TEST_CASE("lines without a header are the nine values of the benchmark") {
  const std::string good =
      "CAVRDF,CASSIRSSYEQYF,TRAV1-2*01,TRBV19*01,TRAJ33*01,TRBJ2-7*01,GILGFVFTL,7,HLA-A*02:01\n";
  const std::string lines = good + "a,b\n\n" + good + "CAVF,CASSF,,,,,GILGFVFTL,,,too many\n";
  for (const char* type : {"text/plain", "text/csv", "application/octet-stream"}) {
    const auto table = table_of_request(request_of(type, lines), 9);
    REQUIRE(table.rows().size() == 4);
    REQUIRE(table.rows()[0].record);
    CHECK(table.rows()[0].line == 1);
    CHECK(table.records()[0][Column::kMhc] == "HLA-A*02:01");
    CHECK(table.rows()[1].problem == "Error in line 2: must contain 9 comma-separated values.");
    CHECK_FALSE(table.rows()[1].record);
    CHECK(table.rows()[2].line == 4);
    REQUIRE(table.rows()[2].record);
    CHECK(table.records()[*table.rows()[2].record][Column::kCdr3Beta] == "CASSIRSSYEQYF");
    CHECK(table.rows()[3].problem == "Error in line 5: must contain 9 comma-separated values.");
  }
  const auto word = table_of_request(request_of("text/plain", "hello\n"), 9);
  REQUIRE(word.rows().size() == 1);
  CHECK(word.rows()[0].problem == "Error in line 1: must contain 9 comma-separated values.");
  // Something that may be a header is named as what it is not.
  CHECK_THROWS_AS(table_of_request(request_of("text/plain", "name,size\n1,2\n"), 9), Error);
  CHECK_THROWS_AS(table_of_request(request_of("text/plain", "\n\n"), 9), Error);
  CHECK_THROWS_AS(table_of_request(request_of("text/csv", "hello\n"), 9), Error);
}

TEST_CASE("the query says what is wished for") {
  const Wish wish = wish_of(request_of("", "", {{"model", "viral@v2"}, {"echo", "1"}}));
  CHECK(wish.model == "viral@v2");
  CHECK(wish.echo);
  CHECK_FALSE(wish_of(request_of("", "", {{"echo", "false"}})).echo);
  CHECK(refusal_of([] {
          static_cast<void>(wish_of(request_of("", "", {{"echo", "x"}})));
        }).first == 400);
}

TEST_CASE("reasons are columns or rows, whatever was sent") {
  CHECK(reason_of("CDR3_beta: letter 'X'") == "CDR3_beta");
  CHECK(reason_of("4 fields, but the header has 11") == "row");
  CHECK(reason_of("CASSIRSSYEQYF: no") == "row");
}
