// The one way tcrops writes each kind of value, whatever the file it came from. Pure functions,
// thread-safe; none throws. What came out of one comes out of it again unchanged. A missing text
// gives an empty `value` and no findings. All take away blanks around the text (change
// blanks-removed).
#pragma once

#include <tcrops/data/genes.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// What was found about a value. `code` names the kind, for counting ("allele-added"); `reason` is
// for people and never repeats a sequence beyond one letter; gene and HLA names it may repeat.
struct Finding {
  std::string_view code;
  std::string reason;
};

struct Canonical {
  std::string value;               // empty: missing
  std::vector<Finding> changes;    // what was done to the text to get the value
  std::vector<Finding> notices;    // unusual, but left as it is
  std::optional<Finding> refusal;  // set: the text cannot be used, and `value` is empty
};

// Any spelling of "no value", in any case: empty, blanks, NaN, None, NA, N/A, #N/A, null, <NA>,
// <MIS>, <missing>, "-", ".", and the words with an allele ("nan*01").
[[nodiscard]] bool is_missing(std::string_view text);

// How a format writes its CDR3s.
enum class Cdr3Form {
  kWhole,    // with the conserved C and F/W, as IMGT's JUNCTION
  kTrimmed,  // without them, as IMGT's CDR3
  kEither,   // some have them, some do not, as IEDB's curated ones
};

// A CDR3 with its conserved first C and last F/W. A trimmed one gets them (change anchors-added);
// the last letter by its J gene (IMGT: W for TRAJ33, TRAJ38, TRAJ55, C for TRAJ35, else F; also F
// when the gene is unknown). One of a trimmed format that begins with C and ends with F/W has them
// already (notice anchors-present). A whole one, or one of either form,
//   - loses what stands before "C" in Y.C and after F/W in FG.G (change flanks-removed);
//   - is taken for a trimmed one if it lacks both ends. Without a C, the F of EAF, KLF, EQF, ELF
//     (beta) and NLF (alpha) is no end: it is the first F of a J gene in FF;
//   - stays as it is if it lacks one end (notices no-conserved-c, no-conserved-end).
// Refused: a letter that is not one of the 20 (lower case, X, B, Z, U, O, J, *, _, -, digits, …;
// cdr3-letter), fewer than 4 or more than 40 letters with the ends (cdr3-length), nucleotides only
// (10 or more letters, all of ACGT; cdr3-nucleotides).
[[nodiscard]] Canonical canonical_cdr3(std::string_view text, Chain chain, Cdr3Form form,
                                       std::string_view j_gene);

// CDR1 or CDR2: letters only, at most 20; IMGT gaps (".", "-") are taken out (change gaps-removed).
// Refused: loop-letter, loop-length.
[[nodiscard]] Canonical canonical_loop(std::string_view text);

// A peptide of 2 to 50 letters of the 20. Several joined by "/" or ",": the first (change
// first-of-several). Refused: a modified one ("NLVPMVATV + SCM(K5)"; epitope-modified),
// epitope-letter, epitope-length.
[[nodiscard]] Canonical canonical_epitope(std::string_view text);

// An HLA name as "HLA-A*02:01", at most two fields ("HLA-A*02:01:48", change mhc-shortened); of a
// low-resolution name what it says ("HLA-A2" and "A*02": "HLA-A*02"; "DQ8": "HLA-DQB1*03"; change
// mhc-spelling); class II "HLA-DRB1*04:01", and as a pair "HLA-DQA1*05:01/HLA-DQB1*02:01". A pair
// with DRA, which hardly varies, is written as its beta half. Several: the first (change
// first-of-several). What is no HLA name (H2-Kb, "HLA class I", tags, mutants, serotypes of several
// groups such as A9) is missing (change mhc-not-hla). B2M is missing without a word: every class I
// molecule has it. Never refused.
[[nodiscard]] Canonical canonical_mhc(std::string_view text);

// A gene as IMGT writes it, with allele: "TRAV29/DV5*01". Changes:
//   gene-spelling     case, blanks, "TCRBV19", "TRBV06-05", "TRAV29DV5", "TRAV38-2", "TRAV35:01",
//                     "TRAJ5-01", "TRBV19-1", "TRBJ2S7", "TRAV12*2-01", "Homsap TRBV19*01 F", and a
//                     family for its only gene that works ("TRBV20")
//   allele-added      none given: *01
//   allele-unknown    "*00", or no number: *01
//   allele-shortened  "*02_S31": *02
//   first-of-several  several calls (",", ";", "|", "+", "or", "TRBV6-2/6-3", "TRBV12-3/TRBV12-4")
// Notices: gene-not-functional (open reading frame or pseudogene), gene-orphon, allele-unlisted
// (the reference does not have it; kept). Refused: a gene of another chain or segment
// (gene-other-kind) or locus (gene-other-locus), a family (gene-family), a name of before IMGT
// ("TRBV6S4"; gene-old-name), one that IMGT does not know as human, with the nearest names
// (gene-unknown).
[[nodiscard]] Canonical canonical_gene(std::string_view text, Chain chain, Segment segment);

// 1, true, yes: bound; 0, -1, false, no: not; any case, also as "1.0" (change label-spelling).
// Refused: anything else but missing (label-unknown). The value is "1" or "0".
[[nodiscard]] Canonical canonical_label(std::string_view text);

}  // namespace tcrops::data
