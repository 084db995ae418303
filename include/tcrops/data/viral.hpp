#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>

#include <istream>
#include <string>
#include <vector>

namespace tcrops::data {

// The pair table of the ePytope-TCR viral benchmark (Drost et al., Cell Genomics 2025,
// doi 10.1016/j.xgen.2025.100946), built from its two clone tables by the benchmark's own rules.
struct ViralTable {
  std::vector<Record> records;  // TCRs x epitopes, epitope by epitope
  Json rules;                   // [{"rule": text, "rows": rows left}], in order
};

// `beam` is 01_beam-t_clones.csv, `dextramer` 02_covid_dextramer_clones.csv. Throws Error
// (kInputData) when a file lacks a column or no row is left.
[[nodiscard]] ViralTable build_viral_table(std::istream& beam, std::istream& dextramer);

}  // namespace tcrops::data
