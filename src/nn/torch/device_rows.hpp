#pragma once

#include "prelude.hpp"

#include <tcrops/data/expansion.hpp>

#include <cstdint>
#include <vector>

namespace tcrops::nn {

// Encoded rows on a device.
struct DeviceRows {
  at::Tensor codes;    // [rows, code_width] bytes
  at::Tensor numbers;  // [rows, number_width] floats
};

// Rows [begin, end). On the CPU they are shared with `rows`, which must outlive them.
[[nodiscard]] DeviceRows to_device(const data::EncodedRows& rows, std::int64_t begin,
                                   std::int64_t end, const at::Device& device);
// The rows with these numbers, in their order.
[[nodiscard]] DeviceRows select(const DeviceRows& rows, const at::Tensor& indices);

// An expansion with its tables on a device.
class DeviceExpansion {
 public:
  DeviceExpansion(const data::Expansion& expansion, const at::Device& device);

  // [rows, features] floats, contiguous: one look-up per segment. The rows must have passed
  // data::check_rows.
  [[nodiscard]] at::Tensor features(const DeviceRows& rows) const;
  // [rows, columns of the segment, dims] floats, of a segment with a table.
  [[nodiscard]] at::Tensor values(const DeviceRows& rows,
                                  const data::Expansion::Segment& segment) const;

 private:
  struct Table {
    at::Tensor values;  // [codes, dims], of one dimension [codes]
    std::int64_t dims;
  };
  std::vector<Table> tables_;
  std::vector<data::Expansion::Segment> segments_;
};

}  // namespace tcrops::nn
