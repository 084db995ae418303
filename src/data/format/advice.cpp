#include "advice.hpp"

#include <fmt/format.h>

namespace tcrops::data {
namespace {

// The parameter of a request that gives all rows a value of this column.
std::string_view parameter_of(std::string_view column) {
  if (column == column_name(Column::kEpitope)) return "epitope";
  if (column == column_name(Column::kMhc)) return "mhc";
  return {};
}

}  // namespace

std::string how_to_give(std::string_view column, Means means) {
  if (means == Means::kOptions) {
    return fmt::format(
        "name the one that holds it with --map {}=COLUMN, or the format with --format", column);
  }
  const std::string rename = fmt::format("rename the one that holds it to \"{}\"", column);
  if (means == Means::kNames) return rename;
  const std::string_view parameter = parameter_of(column);
  if (!parameter.empty())
    return fmt::format("{}, or give all rows one with ?{}=", rename, parameter);
  return rename + ", or name the format with ?format=";
}

std::string how_to_give_cdr3(Means means) {
  if (means == Means::kOptions)
    return "the first line must name the columns; name yours with --map CDR3_beta=COLUMN";
  return means == Means::kQuery
             ? "name yours \"CDR3_beta\" or \"CDR3_alpha\", or the format with ?format="
             : "name yours \"CDR3_beta\" or \"CDR3_alpha\"";
}

std::string how_to_part_chains(Means means) {
  return means == Means::kOptions ? "part the chains and use --map"
                                  : "part the chains into columns \"CDR3_alpha\" and \"CDR3_beta\"";
}

}  // namespace tcrops::data
