// Cells and complexes that stand in several rows.
#include "reading.hpp"

#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <map>
#include <scratch_folder.hpp>
#include <set>

namespace tcrops::data {
namespace {

const std::string kAirr = "v_call\tj_call\tjunction_aa\tlocus\tcell_id\tumi_count\tnote\n";

std::string letters(Rng& rng, std::size_t count) {
  std::string text(count, 'A');
  for (char& c : text) c = "ACDEFGHIKLMNPQRSTVWY"[rng.below(20)];
  return text;
}

// `cells` cells of one to four chains, cell by cell; every fifth row belongs to no cell.
std::vector<std::string> random_rows(std::size_t cells) {
  Rng rng(11, "cells");
  std::vector<std::string> rows;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    for (std::size_t chain = 0; chain <= rng.below(4); ++chain) {
      const bool is_alpha = rng.below(2) == 0;
      rows.push_back(fmt::format(
          "{}\t{}\tC{}F\t{}\t{}\t{}\tn{}\n", is_alpha ? "TRAV27*01" : "TRBV19*01",
          is_alpha ? "TRAJ42*01" : "TRBJ2-7*01", letters(rng, 10), is_alpha ? "TRA" : "TRB",
          rng.below(5) == 0 ? "" : fmt::format("cell{}", cell), rng.below(3), rows.size()));
    }
  }
  return rows;
}

std::string joined(const std::vector<std::string>& rows) {
  std::string text = kAirr;
  for (const std::string& row : rows) text += row;
  return text;
}

// A record without its line, as text.
std::string shown(const Record& record) {
  std::string text = tcr_key(record);
  for (const std::string& extra : record.extra) text += "/" + extra;
  return text;
}

std::multiset<std::string> contents(const ReadTable& table) {
  std::multiset<std::string> all;
  for (const Record& record : table.records()) all.insert(shown(record));
  return all;
}

std::string cell(const std::string& rows) { return kAirr + rows; }

}  // namespace

TEST_CASE("rows of a cell may stand anywhere, in memory or on disk") {
  const test::ScratchFolder folder;
  // No two rows of a cell have equal counts, so that the order has no say in which chain is kept.
  std::vector<std::string> rows;
  for (const std::string& row : random_rows(400)) rows.push_back(row);
  std::size_t number = 0;
  for (std::string& row : rows) {
    const std::size_t at = row.rfind('\t');
    const std::size_t before = row.rfind('\t', at - 1);
    row = row.substr(0, before + 1) + std::to_string(++number) + row.substr(at);
  }
  const ReadTable whole = read_all(joined(rows));
  Rng rng(2, "shuffle");
  for (const std::size_t memory : {64U << 20U, 20000U, 300U}) {
    CAPTURE(memory);
    rng.shuffle(rows);
    ReadOptions options;
    options.spill_folder = folder.path();
    options.spill_bytes = memory;
    const ReadTable table = read_all(joined(rows), options);
    CHECK(contents(table) == contents(whole));
    // Every row in exactly one result, and results by their first line.
    std::vector<std::size_t> lines(rows.size());
    for (std::size_t i = 0; i < lines.size(); ++i) lines[i] = i + 2;
    CHECK(table.lines() == lines);
    std::size_t last = 0;
    for (const ReadResult& result : table.results) {
      REQUIRE(!result.rows.empty());
      CHECK(result.rows.front().line > last);
      last = result.rows.front().line;
      CHECK(std::is_sorted(result.rows.begin(), result.rows.end(),
                           [](const auto& a, const auto& b) { return a.line < b.line; }));
      if (result.record) CHECK(result.record->line == last);
    }
  }
}

TEST_CASE("a small budget and a large one give the same results in the same order") {
  const std::string text = joined(random_rows(300));
  ReadOptions small;
  small.spill_bytes = 500;
  const ReadTable in_memory = read_all(text);
  const ReadTable on_disk = read_all(text, small);
  REQUIRE(in_memory.results.size() == on_disk.results.size());
  CHECK(in_memory.notes() == on_disk.notes());
  for (std::size_t i = 0; i < on_disk.results.size(); ++i) {
    const auto& a = in_memory.results[i].record;
    const auto& b = on_disk.results[i].record;
    REQUIRE(a.has_value() == b.has_value());
    if (a) CHECK((same_record(*a, *b) && a->line == b->line));
  }
}

TEST_CASE("the chains of a cell are counted one by one") {
  const std::vector<std::string> rows = random_rows(500);
  // Independently: of each cell (a row without one is its own) the first row with most UMIs.
  std::map<std::string, std::map<std::string, std::pair<int, std::string>>> best;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::istringstream in(rows[i]);
    std::string v, j, cdr3, locus, name, umis;
    for (std::string* field : {&v, &j, &cdr3, &locus, &name, &umis}) std::getline(in, *field, '\t');
    auto& chains = best[name.empty() ? "row" + std::to_string(i) : name];
    const auto found = chains.find(locus);
    if (found == chains.end() || std::stoi(umis) > found->second.first) {
      chains[locus] = {std::stoi(umis), cdr3};
    }
  }
  std::multiset<std::string> expected;
  for (const auto& [name, chains] : best) {
    const auto cdr3 = [&chains = chains](const std::string& locus) {
      const auto found = chains.find(locus);
      return found == chains.end() ? std::string() : found->second.second;
    };
    expected.insert(cdr3("TRA") + " " + cdr3("TRB"));
  }
  std::multiset<std::string> seen;
  for (const Record& record : read_all(joined(rows)).records()) {
    seen.insert(record[Column::kCdr3Alpha] + " " + record[Column::kCdr3Beta]);
  }
  CHECK(seen == expected);
}

TEST_CASE("of two chains of a kind the one with more UMIs stays, of equal ones the first") {
  const ReadTable more =
      read_all(cell("TRBV19*01\tTRBJ2-7*01\tCASSAF\tTRB\tc\t1\ta\nTRBV19*01\tTRBJ2-7*"
                    "01\tCASSDF\tTRB\tc\t2\tb\n"));
  REQUIRE(more.records().size() == 1);
  CHECK(more.records()[0][Column::kCdr3Beta] == "CASSDF");
  CHECK(more.records()[0].line == 2);
  CHECK(more.notes() == std::vector<std::string>{"2 refused locus further-chain"});
  const ReadTable equal =
      read_all(cell("TRBV19*01\tTRBJ2-7*01\tCASSAF\tTRB\tc\t2\ta\nTRBV19*01\tTRBJ2-7*"
                    "01\tCASSDF\tTRB\tc\t2\tb\n"));
  CHECK(equal.records().at(0)[Column::kCdr3Beta] == "CASSAF");
  CHECK(equal.notes() == std::vector<std::string>{"3 refused locus further-chain"});
}

TEST_CASE("further columns hold what each chain's row says, alpha first") {
  const Record record =
      only_record(cell("TRBV19*01\tTRBJ2-7*01\tCASSAF\tTRB\tc\t1\tbeta\n"
                       "TRAV27*01\tTRAJ42*01\tCAGAGF\tTRA\tc\t1\talpha\n"));
  CHECK(record.extra ==
        std::vector<std::string>{"c", "1", std::string("alpha") + kBetweenChains + "beta"});
  CHECK(shown_extra(record.extra[2]) == "alpha|beta");
}

TEST_CASE("gamma and delta chains, and rows without CDR3, are refused one by one") {
  const ReadTable table = read_all(
      cell("TRGV9*01\tTRGJP*01\tCALWEF\tTRG\tc\t1\ta\nTRBV19*01\tTRBJ2-7*01\tCASSDF\tTRB\tc\t2\tb\n"
           "TRAV27*01\tTRAJ42*01\t\tTRA\td\t1\tc\n"));
  CHECK(table.records().size() == 1);
  CHECK(table.notes() ==
        std::vector<std::string>{"2 refused locus other-chain", "4 refused junction_aa no-cdr3"});
}

TEST_CASE("VDJdb's complex 0 is no complex, and a sample parts cells of one name") {
  const std::string vdjdb = "complex.id\tgene\tcdr3\tv.segm\tj.segm\tantigen.epitope\n";
  const auto zero = read_all(vdjdb +
                             "0\tTRA\tCAGAGF\t\t\tGILGFVFTL\n0\tTRB\tCASSF\t\t\tGILGFVFTL\n"
                             "1\tTRA\tCAGAGF\t\t\tGILGFVFTL\n1\tTRB\tCASSF\t\t\tGILGFVFTL\n");
  CHECK(zero.records().size() == 3);
  const std::string ten_x = "barcode,chain,v_gene,j_gene,cdr3,productive,sample\n";
  const auto samples = read_all(ten_x +
                                "A-1,TRA,,,CAGAGF,true,x\nA-1,TRB,,,CASSF,true,y\n"
                                "A-1,TRB,,,CASSDF,true,x\n");
  REQUIRE(samples.records().size() == 2);
  CHECK(samples.records()[0][Column::kCdr3Beta] == "CASSDF");
  CHECK(samples.records()[1][Column::kCdr3Beta] == "CASSF");
}

}  // namespace tcrops::data
