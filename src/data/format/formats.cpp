#include "format_lists.hpp"

#include <tcrops/data/reader.hpp>

#include <algorithm>
#include <iterator>

namespace tcrops::data {

std::vector<ColumnMeaning> with_pair_columns(std::vector<ColumnMeaning> columns) {
  columns.push_back(
      {Role::kEpitope, {"epitope", "Epitope", "antigen_epitope", "peptide", "Peptide"}});
  columns.push_back({Role::kMhc, {"mhc", "MHC", "hla", "HLA", "mhc_allele"}});
  columns.push_back({Role::kLabel, {"label", "Label", "binder"}});
  columns.push_back({Role::kOrigin, {"negative_origin", "Origin"}});
  columns.push_back({Role::kFold, {"fold", "Fold", "partition"}});
  return columns;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const std::vector<FormatSpec>& formats() {
  static const std::vector<FormatSpec> all = [] {
    std::vector<FormatSpec> list = database_formats();
    std::vector<FormatSpec> tools = tool_formats();
    std::move(tools.begin(), tools.end(), std::back_inserter(list));
    return list;
  }();
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
