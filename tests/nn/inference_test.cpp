#include "catch_all.hpp"
#include "problem.hpp"

#include <algorithm>
#include <cstdlib>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

// A net whose running statistics are no longer those of a fresh one.
std::unique_ptr<Network> trained(const std::string& architecture, std::int64_t width) {
  const Problem train(400, width, 1);
  auto network = core().create(make_spec(architecture, width), plain(width), {}, 1, Device{});
  network->fit(train.examples(), {},
               {.learning_rate = 0.01, .epochs = 2, .batch_size = 100, .seed = 1}, {});
  return network;
}

}  // namespace

TEST_CASE("a row's logit does not depend on the rows beside it") {
  for (const std::string& architecture : paper_nets()) {
    for (const std::int64_t width : {123, 37}) {
      INFO(architecture << " " << width);
      const auto network = trained(architecture, width);
      const Problem rows(700, width, 9);
      const auto all = network->logits(rows.rows);
      REQUIRE(all.size() == 700);
      for (const std::size_t size : {1U, 2U, 7U, 33U, 255U, 256U, 257U}) {
        std::vector<float> parts;
        for (std::size_t begin = 0; begin < 700; begin += size) {
          const std::size_t count = std::min<std::size_t>(size, 700 - begin);
          data::EncodedRows some;
          for (std::size_t row = begin; row < begin + count; ++row)
            data::append_row(rows.rows, row, some);
          const auto part = network->logits(some);
          parts.insert(parts.end(), part.begin(), part.end());
        }
        CHECK(same_bits(parts, all));
      }
    }
  }
}

TEST_CASE("no rows, no logits") { CHECK(trained("mlp_small", 16)->logits({}).empty()); }

TEST_CASE("saved and loaded, a net gives the same logits") {
  for (const std::string& architecture : paper_nets()) {
    const auto network = trained(architecture, 60);
    const Problem rows(300, 60, 9);
    const auto weights = read_safetensors(bytes_of(*network), "test");
    const auto again = core().load(network->spec(), plain(60), weights, Device{});
    CHECK(same_bits(again->logits(rows.rows), network->logits(rows.rows)));
    CHECK(bytes_of(*again) == bytes_of(*network));
  }
}

TEST_CASE("weights carry PyTorch's names") {
  const auto weights =
      core().create(make_spec("mlp_medium", 123), plain(123), {}, 1, Device{})->weights();
  REQUIRE(weights.size() == 12 * 2 + 11 * 5);
  CHECK(weights[0].name == "0.weight");
  CHECK(weights[0].shape == std::vector<std::int64_t>{113, 123});
  CHECK(weights[1].name == "0.bias");
  CHECK(weights[4].name == "1.running_mean");
  CHECK(weights[6].name == "1.num_batches_tracked");
  CHECK(weights[6].dtype == DType::kI64);
  CHECK(weights[7].name == "3.weight");
}

TEST_CASE("fresh weights are uniform within one over the root of the inputs") {
  const auto weights =
      core().create(make_spec("mlp_small", 400), plain(400), {}, 1, Device{})->weights();
  const auto values = as_f32(weights[0]);
  double sum = 0;
  double square = 0;
  for (const float value : values) {
    CHECK_FALSE(std::abs(value) > 0.05F);
    sum += static_cast<double>(value);
    square += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto n = static_cast<double>(values.size());
  CHECK(sum / n == Approx(0.0).margin(0.001));
  CHECK(square / n == Approx(0.05 * 0.05 / 3).epsilon(0.02));
  const auto again =
      core().create(make_spec("mlp_small", 400), plain(400), {}, 1, Device{})->weights();
  CHECK(again[0].bytes == weights[0].bytes);
  CHECK(
      core().create(make_spec("mlp_small", 400), plain(400), {}, 2, Device{})->weights()[0].bytes !=
      weights[0].bytes);
}

TEST_CASE("weights that do not fit the specification are refused") {
  const ModelSpec spec = make_spec("mlp_medium", 30);
  const auto good = core().create(spec, plain(30), {}, 1, Device{})->weights();
  const auto refused = [&](const std::vector<Tensor>& weights) {
    return error_code([&] {
             static_cast<void>(core().load(spec, plain(30), weights, Device{}));
           }) == ExitCode::kArtifact;
  };
  REQUIRE_FALSE(refused(good));
  auto bad = good;
  bad.pop_back();
  CHECK(refused(bad));
  bad = good;
  bad.push_back(good[0]);
  CHECK(refused(bad));
  bad = good;
  bad[0].name = "0.weights";
  CHECK(refused(bad));
  bad = good;
  std::swap(bad[0], bad[1]);
  CHECK(refused(bad));
  bad = good;
  std::swap(bad[0].shape[0], bad[0].shape[1]);
  CHECK(refused(bad));
  bad = good;
  bad[0].dtype = DType::kI64;
  CHECK(refused(bad));
  bad = good;
  bad[0].bytes.pop_back();
  CHECK(refused(bad));
  CHECK(refused({}));
}

TEST_CASE("a card that is not there is an error") {
  if (!core().describe()["cuda"].is_null()) return;
  CHECK(error_code([] {
          static_cast<void>(
              core().create(make_spec("mlp_small", 16), plain(16), {}, 1, Device{true, 0}));
        }) == ExitCode::kFailure);
}

// A sanitizer's allocator ends the program instead.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a net that no memory can hold is worth another try elsewhere") {
  ModelSpec spec = make_spec("mlp_small", 4);
  spec.inputs = std::int64_t{1} << 50;
  spec.widths = {spec.inputs, 8, 1};
  try {
    static_cast<void>(core().create(spec, plain(spec.inputs), {}, 1, Device{}));
    FAIL("it was created");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kTemporary);
    CHECK(std::string_view(error.what()).find("out of memory; ") != std::string_view::npos);
  }
}
#endif

TEST_CASE("the backend class names ATen's kernels, not the user's environment") {
  static_cast<void>(core());
  const char* named = std::getenv("ATEN_CPU_CAPABILITY");
  REQUIRE(named != nullptr);
  CHECK(std::string(named) == (backend_class({}).ends_with("-baseline") ? "default" : "avx2"));
}

TEST_CASE("the core describes itself") {
  const Json description = core().describe();
  CHECK(description["threads"] == 1);
  CHECK(description["libtorch"].is_string());
  INFO(description.dump());
  CHECK(description["blas"].is_string());
  CHECK(&core() == &core());
}
