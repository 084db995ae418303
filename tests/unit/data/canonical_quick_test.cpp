// What is told to be canonical at once stays as it stands, without a finding.
#include "canonical_quick.hpp"

#include "canonical_support.hpp"

#include <tcrops/core/rng.hpp>

#include <fmt/format.h>

#include <catch_all.hpp>

using namespace tcrops;
using namespace tcrops::data;

namespace {

bool stays(const Canonical& canonical, const std::string& text) {
  return canonical.value == text && told(canonical) == text;
}

void check_all(const std::string& text) {
  CAPTURE(text);
  const auto implies = [](bool quick, bool plain) { return !quick || plain; };
  for (const Chain chain : {Chain::kAlpha, Chain::kBeta}) {
    REQUIRE(implies(is_canonical_cdr3(text),
                    stays(canonical_cdr3(text, chain, Cdr3Form::kWhole, "TRAJ35*01"), text)));
  }
  REQUIRE(implies(is_canonical_loop(text), stays(canonical_loop(text), text)));
  REQUIRE(implies(is_canonical_epitope(text), stays(canonical_epitope(text), text)));
  REQUIRE(implies(is_canonical_mhc(text), stays(canonical_mhc(text), text)));
  const KnownAllele* const known = known_allele(text);
  if (known == nullptr) return;
  REQUIRE(stays(canonical_gene(text, known->chain, known->segment), text));
  const auto loops = loops_of(text);
  REQUIRE((known->loops == nullptr) == !loops);
  if (loops) REQUIRE((known->loops->cdr1 == loops->cdr1 && known->loops->cdr2 == loops->cdr2));
}

}  // namespace

TEST_CASE("usual values are told to be canonical") {
  CHECK(is_canonical_cdr3("CASSIRSSYEQYF"));
  CHECK(is_canonical_loop("SGHRS"));
  CHECK(is_canonical_epitope("NLVPMVATV"));
  CHECK(is_canonical_mhc("HLA-A*02:01"));
  CHECK(known_allele("TRAV29/DV5*01") != nullptr);
  CHECK(known_allele("TRBJ2-7*01")->loops == nullptr);
  for (const char* text : {"", "NAN", "NA", "CASSXF", "casSf", "CAF", " CASSF", "TRBV19",
                           "TRBV19*99", "HLA-A*2", "-"}) {
    CAPTURE(text);
    CHECK_FALSE(is_canonical_cdr3(text));
    CHECK_FALSE(is_canonical_mhc(text));
    CHECK(known_allele(text) == nullptr);
  }
  for (const char* text : {"", "NAN", "NA", "A-B", "nlv", "."}) {
    CHECK_FALSE(is_canonical_loop(text));
    CHECK_FALSE(is_canonical_epitope(text));
  }
}

TEST_CASE("what is told to be canonical stays as it stands") {
  std::size_t known = 0;
  for (const Chain chain : {Chain::kAlpha, Chain::kBeta}) {
    for (const Segment segment : {Segment::kV, Segment::kJ}) {
      for (const std::string& gene : gene_names(chain, segment)) {
        for (int allele = 0; allele < 12; ++allele) {
          const std::string name = fmt::format("{}*{:02}", gene, allele);
          check_all(name);
          known += known_allele(name) != nullptr ? 1 : 0;
        }
      }
    }
  }
  CHECK(known > 200);
  const std::vector<std::string> texts = {
      "CASSIRSSYEQYF", "CGGGF", "YFCASSIRSSYEQYFGPG", "NAN",        "NLVPMVATV",     "SV..FSS",
      "HLA-A*02:01",   "A2",    "HLA-DRB1*04:01",     "TRBV19*01",  "TRAV29/DV5*01", "CAAAW",
      "N/A",           "<MIS>", "HLA-A*00:01",        "CACGTACGTAC"};
  const std::string letters = "ACDEFGHLNWYacnX*:-./ ,0129\xC3";
  Rng rng(5, "canonical");
  for (int i = 0; i < 30'000; ++i) {
    std::string text = texts[static_cast<std::size_t>(rng.below(texts.size()))];
    for (std::uint64_t change = rng.below(3); change > 0; --change) {
      const auto at = static_cast<std::size_t>(rng.below(text.size() + 1));
      if (rng.below(2) == 0) text.erase(at, 1);
      text.insert(std::min(at, text.size()), 1,
                  letters[static_cast<std::size_t>(rng.below(letters.size()))]);
    }
    check_all(text);
  }
}
