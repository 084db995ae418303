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
constexpr std::array<const char*, kTextGroupCount> kGroupNames = {"cdr3", "epitope", "gene"};

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

[[noreturn]] void corrupt(const std::string& problem) {
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
                                            const std::vector<Column>& features) {
  if (features.empty()) {
    throw Error(ExitCode::kConfiguration, "encoder: no features; name at least one column");
  }
  if (records.empty()) {
    throw Error(ExitCode::kInputData, "encoder: there is no row to fit on");
  }
  ScalarFit fit;
  const std::set<Column> distinct(features.begin(), features.end());
  fit.features.assign(distinct.begin(), distinct.end());
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
  Json value = {{"kind", "scalar"}, {"version", kVersion}, {"alphabet", fit_.alphabet}};
  for (const Column column : fit_.features) value["features"].push_back(column_name(column));
  for (std::size_t g = 0; g < kTextGroupCount; ++g)
    value["widths"][kGroupNames[g]] = fit_.widths[g];
  if (fit_.clone_id) value["clone_id"] = fit_.clone_id->to_json();
  return value;
}

std::unique_ptr<Encoder> scalar_encoder_from_json(const Json& description) {
  for (const char* key : {"version", "features", "alphabet", "widths"}) {
    if (!description.contains(key)) corrupt(fmt::format("the key \"{}\" is missing", key));
  }
  if (description["version"] != kVersion) {
    corrupt("version " + description["version"].dump() +
            " is unknown to this version; use the tcrops that made the artifact");
  }
  ScalarFit fit;
  fit.features = features_from_json(description["features"]);
  fit.alphabet = alphabet_from_json(description["alphabet"]);
  const Json& widths = description["widths"];
  if (!widths.is_object() || widths.size() != kTextGroupCount) {
    corrupt("widths must be an object of cdr3, epitope, gene");
  }
  for (std::size_t g = 0; g < kTextGroupCount; ++g) {
    const auto at = widths.find(kGroupNames[g]);
    if (at == widths.end() || !at->is_number_unsigned() ||
        at->get<std::uint64_t>() > kLongestText) {
      corrupt(
          fmt::format("widths.{} must be a whole number up to {}", kGroupNames[g], kLongestText));
    }
    fit.widths[g] = at->get<std::size_t>();
  }
  const bool scaled =
      fit.features.end() != std::find(fit.features.begin(), fit.features.end(), Column::kCloneId);
  if (description.contains("clone_id") != scaled) {
    corrupt("clone_id must be described exactly when it is a feature");
  }
  if (scaled) fit.clone_id = CloneIdScale::from_json(description["clone_id"]);
  if (description.size() != (scaled ? 6U : 5U)) corrupt("holds a key this version does not know");
  auto encoder = std::make_unique<ScalarEncoder>(std::move(fit));
  if (encoder->feature_width() == 0) corrupt("describes an empty vector");
  return encoder;
}

}  // namespace tcrops::data
