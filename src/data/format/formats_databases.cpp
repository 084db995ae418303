#include "format_lists.hpp"

namespace tcrops::data {
namespace {

using R = Role;
using Names = std::vector<std::string_view>;

// Columns that name the sample, library or donor of a cell in tables put together from several.
const Names kSamples = {
    "sample_id",  "sample",     "Sample",        "sample_name",       "library_id",
    "orig.ident", "origin",     "donor",         "donor_id",          "patient",
    "subject",    "subject_id", "repertoire_id", "data_processing_id"};

bool is_airr(const std::vector<std::string>& row) {
  return has(row, "v_call") && has(row, "j_call") &&
         (has(row, "junction_aa") || has(row, "cdr3_aa"));
}

bool is_iedb(const std::vector<std::string>& row) { return row.size() > 1 && has(row, "Chain 1"); }

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
                                        {R::kUmis, {"umi_count"}},
                                        {R::kReads, {"duplicate_count", "consensus_count"}},
                                        {R::kProductive, {"productive"}},
                                        {R::kIsCell, {"is_cell"}},
                                        {R::kCloneId, {"clone_id"}}}),
          .quoting = Quoting::kNone,
          .also_required = {"sequence_id", "sequence", "rev_comp", "productive", "d_call",
                            "sequence_alignment", "germline_alignment", "junction", "junction_aa",
                            "v_cigar", "d_cigar", "j_cigar"},
          .fits = is_airr,
          .samples = kSamples};
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
                                        {R::kUmis, {"umis"}},
                                        {R::kReads, {"reads"}},
                                        {R::kProductive, {"productive"}},
                                        {R::kIsCell, {"is_cell"}},
                                        {R::kHighConfidence, {"high_confidence"}},
                                        {R::kCloneId, {"raw_clonotype_id"}}}),
          .samples = kSamples,
          .unknown_productive = UnknownProductive::kNo};
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
          .quoting = Quoting::kNone,
          .ungrouped = "0"};
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
          .quoting = Quoting::kNone,
          .ungrouped = "0"};
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
          .quoting = Quoting::kNone,
          .origin = Origin::kMeasured};
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
          .label = ImpliedLabel::kPositive,
          .header_rows = HeaderRows::kTwo,
          .fits = is_iedb};
}

}  // namespace

std::vector<FormatSpec> database_formats() {
  return {iedb(), vdjdb(), vdjdb_web(), vdjdb_full(), mcpas(), ten_x(), airr()};
}

}  // namespace tcrops::data
