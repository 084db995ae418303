#include "fixtures.hpp"

#include <tcrops/data/csv.hpp>
#include <tcrops/data/genes.hpp>

#include <algorithm>
#include <array>
#include <catch_all.hpp>
#include <fstream>
#include <set>
#include <test_data.hpp>

namespace tcrops::data {
namespace {

constexpr std::array kChains = {Chain::kAlpha, Chain::kBeta};
constexpr std::array kSegments = {Segment::kV, Segment::kJ};

std::size_t count_use(Chain chain, Segment segment, GeneUse use) {
  const auto& names = gene_names(chain, segment);
  return static_cast<std::size_t>(std::count_if(
      names.begin(), names.end(),
      [&](const std::string& name) { return gene_use(name, chain, segment) == use; }));
}

bool has_loops(const std::string& allele, const std::string& cdr1, const std::string& cdr2) {
  const auto loops = loops_of(allele);
  return loops && loops->cdr1 == cdr1 && loops->cdr2 == cdr2;
}

}  // namespace

TEST_CASE("the table has IMGT's genes of each kind") {
  // As IMGT's gene tables count them; the orphons are those of chromosome 9.
  CHECK(gene_names(Chain::kAlpha, Segment::kJ).size() == 61);
  CHECK(gene_names(Chain::kBeta, Segment::kJ).size() == 14);
  CHECK(count_use(Chain::kAlpha, Segment::kV, GeneUse::kFunctional) == 45);
  CHECK(count_use(Chain::kAlpha, Segment::kV, GeneUse::kOrphon) == 0);
  CHECK(count_use(Chain::kBeta, Segment::kV, GeneUse::kOrphon) == 9);
  CHECK(count_use(Chain::kBeta, Segment::kJ, GeneUse::kFunctional) == 13);
  CHECK(gene_use("TRAV29/DV5", Chain::kAlpha, Segment::kV) == GeneUse::kFunctional);
  CHECK(gene_use("TRBV21-1", Chain::kBeta, Segment::kV) == GeneUse::kNotFunctional);
  CHECK(gene_use("TRBV20/OR9-2", Chain::kBeta, Segment::kV) == GeneUse::kOrphon);
  CHECK(gene_use("TRBJ2-2P", Chain::kBeta, Segment::kJ) == GeneUse::kNotFunctional);
}

TEST_CASE("a gene is found under its own kind and exact name only") {
  CHECK_FALSE(gene_use("TRBV19", Chain::kAlpha, Segment::kV));
  CHECK_FALSE(gene_use("TRBV19", Chain::kBeta, Segment::kJ));
  CHECK_FALSE(gene_use("TRBV19*01", Chain::kBeta, Segment::kV));
  CHECK_FALSE(gene_use("TRAV29", Chain::kAlpha, Segment::kV));
  CHECK_FALSE(gene_use("", Chain::kAlpha, Segment::kV));
  CHECK_FALSE(gene_use("TRBJ2-8", Chain::kBeta, Segment::kJ));
}

TEST_CASE("names are sorted, distinct and of the kind asked for") {
  for (const Chain chain : kChains) {
    for (const Segment segment : kSegments) {
      const auto& names = gene_names(chain, segment);
      CHECK(std::is_sorted(names.begin(), names.end()));
      CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
      const std::string start = std::string("TR") + (chain == Chain::kAlpha ? "A" : "B") +
                                (segment == Segment::kV ? "V" : "J");
      for (const std::string& name : names) CHECK(name.rfind(start, 0) == 0);
    }
  }
}

TEST_CASE("loops follow the allele, else the gene") {
  CHECK(has_loops("TRAV27*01", "SVFSS", "VVTGGEV"));
  CHECK(has_loops("TRBV19*01", "LNHDA", "SQIVND"));
  CHECK(has_loops("TRBV19*02", "LNHDA", "SHIVND"));
  CHECK(has_loops("TRBV19*99", "LNHDA", "SQIVND"));
  CHECK(has_loops("TRBV19", "LNHDA", "SQIVND"));
  CHECK(has_loops("TRAV14/DV4*02", "TSDQSYG", "QGSYDEQN"));
  CHECK(has_loops("TRBV7-4*01", "SGHVT", "SQSDAQ"));
  // Only *02 can be translated; *01 has a stop in CDR2.
  CHECK(has_loops("TRBV12-2*01", "FGHNF", "FRSRSI"));
  CHECK_FALSE(loops_of("TRBV99*01"));
  CHECK_FALSE(loops_of("TRAJ42*01"));
  CHECK_FALSE(loops_of(""));
}

TEST_CASE("every functional V gene has loops of amino acids") {
  CHECK(missing_loops().empty());
  for (const Chain chain : kChains) {
    for (const std::string& gene : gene_names(chain, Segment::kV)) {
      const auto loops = loops_of(gene);
      if (!loops) continue;
      INFO(gene);
      for (const std::string& loop : {loops->cdr1, loops->cdr2}) {
        // IMGT numbers 27 to 38 and 56 to 65.
        CHECK((loop.size() >= 3 && loop.size() <= 12));
        CHECK(loop.find_first_not_of("ACDEFGHIKLMNPQRSTVWY") == std::string::npos);
      }
      // CDR2 of a beta V gene has 5 to 7 letters, CDR1 5 or 6 but for TRBV1.
      if (chain == Chain::kBeta) CHECK((loops->cdr2.size() >= 5 && loops->cdr2.size() <= 7));
    }
  }
}

TEST_CASE("J genes end CDR3s as IMGT says") {
  CHECK(j_anchor("TRAJ33*01") == 'W');
  CHECK(j_anchor("TRAJ38") == 'W');
  CHECK(j_anchor("TRAJ55*01") == 'W');
  CHECK(j_anchor("TRAJ35*01") == 'C');
  CHECK(j_anchor("TRBJ2-7*01") == 'F');
  CHECK(j_anchor("TRAV27*01") == 'F');
  CHECK(j_anchor("") == 'F');
  CHECK(j_anchor("TRAJ99") == 'F');
  std::size_t others = 0;
  for (const Chain chain : kChains) {
    for (const std::string& gene : gene_names(chain, Segment::kJ)) {
      others += j_anchor(gene) == 'F' ? 0 : 1;
    }
  }
  CHECK(others == 4);
}

TEST_CASE("loops agree with those that IMMREP22 publishes") {
  const auto folder = test::find_test_data("immrep22_train");
  if (!folder) return;
  std::ifstream in(*folder / "v_cdr12.csv", std::ios::binary);
  CsvReader reader(in, "v_cdr12.csv");
  std::vector<std::string> row;
  REQUIRE(reader.next(row));
  std::size_t alleles = 0;
  for (; reader.next(row); ++alleles) {
    INFO(row[1]);
    CHECK(has_loops(row[1], row[2], row[3]));
  }
  CHECK(alleles == 99);
}

}  // namespace tcrops::data
