#include "kernel_points.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::nn {
namespace {

using data::Column;

bool is_cdr3(Column column) { return column == Column::kCdr3Alpha || column == Column::kCdr3Beta; }

}  // namespace

KernelMetric::KernelMetric(const FeatureReader& reader, const ModelSpec& spec,
                           const KernelPart& part, bool strict) {
  std::vector<std::int64_t> widths;
  std::int64_t with_codes = 0;
  for (std::size_t i = 0; i < reader.columns().size(); ++i) {
    const FeatureColumn& column = reader.columns()[i];
    if (!column.segment.table) continue;  // a number is no letter
    const std::int64_t number = with_codes++;
    if (!part.compares(column.column)) continue;
    UsedColumn used{.number = i, .first = 0, .count = column.positions(), .is_required = false};
    if (is_cdr3(column.column)) {
      used.is_required = strict;
      used.first = std::min(spec.cdr3_trim[0], column.positions());
      used.count = std::max<std::int64_t>(column.positions() - used.first - spec.cdr3_trim[1], 0);
    }
    weights_used_.push_back(number);
    widths.push_back(used.count * column.dims);
    columns_.push_back(used);
  }
  if (columns_.empty()) {
    throw Error(
        ExitCode::kArtifact,
        fmt::format("the network compares chains \"{}\", of which the encoder has no column; "
                    "they belong to different models",
                    part.chains));
  }
  widths_ = at::tensor(widths, at::kLong);
}

KernelPoints KernelMetric::points_of(const Features& features) const {
  std::vector<at::Tensor> values;
  std::vector<at::Tensor> present;
  std::vector<at::Tensor> norms;
  at::Tensor usable;
  for (const UsedColumn& column : columns_) {
    const at::Tensor there = at::amax(features.present[column.number], 1);
    const at::Tensor counted =
        features.values[column.number].narrow(1, column.first, column.count).flatten(1);
    values.push_back(counted);
    present.push_back(there);
    norms.push_back(counted.square().sum(1));
    if (column.is_required) usable = usable.defined() ? usable * there : there;
  }
  if (!usable.defined()) usable = at::ones_like(present.front());
  return {.features = at::cat(values, 1),
          .present = at::stack(present, 1),
          .norms = at::stack(norms, 1),
          .usable = usable.unsqueeze(1)};
}

at::Tensor KernelMetric::distances(const KernelPoints& rows, const KernelPoints& anchors,
                                   const at::Tensor& weights, const Pass& pass) const {
  const at::Tensor own =
      weights.index_select(0, at::tensor(weights_used_, at::kLong).to(weights.device()));
  const at::Tensor each = own.repeat_interleave(widths_.to(weights.device()));
  const at::Tensor present = rows.present * own;
  const at::Tensor shared = products(present, anchors.present, pass);
  const at::Tensor sum = products(rows.norms * own, anchors.present, pass) +
                         products(present, anchors.norms, pass) -
                         products(rows.features * each, anchors.features, pass) * 2;
  constexpr double kFar = 1e6;
  constexpr double kLittle = 1e-6;
  const at::Tensor all = own.sum() / shared.clamp_min(kLittle);
  return at::where(shared > 0, sum.clamp_min(0) * all, kFar);
}

}  // namespace tcrops::nn
