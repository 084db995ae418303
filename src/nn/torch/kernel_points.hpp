#pragma once

#include "features.hpp"
#include "pass.hpp"

#include <tcrops/nn/model_spec.hpp>

#include <optional>
#include <vector>

namespace tcrops::nn {

// What the distances of one part of a kernel need of some rows; "columns" are those of the part.
struct KernelPoints {
  at::Tensor features;  // [rows, width], of all columns side by side
  at::Tensor present;   // [rows, columns], 1 where the row has something of the column
  at::Tensor norms;     // [rows, columns], squared length of the column's features
  at::Tensor usable;    // [rows, 1], 1 where the part can be computed
};

// One part of a kernel: which columns it compares, and how.
class KernelMetric {
 public:
  // `strict`: a row without one of the part's CDR3s has no similarity to anything.
  KernelMetric(const FeatureReader& reader, const ModelSpec& spec, const KernelPart& part,
               bool strict);

  // Which of the columns with codes it compares, as numbers among those.
  [[nodiscard]] const std::vector<std::int64_t>& weights_used() const { return weights_used_; }
  [[nodiscard]] KernelPoints points_of(const Features& features) const;
  // [rows, anchors] squared distances, scaled up to all columns; huge where the two have none in
  // common. `weights` [columns with codes].
  [[nodiscard]] at::Tensor distances(const KernelPoints& rows, const KernelPoints& anchors,
                                     const at::Tensor& weights, const Pass& pass) const;

 private:
  struct UsedColumn {
    std::size_t number = 0;  // of the reader's columns
    std::int64_t first = 0;  // places that count
    std::int64_t count = 0;
    bool is_required = false;
  };
  std::vector<UsedColumn> columns_;
  std::vector<std::int64_t> weights_used_;
  at::Tensor widths_;  // [columns] long, on the CPU
};

}  // namespace tcrops::nn
