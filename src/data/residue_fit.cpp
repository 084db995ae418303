// How the encoders of amino acids come to be: from a table, or from their own JSON.
#include "amino_acid_tables.hpp"
#include "letters.hpp"
#include "residue_encoder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tcrops::data {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMostNames = 254;  // codes 2 to 255
constexpr std::size_t kMostDims = 64;

[[noreturn]] void unfit(const Record& record, Column column, const std::string& problem) {
  throw Error(ExitCode::kInputData,
              fmt::format("line {}: {} {}", record.line, column_name(column), problem));
}

void check_length(const Record& record, Column column) {
  const std::size_t length = record[column].size();
  if (length <= kLongestText) return;
  unfit(record, column,
        fmt::format("has {} characters; at most {} can be encoded", length, kLongestText));
}

std::size_t longest(std::span<const Record> records, Column column) {
  std::size_t width = 0;
  for (const Record& record : records) {
    check_interrupt();
    check_length(record, column);
    const std::size_t odd = record[column].find_first_not_of(kAminoAcids);
    if (odd != std::string::npos) {
      unfit(record, column,
            fmt::format("holds {}; only the 20 amino acids can be encoded",
                        shown(record[column][odd])));
    }
    width = std::max(width, record[column].size());
  }
  return width;
}

std::vector<std::string> names_in(std::span<const Record> records, Column column) {
  std::set<std::string> names;
  for (const Record& record : records) {
    check_interrupt();
    const std::string& text = record[column];
    if (text.empty() || names.contains(text)) continue;
    check_length(record, column);
    if (const auto odd = std::find_if_not(text.begin(), text.end(), is_printable);
        odd != text.end()) {
      unfit(record, column,
            "holds " + shown(*odd) + "; only printable ASCII characters can be encoded");
    }
    if (names.size() == kMostNames) {
      unfit(record, column,
            fmt::format("is the {}th name of this column; at most {} can be encoded, so leave the "
                        "column out of the features or use the encoder scalar",
                        kMostNames + 1, kMostNames));
    }
    names.insert(text);
  }
  return {names.begin(), names.end()};
}

std::set<TextGroup> sequence_groups(const std::vector<Column>& features) {
  std::set<TextGroup> groups;
  for (const Column column : features) {
    if (is_sequence(column)) groups.insert(group_of(column));
  }
  return groups;
}

// The rows of the amino acids; the gap's is zero.
Json table_to_json(const Expansion::Table& table) {
  Json rows = Json::array();
  for (std::size_t code = 1; code < table.codes(); ++code) {
    const auto row = std::span(table.values).subspan(code * table.dims, table.dims);
    rows.push_back(std::vector<float>(row.begin(), row.end()));
  }
  return rows;
}

Expansion::Table table_from_json(const Json& rows) {
  const bool is_table = rows.is_array() && rows.size() == kAminoAcids.size() &&
                        std::all_of(rows.begin(), rows.end(), [&](const Json& row) {
                          return row.is_array() && row.size() == rows[0].size();
                        });
  if (!is_table || rows[0].empty() || rows[0].size() > kMostDims) {
    corrupt(fmt::format("table must be {} rows of equally many numbers, 1 to {}",
                        kAminoAcids.size(), kMostDims));
  }
  Expansion::Table table{.dims = rows[0].size(), .values = {}};
  table.values.assign(table.dims, 0.0F);
  for (const Json& row : rows) {
    for (const Json& value : row) {
      if (!value.is_number() || !std::isfinite(value.get<float>()))
        corrupt("table holds something that is not a number");
      table.values.push_back(value.get<float>());
    }
  }
  return table;
}

std::map<Column, std::vector<std::string>> names_from_json(const Json& lists,
                                                           const std::vector<Column>& features) {
  if (!lists.is_object()) corrupt("names must be an object of lists");
  std::map<Column, std::vector<std::string>> result;
  for (const Column column : features) {
    if (is_sequence(column)) continue;
    const auto at = lists.find(std::string(column_name(column)));
    if (at == lists.end() || !at->is_array() || at->size() > kMostNames ||
        !std::all_of(at->begin(), at->end(), [](const Json& name) { return name.is_string(); })) {
      corrupt(fmt::format("names.{} must be a list of at most {} texts", column_name(column),
                          kMostNames));
    }
    auto names = at->get<std::vector<std::string>>();
    if (std::adjacent_find(names.begin(), names.end(), std::greater_equal<>()) != names.end() ||
        (!names.empty() && names.front().empty())) {
      corrupt(fmt::format("names.{} must be distinct and ascending", column_name(column)));
    }
    result[column] = std::move(names);
  }
  if (result.size() != lists.size()) corrupt("names has a list of something that is no feature");
  return result;
}

// The two whose numbers are measured or computed; those of the others follow from the name.
bool table_is_kept(const std::string& name) { return name == "blosum" || name == "blosum_mds"; }

}  // namespace

std::unique_ptr<Encoder> fit_residue_encoder(const EncoderOptions& options,
                                             std::span<const Record> records) {
  ResidueFit fit;
  fit.name = options.name;
  fit.features = ordered_features(options.features);
  fit.padding = options.padding;
  fit.letters = amino_acid_table(options.name);
  if (std::find(fit.features.begin(), fit.features.end(), Column::kCloneId) != fit.features.end()) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("encoder {} cannot have clone_id as a feature; leave it out or use "
                            "the encoder scalar",
                            options.name));
  }
  if (records.empty()) {
    throw Error(ExitCode::kInputData, "encoder: there is no row to fit on");
  }
  for (const Column column : fit.features) {
    if (!is_sequence(column)) {
      fit.names[column] = names_in(records, column);
      continue;
    }
    std::size_t& width = fit.widths[static_cast<std::size_t>(group_of(column))];
    width = std::max(width, longest(records, column));
  }
  auto encoder = std::make_unique<ResidueEncoder>(std::move(fit));
  if (encoder->feature_width() == 0) {
    throw Error(ExitCode::kInputData, "encoder: every feature is empty in every row");
  }
  return encoder;
}

Json ResidueEncoder::to_json() const {
  Json names = Json::object();
  for (const auto& [column, list] : fit_.names) names[std::string(column_name(column))] = list;
  Json value = {{"kind", fit_.name},
                {"version", kVersion},
                {"padding", padding_names().at(static_cast<std::size_t>(fit_.padding))},
                {"alphabet", kAminoAcids},
                {"features", features_to_json(fit_.features)},
                {"widths", widths_to_json(fit_.widths, sequence_groups(fit_.features))},
                {"names", names}};
  if (table_is_kept(fit_.name)) value["table"] = table_to_json(fit_.letters);
  return value;
}

std::unique_ptr<Encoder> residue_encoder_from_json(const Json& description) {
  ResidueFit fit;
  fit.name = description["kind"].get<std::string>();
  const bool kept = table_is_kept(fit.name);
  for (const char* key : {"version", "padding", "alphabet", "features", "widths", "names"}) {
    if (!description.contains(key)) corrupt(fmt::format("the key \"{}\" is missing", key));
  }
  require_version(description, kVersion);
  if (description["alphabet"] != kAminoAcids)
    corrupt(fmt::format("alphabet must be {}", kAminoAcids));
  const auto& paddings = padding_names();
  const auto padding = std::find(paddings.begin(), paddings.end(), description["padding"]);
  if (padding == paddings.end()) corrupt("padding must be end or centre");
  fit.padding = padding_named(*padding);
  fit.features = features_from_json(description["features"]);
  if (fit.features.end() != std::find(fit.features.begin(), fit.features.end(), Column::kCloneId))
    corrupt("clone_id cannot be a feature");
  fit.widths = widths_from_json(description["widths"], sequence_groups(fit.features));
  fit.names = names_from_json(description["names"], fit.features);
  if (description.contains("table") != kept || description.size() != (kept ? 8U : 7U))
    corrupt("lacks its table or holds a key this version does not know");
  fit.letters = kept ? table_from_json(description["table"]) : amino_acid_table(fit.name);
  auto encoder = std::make_unique<ResidueEncoder>(std::move(fit));
  if (encoder->feature_width() == 0) corrupt("describes an empty vector");
  return encoder;
}

}  // namespace tcrops::data
