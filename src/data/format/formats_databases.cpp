#include "format_lists.hpp"

namespace tcrops::data {
namespace {

using R = Role;

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

}  // namespace

std::vector<FormatSpec> database_formats() {
  return {iedb(), vdjdb(), vdjdb_web(), vdjdb_full(), mcpas(), ten_x(), airr()};
}

}  // namespace tcrops::data
