#include "canonical_support.hpp"

#include <tcrops/core/rng.hpp>

#include <algorithm>
#include <array>
#include <catch_all.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <test_data.hpp>

namespace tcrops::data {
namespace {

using Counts = std::map<std::string, std::size_t>;

// Rows of a tab-separated, gzipped file without quotes.
std::vector<std::vector<std::string>> tsv_rows(const std::filesystem::path& path) {
  const std::string command = "zcat '" + path.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe != nullptr);
  std::vector<std::vector<std::string>> rows(1);
  rows.back().emplace_back();
  for (int c = 0; (c = getc(pipe.get())) != EOF;) {
    if (c == '\t') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.emplace_back().emplace_back();
    } else {
      rows.back().back() += static_cast<char>(c);
    }
  }
  rows.pop_back();
  return rows;
}

void count(Counts& counts, const Canonical& result) {
  for (const Finding& change : result.changes) ++counts[std::string(change.code)];
  for (const Finding& notice : result.notices) ++counts[std::string(notice.code)];
  if (result.refusal) ++counts[std::string("!").append(result.refusal->code)];
  if (result.value.empty() && !result.refusal) ++counts["missing"];
}

std::string reason(std::string_view text, Chain chain, Segment segment) {
  const Canonical result = canonical_gene(text, chain, segment);
  return result.refusal ? result.refusal->reason : "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a canonical gene stays as it is, whichever it is") {
  for (const Chain chain : {Chain::kAlpha, Chain::kBeta}) {
    for (const Segment segment : {Segment::kV, Segment::kJ}) {
      for (const std::string& name : gene_names(chain, segment)) {
        const Canonical result = canonical_gene(name + "*01", chain, segment);
        CHECK(result.value == name + "*01");
        CHECK(result.changes.empty());
        CHECK_FALSE(result.refusal);
        const bool functional = gene_use(name, chain, segment) == GeneUse::kFunctional;
        CHECK(result.notices.empty() == functional);
        CHECK(told(canonical_gene(name, chain, segment)).rfind(name + "*01 +allele-added", 0) == 0);
      }
    }
  }
}

TEST_CASE("genes are written as IMGT does") {
  CHECK(beta_v("TRBV19*01") == "TRBV19*01");
  CHECK(beta_v("trbv19*01") == "TRBV19*01 +gene-spelling");
  CHECK(beta_v(" TRBV19*01\t") == "TRBV19*01 +blanks-removed");
  CHECK(beta_v("TCRBV19*01") == "TRBV19*01 +gene-spelling");
  CHECK(beta_v("TRBV06-05*01") == "TRBV6-5*01 +gene-spelling");
  CHECK(beta_v("TCRBV20-01*01") == "TRBV20-1*01 +gene-spelling");
  CHECK(beta_v("TCRBV02-01*01") == "TRBV2*01 +gene-spelling");
  CHECK(beta_v("TRBV20") == "TRBV20-1*01 +gene-spelling +allele-added");
  CHECK(beta_v("TRBV 6-5") == "TRBV6-5*01 +gene-spelling +allele-added");
  CHECK(beta_v("Homsap TRBV19*03 F") == "TRBV19*03 +gene-spelling");
  CHECK(beta_v("TRBV20/OR9-2*01") == "TRBV20/OR9-2*01 ?gene-orphon");
  CHECK(beta_v("TRBV20OR9-2*01") == "TRBV20/OR9-2*01 +gene-spelling ?gene-orphon");
  CHECK(beta_j("TRBJ2.7*01") == "TRBJ2-7*01 +gene-spelling");
  CHECK(beta_j("TRBJ2S7*01") == "TRBJ2-7*01 +gene-spelling");
  CHECK(beta_j("TRBJ2\xE2\x80\x93"
               "7*01") == "TRBJ2-7*01 +gene-spelling");
  CHECK(alpha_j("TRAJ5-01") == "TRAJ5*01 +gene-spelling +allele-added");
  CHECK(alpha_j("TRAJ14S1") == "!gene-old-name");
  CHECK(alpha_j("TRAJ58*01") == "TRAJ58*01 ?gene-not-functional");
}

TEST_CASE("the five genes that alpha and delta share have many spellings") {
  for (const char* const text : {"TRAV29DV5*01", "TRAV29*01", "TRAV29-DV5*01", "trav29/dv5*01",
                                 "TRAV29_DV5*01", "TRAV29/DV*01", "TRAV29-1*01"}) {
    CHECK(alpha_v(text) == "TRAV29/DV5*01 +gene-spelling");
  }
  CHECK(alpha_v("TRAV38-2DV8") == "TRAV38-2/DV8*01 +gene-spelling +allele-added");
  CHECK(alpha_v("TRAV38-2") == "TRAV38-2/DV8*01 +gene-spelling +allele-added");
  CHECK(alpha_v("TRAV14") == "TRAV14/DV4*01 +gene-spelling +allele-added");
  // A gene of its own, not another spelling of TRAV14/DV4.
  CHECK(alpha_v("TRAV14-1*01") == "TRAV14-1*01 ?gene-not-functional");
}

TEST_CASE("alleles have two digits") {
  CHECK(beta_v("TRBV19") == "TRBV19*01 +allele-added");
  CHECK(beta_v("TRBV19*00") == "TRBV19*01 +allele-unknown");
  CHECK(beta_v("TRBV19*2") == "TRBV19*02 +gene-spelling");
  CHECK(beta_v("TRBV19:02") == "TRBV19*02 +gene-spelling");
  CHECK(beta_v("TRBV19*02_S31") == "TRBV19*02 +allele-shortened");
  CHECK(beta_v("TRBV19*x") == "TRBV19*01 +allele-unknown");
  CHECK(beta_v("TRBV19*") == "TRBV19*01 +allele-added");
  CHECK(beta_v("TRBV19*123456789012") == "TRBV19*01 +allele-unknown");
  CHECK(beta_v("TRBV19*04") == "TRBV19*04");
  CHECK(beta_v("TRBV19*05") == "TRBV19*05 ?allele-unlisted");
  CHECK(alpha_v("TRAV12*2-01") == "TRAV12-2*01 +gene-spelling");
}

TEST_CASE("of several genes the first is taken") {
  for (const char* const text :
       {"TRBV6-2*01,TRBV6-3*01", "TRBV6-2*01; TRBV6-3", "TRBV6-2*01|TRBV6-3", "TRBV6-2*01/6-3",
        "TRBV6-2*01+TRBV6-3", "TRBV6-2*01 or TRBV6-3", "TRBV6-2*01/TRBV6-3*01",
        ",TRBV6-2*01,6-3"}) {
    CHECK(beta_v(text) == "TRBV6-2*01 +first-of-several");
  }
  CHECK(beta_v("TRBV6-2/6-3") == "TRBV6-2*01 +first-of-several +allele-added");
  CHECK(beta_v("Homsap TRBV6-2*01 F, or Homsap TRBV6-3*01 F") ==
        "TRBV6-2*01 +first-of-several +gene-spelling");
  CHECK(beta_v("TRBV6-2*01,") == "TRBV6-2*01");
  CHECK(alpha_v("TRAV29/DV5*01,TRAV27*01") == "TRAV29/DV5*01 +first-of-several");
  CHECK(beta_v(",") == "");
}

TEST_CASE("genes that cannot be used are refused, with advice") {
  CHECK(alpha_v("TRBV19*01") == "!gene-other-kind");
  CHECK(beta_v("TRBJ2-7*01") == "!gene-other-kind");
  CHECK(alpha_v("TRGV9*01") == "!gene-other-locus");
  CHECK(alpha_v("TRDV1") == "!gene-other-locus");
  CHECK(alpha_v("IGHV3-23*01") == "!gene-other-locus");
  CHECK(alpha_v("TRAV179*01") == "!gene-unknown");
  CHECK(beta_v("TRBV6") == "!gene-family");
  CHECK(beta_v("TRBV6*01") == "!gene-family");
  CHECK(beta_v("TRBV6S4") == "!gene-old-name");
  CHECK(beta_v("19") == "!gene-unknown");
  CHECK(beta_v("*01") == "!gene-unknown");
  CHECK(contains(reason("TRAV179", Chain::kAlpha, Segment::kV), "nearest: TRAV17, TRAV19"));
  CHECK(contains(reason("TRBV4", Chain::kBeta, Segment::kV), "TRBV4-1, TRBV4-2, TRBV4-3"));
  const std::string long_text(5000, 'T');
  CHECK(reason(long_text, Chain::kBeta, Segment::kV).size() < 200);
  CHECK(contains(reason("TRBV\x01\x02", Chain::kBeta, Segment::kV), "TRBV??"));
}

TEST_CASE("a missing gene is no gene and no refusal") {
  for (const char* const text : {"", " ", "NaN", "nan*01", "None", "NA", "-", "<MIS>"}) {
    CHECK(alpha_v(text) == "");
  }
}

TEST_CASE("what came out of any text comes out of itself unchanged") {
  Rng rng(7, "canonical_gene_test");
  const std::string letters = "TRABVJDO0123456789-/*:;, .sS|+\xE2\x80\x93\n\0x";
  std::size_t accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    const bool alpha = rng.below(2) == 0;
    const Chain chain = alpha ? Chain::kAlpha : Chain::kBeta;
    const Segment segment = rng.below(2) == 0 ? Segment::kV : Segment::kJ;
    const auto& names = gene_names(chain, segment);
    std::string text = names[rng.below(names.size())];
    for (std::size_t edits = rng.below(4); edits > 0; --edits) {
      const std::size_t at = rng.below(text.size() + 1);
      text.insert(at, 1, letters[rng.below(letters.size())]);
      if (rng.below(2) == 0) text.erase(rng.below(text.size()), 1);
    }
    const Canonical result = canonical_gene(text, chain, segment);
    INFO(text);
    if (result.refusal) {
      CHECK(result.value.empty());
      continue;
    }
    if (result.value.empty()) continue;
    ++accepted;
    const Canonical again = canonical_gene(result.value, chain, segment);
    CHECK(again.value == result.value);
    CHECK(again.changes.empty());
    CHECK(again.notices.size() == result.notices.size());
    CHECK(gene_use(result.value.substr(0, result.value.size() - 3), chain, segment).has_value());
  }
  CHECK(accepted > 5000);
}

TEST_CASE("CDR3s, peptides and HLA names of VDJdb: what is done to them, counted") {
  const auto folder = test::find_test_data("vdjdb");
  if (!folder) return;
  const auto rows = tsv_rows(*folder / "vdjdb_human.tsv.gz");
  REQUIRE(rows[0][2] == "cdr3");
  REQUIRE(rows[0][6] == "mhc.a");
  REQUIRE(rows[0][9] == "antigen.epitope");
  Counts cdr3;
  Counts peptide;
  Counts mhc;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Chain chain = rows[i][1] == "TRA" ? Chain::kAlpha : Chain::kBeta;
    count(cdr3, canonical_cdr3(rows[i][2], chain, Cdr3Form::kWhole, rows[i][4]));
    count(peptide, canonical_epitope(rows[i][9]));
    count(mhc, canonical_mhc(rows[i][6]));
    count(mhc, canonical_mhc(rows[i][7]));
  }
  CHECK(cdr3 == Counts{{"!cdr3-nucleotides", 1},
                       {"anchors-added", 30},
                       {"flanks-removed", 109},
                       {"no-conserved-c", 263},
                       {"no-conserved-end", 2478}});
  CHECK(peptide.empty());
  // One B2M for each class I record.
  CHECK(mhc == Counts{{"missing", 72483}, {"mhc-shortened", 907}, {"mhc-spelling", 2260}});
}

TEST_CASE("genes of VDJdb: what is done to them, counted") {
  const auto folder = test::find_test_data("vdjdb");
  if (!folder) return;
  const auto rows = tsv_rows(*folder / "vdjdb_human.tsv.gz");
  REQUIRE(rows.size() == 77881);
  REQUIRE(rows[0][3] == "v.segm");
  REQUIRE(rows[0][4] == "j.segm");
  Counts v;
  Counts j;
  std::size_t without_loops = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const Chain chain = rows[i][1] == "TRA" ? Chain::kAlpha : Chain::kBeta;
    const Canonical gene = canonical_gene(rows[i][3], chain, Segment::kV);
    count(v, gene);
    count(j, canonical_gene(rows[i][4], chain, Segment::kJ));
    if (!gene.value.empty() && gene.notices.empty() && !loops_of(gene.value)) ++without_loops;
  }
  CHECK(without_loops == 0);
  CHECK(v == Counts{{"missing", 126},
                    {"!gene-family", 195},
                    {"!gene-old-name", 284},
                    {"!gene-unknown", 26},
                    {"allele-added", 54406},
                    {"first-of-several", 1321},
                    {"gene-spelling", 1269},
                    {"allele-unlisted", 1},
                    {"gene-not-functional", 128},
                    {"gene-orphon", 5}});
  CHECK(j == Counts{{"missing", 964},
                    {"!gene-family", 1},
                    {"!gene-old-name", 98},
                    {"!gene-unknown", 14},
                    {"allele-added", 53020},
                    {"first-of-several", 16},
                    {"gene-spelling", 272},
                    {"allele-unlisted", 1},
                    {"gene-not-functional", 269}});
}

}  // namespace tcrops::data
