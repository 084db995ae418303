// The one way tcrops writes each kind of value, whatever the file it came from. Pure functions.
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

// Any spelling of "no value": empty, blanks, NaN, None, NA, N/A, null, <MIS>, "-", ".", "nan*01";
// in any case.
[[nodiscard]] bool is_missing(std::string_view text);

// How a format writes its CDR3s.
enum class Cdr3Form {
  kWhole,    // with the conserved C and F/W, as IMGT's JUNCTION
  kTrimmed,  // without them, as IMGT's CDR3
  kEither,   // some have them, some do not, as IEDB's curated ones
};

// A CDR3 with its conserved first C and last F/W. A trimmed one gets them; the last letter by its J
// gene (IMGT: W for TRAJ33, TRAJ38, TRAJ55, C for TRAJ35, else F; also F when the gene is unknown),
// counted. A whole one that lacks both is taken for a trimmed one; one that lacks only one stays as
// it is, as a notice. Refused: a letter that is not one of the 20 (lower case, X, B, Z, U, O, J, *,
// _, -, digits, …), fewer than 4 or more than 40 letters (whole), nucleotides only (10 or more
// letters, all of ACGT).
[[nodiscard]] Canonical canonical_cdr3(std::string_view text, Chain chain, Cdr3Form form,
                                       std::string_view j_gene);

// CDR1 or CDR2: letters only, at most 20; IMGT gaps (".", "-") are taken out, counted.
[[nodiscard]] Canonical canonical_loop(std::string_view text);

// A peptide of 2 to 50 letters of the 20. Several joined by "/" or ",": the first, counted. A
// modified one ("NLVPMVATV + SCM(K5)") is refused.
[[nodiscard]] Canonical canonical_epitope(std::string_view text);

// An HLA name as "HLA-A*02:01", at most two fields; of a low-resolution name what it says
// ("HLA-A2" and "A*02": "HLA-A*02"; "HLA-A*02:01:48": "HLA-A*02:01"); class II "HLA-DRB1*04:01",
// and as a pair "HLA-DQA1*05:01/HLA-DQB1*02:01". Several: the first, counted. What is no HLA name
// (H2-Kb, "HLA class I", tags) is missing, as a change.
[[nodiscard]] Canonical canonical_mhc(std::string_view text);

// A gene as IMGT writes it, with allele: "TRAV29/DV5*01". Handles case, blanks, "TCRBV19",
// "TRBV06-05", "TRAV29DV5", "TRAV35:01", "TRAJ5-01", "TRBV19*00" (allele unknown: *01), several
// calls (",", "or", "|", ";", "+", "TRBV6-2/6-3": the first), each counted; no allele: *01,
// counted. Refused: a gene of another chain or segment, or one that IMGT does not know as human,
// with the nearest names. A pseudogene or orphon is a notice. An allele that the reference does not
// list is kept, as a notice.
[[nodiscard]] Canonical canonical_gene(std::string_view text, Chain chain, Segment segment);

// 1, true, yes: bound; 0, -1, false, no: not; any case. Refused: anything else but missing. The
// value is "1" or "0".
[[nodiscard]] Canonical canonical_label(std::string_view text);

}  // namespace tcrops::data
