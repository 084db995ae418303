// Random records and the encoders fitted on them.
#pragma once

#include "fixtures.hpp"

#include <tcrops/core/rng.hpp>
#include <tcrops/data/encoder.hpp>

#include <catch_all.hpp>
#include <memory>
#include <string>
#include <vector>

namespace tcrops::data {

inline const std::string kLetters = "ACDEFGHIKLMNPQRSTVWY";

// All but scalar.
inline std::vector<std::string> residue_encoders() {
  return {encoder_names().begin() + 1, encoder_names().end()};
}

inline std::vector<Column> sequence_columns() {
  return {Column::kCdr3Alpha, Column::kCdr3Beta, Column::kEpitope, Column::kCdr1Alpha,
          Column::kCdr2Alpha, Column::kCdr1Beta, Column::kCdr2Beta};
}

inline std::vector<Column> name_columns() {
  return {Column::kVAlpha, Column::kVBeta, Column::kJAlpha, Column::kJBeta, Column::kMhc};
}

// All but clone_id, in column order.
inline std::vector<Column> encodable_columns() {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < kColumnCount; ++c) {
    if (static_cast<Column>(c) != Column::kCloneId) columns.push_back(static_cast<Column>(c));
  }
  return columns;
}

// Texts of any length, one value in five missing, whole chains too.
inline std::vector<Record> random_records(std::size_t count, std::uint64_t seed) {
  Rng rng(seed, "records");
  std::vector<Record> records(count);
  for (std::size_t i = 0; i < count; ++i) {
    records[i].line = i + 2;
    for (const Column column : sequence_columns()) {
      if (rng.below(5) == 0) continue;
      for (std::uint64_t letters = rng.below(20) + 1; letters > 0; --letters)
        records[i][column] += kLetters[rng.below(20)];
    }
    for (const Column column : name_columns()) {
      if (rng.below(5) != 0)
        records[i][column] = std::string(column_name(column)) + std::to_string(rng.below(30));
    }
  }
  for (const Column column : {Column::kCdr3Alpha, Column::kCdr1Alpha, Column::kCdr2Alpha,
                              Column::kVAlpha, Column::kJAlpha}) {
    records[0][column].clear();
    records[1][column] = records[2][column];
  }
  return records;
}

inline EncodedRows encode_all(const Encoder& encoder, const std::vector<Record>& records) {
  EncodedRows rows;
  for (const Record& record : records) REQUIRE_FALSE(encoder.encode(record, rows).has_value());
  return rows;
}

inline std::vector<float> features_of(const Encoder& encoder, const Record& record) {
  const EncodedRows rows = encode_all(encoder, {record});
  std::vector<float> features(encoder.feature_width());
  encoder.expand(rows, 0, 1, features);
  return features;
}

inline std::unique_ptr<Encoder> fit(const std::string& name, const std::vector<Record>& records,
                                    const std::vector<Column>& features,
                                    Padding padding = Padding::kEnd) {
  return fit_encoder({.name = name, .padding = padding, .features = features}, records);
}

// One epitope, of letters that are all there is.
inline Record epitope(const std::string& letters) {
  Record record;
  record[Column::kEpitope] = letters;
  return record;
}

}  // namespace tcrops::data
