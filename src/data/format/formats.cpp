#include "format.hpp"

#include <tcrops/data/reader.hpp>

#include <algorithm>

namespace tcrops::data {
namespace {

using R = Role;
using Names = std::vector<std::string_view>;

// What any table may carry beside the columns of its own format. AIRR's rules for custom columns
// allow these names, and tcrops writes them.
std::vector<ColumnMeaning> with_pair_columns(std::vector<ColumnMeaning> columns) {
  columns.push_back({R::kEpitope, {"epitope", "Epitope", "antigen_epitope", "peptide", "Peptide"}});
  columns.push_back({R::kMhc, {"mhc", "MHC", "hla", "HLA", "mhc_allele"}});
  columns.push_back({R::kLabel, {"label", "Label", "binder"}});
  columns.push_back({R::kOrigin, {"negative_origin", "Origin"}});
  columns.push_back({R::kFold, {"fold", "Fold", "partition"}});
  return columns;
}

FormatSpec airr() {
  return {.name = "airr",
          .title = "AIRR Rearrangement TSV, also of Cell Ranger",
          .layout = Layout::kChains,
          .signature = {"v_call", "j_call"},
          .columns = with_pair_columns({{R::kChain, {"locus"}},
                                        {R::kChainCdr3, {"junction_aa"}},
                                        {R::kChainTrimmed, {"cdr3_aa"}},
                                        {R::kChainCdr1, {"cdr1_aa"}},
                                        {R::kChainCdr2, {"cdr2_aa"}},
                                        {R::kChainV, {"v_call"}},
                                        {R::kChainJ, {"j_call"}},
                                        {R::kGroup, {"tcrops_record", "cell_id"}},
                                        {R::kSample, {"repertoire_id", "sample_id"}},
                                        {R::kUmis, {"umi_count"}},
                                        {R::kReads, {"duplicate_count", "consensus_count"}},
                                        {R::kProductive, {"productive"}},
                                        {R::kIsCell, {"is_cell"}},
                                        {R::kCloneId, {"clone_id"}}}),
          .quoting = Quoting::kNone,
          .also_required = {"sequence_id", "sequence", "rev_comp", "productive", "d_call",
                            "sequence_alignment", "germline_alignment", "junction", "junction_aa",
                            "v_cigar", "d_cigar", "j_cigar"}};
}

FormatSpec ten_x() {
  return {.name = "10x",
          .title = "10x Genomics contig annotations CSV, Cell Ranger 3 and later",
          .layout = Layout::kChains,
          .signature = {"barcode", "chain", "v_gene", "j_gene", "cdr3"},
          .columns = with_pair_columns({{R::kChain, {"chain"}},
                                        {R::kChainCdr3, {"cdr3"}},
                                        {R::kChainCdr1, {"cdr1"}},
                                        {R::kChainCdr2, {"cdr2"}},
                                        {R::kChainV, {"v_gene"}},
                                        {R::kChainJ, {"j_gene"}},
                                        {R::kGroup, {"barcode"}},
                                        {R::kSample, {"sample", "donor"}},
                                        {R::kUmis, {"umis"}},
                                        {R::kReads, {"reads"}},
                                        {R::kProductive, {"productive"}},
                                        {R::kIsCell, {"is_cell"}},
                                        {R::kHighConfidence, {"high_confidence"}},
                                        {R::kCloneId, {"raw_clonotype_id"}}})};
}

FormatSpec vdjdb() {
  return {.name = "vdjdb",
          .title = "VDJdb release table, one chain per row",
          .layout = Layout::kChains,
          .signature = {"complex.id", "gene", "cdr3", "v.segm", "j.segm", "antigen.epitope"},
          .columns = {{R::kChain, {"gene"}},
                      {R::kChainCdr3, {"cdr3"}},
                      {R::kChainV, {"v.segm"}},
                      {R::kChainJ, {"j.segm"}},
                      {R::kGroup, {"complex.id"}},
                      {R::kSpecies, {"species"}},
                      {R::kMhc, {"mhc.a"}},
                      {R::kMhcSecond, {"mhc.b"}},
                      {R::kEpitope, {"antigen.epitope"}}},
          .label = ImpliedLabel::kPositive,
          .quoting = Quoting::kNone};
}

FormatSpec vdjdb_web() {
  return {.name = "vdjdb_web",
          .title = "VDJdb export of the web browser",
          .layout = Layout::kChains,
          .signature = {"complex.id", "Gene", "CDR3", "V", "J", "Epitope"},
          .columns = {{R::kChain, {"Gene"}},
                      {R::kChainCdr3, {"CDR3"}},
                      {R::kChainV, {"V"}},
                      {R::kChainJ, {"J"}},
                      {R::kGroup, {"complex.id"}},
                      {R::kSpecies, {"Species"}},
                      {R::kMhc, {"MHC A"}},
                      {R::kMhcSecond, {"MHC B"}},
                      {R::kEpitope, {"Epitope"}}},
          .label = ImpliedLabel::kPositive,
          .quoting = Quoting::kNone};
}

FormatSpec vdjdb_full() {
  return {.name = "vdjdb_full",
          .title = "VDJdb full table, one complex per row; measured negatives have label 0",
          .signature = {"cdr3.alpha", "v.alpha", "cdr3.beta", "v.beta", "antigen.epitope"},
          .columns = {{R::kCdr3Alpha, {"cdr3.alpha"}},
                      {R::kVAlpha, {"v.alpha"}},
                      {R::kJAlpha, {"j.alpha"}},
                      {R::kCdr3Beta, {"cdr3.beta"}},
                      {R::kVBeta, {"v.beta"}},
                      {R::kJBeta, {"j.beta"}},
                      {R::kSpecies, {"species"}},
                      {R::kMhc, {"mhc.a"}},
                      {R::kMhcSecond, {"mhc.b"}},
                      {R::kEpitope, {"antigen.epitope"}},
                      {R::kLabel, {"label"}}},
          .label = ImpliedLabel::kPositive,
          .quoting = Quoting::kNone};
}

FormatSpec mcpas() {
  return {.name = "mcpas",
          .title = "McPAS-TCR CSV",
          .signature = {"CDR3.alpha.aa", "CDR3.beta.aa", "Epitope.peptide"},
          .columns = {{R::kCdr3Alpha, {"CDR3.alpha.aa"}},
                      {R::kCdr3Beta, {"CDR3.beta.aa"}},
                      {R::kVAlpha, {"TRAV"}},
                      {R::kJAlpha, {"TRAJ"}},
                      {R::kVBeta, {"TRBV"}},
                      {R::kJBeta, {"TRBJ"}},
                      {R::kSpecies, {"Species"}},
                      {R::kMhc, {"MHC"}},
                      {R::kEpitope, {"Epitope.peptide"}}},
          .label = ImpliedLabel::kPositive};
}

FormatSpec iedb() {
  return {.name = "iedb",
          .title = "IEDB receptor export CSV, with its two header rows",
          .layout = Layout::kIedb,
          .signature = {"Chain 1|Type", "Chain 2|Type", "Epitope|Name"},
          .columns = {{R::kEpitope, {"Epitope|Name"}}, {R::kMhc, {"Assay|MHC Allele Names"}}},
          .cdr3 = Cdr3Form::kEither,
          .label = ImpliedLabel::kPositive};
}

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
                                        {R::kCdr2Beta, {"B2"}}})};
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
          .cdr3 = Cdr3Form::kTrimmed};
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

FormatSpec benchmark() {
  FormatSpec spec = {
      .name = "benchmark",
      .title = "pair table of the ePytope-TCR benchmark, as tcrops writes it",
      .signature = {},
      .columns = {
          {R::kLabel, {kLabelColumn}}, {R::kOrigin, {kOriginColumn}}, {R::kFold, {kFoldColumn}}}};
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    spec.columns.push_back({static_cast<Role>(c), {kColumnNames[c]}});
  }
  return spec;
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
                      {R::kCloneId, {"clone_id"}}}};
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
          .columns = {
              {R::kEpitope, {"epitope"}}, {R::kCdr3Beta, {"cdr3_beta"}}, {R::kLabel, {"label"}}}};
}

FormatSpec imrex() {
  return {
      .name = "imrex",
      .title = "ImRex table: cdr3;antigen.epitope",
      .signature = {"cdr3", "antigen.epitope"},
      .columns = {{R::kCdr3Beta, {"cdr3"}}, {R::kEpitope, {"antigen.epitope"}}, {R::kLabel, {"y"}}},
      .label = ImpliedLabel::kPositive};
}

// Column names that say what they are. Without a definition a CDR3 may have its ends or not.
FormatSpec plain() {
  return {.name = "plain",
          .title = "any other CSV or TSV, by the names of its columns or --map",
          .signature = {},
          .columns = with_pair_columns(
              {{R::kCdr3Alpha,
                {"CDR3_alpha", "cdr3_alpha", "CDR3a", "cdr3a", "CDR3A", "junction_aa_alpha",
                 "TRA_CDR3", "TRA_cdr3", "tra_cdr3"}},
               {R::kCdr3Beta,
                {"CDR3_beta", "cdr3_beta", "CDR3b", "cdr3b", "CDR3B", "junction_aa_beta",
                 "TRB_CDR3", "TRB_cdr3", "trb_cdr3", "aminoAcid", "cdr3", "CDR3"}},
               {R::kVAlpha, {"V_alpha", "v_alpha", "v_call_alpha", "TRAV", "Va"}},
               {R::kVBeta, {"V_beta", "v_beta", "v_call_beta", "TRBV", "Vb"}},
               {R::kJAlpha, {"J_alpha", "j_alpha", "j_call_alpha", "TRAJ", "Ja"}},
               {R::kJBeta, {"J_beta", "j_beta", "j_call_beta", "TRBJ", "Jb"}},
               {R::kCdr1Alpha, {"CDR1_alpha", "cdr1_alpha", "CDR1a"}},
               {R::kCdr2Alpha, {"CDR2_alpha", "cdr2_alpha", "CDR2a"}},
               {R::kCdr1Beta, {"CDR1_beta", "cdr1_beta", "CDR1b"}},
               {R::kCdr2Beta, {"CDR2_beta", "cdr2_beta", "CDR2b"}},
               {R::kCloneId, {"clone_id"}},
               {R::kSpecies, {"species", "Species", "organism"}}}),
          .cdr3 = Cdr3Form::kEither};
}

}  // namespace

const std::vector<FormatSpec>& formats() {
  static const std::vector<FormatSpec> all = {
      iedb(),     vdjdb(),      vdjdb_web(),  vdjdb_full(), mcpas(),    ten_x(),
      airr(),     immrep23(),   immrep22(),   irdataset(),  scirpy(),   ergo2(),
      tcrdist3(), mixtcrpred(), nettcr(),     tulip(),      nettcr20(), tcrepitopebenchmark(),
      imrex(),    benchmark(),  nettcr_web(), atm_tcr(),    plain()};
  return all;
}

const FormatSpec* format_named(std::string_view name) {
  const auto at = std::find_if(formats().begin(), formats().end(),
                               [name](const FormatSpec& spec) { return spec.name == name; });
  return at == formats().end() ? nullptr : &*at;
}

const std::vector<FormatName>& format_names() {
  static const std::vector<FormatName> names = [] {
    std::vector<FormatName> list;
    for (const FormatSpec& spec : formats()) list.push_back({spec.name, spec.title});
    return list;
  }();
  return names;
}

}  // namespace tcrops::data
