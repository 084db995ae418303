#include "fixtures.hpp"

#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/encoder.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/data/split.hpp>
#include <tcrops/data/table.hpp>

#include <catch_all.hpp>
#include <child_process.hpp>
#include <csignal>
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

TEST_CASE("a value that cannot be encoded is refused") {
  const std::string limit(255, 'A');
  CHECK(read(kHeader + replaced(kRow, "TRAV1*01", limit)).records.size() == 1);
  CHECK(refusal_of("TRAV1*01", limit + "A").field == "V_alpha");
  CHECK(refusal_of("CASSF", limit + "A").reason == "has 256 characters; at most 255 are allowed");
  for (const std::string number : {"x", "nan", "1e999"}) {
    CHECK(refusal_of("25.0", number).field == "clone_id");
    CHECK(refusal_of("25.0", number).reason == "is not a number");
  }
  // Where it is no feature it may be any name.
  std::istringstream in(kHeader + replaced(kRow, "25.0", "clone x"));
  CHECK(read_table(in, "t.csv", {Column::kEpitope}, LabelRule::kRequired).records.size() == 1);
}

TEST_CASE("a prediction is held to its model's columns only") {
  const std::string odd = replaced(replaced(kRow, "CAVF", "cavf?"), "02:01,1", "02:01,NA");
  const auto records = [&](LabelRule rule, const std::vector<Column>& required) {
    std::istringstream in(kHeader + kRow + odd);
    return read_table(in, "t.csv", required, rule).records;
  };
  const auto both = records(LabelRule::kOptional, {Column::kCdr3Beta});
  REQUIRE(both.size() == 2);
  CHECK(both[1][Column::kCdr3Alpha] == "cavf?");
  CHECK_FALSE(both[1].label.has_value());
  CHECK(records(LabelRule::kOptional, {Column::kCdr3Alpha}).size() == 1);
  CHECK(records(LabelRule::kRequired, {Column::kCdr3Beta}).size() == 1);
}

TEST_CASE("a signal stops what goes over a whole table") {
  const std::vector<Record> records(3, make_record("CASSF", "GILGFVFTL", true));
  const std::vector<Side> sides(3, Side::kTrain);
  const auto stops = [](const std::function<void()>& call) {
    test::ChildProcess child([&] {
      install_interrupt_handlers();
      std::raise(SIGTERM);
      call();
      return 0;
    });
    return child.wait() == static_cast<int>(ExitCode::kTerminated);
  };
  CHECK(stops([] { (void)read(kHeader + kRow); }));
  CHECK(stops([&] { (void)profile(records, sides); }));
  CHECK(stops([&] { (void)fit_scalar_encoder(records, all_columns()); }));
  CHECK(stops([&] { (void)fit_scalar_encoder(records, {Column::kCloneId}); }));
  CHECK(stops([&] { (void)grouped_split(records, {}, 1); }));
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
