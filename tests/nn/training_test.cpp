#include "catch_all.hpp"
#include "problem.hpp"

#include <tcrops/core/interrupt.hpp>

#include <cmath>
#include <csignal>
#include <optional>
#include <thread>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

std::unique_ptr<Network> fresh(const std::string& architecture, std::int64_t width,
                               std::uint64_t seed = 1) {
  return core().create(make_spec(architecture, width), plain(width), {}, seed, Device{});
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

// A training that can be cut off after an epoch, with all that its callback was told.
struct Course {
  std::int64_t keep = 0;  // the epochs whose weights are kept: this and the first; 0: none
  std::int64_t stop = 0;  // 0: never
  std::vector<double> losses = {};
  std::vector<std::vector<float>> logits = {};

  // Ends after the epoch with the state that is offered then.
  std::optional<TrainState> train(Network& network, const TrainState* from,
                                  std::int64_t until = 0) {
    const Problem train(300, 24, 1);
    const Problem validation(40, 24, 2);
    std::optional<TrainState> last;
    Continuation continuation{.from = from, .offer = {}};
    continuation.offer = [&](const std::function<TrainState()>& state) {
      if (static_cast<std::int64_t>(losses.size()) != until) return;
      last = state();
      throw Error(ExitCode::kTerminated, "cut off");
    };
    const auto fit = [&] {
      network.fit(
          train.examples(), validation.examples(),
          {.learning_rate = 0.01, .epochs = 7, .batch_size = 64, .seed = 4},
          [this](const EpochReport& report) { return note(report); }, continuation);
    };
    if (until == 0)
      fit();
    else
      CHECK(error_code(fit) == ExitCode::kTerminated);
    return last;
  }

 private:
  EpochDecision note(const EpochReport& report) {
    losses.push_back(report.train_loss);
    logits.emplace_back(report.validation_logits.begin(), report.validation_logits.end());
    CHECK(report.epoch == static_cast<std::int64_t>(losses.size()));
    return {.stop = report.epoch == stop,
            .keep = keep != 0 && (report.epoch == keep || report.epoch == 1)};
  }
};

// Through bytes, as a file would keep it.
TrainState stored(const TrainState& state) {
  return {state.epoch, read_safetensors(write_safetensors(state.tensors), "state")};
}

}  // namespace

TEST_CASE("each net learns an easy problem") {
  for (const std::string& architecture : paper_nets()) {
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
    const auto logits = network->logits(validation.rows);
    double right = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      right += (logits[i] > 0) == (validation.labels[i] == 1);
    CHECK(right > 900);
  }
}

TEST_CASE("the same arguments give the same bytes, others others") {
  for (const std::string& architecture : paper_nets()) {
    const std::string bytes = trained_bytes(architecture, 5);
    CHECK(trained_bytes(architecture, 5) == bytes);
    CHECK(trained_bytes(architecture, 6) != bytes);
  }
}

TEST_CASE("nets that train at the same time do not disturb each other") {
  std::vector<std::string> alone;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    alone.push_back(trained_bytes(paper_nets()[seed % 3], seed));
  std::vector<std::string> together(alone.size());
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back(
        [&together, seed] { together[seed] = trained_bytes(paper_nets()[seed % 3], seed); });
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
    network->fit(train.examples(), {},
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
  const auto before = network->logits(validation.rows);
  network->fit(train.examples(), validation.examples(),
               {.learning_rate = 0.01, .epochs = 3, .batch_size = 64, .seed = 1},
               [&](const EpochReport& report) {
                 const std::vector<float> seen(report.validation_logits.begin(),
                                               report.validation_logits.end());
                 CHECK(same_bits(network->logits(validation.rows), seen));
                 return EpochDecision{.stop = false, .keep = report.epoch == 1};
               });
  CHECK_FALSE(same_bits(network->logits(validation.rows), before));
  CHECK(same_bits(network->logits(validation.rows),
                  core()
                      .load(network->spec(), plain(validation.width), network->weights(), Device{})
                      ->logits(validation.rows)));
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
        ExitCode::kArtifact);
  CHECK(error_code([&] { static_cast<void>(fresh("mlp_small", 15)->logits(train.rows)); }) ==
        ExitCode::kArtifact);
  Problem short_of_labels = train;
  short_of_labels.labels.pop_back();
  CHECK(error_code([&] {
          fresh("mlp_small", 16)->fit(short_of_labels.examples(), {}, {}, kGoOn);
        }) == ExitCode::kFailure);
  CHECK(error_code([] {
          static_cast<void>(core().create(make_spec("mlp_small", 16), plain(15), {}, 1, Device{}));
        }) == ExitCode::kArtifact);
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

TEST_CASE("a training that was cut off ends as if it had not been") {
  for (const std::string& architecture : paper_nets()) {
    for (const Course& wanted : {Course{}, Course{.keep = 3}, Course{.keep = 3, .stop = 6}}) {
      const auto whole = fresh(architecture, 24);
      Course undisturbed = wanted;
      CHECK_FALSE(undisturbed.train(*whole, nullptr));
      const std::int64_t epochs = wanted.stop == 0 ? 7 : wanted.stop;
      for (const std::int64_t cut : {1, 2, 3, 5}) {
        INFO(architecture << ", kept " << wanted.keep << ", cut off after epoch " << cut);
        Course course = wanted;
        const auto before = course.train(*fresh(architecture, 24), nullptr, cut);
        REQUIRE(before);
        CHECK(before->epoch == cut);
        // A second time, further on; by other weights, which the state replaces.
        TrainState state = stored(*before);
        if (cut + 1 < epochs) {
          const auto again = course.train(*fresh(architecture, 24, 7), &state, cut + 1);
          REQUIRE(again);
          state = stored(*again);
        }
        const auto network = fresh(architecture, 24, 8);
        course.train(*network, &state);
        CHECK(bytes_of(*network) == bytes_of(*whole));
        CHECK(course.losses == undisturbed.losses);
        CHECK(course.logits == undisturbed.logits);
      }
    }
  }
}

TEST_CASE("a schedule may be laid out for more epochs than are run") {
  const Problem train(100, 16, 1);
  const auto after = [&](std::int64_t epochs, std::int64_t schedule_epochs, std::int64_t stop) {
    const auto network = fresh("mlp_small", 16);
    TrainOptions options{.epochs = epochs, .schedule_epochs = schedule_epochs, .batch_size = 64};
    options.optimiser.schedule = "cosine";
    network->fit(train.examples(), {}, options, [&](const EpochReport& report) {
      EpochDecision decision;
      decision.stop = report.epoch == stop;
      return decision;
    });
    return bytes_of(*network);
  };
  CHECK(after(3, 8, 0) == after(8, 0, 3));
  CHECK(after(3, 8, 0) != after(3, 0, 0));
}

TEST_CASE("a state is offered between epochs only") {
  const Problem train(100, 16, 1);
  for (const std::int64_t stop : {0, 3}) {
    std::int64_t epoch = 0;
    std::vector<std::int64_t> offered;
    fresh("mlp_small", 16)
        ->fit(train.examples(), {},
              {.learning_rate = 0.01, .epochs = 5, .batch_size = 64, .seed = 1},
              [&](const EpochReport& report) {
                epoch = report.epoch;
                return EpochDecision{.stop = epoch == stop, .keep = false};
              },
              {.from = nullptr, .offer = [&](const auto& state) {
                 offered.push_back(epoch);
                 CHECK(state().epoch == epoch);
               }});
    const std::vector<std::int64_t> all = {1, 2, 3, 4};
    CHECK(offered == std::vector<std::int64_t>(all.begin(), all.end() - (stop == 0 ? 0 : 2)));
  }
}

TEST_CASE("a state that does not fit is refused and changes nothing") {
  Course course{.keep = 1};
  const auto state = course.train(*fresh("mlp_medium", 24), nullptr, 2);
  REQUIRE(state);
  const auto refused = [&](const std::string& architecture, std::int64_t width,
                           const TrainState& wrong) {
    const auto network = fresh(architecture, width);
    const std::string before = bytes_of(*network);
    const Problem train(50, width, 1);
    CHECK(error_code([&] { network->check_state(wrong, {}); }) == ExitCode::kArtifact);
    CHECK(error_code([&] {
            network->fit(train.examples(), {}, {}, kGoOn, {.from = &wrong, .offer = {}});
          }) == ExitCode::kArtifact);
    CHECK(bytes_of(*network) == before);
  };
  const auto changed = [&](const std::function<void(TrainState&)>& change) {
    TrainState wrong = *state;
    change(wrong);
    refused("mlp_medium", 24, wrong);
  };
  CHECK_NOTHROW(fresh("mlp_medium", 24)->check_state(*state, {}));
  refused("mlp_small", 24, *state);
  refused("mlp_medium", 26, *state);
  changed([](TrainState& s) { s.epoch = 0; });
  changed([](TrainState& s) { s.tensors.clear(); });
  changed([](TrainState& s) { s.tensors.push_back(s.tensors.front()); });
  changed([](TrainState& s) { std::swap(s.tensors[1], s.tensors[2]); });
  for (std::size_t i = 0; i < state->tensors.size(); ++i) {
    INFO(state->tensors[i].name);
    changed([i](TrainState& s) { s.tensors.erase(s.tensors.begin() + static_cast<int>(i)); });
    changed([i](TrainState& s) { s.tensors[i].name += "x"; });
    changed([i](TrainState& s) { s.tensors[i].shape.push_back(1); });
    changed([i](TrainState& s) { s.tensors[i].dtype = DType::kU8; });
    changed([i](TrainState& s) { s.tensors[i].bytes.pop_back(); });
  }
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
