#include "../letters.hpp"
#include "format_lists.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace tcrops::data {
namespace {

using R = Role;

bool is_peptide(std::string_view text) {
  return text.size() >= 4 && text.find_first_not_of(kAminoAcids) == std::string_view::npos;
}

bool is_label(std::string_view text) { return text == "0" || text == "1" || text == "-1"; }

// First rows of values and not of names.
bool is_atm_tcr(const std::vector<std::string>& row) {
  return row.size() == 3 && is_peptide(row[0]) && is_peptide(row[1]) && is_label(row[2]);
}
bool is_nettcr_web(const std::vector<std::string>& row) {
  return (row.size() == 7 || row.size() == 8) &&
         std::all_of(row.begin(), row.begin() + 7, is_peptide) &&
         (row.size() == 7 || is_label(row[7]));
}

// Says that a column "cdr3" holds chains of any kind.
bool tells_chains(const std::vector<std::string>& row) {
  constexpr std::array kTelling = {"chain",  "gene",   "locus",  "Gene",   "Chain", "Locus",
                                   "v_gene", "v_call", "v.segm", "V_gene", "V",     "v"};
  return std::any_of(kTelling.begin(), kTelling.end(),
                     [&row](const char* name) { return has(row, name); });
}
bool is_imrex(const std::vector<std::string>& row) {
  return has(row, "cdr3") && has(row, "antigen.epitope") && !tells_chains(row);
}
bool is_tcrdist3(const std::vector<std::string>& row) {
  return has(row, "cdr3_a_aa") || has(row, "cdr3_b_aa");
}
bool is_benchmark(const std::vector<std::string>& row) {
  return has(row, "CDR3_alpha") || has(row, "CDR3_beta");
}
bool is_beta_list(const std::vector<std::string>& row) {
  const bool has_two = has(row, "CDR3b") || has(row, "CDR3a") || has(row, "cdr3_beta");
  return (has(row, "cdr3") || has(row, "CDR3") || has(row, "aminoAcid")) && !has_two &&
         !tells_chains(row);
}
bool is_anything(const std::vector<std::string>& /*row*/) { return true; }

FormatSpec immrep22() {
  return {.name = "immrep22",
          .title = "IMMREP22 table; the epitope stands in the file's name",
          .signature = {"TRAV", "TRAJ", "TRA_CDR3", "TRBV", "TRBJ", "TRB_CDR3"},
          .columns = with_pair_columns({{R::kCdr3Alpha, {"TRA_CDR3"}},
                                        {R::kCdr3Beta, {"TRB_CDR3"}},
                                        {R::kVAlpha, {"TRAV"}},
                                        {R::kJAlpha, {"TRAJ"}},
                                        {R::kVBeta, {"TRBV"}},
                                        {R::kJBeta, {"TRBJ"}},
                                        {R::kCdr1Alpha, {"A1"}},
                                        {R::kCdr2Alpha, {"A2"}},
                                        {R::kCdr1Beta, {"B1"}},
                                        {R::kCdr2Beta, {"B2"}}}),
          .epitope_in_name = true};
}

FormatSpec immrep23() {
  return {
      .name = "immrep23",
      .title = "IMMREP23 CSV, test or solutions",
      .signature = {"Peptide", "HLA", "Va", "Ja", "CDR3a_extended", "Vb", "Jb", "CDR3b_extended"},
      .columns = {{R::kEpitope, {"Peptide"}},
                  {R::kMhc, {"HLA"}},
                  {R::kCdr3Alpha, {"CDR3a_extended"}},
                  {R::kCdr3Beta, {"CDR3b_extended"}},
                  {R::kVAlpha, {"Va"}},
                  {R::kJAlpha, {"Ja"}},
                  {R::kVBeta, {"Vb"}},
                  {R::kJBeta, {"Jb"}},
                  {R::kCdr1Alpha, {"CDR1a"}},
                  {R::kCdr2Alpha, {"CDR2a"}},
                  {R::kCdr1Beta, {"CDR1b"}},
                  {R::kCdr2Beta, {"CDR2b"}},
                  {R::kLabel, {"Label"}}}};
}

FormatSpec nettcr() {
  return {.name = "nettcr",
          .title = "NetTCR-2.1 and 2.2 CSV: six loops without C and F/W",
          .signature = {"A1", "A2", "A3", "B1", "B2", "B3", "peptide"},
          .columns = {{R::kCdr1Alpha, {"A1"}},
                      {R::kCdr2Alpha, {"A2"}},
                      {R::kCdr3Alpha, {"A3"}},
                      {R::kCdr1Beta, {"B1"}},
                      {R::kCdr2Beta, {"B2"}},
                      {R::kCdr3Beta, {"B3"}},
                      {R::kVAlpha, {"v_alpha"}},
                      {R::kJAlpha, {"j_alpha"}},
                      {R::kVBeta, {"v_beta"}},
                      {R::kJBeta, {"j_beta"}},
                      {R::kEpitope, {"peptide"}},
                      {R::kMhc, {"allele"}},
                      {R::kLabel, {"binder"}},
                      {R::kOrigin, {"origin"}},
                      {R::kFold, {"partition"}}},
          .cdr3 = Cdr3Form::kTrimmed};
}

FormatSpec nettcr20() {
  return {.name = "nettcr20",
          .title = "NetTCR-2.0 CSV: both CDR3 without C and F/W",
          .signature = {"CDR3a", "CDR3b", "peptide"},
          .columns = {{R::kCdr3Alpha, {"CDR3a"}},
                      {R::kCdr3Beta, {"CDR3b"}},
                      {R::kEpitope, {"peptide"}},
                      {R::kMhc, {"allele"}},
                      {R::kLabel, {"binder"}},
                      {R::kFold, {"partition"}}},
          .cdr3 = Cdr3Form::kTrimmed};
}

FormatSpec nettcr_web() {
  return {.name = "nettcr_web",
          .title = "NetTCR-2.2 web form: no header, peptide and six loops",
          .signature = {"peptide", "A1", "A2", "A3", "B1", "B2", "B3"},
          .columns = nettcr().columns,
          .cdr3 = Cdr3Form::kTrimmed,
          .header_rows = HeaderRows::kNone,
          .fits = is_nettcr_web};
}

FormatSpec tulip() {
  return {.name = "tulip",
          .title = "TULIP-TCR CSV, <MIS> for a missing chain",
          .signature = {"CDR3b", "CDR3a", "peptide", "MHC"},
          .columns = {{R::kCdr3Alpha, {"CDR3a"}},
                      {R::kCdr3Beta, {"CDR3b"}},
                      {R::kEpitope, {"peptide"}},
                      {R::kMhc, {"MHC"}},
                      {R::kLabel, {"binder"}}}};
}

// Column names of a pair table that say what they are; ours first.
std::vector<ColumnMeaning> telling_names() {
  std::vector<ColumnMeaning> columns =
      with_pair_columns({{R::kCdr3Alpha,
                          {"cdr3_alpha", "CDR3a", "cdr3a", "CDR3A", "junction_aa_alpha", "TRA_CDR3",
                           "TRA_cdr3", "tra_cdr3"}},
                         {R::kCdr3Beta,
                          {"cdr3_beta", "CDR3b", "cdr3b", "CDR3B", "junction_aa_beta", "TRB_CDR3",
                           "TRB_cdr3", "trb_cdr3"}},
                         {R::kVAlpha, {"v_alpha", "v_call_alpha", "TRAV", "Va"}},
                         {R::kVBeta, {"v_beta", "v_call_beta", "TRBV", "Vb"}},
                         {R::kJAlpha, {"j_alpha", "j_call_alpha", "TRAJ", "Ja"}},
                         {R::kJBeta, {"j_beta", "j_call_beta", "TRBJ", "Jb"}},
                         {R::kCdr1Alpha, {"cdr1_alpha", "CDR1a"}},
                         {R::kCdr2Alpha, {"cdr2_alpha", "CDR2a"}},
                         {R::kCdr1Beta, {"cdr1_beta", "CDR1b"}},
                         {R::kCdr2Beta, {"cdr2_beta", "CDR2b"}},
                         {R::kCloneId, {}},
                         {R::kSpecies, {"species", "Species", "organism"}}});
  for (ColumnMeaning& meaning : columns) {
    const auto index = static_cast<std::size_t>(meaning.role);
    std::string_view ours;
    if (index < kColumnCount) ours = kColumnNames[index];
    if (meaning.role == R::kLabel) ours = kLabelColumn;
    if (meaning.role == R::kOrigin) ours = kOriginColumn;
    if (meaning.role == R::kFold) ours = kFoldColumn;
    if (ours.empty()) continue;
    std::vector<std::string_view> names = {ours};
    std::copy(meaning.names.begin(), meaning.names.end(), std::back_inserter(names));
    meaning.names = std::move(names);
  }
  return columns;
}

FormatSpec benchmark() {
  return {.name = "benchmark",
          .title = "pair table of the ePytope-TCR benchmark, as tcrops writes it",
          .signature = {},
          .columns = telling_names(),
          .fits = is_benchmark};
}

FormatSpec irdataset() {
  return {.name = "epytope",
          .title = "ePytope IRDataset CSV",
          .signature = {"VDJ_chain_type", "VDJ_cdr3", "VJ_chain_type", "VJ_cdr3"},
          .columns = with_pair_columns({{R::kCdr3Alpha, {"VJ_cdr3"}},
                                        {R::kCdr3Beta, {"VDJ_cdr3"}},
                                        {R::kVAlpha, {"VJ_v_gene"}},
                                        {R::kJAlpha, {"VJ_j_gene"}},
                                        {R::kVBeta, {"VDJ_v_gene"}},
                                        {R::kJBeta, {"VDJ_j_gene"}},
                                        {R::kSpecies, {"organism"}}})};
}

FormatSpec scirpy() {
  return {.name = "scirpy",
          .title = "scirpy cells CSV",
          .signature = {"IR_VJ_1_junction_aa", "IR_VDJ_1_junction_aa"},
          .columns = with_pair_columns({{R::kCdr3Alpha, {"IR_VJ_1_junction_aa"}},
                                        {R::kCdr3Beta, {"IR_VDJ_1_junction_aa"}},
                                        {R::kVAlpha, {"IR_VJ_1_v_call"}},
                                        {R::kJAlpha, {"IR_VJ_1_j_call"}},
                                        {R::kVBeta, {"IR_VDJ_1_v_call"}},
                                        {R::kJBeta, {"IR_VDJ_1_j_call"}},
                                        {R::kCloneId, {"clone_id"}}}),
          .label = ImpliedLabel::kPositive};
}

FormatSpec ergo2() {
  return {.name = "ergo2",
          .title = "ERGO-II CSV",
          .signature = {"TRA", "TRB", "TRAV", "TRAJ", "TRBV", "TRBJ", "Peptide"},
          .columns = {{R::kCdr3Alpha, {"TRA"}},
                      {R::kCdr3Beta, {"TRB"}},
                      {R::kVAlpha, {"TRAV"}},
                      {R::kJAlpha, {"TRAJ"}},
                      {R::kVBeta, {"TRBV"}},
                      {R::kJBeta, {"TRBJ"}},
                      {R::kEpitope, {"Peptide"}},
                      {R::kMhc, {"MHC"}},
                      {R::kLabel, {"Label", "label"}}}};
}

FormatSpec mixtcrpred() {
  return {.name = "mixtcrpred",
          .title = "MixTCRpred CSV",
          .signature = {"cdr3_TRA", "cdr3_TRB"},
          .columns = with_pair_columns({{R::kCdr3Alpha, {"cdr3_TRA"}},
                                        {R::kCdr3Beta, {"cdr3_TRB"}},
                                        {R::kVAlpha, {"TRAV"}},
                                        {R::kJAlpha, {"TRAJ"}},
                                        {R::kVBeta, {"TRBV"}},
                                        {R::kJBeta, {"TRBJ"}}})};
}

// Its column `epitope` names the antigen and is kept as it is.
FormatSpec tcrdist3() {
  return {.name = "tcrdist3",
          .title = "tcrdist3 clones",
          .signature = {"cdr3_a_aa", "v_a_gene", "cdr3_b_aa", "v_b_gene"},
          .columns = {{R::kCdr3Alpha, {"cdr3_a_aa"}},
                      {R::kCdr3Beta, {"cdr3_b_aa"}},
                      {R::kVAlpha, {"v_a_gene"}},
                      {R::kJAlpha, {"j_a_gene"}},
                      {R::kVBeta, {"v_b_gene"}},
                      {R::kJBeta, {"j_b_gene"}},
                      {R::kCloneId, {"clone_id"}}},
          .fits = is_tcrdist3};
}

FormatSpec tcrepitopebenchmark() {
  return {.name = "tcrepitopebenchmark",
          .title = "TCREpitopeBenchmark CSV",
          .signature = {"CDR3A", "CDR3B", "Epitope", "Affinity"},
          .columns = {{R::kCdr3Alpha, {"CDR3A"}},
                      {R::kCdr3Beta, {"CDR3B"}},
                      {R::kVAlpha, {"TRAV"}},
                      {R::kJAlpha, {"TRAJ"}},
                      {R::kVBeta, {"TRBV"}},
                      {R::kJBeta, {"TRBJ"}},
                      {R::kEpitope, {"Epitope"}},
                      {R::kMhc, {"MHC"}},
                      {R::kLabel, {"Affinity"}}}};
}

FormatSpec atm_tcr() {
  return {.name = "atm_tcr",
          .title = "ATM-TCR CSV: no header; epitope, beta CDR3, label",
          .signature = {"epitope", "cdr3_beta", "label"},
          .columns = {{R::kEpitope, {"epitope"}},
                      {R::kCdr3Beta, {"cdr3_beta"}},
                      {R::kLabel, {"label"}}},
          .header_rows = HeaderRows::kNone,
          .fits = is_atm_tcr};
}

FormatSpec imrex() {
  return {.name = "imrex",
          .title = "ImRex table: cdr3;antigen.epitope",
          .signature = {"cdr3", "antigen.epitope"},
          .columns = {{R::kCdr3Beta, {"cdr3"}},
                      {R::kEpitope, {"antigen.epitope"}},
                      {R::kSpecies, {"species"}},
                      {R::kLabel, {"y"}}},
          .label = ImpliedLabel::kPositive,
          .fits = is_imrex};
}

// A list of beta chains, as most repertoire tools write it.
FormatSpec cdr3() {
  return {.name = "cdr3",
          .title = "beta chains in a column cdr3 or aminoAcid, with no word on the chain",
          .signature = {},
          .columns = with_pair_columns({{R::kCdr3Beta, {"cdr3", "CDR3", "aminoAcid"}},
                                        {R::kVBeta, {"TRBV", "v_beta"}},
                                        {R::kJBeta, {"TRBJ", "j_beta"}},
                                        {R::kSpecies, {"species", "Species", "organism"}}}),
          .cdr3 = Cdr3Form::kEither,
          .fits = is_beta_list};
}

// Without a definition a CDR3 may have its ends or not.
FormatSpec plain() {
  return {.name = "plain",
          .title = "any other CSV or TSV, by the names of its columns or --map",
          .signature = {},
          .columns = telling_names(),
          .cdr3 = Cdr3Form::kEither,
          .fits = is_anything};
}

}  // namespace

std::vector<FormatSpec> tool_formats() {
  return {immrep23(),  immrep22(), irdataset(),           scirpy(),
          ergo2(),     tcrdist3(), mixtcrpred(),          nettcr(),
          tulip(),     nettcr20(), tcrepitopebenchmark(), imrex(),
          benchmark(), cdr3(),     nettcr_web(),          atm_tcr(),
          plain()};
}

}  // namespace tcrops::data
