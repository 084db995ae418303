// Networks with weights of one byte.
#include "catch_all.hpp"
#include "tcr_problem.hpp"

#include <tcrops/nn/quantise.hpp>

#include <cmath>
#include <functional>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

const EpochCallback kGoOn = [](const EpochReport&) { return EpochDecision{}; };

double deviation(const std::vector<float>& values) {
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(std::max(squares / n - sum / n * (sum / n), 0.0));
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

std::unique_ptr<Network> trained(const TcrProblem& problem, const NetworkOptions& options) {
  auto network = problem.network(options);
  TrainOptions training;
  training.epochs = 4;
  training.batch_size = 64;
  network->fit(problem.examples(), {}, training, kGoOn);
  return network;
}

}  // namespace

TEST_CASE("every network says nearly the same with weights of one byte") {
  for (const Variant& variant : variants()) {
    INFO(variant.name);
    const TcrProblem problem(variant.learned);
    const auto network = trained(problem, variant.options);
    if (variant.options.readout == "density") {
      CHECK(error_code([&] { static_cast<void>(quantise(network->spec(), network->weights())); }) ==
            ExitCode::kUsage);
      continue;
    }
    const QuantisedNetwork made = quantise(network->spec(), network->weights());
    const auto stored = read_safetensors(write_safetensors(made.tensors), "test");
    const auto small = load_network(made.spec, problem.expansion, stored, Device{});
    const auto before = network->logits(problem.rows);
    const auto after = small->logits(problem.rows);
    // Rounding adds up over the 24 layers of the largest.
    const double share = variant.options.architecture == "mlp_large" ? 0.3 : 0.15;
    CHECK(largest_difference(before, after) < share * std::max(deviation(before), 0.1));
    CHECK(bytes_of(*small) == write_safetensors(made.tensors));
    CHECK(small->attributions(problem.rows, 2).baselines.size() == problem.rows.rows);
    CHECK(error_code([&] { small->fit(problem.examples(), {}, {}, kGoOn); }) == ExitCode::kFailure);
    // Whatever rows stand beside it.
    for (const std::size_t row : {0U, 100U, 239U}) {
      data::EncodedRows one;
      data::append_row(problem.rows, row, one);
      CHECK(same_bits(small->logits(one), {after[row]}));
    }
  }
}

TEST_CASE("what every activation and normalisation makes of bytes") {
  const TcrProblem problem;
  for (const std::string& activation : activation_names()) {
    for (const std::string& norm : norm_names()) {
      INFO(activation << " " << norm);
      NetworkOptions options;
      options.architecture = "mlp";
      options.activation = activation;
      options.norm = norm;
      options.hidden = {40, 20};
      const auto network = trained(problem, options);
      const QuantisedNetwork made = quantise(network->spec(), network->weights());
      CHECK(made.spec.norm == (norm == "batch" ? "none" : norm));
      const auto small = load_network(made.spec, problem.expansion, made.tensors, Device{});
      const auto before = network->logits(problem.rows);
      CHECK(largest_difference(before, small->logits(problem.rows)) <
            0.1 * std::max(deviation(before), 0.1));
    }
  }
}

TEST_CASE("a row's largest weight is 127, and one without weights stays so") {
  const std::vector<float> values = {0.5F, -1.0F, 0.25F, 0.0F, 0.0F, 0.0F};
  const std::vector<Tensor> weights = {make_f32("0.weight", {2, 3}, values)};
  ModelSpec spec = make_spec("mlp_small", 4);
  const QuantisedNetwork made = quantise(spec, weights);
  REQUIRE(made.tensors.size() == 2);
  CHECK(as_i8(made.tensors[0]) == std::vector<std::int8_t>{64, -127, 32, 0, 0, 0});
  CHECK(made.tensors[1].name == "0.weight_scale");
  CHECK(as_f32(made.tensors[1]) == std::vector<float>{1.0F / 127.0F, 1.0F});
}

TEST_CASE("damaged bytes are refused") {
  const TcrProblem problem;
  const auto network = problem.network({});
  const QuantisedNetwork made = quantise(network->spec(), network->weights());
  const auto refused = [&](const std::function<void(std::vector<Tensor>&)>& change) {
    std::vector<Tensor> bad = made.tensors;
    change(bad);
    return error_code([&] {
             static_cast<void>(load_network(made.spec, problem.expansion, bad, Device{}));
           }) == ExitCode::kArtifact;
  };
  CHECK_FALSE(refused([](auto&) {}));
  CHECK(refused([](auto& t) { t.erase(t.begin() + 1); }));
  CHECK(refused([](auto& t) { t[1].shape[0] += 1; }));
  CHECK(refused([](auto& t) { t[1].name = "scale"; }));
  CHECK(refused([](auto& t) { std::swap(t[0].shape[0], t[0].shape[1]); }));
  CHECK(refused([](auto& t) { t.pop_back(); }));
  CHECK(refused([](auto& t) { t[0].bytes.pop_back(); }));
}
