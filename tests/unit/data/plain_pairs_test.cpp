// The quick way from a row to a record beside the long one, for rows of usual and odd values.
#include "format/plain_pairs.hpp"

#include "reading.hpp"

#include <tcrops/core/rng.hpp>

#include <map>

namespace tcrops::data {
namespace {

const std::vector<std::string> kCdr3s = {
    "CASSIRSSYEQYF", "CAVSESPFGNEKLTF", "CASSLW", "",      "casslw",
    "CASSXF",        "CATTF",           "nan",    "ASSLF", " C",
    "CASSIRSSYEQYFA"};
const std::map<std::string, std::vector<std::string>> kPools = {
    {"CDR3_alpha", kCdr3s},
    {"CDR3_beta", kCdr3s},
    {"V_alpha", {"TRAV29/DV5*01", "TRAV1-2*01", "TRAV1-2", "", "TRBV19*01", "TRAV99*01", "NA"}},
    {"V_beta", {"TRBV19*01", "TRBV6-5*01", "TRBV6-5", "", "TRAV1-2*01", "TRBJ2-7*01"}},
    {"J_alpha", {"TRAJ12*01", "TRAJ12", "", "TRAV12-2*01"}},
    {"J_beta", {"TRBJ2-7*01", "TRBJ2S7", "", "None"}},
    {"Epitope", {"GILGFVFTL", "NLVPMVATV", "", "NLVPMVATV_HLA-A*02:01", "gil", "NAN"}},
    {"clone_id", {"1.0", "17", "", "nan", "a,b", "\xC3\xA9", std::string(300, '1')}},
    {"MHC", {"HLA-A*02:01", "HLA-B*07", "", "A2", "HLA-A*02:01:01", "-"}},
    {"CDR1_alpha", {"NIATNDY", "", "niatndy", "N1"}},
    {"CDR2_beta", {"SYGVKD", "", "-"}},
    {"Label", {"1", "0", "", "1.0", "yes", "nan", "maybe"}},
    {"Origin", {"swapped", ""}},
    {"Fold", {"2.0", ""}},
    {"species", {"human", "mouse", ""}},
    {"note", {"", "text", "\xC3\xA9", "\x80"}},
};

// A row of the table, by both ways. True when the quick one took it.
bool agree(const Header& header, const RowText& row, const ReadOptions& options) {
  const ReadResult slow = make_canonical(assemble(header, {&row, 1}), *header.format, options);
  Record quick;
  if (!PlainPairs(header, options).take(row, quick)) return false;
  CAPTURE(row.fields);
  REQUIRE(slow.record);
  CHECK(same_record(quick, *slow.record));
  CHECK(quick.line == slow.record->line);
  CHECK(slow.notes.empty());
  return true;
}

ReadOptions some_options(Rng& random) {
  ReadOptions options;
  options.warns = false;
  options.used = value_columns();
  if (random.below(2) == 0) options.used.push_back(Column::kCloneId);
  if (random.below(3) == 0) options.required = {Column::kCdr3Beta};
  if (random.below(3) == 0) options.required.push_back(Column::kMhc);
  if (random.below(4) == 0) options.required.push_back(Column::kCloneId);
  if (random.below(3) == 0) options.epitope = "GILGFVFTL";
  if (random.below(3) == 0) options.mhc = "HLA-A*02:01";
  if (random.below(3) == 0) options.label_rule = LabelRule::kRequired;
  return options;
}

// A table of one row; more often than not of usual values.
TextTable some_table(Rng& random) {
  TextTable table;
  const std::uint64_t oddness = 2 + random.below(30);
  for (const auto& [name, values] : kPools) {
    const bool is_further = name == "Origin" || name == "Fold" || name == "species";
    if (random.below(is_further ? 8 : 5) == 0 ? !is_further : is_further) continue;
    table.names.push_back(name);
    const bool is_odd = random.below(oddness) == 0;
    table.fields.push_back(values[random.below(is_odd ? values.size() : 2)]);
  }
  return table;
}

TEST_CASE("what is taken over at once is what the long way makes of it") {
  Rng random(7, "plain_pairs");
  std::size_t tables = 0;
  std::size_t taken = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    const TextTable table = some_table(random);
    const ReadOptions options = some_options(random);
    GivenRows rows(table, "t");
    std::optional<Header> header;
    try {
      header.emplace(read_header(rows, options));
    } catch (const Error&) {
      continue;  // a column is missing
    }
    ++tables;
    if (agree(*header, {2, table.row(0)}, options)) ++taken;
  }
  CAPTURE(tables, taken);
  CHECK(tables > 5'000);
  CHECK(taken > tables / 10);
  CHECK(taken < tables / 2);
}

TEST_CASE("rows are left to the long way where one value is not plain") {
  const auto notes_of = [](const std::string& row) {
    return read_all("CDR3_beta,V_beta,Epitope,MHC\n" + row + "\n").notes().size();
  };
  CHECK(notes_of("CASSIRSSYEQYF,TRBV19*01,GILGFVFTL,HLA-A*02:01") == 0);
  CHECK(notes_of("CASSIRSSYEQYF,TRBV19*01,GILGFVFTL,A2") > 0);
  CHECK(notes_of("casslrf,TRBV19*01,GILGFVFTL,") > 0);
  CHECK(notes_of("CASSIRSSYEQYF,TRBV19*01,GILGFVFTL") == 1);  // ragged
}

}  // namespace
}  // namespace tcrops::data
