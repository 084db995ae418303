#include "reading.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/data/writer.hpp>

namespace tcrops::data {
namespace {

std::string written(const std::string& format, const std::vector<Record>& records,
                    const std::vector<std::string>& extra_names) {
  RecordWriter writer(format, extra_names);
  std::string text = writer.header();
  for (const Record& record : records) text += writer.lines(record);
  return text;
}

template <std::size_t kCount>
std::string one_of(Rng& rng, const std::array<const char*, kCount>& texts) {
  return texts.at(rng.below(kCount));
}

// Canonical values of every kind, missing ones too, and extra columns with awkward texts.
Record random_record(Rng& rng) {
  const std::array alphas = {"", "CAGAGSQGNLIF", "CAVMDSNYQLIW", "CAGAGSQGNLI"};
  const std::array betas = {"CASSIRSSYEQYF", "CSARDGTGNGYTF"};
  Record record;
  record[Column::kCdr3Alpha] = one_of(rng, alphas);
  record[Column::kCdr3Beta] = one_of(rng, betas);
  if (!record[Column::kCdr3Alpha].empty()) {
    record[Column::kVAlpha] = one_of(rng, std::array{"", "TRAV29/DV5*01", "TRAV27*01"});
    record[Column::kJAlpha] = one_of(rng, std::array{"", "TRAJ42*01"});
    record[Column::kCdr1Alpha] = one_of(rng, std::array{"NSMFDY", "SVFSS"});
    record[Column::kCdr2Alpha] = "ISSIKDK";
  }
  record[Column::kVBeta] = one_of(rng, std::array{"", "TRBV19*01"});
  record[Column::kJBeta] = one_of(rng, std::array{"", "TRBJ2-7*01"});
  record[Column::kCdr1Beta] = "LNHDA";
  // Where the V gene is known, its loops follow from it.
  record[Column::kCdr2Beta] =
      record[Column::kVBeta].empty() ? one_of(rng, std::array{"SQIVND", ""}) : "SQIVND";
  record[Column::kEpitope] = one_of(rng, std::array{"", "GILGFVFTL"});
  record[Column::kMhc] =
      one_of(rng, std::array{"", "HLA-A*02:01", "HLA-DQA1*05:01/HLA-DQB1*02:01"});
  record[Column::kCloneId] = one_of(rng, std::array{"", "7.0", "clone 3"});
  const std::uint64_t label = rng.below(3);
  if (label < 2) record.label = label == 1;
  if (label == 0) record.origin = static_cast<Origin>(1 + rng.below(4));
  record.fold = one_of(rng, std::array{"", "train", "0"});
  record.extra = {one_of(rng, std::array{"", "plain", "with, comma", "with \"quotes\""}),
                  one_of(rng, std::array{"x;y", " blank ", "na\u00EFve"})};
  return record;
}

// A file with these names, for what their reader makes of them.
const std::vector<std::string> kExtraNames = {"note", "my column"};

}  // namespace

TEST_CASE("both formats read back as what was written") {
  Rng rng(1, "writer");
  std::vector<Record> records;
  for (int i = 0; i < 300; ++i) records.push_back(random_record(rng));
  for (const std::string& format : writable_formats()) {
    CAPTURE(format);
    const ReadTable table = read_all(written(format, records, kExtraNames));
    CHECK(table.format == format);
    CHECK(!table.notes().empty());  // CDR3s that lack their last letter are noticed
    const auto again = table.records();
    REQUIRE(again.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      CAPTURE(i);
      CHECK(again[i].values == records[i].values);
      CHECK(again[i].label == records[i].label);
      CHECK(again[i].origin == records[i].origin);
      CHECK(again[i].fold == records[i].fold);
      for (std::size_t e = 0; e < kExtraNames.size(); ++e) {
        const auto at =
            std::find(table.extra_names.begin(), table.extra_names.end(), kExtraNames[e]);
        REQUIRE(at != table.extra_names.end());
        CHECK(again[i].extra.at(static_cast<std::size_t>(at - table.extra_names.begin())) ==
              records[i].extra[e]);
      }
    }
  }
}

TEST_CASE("the benchmark's table by hand") {
  Record record;
  record[Column::kCdr3Beta] = "CASSF";
  record[Column::kEpitope] = "GILGFVFTL";
  record.label = false;
  record.origin = Origin::kSwapped;
  record.extra = {"a,b", "z"};
  CHECK(written("benchmark", {record}, {"note", "Epitope"}) ==
        "CDR3_alpha,CDR3_beta,V_alpha,V_beta,J_alpha,J_beta,Epitope,clone_id,MHC,Label,CDR1_alpha,"
        "CDR2_alpha,CDR1_beta,CDR2_beta,Origin,Fold,note,input_Epitope\n"
        ",CASSF,,,,,GILGFVFTL,,,0,,,,,swapped,,\"a,b\",z\n");
}

TEST_CASE("an AIRR table has a row per chain, and parts what its reader joined") {
  Record record;
  record[Column::kCdr3Alpha] = "CAVF";
  record[Column::kCdr3Beta] = "CASSF";
  record[Column::kVBeta] = "TRBV19*01";
  record.extra = {"c1", std::string("s1") + kBetweenChains + "s2", "tab\there"};
  const std::string text = written("airr", {record}, {"cell_id", "sequence_id", "note"});
  CHECK(
      text.substr(text.find('\n') + 1) ==
      "s1\t\tF\tT\t\t\t\t\t\t\tCAVF\t\t\t\tTRA\t\t\tAV\t\t\t\t\t\t\tr1\tc1\ttab here\n"
      "s2\t\tF\tT\tTRBV19*01\t\t\t\t\t\tCASSF\t\t\t\tTRB\t\t\tASS\t\t\t\t\t\t\tr1\tc1\ttab here\n");
}

TEST_CASE("no value breaks a row of either format") {
  Record record;
  record[Column::kCdr3Beta] = "CASSF";
  record.fold = "a\tb";
  record.extra = {"x\ny\r\tz\"", "\"open"};
  for (const std::string& format : writable_formats()) {
    CAPTURE(format);
    const auto records = read_all(written(format, {record}, {"\"q", "a\tb"})).records();
    REQUIRE(records.size() == 1);
    CHECK(records[0][Column::kCdr3Beta] == "CASSF");
  }
}

TEST_CASE("an unknown format to write is refused with the nearest name") {
  const auto thrown = test::error_of([] { RecordWriter("arir", {}); });
  CHECK(thrown.code == ExitCode::kUsage);
  CHECK(thrown.says("\"airr\""));
}

}  // namespace tcrops::data
