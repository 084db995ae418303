#include "fixtures.hpp"

#include <tcrops/data/profile.hpp>
#include <tcrops/data/table.hpp>

#include <catch_all.hpp>
#include <sstream>

namespace tcrops::data {
namespace {

const std::string kHeader =
    "CDR3_alpha,CDR3_beta,V_alpha,V_beta,J_alpha,J_beta,Epitope,clone_id,MHC,Label\n";
const std::string kRow =
    "CAVF,CASSF,TRAV1*01,TRBV2*01,TRAJ3*01,TRBJ1-1*01,GILGFVFTL,25.0,HLA-A*02:01,1\n";

Table read(const std::string& text, LabelRule rule = LabelRule::kRequired) {
  std::istringstream in(text);
  return read_table(in, "t.csv", all_columns(), rule);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

Refusal refusal_of(const std::string& from, const std::string& to) {
  const Table table = read(kHeader + kRow + replaced(kRow, from, to));
  REQUIRE(table.records.size() == 1);
  REQUIRE(table.refusals.size() == 1);
  return table.refusals[0];
}

}  // namespace

TEST_CASE("a table is read and written to the letter") {
  const Table table = read(kHeader + kRow);
  REQUIRE(table.records.size() == 1);
  CHECK(table.records[0].line == 2);
  CHECK(table.records[0].label == true);
  CHECK(table.records[0][Column::kCloneId] == "25.0");
  CHECK(format_table_csv(table.records) == kHeader + kRow);
}

TEST_CASE("columns may come in any order, tab-separated, with others between") {
  std::istringstream in("Label\tother\tCDR3_beta\nFalse\tx\tCASSF\n-1\t\tCASSW\n");
  const Table table = read_table(in, "t.tsv", {Column::kCdr3Beta}, LabelRule::kRequired);
  REQUIRE(table.records.size() == 2);
  CHECK(table.records[0][Column::kCdr3Beta] == "CASSF");
  CHECK(table.records[1].label == false);
  CHECK(table.records[0][Column::kMhc].empty());
}

TEST_CASE("an unknown label stays unknown") {
  const std::string row = kRow.substr(0, kRow.size() - 2) + "\n";
  const Table table = read(kHeader + row, LabelRule::kOptional);
  REQUIRE(table.records.size() == 1);
  CHECK_FALSE(table.records[0].label.has_value());
  CHECK(format_table_csv(table.records) == kHeader + row);
}

TEST_CASE("rows are refused with line, column and reason") {
  CHECK(refusal_of("CASSF", "CAXSF").reason.find("letter 'X'") == 0);
  CHECK(refusal_of("CASSF", "CAXSF").field == "CDR3_beta");
  CHECK(refusal_of("CASSF", "CAXSF").line == 3);
  CHECK(refusal_of("CASSF", "cassf").reason.find("letter 'c'") == 0);
  CHECK(refusal_of("GILGFVFTL", "GIL GFV").field == "Epitope");
  CHECK(refusal_of("TRAV1*01", "  ").reason == "the value is missing");
  CHECK(refusal_of("TRAV1*01", "TRAV\xC3\xA4").reason.find("byte 0xC3") == 0);
  CHECK(refusal_of("02:01,1", "02:01,2").field == "Label");
  CHECK(refusal_of("02:01,1", "02:01,").reason == "the value is missing");
  CHECK(refusal_of("25.0,", "").reason == "9 fields, but the header has 10");
}

TEST_CASE("what cannot be a table ends with a clear error") {
  const auto fails = [](const std::string& text, const std::string& part) {
    return fails_with(ExitCode::kInputData, part, [&] { (void)read(text); });
  };
  CHECK(fails("", "t.csv: the file is empty"));
  CHECK(fails(kHeader, "no row follows"));
  CHECK(fails(replaced(kHeader, "V_beta", "Vbeta") + kRow,
              "t.csv:1: column \"V_beta\" is missing; rename \"Vbeta\"?"));
  CHECK(fails(replaced(kHeader, "J_beta", "V_beta") + kRow, "\"V_beta\" stands twice"));
  CHECK(fails(replaced(kHeader, ",Label", "") + kRow, "column \"Label\" is missing"));
  CHECK(fails(kHeader + replaced(kRow, "CASSF", "?"),
              "none of the 1 rows can be used\n  line 2: CDR3_beta: letter '?'"));
}

TEST_CASE("a profile counts rows and distinct TCRs") {
  const std::vector<Record> records = {make_record("CASSF", "GILGFVFTL", true),
                                       make_record("CASSF", "NLVPMVATV", false),
                                       make_record("CASW", "NLVPMVATV", true)};
  const std::vector<Side> sides = {Side::kTrain, Side::kTrain, Side::kTest};
  const Json value = profile(records, sides);
  CHECK(value["rows"] == 3);
  CHECK(value["tcrs"] == 2);
  CHECK(value["positives"] == 2);
  CHECK(value["sides"]["train"] == Json{{"rows", 2}, {"tcrs", 1}, {"positives", 1}});
  CHECK(value["sides"]["validation"]["rows"] == 0);
  CHECK(value["epitopes"]["NLVPMVATV"]["sides"]["test"]["positives"] == 1);
  CHECK(value["lengths"]["CDR3_beta"] == Json{{"4", 1}, {"5", 1}});
  CHECK(value["lengths"]["Epitope"] == Json{{"9", 3}});
  CHECK(value["genes"]["V_beta"] == Json{{"TRBV2*01", 2}});
  CHECK(value["letters"]["CDR3_beta"]["S"] == 3);
  CHECK_FALSE(profile(records, {}).contains("sides"));
}

}  // namespace tcrops::data
