#pragma once

#include "device_rows.hpp"
#include "prelude.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <cstdint>
#include <vector>

namespace tcrops::nn {

// Rows as a network reads them. Only `flat` is set for a network that knows no columns, only the
// others for one that does; they have one entry per column of FeatureReader::columns().
struct Features {
  at::Tensor flat;                  // [rows, features]
  std::vector<at::Tensor> values;   // [rows, positions, dims], zeros where there is nothing
  std::vector<at::Tensor> present;  // [rows, positions], 1 where there is something, else 0

  [[nodiscard]] std::int64_t rows() const;
  // [rows, positions * dims] of these columns, side by side.
  [[nodiscard]] at::Tensor side_by_side(const std::vector<std::size_t>& columns) const;
};

// One column of the rows.
struct FeatureColumn {
  data::Column column{};
  data::Expansion::Segment segment;
  std::int64_t dims = 1;
  std::int64_t embedding = -1;  // which of the embeddings looks it up; -1: the expansion

  [[nodiscard]] std::int64_t positions() const { return static_cast<std::int64_t>(segment.count); }
  [[nodiscard]] bool is_sequence() const { return data::is_sequence(column); }
  [[nodiscard]] bool is_of_the_epitope() const {
    return column == data::Column::kEpitope || column == data::Column::kMhc;
  }
};

// What a network reads of the rows that an expansion describes: all of it as one vector, or column
// by column, without epitope and MHC where heads stand for them. Tables that are numbered become
// trained embeddings of `owner` ("embedding0", …).
class FeatureReader {
 public:
  FeatureReader(torch::nn::Module& owner, const ModelSpec& spec, const data::Expansion& expansion);

  [[nodiscard]] const std::vector<FeatureColumn>& columns() const { return columns_; }
  [[nodiscard]] bool has_embeddings() const { return !embeddings_.empty(); }
  [[nodiscard]] std::vector<std::size_t> sequence_columns() const;
  [[nodiscard]] std::vector<std::size_t> other_columns() const;
  [[nodiscard]] std::vector<std::size_t> tcr_columns() const;
  [[nodiscard]] std::vector<std::size_t> epitope_columns() const;
  [[nodiscard]] std::int64_t width_of(const std::vector<std::size_t>& columns) const;

  [[nodiscard]] Features read(const DeviceExpansion& expansion, const DeviceRows& rows) const;

 private:
  void add_embeddings(torch::nn::Module& owner, const data::Expansion& expansion,
                      std::int64_t dims);

  bool flat_;
  std::vector<FeatureColumn> columns_;
  std::vector<at::Tensor> embeddings_;  // [codes, dims], parameters of the owner
};

}  // namespace tcrops::nn
