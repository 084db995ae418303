#include "text_layout.hpp"

#include "letters.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

// False when a letter has no code.
bool write_codes(std::string_view text, const LetterCodes& codes, std::uint8_t* to) {
  bool are_known = true;
  for (const char letter : text) {
    const std::uint8_t code = codes[static_cast<unsigned char>(letter)];
    are_known &= code != 0;
    *to++ = code;
  }
  return are_known;
}

}  // namespace

TextGroup group_of(Column column) {
  switch (column) {
    case Column::kCdr3Alpha:
    case Column::kCdr3Beta:
      return TextGroup::kCdr3;
    case Column::kEpitope:
      return TextGroup::kEpitope;
    case Column::kCdr1Alpha:
    case Column::kCdr2Alpha:
    case Column::kCdr1Beta:
    case Column::kCdr2Beta:
      return TextGroup::kLoop;
    default:
      return TextGroup::kGene;
  }
}

std::vector<Column> ordered_features(const std::vector<Column>& features) {
  if (features.empty()) {
    throw Error(ExitCode::kConfiguration, "encoder: no features; name at least one column");
  }
  const std::set<Column> distinct(features.begin(), features.end());
  return {distinct.begin(), distinct.end()};
}

bool place_codes(std::string_view text, const LetterCodes& codes, Padding padding,
                 std::span<std::uint8_t> places) {
  if (text.size() > places.size()) return false;
  const std::size_t left = padding == Padding::kEnd ? text.size() : (text.size() + 1) / 2;
  const std::string_view right = text.substr(left);
  const bool left_known = write_codes(text.substr(0, left), codes, places.data());
  const bool right_known =
      write_codes(right, codes, places.data() + (places.size() - right.size()));
  return left_known && right_known;
}

std::span<std::uint8_t> append_zeros(std::size_t code_width, std::size_t number_width,
                                     EncodedRows& to) {
  if (to.rows == 0) {
    to.code_width = code_width;
    to.number_width = number_width;
  }
  if (to.code_width != code_width || to.number_width != number_width) {
    throw Error(ExitCode::kArtifact,
                fmt::format("a row of {} letters and {} numbers among rows of {} and {}; they "
                            "belong to another encoder",
                            code_width, number_width, to.code_width, to.number_width));
  }
  to.codes.resize(to.codes.size() + code_width);
  to.numbers.resize(to.numbers.size() + number_width);
  ++to.rows;
  return std::span(to.codes).last(code_width);
}

void drop_last_row(EncodedRows& to) {
  to.codes.resize(to.codes.size() - to.code_width);
  to.numbers.resize(to.numbers.size() - to.number_width);
  if (--to.rows == 0) to.code_width = to.number_width = 0;
}

std::optional<EncodeFault> length_fault(Column column, std::size_t letters, std::size_t places) {
  if (letters <= places) return std::nullopt;
  return EncodeFault{column, fmt::format("has {} letters; the encoder was fitted for at most {}",
                                         letters, places)};
}

void corrupt(const std::string& problem) {
  throw Error(ExitCode::kArtifact, "encoder: " + problem);
}

std::vector<Column> features_from_json(const Json& names) {
  if (!names.is_array() || names.empty()) corrupt("features must be a list of column names");
  std::vector<Column> features;
  for (const Json& name : names) {
    const auto column =
        name.is_string() ? column_named(name.get<std::string>()) : std::optional<Column>();
    if (!column) corrupt("feature " + name.dump() + " is not a column");
    if (!features.empty() && features.back() >= *column) {
      corrupt("features must be distinct and in column order");
    }
    features.push_back(*column);
  }
  return features;
}

Json features_to_json(const std::vector<Column>& features) {
  Json names = Json::array();
  for (const Column column : features) names.push_back(column_name(column));
  return names;
}

GroupWidths widths_from_json(const Json& widths, const std::set<TextGroup>& groups) {
  if (!widths.is_object() || widths.size() != groups.size()) {
    corrupt(fmt::format("widths must be an object of {} numbers", groups.size()));
  }
  GroupWidths result{};
  for (const TextGroup group : groups) {
    const auto g = static_cast<std::size_t>(group);
    const auto at = widths.find(kGroupNames[g]);
    if (at == widths.end() || !at->is_number_unsigned() ||
        at->get<std::uint64_t>() > kLongestText) {
      corrupt(
          fmt::format("widths.{} must be a whole number up to {}", kGroupNames[g], kLongestText));
    }
    result[g] = at->get<std::size_t>();
  }
  return result;
}

Json widths_to_json(const GroupWidths& widths, const std::set<TextGroup>& groups) {
  Json result = Json::object();
  for (const TextGroup group : groups) {
    const auto g = static_cast<std::size_t>(group);
    result[kGroupNames[g]] = widths[g];
  }
  return result;
}

void require_version(const Json& description, int version) {
  if (description["version"] == version) return;
  corrupt("version " + description["version"].dump() +
          " is unknown to this version; use the tcrops that made the artifact");
}

}  // namespace tcrops::data
