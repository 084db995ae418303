#include "api.hpp"
#include "query_logs.hpp"
#include "small_tables.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace tcrops;
using namespace tcrops::serve;
using namespace tcrops::serve::test;

namespace {

const std::string kBody = "CDR3_beta\nCASSIRSSYEQYF\n";

Request request_of(const std::string& content_type) {
  Request request;
  request.id = "mine";
  request.body = kBody;
  request.headers = {{"content-type", content_type}};
  request.query = {{"format", "plain"}, {"epitope", "GILGFVFTL"}, {"mhc", "HLA-A*02:01"}};
  return request;
}

}  // namespace

TEST_CASE("an entry has what was answered, row by row") {
  const auto table =
      table_of_betas({"CASSIRSSYEQYF", "CASSLAPGATNEKLFF", "CASSQ1F", "CASSPGQGNTEAFF"});
  REQUIRE(table.rows().size() == 4);
  REQUIRE(table.records().size() == 3);
  std::vector<stages::Answer> answers = {scored(0.8712345, true), scored(1e-05),
                                         refused("CDR3_beta: too long")};
  answers[0].unseen_epitope = true;
  answers[1].far_from_training = true;
  const Request request = request_of("Text/CSV; charset=utf-8");
  Asked asked;
  asked.request = &request;
  asked.route = "/v1/predict";
  asked.table = &table;
  asked.answers = answers;
  asked.seconds = 2.0;
  const double before =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const QueryEntry entry = entry_of(asked, false);
  CHECK(entry.id == "mine");
  CHECK(entry.route == "/v1/predict");
  CHECK(entry.status == 200);
  CHECK(entry.seconds == 2.0);
  CHECK(entry.time >= before - 2.0);
  CHECK(entry.time < before + 60.0);
  CHECK(entry.model == nullptr);
  CHECK(entry.rows == 4);
  CHECK(entry.scored == 2);
  CHECK(entry.rejected == 2);
  CHECK(entry.unseen == 1);
  CHECK(entry.far == 1);
  CHECK(entry.scores[0] == 1);
  CHECK(entry.scores[8] == 1);
  CHECK(digest_hex(entry.digest) == sha256_hex(kBody));
  CHECK(entry.media_type == "text/csv");
  CHECK(entry.input == nullptr);
  const auto rows = rows_of_stored(entry.outputs, "file");
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].line == table.rows()[0].line);
  CHECK(rows[0].score == 0.8712345);
  CHECK(rows[0].call);
  CHECK(rows[1].score == 1e-05);
  CHECK_FALSE(rows[1].call);
  CHECK_FALSE(rows[2].score);
  CHECK(rows[2].problem_kind == "CDR3_beta");
  CHECK(rows[3].problem_kind == "CDR3_beta");
}

TEST_CASE("what was sent is copied only to be kept") {
  const Request request = request_of("text/csv");
  Asked asked;
  asked.request = &request;
  asked.status = 503;
  const QueryEntry bare = entry_of(asked, false);
  CHECK(bare.input == nullptr);
  CHECK(bare.outputs.empty());
  const QueryEntry kept = entry_of(asked, true);
  REQUIRE(kept.input);
  CHECK(kept.input->body == kBody);
  CHECK(kept.input->content_type == "text/csv");
  CHECK(kept.input->format == "plain");
  CHECK(kept.input->epitope == "GILGFVFTL");
  CHECK(kept.input->mhc == "HLA-A*02:01");
  CHECK(kept.digest == bare.digest);
  CHECK(kept.bytes() >= bare.bytes() + kBody.size());
}

TEST_CASE("types of bodies are of a few, and no other is repeated") {
  QueryEntry entry;
  for (const auto& [header, type] : std::vector<std::pair<std::string, std::string>>{
           {"application/json", "application/json"},
           {" Application/JSON ; charset=utf-8", "application/json"},
           {"text/plain", "text/plain"},
           {"multipart/form-data; boundary=x", "multipart/form-data"},
           {"CASSIRSSYEQYF/CASSIRSSYEQYF", "other"},
           {"", ""},
           {";", ""}}) {
    CAPTURE(header);
    entry.describe_body("", header);
    CHECK(entry.media_type == type);
  }
}

TEST_CASE("stored rows are read as they were written") {
  std::vector<LoggedRow> rows;
  std::string text;
  for (const double score :
       {0.1, 1.0 / 3.0, 5e-324, 1e-7, 0.0, 1.0, -2.5, 1.7976931348623157e308}) {
    rows.push_back({rows.size() + 1, score, rows.size() % 2 == 0, ""});
    text = with_row(text, rows.back());
  }
  rows.push_back({100, {}, false, "CDR3_beta"});
  rows.push_back({101, {}, false, "\"\\"});
  for (const auto at : {rows.size() - 2, rows.size() - 1}) text = with_row(text, rows[at]);
  text = with_row(text, {102, std::numeric_limits<double>::quiet_NaN(), true, ""});
  const auto read = rows_of_stored(text, "file");
  REQUIRE(read.size() == rows.size() + 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(read[i].line == rows[i].line);
    REQUIRE(read[i].score.has_value() == rows[i].score.has_value());
    if (read[i].score) CHECK(*read[i].score == stages::with_written_digits(*rows[i].score));
    CHECK(read[i].call == rows[i].call);
    CHECK(read[i].problem_kind == rows[i].problem_kind);
  }
  CHECK_FALSE(read.back().score);
}

TEST_CASE("only the first rows are kept, all are counted") {
  const std::size_t count = kLoggedRows + 7;
  std::vector<std::string> betas;
  for (std::size_t i = 0; i < count; ++i)
    betas.push_back("CASS" + std::string(1 + i % 10, 'A') + std::string(1 + i / 10, 'G') + "F");
  const auto table = table_of_betas(betas);
  const std::vector<stages::Answer> answers(table.records().size(), scored(0.25));
  QueryEntry entry;
  entry.add_rows(table, answers);
  CHECK(entry.rows == count);
  CHECK(entry.scored + entry.rejected == count);
  CHECK(rows_of_stored(entry.outputs, "file").size() == kLoggedRows);
}
