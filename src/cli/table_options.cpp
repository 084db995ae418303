#include "table_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/reader.hpp>

#include <fmt/format.h>

namespace tcrops::cli {

stages::TableSource TableOptions::resolved() const {
  stages::TableSource resolved_source = source;
  for (const std::string& each : map) {
    const std::size_t sign = each.find('=');
    if (sign == std::string::npos || sign == 0 || sign + 1 == each.size()) {
      throw Error(ExitCode::kUsage,
                  fmt::format("--map {}: write COLUMN=THEIRS, for example CDR3_beta=cdr3", each));
    }
    const std::string column = each.substr(0, sign);
    if (!resolved_source.map.emplace(column, each.substr(sign + 1)).second) {
      throw Error(ExitCode::kUsage, fmt::format("--map {} is given twice", column));
    }
  }
  return resolved_source;
}

void add_table_options(CLI::App& app, TableOptions& options) {
  std::vector<std::string> names{std::string(data::kDetectFormat)};
  for (const data::FormatName& each : data::format_names()) names.emplace_back(each.name);
  app.add_option("--format", options.source.format,
                 "format of the input; auto: seen from its column names")
      ->check(CLI::IsMember(names))
      ->default_str("auto");
  app.add_option("--map", options.map,
                 "which column of the input holds one of ours: CDR3_alpha, CDR3_beta, V_alpha, "
                 "V_beta, J_alpha, J_beta, Epitope, MHC, clone_id, CDR1_alpha, …, Label, Origin, "
                 "Fold; may be given several times")
      ->type_name("COLUMN=THEIRS");
  app.add_option("--epitope", options.source.epitope, "epitope of rows that name none")
      ->type_name("PEPTIDE");
  app.add_option("--mhc", options.source.mhc, "MHC allele of rows that name none")
      ->type_name("ALLELE");
}

}  // namespace tcrops::cli
