#include "canonical_support.hpp"

#include <tcrops/core/rng.hpp>

#include <catch_all.hpp>

namespace tcrops::data {
namespace {

std::string whole(std::string_view text, std::string_view j_gene = "") {
  return told(canonical_cdr3(text, Chain::kBeta, Cdr3Form::kWhole, j_gene));
}
std::string trimmed_one(std::string_view text, std::string_view j_gene = "") {
  return told(canonical_cdr3(text, Chain::kAlpha, Cdr3Form::kTrimmed, j_gene));
}
std::string either(std::string_view text, Chain chain = Chain::kBeta) {
  return told(canonical_cdr3(text, chain, Cdr3Form::kEither, ""));
}
std::string mhc(std::string_view text) { return told(canonical_mhc(text)); }
std::string epitope(std::string_view text) { return told(canonical_epitope(text)); }
std::string loop(std::string_view text) { return told(canonical_loop(text)); }
std::string label(std::string_view text) { return told(canonical_label(text)); }

}  // namespace

TEST_CASE("there are many ways to say nothing") {
  for (const char* const text :
       {"",    " ",    "\t",    "nan",  "NaN", "NAN", "None",  "none",   "NA",      "n/a",
        "N/A", "NULL", "<MIS>", "<NA>", "-",   ".",   " NaN ", "nan*01", "None*01", "NA*01"}) {
    INFO(text);
    CHECK(is_missing(text));
    CHECK(told(canonical_cdr3(text, Chain::kBeta, Cdr3Form::kTrimmed, "")) == "");
    CHECK(epitope(text) == "");
    CHECK(mhc(text) == "");
    CHECK(label(text) == "");
    CHECK(loop(text) == "");
  }
  for (const char* const text : {"0", "NANA", "CASSF", "TRBV19*01", "nano", "-1", "..", "nan*x"}) {
    INFO(text);
    CHECK_FALSE(is_missing(text));
  }
}

TEST_CASE("a whole CDR3 stays, a trimmed one gets its ends") {
  CHECK(whole("CASSIRSSYEQYF") == "CASSIRSSYEQYF");
  CHECK(whole("CAVMDSNYQLIW") == "CAVMDSNYQLIW");
  CHECK(whole(" CASSIRSSYEQYF ") == "CASSIRSSYEQYF +blanks-removed");
  CHECK(whole("ASSIRSSYEQY") == "CASSIRSSYEQYF +anchors-added");
  CHECK(trimmed_one("ASSIRSSYEQY") == "CASSIRSSYEQYF +anchors-added");
  CHECK(trimmed_one("AVMDSNYQLI", "TRAJ33*01") == "CAVMDSNYQLIW +anchors-added");
  CHECK(trimmed_one("AVMDSNYQLI", "TRAJ33") == "CAVMDSNYQLIW +anchors-added");
  CHECK(trimmed_one("AVIGFGNVLH", "TRAJ35*01") == "CAVIGFGNVLHC +anchors-added");
  CHECK(trimmed_one("AVIGFGNVLH", "TRAJ99*01") == "CAVIGFGNVLHF +anchors-added");
  CHECK(trimmed_one("ASSLGNEQF") == "CASSLGNEQFF +anchors-added");
  CHECK(trimmed_one("CASSIRSSYEQYF") == "CASSIRSSYEQYF ?anchors-present");
  CHECK(trimmed_one("CASSIRSSYEQY") == "CCASSIRSSYEQYF +anchors-added");
}

TEST_CASE("a CDR3 of either form is read by its ends") {
  CHECK(either("CASSIRSSYEQYF") == "CASSIRSSYEQYF");
  CHECK(either("ASSIRSSYEQY") == "CASSIRSSYEQYF +anchors-added");
  // TRBJ in …FF: the F that is left is not the conserved one.
  CHECK(either("ASSLGYNEQF") == "CASSLGYNEQFF +anchors-added");
  CHECK(either("ASSLGNTEAF") == "CASSLGNTEAFF +anchors-added");
  CHECK(either("ASSLGNTGELF") == "CASSLGNTGELFF +anchors-added");
  CHECK(either("ASSLGTNEKLF") == "CASSLGTNEKLFF +anchors-added");
  CHECK(either("AVGGANNLF", Chain::kAlpha) == "CAVGGANNLFF +anchors-added");
  CHECK(either("ASSLGYNEQFF") == "ASSLGYNEQFF ?no-conserved-c");
  CHECK(either("ASSIRSTDTQYF") == "ASSIRSTDTQYF ?no-conserved-c");
  CHECK(either("CASSLGYNEQY") == "CASSLGYNEQY ?no-conserved-end");
  CHECK(told(canonical_cdr3("CAVIGFGNVLHC", Chain::kAlpha, Cdr3Form::kWhole, "TRAJ35*01")) ==
        "CAVIGFGNVLHC");
  CHECK(whole("CASSIRSSYEQYC", "TRBJ2-7*01") == "CASSIRSSYEQYC ?no-conserved-end");
}

TEST_CASE("letters of the framework around a CDR3 are cut off") {
  CHECK(whole("YFCASSQSPGGTQYFGPG") == "CASSQSPGGTQYF +flanks-removed");
  CHECK(whole("CAVRDDKIIFGKG") == "CAVRDDKIIF +flanks-removed");
  CHECK(whole("YICSARDRHREWLHF") == "CSARDRHREWLHF +flanks-removed");
  CHECK(whole("CASSANYGYTFG") == "CASSANYGYTFG ?no-conserved-end");
  CHECK(trimmed_one("YACSSGNT") == "CYACSSGNTF +anchors-added");
}

TEST_CASE("a CDR3 that is none is refused without being repeated") {
  for (const char* const text :
       {"CASSXRSSYEQYF", "CASSBRSSYEQYF", "CASSZRSSYEQYF", "CASSURSSYEQYF", "CASSORSSYEQYF",
        "CASSJRSSYEQYF", "CASS*RSSYEQYF", "CASS_RSSYEQYF", "CASS-RSSYEQYF", "CASS RSSYEQYF",
        "CASS1RSSYEQYF", "cassirssyeqyf", "CASSIRSSYEQYf",
        "\xD0\xA1"
        "ASSIRSSYEQYF"}) {
    INFO(text);
    const Canonical result = canonical_cdr3(text, Chain::kBeta, Cdr3Form::kWhole, "");
    REQUIRE(result.refusal);
    CHECK(result.refusal->code == "cdr3-letter");
    CHECK(result.value.empty());
    CHECK(result.refusal->reason.find("SS") == std::string::npos);
  }
  const auto at = canonical_cdr3("CASSXRF", Chain::kBeta, Cdr3Form::kWhole, "").refusal;
  CHECK(at->reason.find("letter 'X' at position 5") != std::string::npos);
  CHECK(whole("TGTGCCAGCAGT") == "!cdr3-nucleotides");
  CHECK(whole("CAATTACAGA") == "!cdr3-nucleotides");
  CHECK(whole("CATTGACTF") == "CATTGACTF");
}

TEST_CASE("a CDR3 has 4 to 40 letters, ends included") {
  CHECK(whole("CAF") == "!cdr3-length");
  CHECK(whole("CASF") == "CASF");
  CHECK(trimmed_one("A") == "!cdr3-length");
  CHECK(trimmed_one("AS") == "CASF +anchors-added");
  CHECK(whole("C" + std::string(38, 'S') + "F") == "C" + std::string(38, 'S') + "F");
  CHECK(whole("C" + std::string(39, 'S') + "F") == "!cdr3-length");
  CHECK(trimmed_one(std::string(39, 'S')) == "!cdr3-length");
  CHECK(whole(std::string(100000, 'S')) == "!cdr3-length");
}

TEST_CASE("a whole CDR3 is whole when it is read again") {
  Rng rng(11, "canonical_test");
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (std::size_t length = 4 + rng.below(20); text.size() < length;) {
      text += letters[rng.below(letters.size())];
    }
    const Canonical first = canonical_cdr3(text, Chain::kBeta, Cdr3Form::kTrimmed, "TRBJ2-7");
    if (first.refusal || !first.notices.empty()) continue;
    INFO(text);
    CHECK(first.value == "C" + text + "F");
    if (text.find_first_not_of("ACGT") == std::string::npos) continue;
    CHECK(whole(first.value) == first.value);
    CHECK(either(first.value) == first.value);
  }
}

TEST_CASE("loops lose their gaps") {
  CHECK(loop("SVFSS") == "SVFSS");
  CHECK(loop("SVF....SS") == "SVFSS +gaps-removed");
  CHECK(loop("NSA-SQS") == "NSASQS +gaps-removed");
  CHECK(loop("......") == " +gaps-removed");
  CHECK(loop("SVXSS") == "!loop-letter");
  CHECK(loop("svfss") == "!loop-letter");
  CHECK(loop(std::string(20, 'S')) == std::string(20, 'S'));
  CHECK(loop(std::string(21, 'S')) == "!loop-length");
}

TEST_CASE("epitopes are peptides of the 20 amino acids") {
  CHECK(epitope("GILGFVFTL") == "GILGFVFTL");
  CHECK(epitope("NLVPMVATV/NLVPMVAAV") == "NLVPMVATV +first-of-several");
  CHECK(epitope(" NLVPMVATV , NLVPMVAAV") == "NLVPMVATV +blanks-removed +first-of-several");
  CHECK(epitope("NLVPMVATV + SCM(K5)") == "!epitope-modified");
  CHECK(epitope("gilgfvftl") == "!epitope-letter");
  CHECK(epitope("GILGFVF1L") == "!epitope-letter");
  CHECK(epitope("GILGFVFTL_HLA-A*02:01") == "!epitope-letter");
  CHECK(epitope("G") == "!epitope-length");
  CHECK(epitope("GI") == "GI");
  CHECK(epitope(std::string(50, 'G')) == std::string(50, 'G'));
  CHECK(epitope(std::string(51, 'G')) == "!epitope-length");
  CHECK(epitope("/GILGFVFTL") == "!epitope-length");
}

TEST_CASE("class I names have two fields at most") {
  for (const char* const text : {"HLA-A*02:01", "HLA-A*02", "HLA-B*07:02", "HLA-C*07:02",
                                 "HLA-E*01:03", "HLA-A*02:266", "HLA-B*12"}) {
    CHECK(mhc(text) == text);
  }
  for (const char* const text : {"A*02:01", "HLA-A0201", "HLA-A*0201", "A0201", "HLA-A02:01",
                                 "hla-a*02:01", "HLA A*02:01", "HLA-A_02:01", "HLA-A*2:01"}) {
    INFO(text);
    CHECK(mhc(text) == "HLA-A*02:01 +mhc-spelling");
  }
  CHECK(mhc("HLA-A*02:01:48") == "HLA-A*02:01 +mhc-shortened");
  CHECK(mhc("HLA-E*01:01:01:03") == "HLA-E*01:01 +mhc-shortened");
  CHECK(mhc("A*020101") == "HLA-A*02:01 +mhc-spelling +mhc-shortened");
  CHECK(mhc("HLA-A*24:09N") == "HLA-A*24:09 +mhc-spelling");
  CHECK(mhc("HLA-A*02:01, HLA-A*02:06") == "HLA-A*02:01 +first-of-several");
  CHECK(mhc("HLA-A*02:01/HLA-B*07:02") == "HLA-A*02:01 +first-of-several");
  CHECK(mhc("HLA-A*02:01/B2M") == "HLA-A*02:01 +mhc-spelling");
}

TEST_CASE("serotypes become what they say") {
  CHECK(mhc("HLA-A2") == "HLA-A*02 +mhc-spelling");
  CHECK(mhc("A24") == "HLA-A*24 +mhc-spelling");
  CHECK(mhc("HLA-B62") == "HLA-B*15 +mhc-spelling");
  CHECK(mhc("Cw3") == "HLA-C*03 +mhc-spelling");
  CHECK(mhc("HLA-DR4") == "HLA-DRB1*04 +mhc-spelling");
  CHECK(mhc("HLA-DQ8") == "HLA-DQB1*03 +mhc-spelling");
  CHECK(mhc("HLA-A9") == " +mhc-not-hla");
  CHECK(mhc("HLA-DR53") == " +mhc-not-hla");
}

TEST_CASE("class II names may come in pairs") {
  CHECK(mhc("HLA-DRB1*04:01") == "HLA-DRB1*04:01");
  CHECK(mhc("DRB1_0401") == "HLA-DRB1*04:01 +mhc-spelling");
  CHECK(mhc("HLA-DQA1*05:01/HLA-DQB1*02:01") == "HLA-DQA1*05:01/HLA-DQB1*02:01");
  for (const char* const text : {"HLA-DQA1*05:01/DQB1*02:01", "HLA-DQA10501-DQB10201",
                                 "HLA-DQB1*02:01/HLA-DQA1*05:01", "DQA1*05:01, DQB1*02:01"}) {
    INFO(text);
    CHECK(mhc(text) == "HLA-DQA1*05:01/HLA-DQB1*02:01 +mhc-spelling");
  }
  CHECK(mhc("HLA-DPA*01:03") == "HLA-DPA1*01:03 +mhc-spelling");
  CHECK(mhc("HLA-DRA1*01") == "HLA-DRA*01 +mhc-spelling");
  CHECK(mhc("HLA-DRA*01") == "HLA-DRA*01");
  // DRA hardly varies: a pair with it is the same molecule as the beta half alone.
  CHECK(mhc("HLA-DRA*01:01/HLA-DRB1*04:01") == "HLA-DRB1*04:01 +mhc-spelling");
  CHECK(mhc("HLA-DRA1*01/HLA-DRB1*04:01") == "HLA-DRB1*04:01 +mhc-spelling");
  CHECK(mhc("HLA-DQA1*05:01/HLA-DPB1*04:01") == "HLA-DQA1*05:01 +first-of-several");
}

TEST_CASE("what is no HLA name is missing, and said to be") {
  for (const char* const text :
       {"H-2Kb", "H2-Kb", "HLA class I", "DS-A*02:01", "HLA-", "MR1", "CD1d", "20.0", "HLA-A",
        "HLA-A*", "HLA-A*02:01x9", "HLA-A*00", "HLA-A*02:01 K66A mutant", "A*021010101010"}) {
    INFO(text);
    CHECK(mhc(text) == " +mhc-not-hla");
  }
  CHECK(mhc("B2M") == "");
}

TEST_CASE("an MHC that came out is left as it is") {
  Rng rng(3, "canonical_mhc_test");
  const std::string letters = "HLA-BCDRQP*0123456789:/, w";
  const std::string seeds[] = {"HLA-A*02:01", "HLA-DQA1*05:01/HLA-DQB1*02:01", "DR4", "B*0702"};
  std::size_t named = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = seeds[rng.below(4)];
    for (std::size_t edits = rng.below(4); edits > 0; --edits) {
      text.insert(rng.below(text.size() + 1), 1, letters[rng.below(letters.size())]);
      if (rng.below(2) == 0) text.erase(rng.below(text.size()), 1);
    }
    const Canonical result = canonical_mhc(text);
    INFO(text);
    CHECK_FALSE(result.refusal);
    if (result.value.empty()) continue;
    ++named;
    CHECK(mhc(result.value) == result.value);
  }
  CHECK(named > 5000);
}

TEST_CASE("labels are 1 and 0") {
  CHECK(label("1") == "1");
  CHECK(label("0") == "0");
  for (const char* const text : {"true", "TRUE", "yes", "Yes", "1.0"}) {
    CHECK(label(text) == "1 +label-spelling");
  }
  for (const char* const text : {"-1", "false", "No", "0.0", "-1.0"}) {
    CHECK(label(text) == "0 +label-spelling");
  }
  CHECK(label(" 1 ") == "1 +blanks-removed");
  for (const char* const text : {"2", "0.5", "positive", "+", "01", "1e0"}) {
    CHECK(label(text) == "!label-unknown");
  }
}

}  // namespace tcrops::data
