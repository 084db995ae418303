// How a scalar encoder comes to be: from a table, or from its own JSON.
#include "letters.hpp"
#include "scalar_encoder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/encoder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tcrops::data {
namespace {

constexpr int kVersion = 1;

// Encoders of before the loops were columns have no group of that name.
std::set<TextGroup> described_groups(const std::vector<Column>& features) {
  std::set<TextGroup> groups = {TextGroup::kCdr3, TextGroup::kEpitope, TextGroup::kGene};
  for (const Column column : features) {
    if (column != Column::kCloneId) groups.insert(group_of(column));
  }
  return groups;
}

void check_text(const Record& record, Column column) {
  const std::string& text = record[column];
  const auto fail = [&](const std::string& problem) {
    throw Error(ExitCode::kInputData,
                fmt::format("line {}: {} {}", record.line, column_name(column), problem));
  };
  if (text.size() > kLongestText) {
    fail(fmt::format("has {} characters; at most {} can be encoded", text.size(), kLongestText));
  }
  const auto odd = std::find_if_not(text.begin(), text.end(), is_printable);
  if (odd != text.end()) {
    fail("holds " + shown(*odd) + "; only printable ASCII characters can be encoded");
  }
}

std::string alphabet_from_json(const Json& text) {
  if (!text.is_string()) corrupt("alphabet must be a text");
  auto alphabet = text.get<std::string>();
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    if (!is_printable(alphabet[i]) || (i > 0 && alphabet[i - 1] >= alphabet[i])) {
      corrupt("alphabet must be distinct printable characters in ascending order");
    }
  }
  return alphabet;
}

}  // namespace

std::unique_ptr<Encoder> fit_scalar_encoder(std::span<const Record> records,
                                            const std::vector<Column>& features, Padding padding) {
  ScalarFit fit;
  fit.features = ordered_features(features);
  fit.padding = padding;
  if (records.empty()) {
    throw Error(ExitCode::kInputData, "encoder: there is no row to fit on");
  }
  std::set<char> letters;
  for (const Column column : fit.features) {
    if (column == Column::kCloneId) {
      fit.clone_id = CloneIdScale::fit(records);
      continue;
    }
    std::size_t& width = fit.widths[static_cast<std::size_t>(group_of(column))];
    for (const Record& record : records) {
      check_interrupt();
      check_text(record, column);
      width = std::max(width, record[column].size());
      letters.insert(record[column].begin(), record[column].end());
    }
  }
  fit.alphabet.assign(letters.begin(), letters.end());
  if (letters.empty() && !fit.clone_id) {
    throw Error(ExitCode::kInputData, "encoder: every feature is empty in every row");
  }
  return std::make_unique<ScalarEncoder>(std::move(fit));
}

Json ScalarEncoder::to_json() const {
  Json value = {{"kind", "scalar"},
                {"version", kVersion},
                {"alphabet", fit_.alphabet},
                {"features", features_to_json(fit_.features)},
                {"widths", widths_to_json(fit_.widths, described_groups(fit_.features))}};
  if (fit_.padding == Padding::kCentre) value["padding"] = "centre";
  if (fit_.clone_id) value["clone_id"] = fit_.clone_id->to_json();
  return value;
}

std::unique_ptr<Encoder> scalar_encoder_from_json(const Json& description) {
  for (const char* key : {"version", "features", "alphabet", "widths"}) {
    if (!description.contains(key)) corrupt(fmt::format("the key \"{}\" is missing", key));
  }
  require_version(description, kVersion);
  ScalarFit fit;
  fit.features = features_from_json(description["features"]);
  fit.alphabet = alphabet_from_json(description["alphabet"]);
  fit.widths = widths_from_json(description["widths"], described_groups(fit.features));
  // Only where it is not the paper's.
  const bool padded = description.contains("padding");
  if (padded && description["padding"] != "centre") corrupt("padding can only be centre");
  if (padded) fit.padding = Padding::kCentre;
  const bool scaled =
      fit.features.end() != std::find(fit.features.begin(), fit.features.end(), Column::kCloneId);
  if (description.contains("clone_id") != scaled) {
    corrupt("clone_id must be described exactly when it is a feature");
  }
  if (scaled) fit.clone_id = CloneIdScale::from_json(description["clone_id"]);
  const std::size_t keys = 5U + (scaled ? 1U : 0U) + (padded ? 1U : 0U);
  if (description.size() != keys) corrupt("holds a key this version does not know");
  auto encoder = std::make_unique<ScalarEncoder>(std::move(fit));
  if (encoder->feature_width() == 0) corrupt("describes an empty vector");
  return encoder;
}

}  // namespace tcrops::data
