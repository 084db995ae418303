// usage: nn_probe DIR
// Writes for each net DIR/<name>.json (specification), .safetensors (weights), .io.safetensors
// (inputs and logits), and for one step of training DIR/<name>.step.safetensors (the batch it drew)
// and .after.safetensors (the weights after it). torch_parity.py checks them with PyTorch itself.

#include "balanced_sampler.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/nn/core.hpp>

#include <cstdio>
#include <filesystem>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

constexpr std::int64_t kWidth = 123;
constexpr std::int64_t kRows = 1000;

struct Rows {
  data::EncodedRows encoded;  // numbers only
  std::vector<std::uint8_t> labels;
  [[nodiscard]] Examples examples() const { return {&encoded, labels}; }
};

data::Expansion plain() {
  data::Expansion expansion;
  expansion.add_numbers(kWidth);
  return expansion;
}

Rows random_rows() {
  Rng rng(1, "probe");
  Rows rows;
  rows.encoded.rows = kRows;
  rows.encoded.number_width = kWidth;
  for (std::int64_t i = 0; i < kRows * kWidth; ++i)
    rows.encoded.numbers.push_back(static_cast<float>(rng.uniform()));
  for (std::int64_t i = 0; i < kRows; ++i) rows.labels.push_back(rng.below(10) == 0 ? 1 : 0);
  return rows;
}

// The rows that the sampler draws for an epoch, in its order.
Rows drawn_rows(const Rows& rows, std::uint64_t seed) {
  Rows drawn;
  for (const std::int64_t row : BalancedSampler(rows.labels).epoch_rows(seed, 1)) {
    data::append_row(rows.encoded, static_cast<std::size_t>(row), drawn.encoded);
    drawn.labels.push_back(rows.labels[static_cast<std::size_t>(row)]);
  }
  return drawn;
}

void probe(const std::string& architecture, const std::filesystem::path& folder, const Rows& rows) {
  const auto file = [&](const std::string& ending) { return folder / (architecture + ending); };
  const ModelSpec spec = make_spec(architecture, kWidth);
  const auto network = core().create(spec, plain(), {}, 1, Device{});
  network->fit(rows.examples(), {},
               {.learning_rate = 0.01, .epochs = 15, .batch_size = 200, .seed = 1}, {});
  write_file(file(".json"), canonical_json(to_json(spec)));
  write_file(file(".safetensors"), write_safetensors(network->weights()));
  const std::vector<Tensor> scored = {make_f32("inputs", {kRows, kWidth}, rows.encoded.numbers),
                                      make_f32("logits", {kRows}, network->logits(rows.encoded))};
  write_file(file(".io.safetensors"), write_safetensors(scored));

  const TrainOptions one_step{.learning_rate = 0.001, .epochs = 1, .batch_size = kRows, .seed = 2};
  const Rows batch = drawn_rows(rows, one_step.seed);
  const std::vector<Tensor> step = {make_f32("inputs", {kRows, kWidth}, batch.encoded.numbers),
                                    make_u8("labels", {kRows}, batch.labels)};
  write_file(file(".step.safetensors"), write_safetensors(step));
  network->fit(rows.examples(), {}, one_step, {});
  write_file(file(".after.safetensors"), write_safetensors(network->weights()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: nn_probe DIR\n", stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    const Rows rows = random_rows();
    for (const char* architecture : {"mlp_small", "mlp_medium", "mlp_large"})
      probe(architecture, argv[1], rows);
    std::printf("%s\n", core().describe().dump().c_str());
  } catch (const Error& error) {
    std::fprintf(stderr, "nn_probe: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
