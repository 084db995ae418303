#include "fixtures.hpp"

#include <tcrops/data/encoder.hpp>
#include <tcrops/data/split.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/data/viral.hpp>

#include <array>
#include <catch_all.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <test_data.hpp>

namespace tcrops::data {
namespace {

std::string unzipped(const std::filesystem::path& path) {
  const std::string command = "zcat '" + path.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 65536> block{};
  while (const std::size_t count = fread(block.data(), 1, block.size(), pipe.get())) {
    text.append(block.data(), count);
  }
  return text;
}

ViralTable build(const std::filesystem::path& folder) {
  std::ifstream beam(folder / "01_beam-t_clones.csv", std::ios::binary);
  std::ifstream dextramer(folder / "02_covid_dextramer_clones.csv", std::ios::binary);
  return build_viral_table(beam, dextramer);
}

const std::string kHeader =
    ",IR_VJ_1_junction_aa,IR_VDJ_1_junction_aa,IR_VJ_1_c_call,IR_VDJ_1_c_call,IR_VJ_1_v_call,"
    "IR_VDJ_1_v_call,IR_VJ_1_d_call,IR_VDJ_1_d_call,IR_VJ_1_j_call,IR_VDJ_1_j_call,epitope,"
    "clone_id\n";

std::string clone_row(const std::string& beta, const std::string& beta_v,
                      const std::string& epitope, const std::string& clone_id) {
  return "0,CAVF," + beta + ",,,TRAV1," + beta_v + ",,,TRAJ1,TRBJ1-1," + epitope + "," + clone_id +
         "\n";
}

ViralTable build_text(const std::string& beam, const std::string& dextramer) {
  std::istringstream first(beam);
  std::istringstream second(dextramer);
  return build_viral_table(first, second);
}

}  // namespace

TEST_CASE("the viral table equals the published one, byte for byte") {
  const auto folder = test::find_test_data("viral");
  if (!folder) return;
  const ViralTable table = build(*folder);
  REQUIRE(table.records.size() == 8932);
  const bool equal = format_table_csv(table.records) == unzipped(*folder / "expected.csv.gz");
  CHECK(equal);
  std::vector<std::size_t> left;
  for (const Json& rule : table.rules) left.push_back(rule["rows"].get<std::size_t>());
  CHECK(left == std::vector<std::size_t>{884, 743, 737, 737, 723, 723, 638, 638, 8932});
}

TEST_CASE("every viral row survives the scalar encoding") {
  const auto folder = test::find_test_data("viral");
  if (!folder) return;
  const std::vector<Record> records = build(*folder).records;
  const auto encoder = fit_scalar_encoder(records, all_columns());
  CHECK(encoder->feature_width() == 123);
  EncodedRows rows;
  for (const Record& record : records) REQUIRE_FALSE(encoder->encode(record, rows).has_value());
  std::size_t equal = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    equal += encoder->decode(rows, i).values == records[i].values ? 1 : 0;
  }
  CHECK(equal == 8932);
  std::vector<Column> anonymous = all_columns();
  std::erase(anonymous, Column::kCloneId);
  CHECK(fit_scalar_encoder(records, anonymous)->feature_width() == 122);
}

TEST_CASE("the viral TCRs can be kept apart") {
  const auto folder = test::find_test_data("viral");
  if (!folder) return;
  const std::vector<Record> records = build(*folder).records;
  CHECK(shared_tcrs(records, grouped_split(records, {}, 42)) == 0);
  CHECK(shared_tcrs(records, torch_random_split(records.size(), {}, 42)) > 600);
}

TEST_CASE("a missing gene or CDR3 does not become text") {
  std::string beam = kHeader;
  for (int i = 0; i < 5; ++i) beam += clone_row("CASSDF", "TRBV2", "GILGFVFTL_HLA-A*02:01", "7");
  beam += clone_row("CASSDF", "", "GILGFVFTL_HLA-A*02:01", "8");
  beam += clone_row("", "TRBV2", "GILGFVFTL_HLA-A*02:01", "8");
  const ViralTable table = build_text(beam, kHeader);
  REQUIRE(table.records.size() == 5);
  CHECK(table.records[0][Column::kCloneId] == "7.0");
  CHECK(table.records[0][Column::kVBeta] == "TRBV2*01");
  CHECK(table.records[0][Column::kMhc] == "HLA-A*02:01");
}

TEST_CASE("clone tables that cannot be used say why") {
  const auto fails = [](const std::string& beam, const std::string& part) {
    return fails_with(ExitCode::kInputData, part, [&] { (void)build_text(beam, kHeader); });
  };
  CHECK(fails("", "01_beam-t_clones.csv: the file is empty"));
  CHECK(fails("a,b\n", "01_beam-t_clones.csv:1: column \"IR_VJ_1_junction_aa\" is missing"));
  CHECK(fails(kHeader, "no row is left"));
  CHECK(fails(kHeader + "1,2\n", "01_beam-t_clones.csv:2: 2 fields"));
  CHECK(fails(kHeader + clone_row("CASSF", "TRBV2", "GILGFVFTL", "x"), ":2: clone_id \"x\""));
  CHECK(fails(kHeader + clone_row("CASSF", "TRBV2", "AAAAAAAAA", "1"), "epitope \"AAAAAAAAA\""));
}

}  // namespace tcrops::data
