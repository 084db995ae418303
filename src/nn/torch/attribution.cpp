#include "attribution.hpp"

#include "heads.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <limits>

namespace tcrops::nn {
namespace {

constexpr std::int64_t kBlockRows = 256;

std::vector<at::Tensor> inputs_of(const Features& features) {
  return features.flat.defined() ? std::vector<at::Tensor>{features.flat} : features.values;
}

// One logit per row.
at::Tensor logits_of(Body& body, const ModelSpec& spec, const DeviceExpansion& expansion,
                     const DeviceRows& rows, const Features& features) {
  const at::Tensor logits = logits_of_heads(body.forward(features, expansion, Pass{}), spec);
  return spec.is_pan() ? logits.squeeze(1) : of_heads(logits, body.heads_of(rows_of(rows.codes)));
}

// The features at `share` of the way from zeros; what stands for places that are there stays.
Features at_share(Features features, double share) {
  if (features.flat.defined()) features.flat = features.flat.detach() * share;
  for (at::Tensor& values : features.values) values = values.detach() * share;
  return features;
}

// Gradients of the sum of the rows' logits at `share` of the way, one per input.
std::vector<at::Tensor> gradients_at(Body& body, const ModelSpec& spec,
                                     const DeviceExpansion& expansion, const DeviceRows& rows,
                                     const Features& features, double share) {
  const Features point = at_share(features, share);
  const std::vector<at::Tensor> leaves = inputs_of(point);
  for (const at::Tensor& values : leaves) values.set_requires_grad(true);
  logits_of(body, spec, expansion, rows, point).sum().backward();
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

// [rows, code_width + number_width]
at::Tensor by_place(const std::vector<Place>& places, std::int64_t rows, std::int64_t codes,
                    std::int64_t numbers) {
  at::Tensor result = at::zeros({rows, codes + numbers});
  for (const Place& place : places) {
    const auto first = static_cast<std::int64_t>(place.segment.first);
    result.narrow(1, place.segment.table ? first : codes + first, place.sums.size(1))
        .copy_(place.sums);
  }
  return result;
}

void append(const at::Tensor& from, std::vector<float>& to) {
  const at::Tensor values = from.detach().to(at::kCPU).contiguous();
  const auto* first = values.data_ptr<float>();
  to.insert(to.end(), first, first + values.numel());
}

}  // namespace

Attributions integrated_gradients(Body& body, const ModelSpec& spec,
                                  const data::Expansion& expansion,
                                  const DeviceExpansion& on_device, const at::Device& device,
                                  const data::EncodedRows& rows, std::int64_t steps) {
  body.eval();
  const auto count = static_cast<std::int64_t>(rows.rows);
  Attributions result;
  for (std::int64_t begin = 0; begin < count; begin += kBlockRows) {
    const std::int64_t size = std::min(kBlockRows, count - begin);
    const DeviceRows block = to_device(rows, begin, begin + size, device);
    const Features features = body.reader().read(on_device, block);
    const std::vector<at::Tensor> inputs = inputs_of(features);
    std::vector<at::Tensor> sums;
    for (const at::Tensor& values : inputs) sums.push_back(at::zeros_like(values));
    for (std::int64_t step = 0; step < steps; ++step) {
      const double share = (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
      const auto gradients = gradients_at(body, spec, on_device, block, features, share);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += gradients[i];
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = (sums[i] * inputs[i].detach() / static_cast<double>(steps)).to(at::kCPU);
    const auto places = places_of(body, expansion, sums, features.flat.defined());
    at::Tensor attributed = by_place(places, size, static_cast<std::int64_t>(rows.code_width),
                                     static_cast<std::int64_t>(rows.number_width));
    const at::Tensor baselines =
        logits_of(body, spec, on_device, block, at_share(features, 0.0)).detach().to(at::kCPU);
    attributed.masked_fill_(baselines.isnan().unsqueeze(1),
                            std::numeric_limits<double>::quiet_NaN());
    append(attributed, result.values);
    append(baselines, result.baselines);
  }
  body.zero_grad();
  return result;
}

}  // namespace tcrops::nn
