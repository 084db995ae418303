// What the device makes of codes and numbers, against the host.
#include "catch_all.hpp"
#include "problem.hpp"

#include <algorithm>
#include <cmath>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

// Look-ups of several widths, runs that share a table, codes that are no features, and numbers
// between and behind.
data::Expansion mixed() {
  Rng rng(5, "tables");
  data::Expansion expansion;
  const auto add_table = [&](std::size_t codes, std::size_t dims) {
    data::Expansion::Table table{.dims = dims, .values = {}};
    for (std::size_t i = 0; i < codes * dims; ++i)
      table.values.push_back(static_cast<float>(rng.normal()));
    expansion.tables.push_back(std::move(table));
  };
  add_table(21, 20);
  add_table(256, 1);
  add_table(3, 7);
  expansion.add_codes(5, 0);
  expansion.add_numbers(1);
  expansion.code_width += 1;
  expansion.add_codes(4, 1);
  expansion.add_codes(2, 2);
  expansion.add_codes(3, 0);
  expansion.add_numbers(2);
  return expansion;
}

data::EncodedRows random_rows(const data::Expansion& expansion, std::size_t count) {
  std::vector<std::uint64_t> codes(expansion.code_width, 256);
  for (const auto& segment : expansion.segments) {
    if (!segment.table) continue;
    std::fill_n(codes.begin() + static_cast<std::ptrdiff_t>(segment.first), segment.count,
                expansion.tables[*segment.table].codes());
  }
  Rng rng(6, "rows");
  data::EncodedRows rows{.rows = count,
                         .code_width = expansion.code_width,
                         .number_width = expansion.number_width,
                         .codes = {},
                         .numbers = {}};
  for (std::size_t row = 0; row < count; ++row) {
    for (const std::uint64_t number : codes)
      rows.codes.push_back(static_cast<std::uint8_t>(rng.below(number)));
    for (std::size_t i = 0; i < expansion.number_width; ++i)
      rows.numbers.push_back(static_cast<float>(rng.normal()));
  }
  return rows;
}

std::vector<float> on_host(const data::Expansion& expansion, const data::EncodedRows& rows) {
  std::vector<float> features(rows.rows * expansion.feature_width());
  data::expand(expansion, rows, 0, rows.rows, features);
  return features;
}

// The same rows as numbers that are features as they are.
data::EncodedRows as_numbers(const data::Expansion& expansion, const data::EncodedRows& rows) {
  return {.rows = rows.rows,
          .code_width = 0,
          .number_width = expansion.feature_width(),
          .codes = {},
          .numbers = on_host(expansion, rows)};
}

std::vector<Device> devices() {
  std::vector<Device> result = {Device{}};
  if (resolve_device("auto").cuda && !core().describe()["cuda"].is_null())
    result.push_back(resolve_device("auto"));
  return result;
}

// One linear layer that copies input `feature` into the logit.
std::unique_ptr<Network> window(const data::Expansion& expansion, std::int64_t feature,
                                const Device& device) {
  const auto width = static_cast<std::int64_t>(expansion.feature_width());
  std::vector<float> weights(expansion.feature_width(), 0.0F);
  weights[static_cast<std::size_t>(feature)] = 1.0F;
  const std::vector<float> bias = {0.0F};
  const std::vector<Tensor> tensors = {make_f32("0.weight", {1, width}, weights),
                                       make_f32("0.bias", {1}, bias)};
  ModelSpec spec = make_spec("mlp_small", width);
  spec.widths = {width, 1};
  return core().load(spec, expansion, tensors, device);
}

}  // namespace

TEST_CASE("the device sees what the host would have expanded, bit for bit") {
  const data::Expansion expansion = mixed();
  REQUIRE(expansion.feature_width() == 5 * 20 + 1 + 4 + 2 * 7 + 3 * 20 + 2);
  const data::EncodedRows rows = random_rows(expansion, 300);
  const std::vector<float> host = on_host(expansion, rows);
  const std::size_t width = expansion.feature_width();
  for (const Device& device : devices()) {
    for (std::size_t feature = 0; feature < width; ++feature) {
      INFO(device.name() << " feature " << feature);
      std::vector<float> expected;
      for (std::size_t row = 0; row < rows.rows; ++row)
        expected.push_back(host[row * width + feature]);
      const auto network = window(expansion, static_cast<std::int64_t>(feature), device);
      CHECK(same_bits(network->logits(rows), expected));
    }
  }
}

TEST_CASE("codes train the network that the same numbers train") {
  const data::Expansion expansion = mixed();
  const data::EncodedRows rows = random_rows(expansion, 400);
  const data::EncodedRows numbers = as_numbers(expansion, rows);
  const auto width = static_cast<std::int64_t>(expansion.feature_width());
  std::vector<std::uint8_t> labels;
  for (std::size_t row = 0; row < rows.rows; ++row)
    labels.push_back(rows.codes[row * rows.code_width] > 10 ? 1 : 0);
  const TrainOptions options{.learning_rate = 0.01, .epochs = 3, .batch_size = 64, .seed = 3};
  const EpochCallback keep = [](const EpochReport& report) {
    return EpochDecision{.stop = false, .keep = report.epoch == 2};
  };
  for (const Device& device : devices()) {
    for (const std::string& architecture : paper_nets()) {
      INFO(device.name() << " " << architecture);
      const ModelSpec spec = make_spec(architecture, width);
      const auto by_codes = core().create(spec, expansion, {}, 1, device);
      by_codes->fit({&rows, labels}, {&rows, labels}, options, keep);
      const auto by_numbers = core().create(spec, plain(width), {}, 1, device);
      by_numbers->fit({&numbers, labels}, {&numbers, labels}, options, keep);
      CHECK(bytes_of(*by_codes) == bytes_of(*by_numbers));
      CHECK(same_bits(by_codes->logits(rows), by_numbers->logits(numbers)));
    }
  }
}

TEST_CASE("a code that no table has is refused before anything is computed") {
  const data::Expansion expansion = mixed();
  data::EncodedRows rows = random_rows(expansion, 40);
  const auto width = static_cast<std::int64_t>(expansion.feature_width());
  const auto network = core().create(make_spec("mlp_small", width), expansion, {}, 1, Device{});
  const std::string before = bytes_of(*network);
  std::vector<std::uint8_t> labels(40, 0);
  labels[3] = 1;
  rows.codes[5] = 255;  // no feature: anything goes
  CHECK(network->logits(rows).size() == 40);
  rows.codes[7 * rows.code_width] = 21;
  const auto refused = [&] {
    return error_code([&] { static_cast<void>(network->logits(rows)); }) == ExitCode::kArtifact &&
           error_code([&] {
             network->fit({&rows, labels}, {}, {}, {});
           }) == ExitCode::kArtifact;
  };
  CHECK(refused());
  CHECK(bytes_of(*network) == before);
  rows.codes[7 * rows.code_width] = 20;
  network->fit({&rows, labels}, {}, {.epochs = 1}, {});
  rows.numbers.pop_back();
  const std::string trained = bytes_of(*network);
  CHECK(trained != before);
  CHECK(refused());
  CHECK(bytes_of(*network) == trained);
}
