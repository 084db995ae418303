#include "device_rows.hpp"

namespace tcrops::nn {
namespace {

std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }

// Shares the values; from_blob has no const form, and nothing writes to it.
template <class T>
at::Tensor view(const std::vector<T>& values, std::int64_t begin, std::int64_t rows,
                std::int64_t width, at::ScalarType type) {
  auto* first = const_cast<T*>(values.data()) + begin * width;
  return at::from_blob(first, {rows, width}, at::TensorOptions().dtype(type));
}

}  // namespace

DeviceRows to_device(const data::EncodedRows& rows, std::int64_t begin, std::int64_t end,
                     const at::Device& device) {
  const std::int64_t count = end - begin;
  return {view(rows.codes, begin, count, size(rows.code_width), at::kByte).to(device),
          view(rows.numbers, begin, count, size(rows.number_width), at::kFloat).to(device)};
}

DeviceRows select(const DeviceRows& rows, const at::Tensor& indices) {
  return {rows.codes.index_select(0, indices), rows.numbers.index_select(0, indices)};
}

DeviceExpansion::DeviceExpansion(const data::Expansion& expansion, const at::Device& device)
    : segments_(expansion.segments) {
  for (const data::Expansion::Table& table : expansion.tables) {
    const at::Tensor values =
        view(table.values, 0, size(table.codes()), size(table.dims), at::kFloat).clone();
    tables_.push_back(
        {(table.dims == 1 ? values.squeeze(1) : values).to(device), size(table.dims)});
  }
}

at::Tensor DeviceExpansion::features(const DeviceRows& rows) const {
  const std::int64_t count = rows.codes.size(0);
  std::vector<at::Tensor> parts;
  for (const data::Expansion::Segment& segment : segments_) {
    const std::int64_t first = size(segment.first);
    const std::int64_t columns = size(segment.count);
    if (!segment.table) {
      parts.push_back(rows.numbers.narrow(1, first, columns));
      continue;
    }
    parts.push_back(values(rows, segment).view({count, -1}));
  }
  return parts.size() == 1 ? parts.front().contiguous() : at::cat(parts, 1);
}

at::Tensor DeviceExpansion::values(const DeviceRows& rows,
                                   const data::Expansion::Segment& segment) const {
  const Table& table = tables_[*segment.table];
  const std::int64_t columns = size(segment.count);
  const at::Tensor codes =
      rows.codes.narrow(1, size(segment.first), columns).to(at::kInt).flatten();
  return table.values.index_select(0, codes).view({rows.codes.size(0), columns, table.dims});
}

}  // namespace tcrops::nn
