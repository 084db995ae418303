#include "attribution.hpp"

#include "heads.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstring>

namespace tcrops::nn {
namespace {

constexpr std::int64_t kBlockRows = 256;

std::vector<at::Tensor> inputs_of(const Features& features) {
  return features.flat.defined() ? std::vector<at::Tensor>{features.flat} : features.values;
}

// Gradients of the sum of the rows' logits at `share` of the way, one per input.
std::vector<at::Tensor> gradients_at(Body& body, const ModelSpec& spec,
                                     const DeviceExpansion& expansion,
                                     const std::vector<std::int64_t>& heads,
                                     const Features& features, double share) {
  Features point = features;
  std::vector<at::Tensor> leaves;
  const auto leaf = [&](at::Tensor& values) {
    values = (values.detach() * share).requires_grad_(true);
    leaves.push_back(values);
  };
  if (point.flat.defined())
    leaf(point.flat);
  else
    for (at::Tensor& values : point.values) leaf(values);
  const at::Tensor logits =
      logits_of_heads(body.forward(point, expansion, Pass{}), spec);
  const at::Tensor own = spec.is_pan() ? logits.squeeze(1) : of_heads(logits, heads);
  own.sum().backward();
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& values : leaves)
    gradients.push_back(values.grad().defined() ? values.grad() : at::zeros_like(values));
  return gradients;
}

// Adds what [rows, features] of a segment say up per column of the rows.
at::Tensor per_place(const at::Tensor& features, std::int64_t places) {
  return features.reshape({features.size(0), places, -1}).sum(2);
}

struct Place {
  data::Expansion::Segment segment;
  at::Tensor sums;  // [rows, places]
};

std::vector<Place> places_of(const Body& body, const data::Expansion& expansion,
                             const std::vector<at::Tensor>& attributed, bool flat) {
  std::vector<Place> places;
  if (!flat) {
    for (std::size_t i = 0; i < attributed.size(); ++i)
      places.push_back({body.reader().columns()[i].segment, attributed[i].sum(2)});
    return places;
  }
  std::int64_t first = 0;
  for (const data::Expansion::Segment& segment : expansion.segments) {
    const auto count = static_cast<std::int64_t>(segment.count);
    const auto dims =
        segment.table ? static_cast<std::int64_t>(expansion.tables[*segment.table].dims) : 1;
    places.push_back(
        {segment, per_place(attributed.front().narrow(1, first, count * dims), count)});
    first += count * dims;
  }
  return places;
}

}  // namespace

std::vector<float> integrated_gradients(Body& body, const ModelSpec& spec,
                                        const data::Expansion& expansion,
                                        const DeviceExpansion& on_device, const at::Device& device,
                                        const data::EncodedRows& rows, std::int64_t steps) {
  body.eval();
  const auto count = static_cast<std::int64_t>(rows.rows);
  const auto width = static_cast<std::int64_t>(rows.code_width + rows.number_width);
  at::Tensor result = at::zeros({count, width});
  for (std::int64_t begin = 0; begin < count; begin += kBlockRows) {
    const std::int64_t size = std::min(kBlockRows, count - begin);
    const DeviceRows block = to_device(rows, begin, begin + size, device);
    std::vector<std::int64_t> heads;
    if (!spec.is_pan()) heads = body.heads_of(rows_of(block.codes));
    Features features = body.reader().read(on_device, block);
    std::vector<at::Tensor> sums;
    for (const at::Tensor& values : inputs_of(features)) sums.push_back(at::zeros_like(values));
    for (std::int64_t step = 0; step < steps; ++step) {
      const double share = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
      const auto gradients = gradients_at(body, spec, on_device, heads, features, share);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += gradients[i];
    }
    const std::vector<at::Tensor> inputs = inputs_of(features);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = (sums[i] * inputs[i].detach() / static_cast<double>(steps)).to(at::kCPU);
    at::Tensor target = result.narrow(0, begin, size);
    for (const Place& place : places_of(body, expansion, sums, features.flat.defined())) {
      const auto first = static_cast<std::int64_t>(
          place.segment.table ? place.segment.first : rows.code_width + place.segment.first);
      target.narrow(1, first, place.sums.size(1)).copy_(place.sums);
    }
    if (!spec.is_pan()) {
      const at::Tensor without = at::tensor(heads, at::kLong).lt(0).unsqueeze(1);
      target.masked_fill_(without, std::numeric_limits<double>::quiet_NaN());
    }
  }
  body.zero_grad();
  std::vector<float> values(static_cast<std::size_t>(result.numel()));
  if (!values.empty())
    std::memcpy(values.data(), result.data_ptr<float>(), values.size() * sizeof(float));
  return values;
}

}  // namespace tcrops::nn
