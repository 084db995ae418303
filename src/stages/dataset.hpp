#pragma once

#include <tcrops/data/encoder.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/split.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcrops::stages {

// A dataset in memory. All vectors have one entry per row, in the order of table.csv.
struct Dataset {
  std::vector<data::Record> records;
  std::vector<data::Side> sides;
  std::vector<std::size_t> folds;        // empty when there are none
  std::vector<std::string> extra_names;  // of Record::extra
  std::vector<data::Column> optional;    // features that a row may lack
  std::unique_ptr<data::Encoder> encoder;
  data::EncodedRows encoded;
};

// The files of a dataset artifact: table.csv, encoder.json, rows.safetensors (codes, numbers,
// labels, sides, and folds when there are any).
void write_dataset(const Dataset& dataset, const store::Draft& draft);

// Reads them back; every hash is checked and every row must agree with the others. Throws Error
// (kArtifact).
[[nodiscard]] Dataset read_dataset(const store::Store& store, const store::Artifact& artifact);

// One side of a dataset, ready for a network with the encoder's expansion, and for metrics.
struct SideData {
  std::vector<data::Record> records;
  std::vector<std::uint8_t> labels;
  data::EncodedRows rows;
  data::EncodedRows elsewhere;  // the dataset's other rows; of training_rows() only

  [[nodiscard]] std::vector<std::string> epitopes() const;
};
[[nodiscard]] SideData side_of(const Dataset& dataset, data::Side side);

// Numbers of the rows on some sides, and rows of a dataset, in their order.
[[nodiscard]] std::vector<std::size_t> row_numbers(const Dataset& dataset,
                                                   const std::vector<data::Side>& sides);
[[nodiscard]] SideData rows_of(const Dataset& dataset, const std::vector<std::size_t>& rows);
// The same, and what else the dataset has.
[[nodiscard]] SideData training_rows(const Dataset& dataset, const std::vector<std::size_t>& rows);

// The rows of training and validation dealt into folds, no cluster of TCRs in two: per fold its
// rows and all others. Throws Error (kInputData) for fewer clusters than folds.
struct FoldRows {
  std::vector<std::size_t> inside;
  std::vector<std::size_t> outside;
};
[[nodiscard]] std::vector<FoldRows> deal_known_rows(const Dataset& dataset, std::size_t folds,
                                                    std::uint64_t seed);

}  // namespace tcrops::stages
