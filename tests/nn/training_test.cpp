#include "catch_all.hpp"
#include "problem.hpp"

#include <tcrops/core/interrupt.hpp>

#include <cmath>
#include <csignal>
#include <thread>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

std::unique_ptr<Network> fresh(const std::string& architecture, std::int64_t width,
                               std::uint64_t seed = 1) {
  return core().create(make_spec(architecture, width), seed, Device{});
}

const EpochCallback kGoOn = [](const EpochReport&) { return EpochDecision{}; };

// Weights after a short training that depends on nothing but its arguments.
std::string trained_bytes(const std::string& architecture, std::uint64_t seed) {
  const Problem train(500, 40, 1);
  const Problem validation(50, 40, 2);
  const auto network = fresh(architecture, 40, seed);
  network->fit(train.examples(), validation.examples(),
               {.learning_rate = 0.01, .epochs = 3, .batch_size = 64, .seed = seed}, kGoOn);
  return bytes_of(*network);
}

}  // namespace

TEST_CASE("each net learns an easy problem") {
  for (const std::string& architecture : architecture_names()) {
    INFO(architecture);
    // One row in ten is positive.
    const Problem train(3000, 24, 1, 1.28 * std::sqrt(24.0));
    const Problem validation(1000, 24, 2, 1.28 * std::sqrt(24.0));
    const auto network = fresh(architecture, 24);
    std::vector<double> losses;
    network->fit(train.examples(), validation.examples(),
                 {.learning_rate = 0.01, .epochs = 12, .batch_size = 256, .seed = 3},
                 [&](const EpochReport& report) {
                   CHECK(report.epoch == static_cast<std::int64_t>(losses.size()) + 1);
                   CHECK(report.validation_logits.size() == 1000);
                   losses.push_back(report.train_loss);
                   return EpochDecision{};
                 });
    CHECK(losses.size() == 12);
    CHECK(losses.back() < losses.front() / 2);
    const auto logits = network->logits(validation.features);
    double right = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      right += (logits[i] > 0) == (validation.labels[i] == 1);
    CHECK(right > 900);
  }
}

TEST_CASE("the same arguments give the same bytes, others others") {
  for (const std::string& architecture : architecture_names()) {
    const std::string bytes = trained_bytes(architecture, 5);
    CHECK(trained_bytes(architecture, 5) == bytes);
    CHECK(trained_bytes(architecture, 6) != bytes);
  }
}

TEST_CASE("nets that train at the same time do not disturb each other") {
  std::vector<std::string> alone;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    alone.push_back(trained_bytes(architecture_names()[seed % 3], seed));
  std::vector<std::string> together(alone.size());
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&together, seed] {
      together[seed] = trained_bytes(architecture_names()[seed % 3], seed);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(together == alone);
}

TEST_CASE("the last kept weights win, stop stops") {
  const Problem train(300, 16, 1);
  const auto network = fresh("mlp_medium", 16);
  std::vector<std::string> after;
  const auto fit = [&](std::int64_t keep, std::int64_t stop) {
    after.clear();
    network->fit(train.examples(), {{}, {}, 16},
                 {.learning_rate = 0.01, .epochs = 6, .batch_size = 64, .seed = 1},
                 [&](const EpochReport& report) {
                   CHECK(report.validation_logits.empty());
                   after.push_back(bytes_of(*network));
                   return EpochDecision{.stop = report.epoch == stop,
                                        .keep = report.epoch == keep || report.epoch == 1};
                 });
  };
  fit(3, 5);
  CHECK(after.size() == 5);
  CHECK(bytes_of(*network) == after[2]);
  fit(6, 0);
  CHECK(after.size() == 6);
  CHECK(bytes_of(*network) == after[5]);
}

TEST_CASE("logits inside the callback are those of the epoch") {
  const Problem train(200, 16, 1);
  const Problem validation(30, 16, 2);
  const auto network = fresh("mlp_medium", 16);
  const auto before = network->logits(validation.features);
  network->fit(train.examples(), validation.examples(),
               {.learning_rate = 0.01, .epochs = 3, .batch_size = 64, .seed = 1},
               [&](const EpochReport& report) {
                 const std::vector<float> seen(report.validation_logits.begin(),
                                               report.validation_logits.end());
                 CHECK(same_bits(network->logits(validation.features), seen));
                 return EpochDecision{.stop = false, .keep = report.epoch == 1};
               });
  CHECK_FALSE(same_bits(network->logits(validation.features), before));
  CHECK(same_bits(
      network->logits(validation.features),
      core().load(network->spec(), network->weights(), Device{})->logits(validation.features)));
}

TEST_CASE("a loss that is not finite is reported and ends the training") {
  const Problem train(300, 16, 1);
  const auto network = fresh("mlp_small", 16);
  std::int64_t epochs = 0;
  double last = 0;
  network->fit(train.examples(), {},
               {.learning_rate = 1e30, .epochs = 20, .batch_size = 64, .seed = 1},
               [&](const EpochReport& report) {
                 epochs = report.epoch;
                 last = report.train_loss;
                 return EpochDecision{.stop = false, .keep = true};
               });
  CHECK(epochs < 20);
  CHECK_FALSE(std::isfinite(last));
}

TEST_CASE("rows of one class cannot be trained on") {
  Problem train(20, 16, 1);
  for (const std::uint8_t label : {std::uint8_t{0}, std::uint8_t{1}}) {
    train.labels.assign(20, label);
    CHECK(error_code([&] { fresh("mlp_small", 16)->fit(train.examples(), {}, {}, kGoOn); }) ==
          ExitCode::kInputData);
  }
}

TEST_CASE("sizes that do not fit are errors") {
  const Problem train(20, 16, 1);
  CHECK(error_code([&] { fresh("mlp_small", 15)->fit(train.examples(), {}, {}, kGoOn); }) ==
        ExitCode::kFailure);
  CHECK(error_code([&] { static_cast<void>(fresh("mlp_small", 15)->logits(train.features)); }) ==
        ExitCode::kFailure);
}

TEST_CASE("batches that would leave a single row work") {
  for (const std::int64_t rows : {2, 3, 65, 129}) {
    Problem train(rows, 16, 1);
    train.labels[0] = 0;
    train.labels[1] = 1;
    for (const std::int64_t size : {1, 2, 64}) {
      const auto network = fresh("mlp_medium", 16);
      std::int64_t epochs = 0;
      network->fit(train.examples(), {},
                   {.learning_rate = 0.001, .epochs = 2, .batch_size = size, .seed = 1},
                   [&](const EpochReport& report) {
                     ++epochs;
                     CHECK(std::isfinite(report.train_loss));
                     return EpochDecision{};
                   });
      CHECK(epochs == 2);
    }
  }
}

TEST_CASE("an error of the callback ends the training") {
  const Problem train(50, 16, 1);
  CHECK(error_code([&] {
          fresh("mlp_small", 16)
              ->fit(train.examples(), {}, {}, [](const EpochReport&) -> EpochDecision {
                throw Error(ExitCode::kLeaseLost, "lost");
              });
        }) == ExitCode::kLeaseLost);
}

// Last: the signal stays noticed.
TEST_CASE("a signal ends the training between batches") {
  install_interrupt_handlers();
  const Problem train(200, 16, 1);
  std::int64_t epochs = 0;
  CHECK(error_code([&] {
          fresh("mlp_small", 16)->fit(train.examples(), {}, {}, [&](const EpochReport&) {
            ++epochs;
            std::raise(SIGTERM);
            return EpochDecision{};
          });
        }) == ExitCode::kTerminated);
  CHECK(epochs == 1);
}
