// What holds for every architecture, head and readout.
#include "catch_all.hpp"
#include "tcr_problem.hpp"

#include <cmath>
#include <error_of.hpp>
#include <map>
#include <optional>

using namespace tcrops;
using namespace tcrops::nn;
using data::Column;

namespace {

constexpr std::int64_t kEpochs = 4;

const TcrProblem& problem(bool learned) {
  static const TcrProblem fixed(false);
  static const TcrProblem with_embedding(true);
  return learned ? with_embedding : fixed;
}

// Another optimiser, loss and sampling for each number.
TrainOptions training(std::size_t number, const Variant& variant) {
  const std::string& optimiser = optimiser_names()[number % optimiser_names().size()];
  const bool adaptive = optimiser != "sgd";
  TrainOptions options{
      .learning_rate = adaptive ? 0.005 : 0.02, .epochs = kEpochs, .batch_size = 64, .seed = 4};
  options.sampling = sampling_names()[number / 2 % 2];
  options.loss.name = loss_names()[number % loss_names().size()];
  options.loss.label_smoothing = number % 3 == 0 ? 0.1 : 0.0;
  if (options.loss.name == "softmax" &&
      (variant.options.head != "competing" || options.sampling != "each_row"))
    options.loss.name = "bce";
  const bool whole = variant.options.head != "pan" && options.sampling == "each_row";
  options.missing_pairs = whole && options.loss.name != "softmax" ? 0.5 : 0.0;
  options.optimiser = {.name = optimiser,
                       .weight_decay = 0.01,
                       .momentum = number % 3 == 1 ? 0.0 : 0.9,
                       .schedule = schedule_names()[number % schedule_names().size()],
                       .warmup_epochs = static_cast<std::int64_t>(number % 3),
                       .clip_norm = number % 2 == 0 ? 1.0 : 0.0};
  return options;
}

const EpochCallback kGoOn = [](const EpochReport&) { return EpochDecision{}; };

std::unique_ptr<Network> trained(const Variant& variant, std::size_t number,
                                 std::uint64_t seed = 1) {
  const TcrProblem& given = problem(variant.learned);
  auto network = given.network(variant.options, seed);
  network->fit(given.examples(), {}, training(number, variant), kGoOn);
  return network;
}

// Calls with every variant and its number.
template <class Check>
void for_each_variant(Check&& check) {
  std::size_t number = 0;
  for (Variant variant : variants()) {
    variant.options.dropout = number % 2 == 0 ? 0.2 : 0.0;
    INFO(variant.name);
    check(variant, number++);
  }
}

data::EncodedRows some_rows(const data::EncodedRows& all, std::size_t begin, std::size_t end) {
  data::EncodedRows some;
  for (std::size_t row = begin; row < end; ++row) data::append_row(all, row, some);
  return some;
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE("every network gives the same bytes for the same arguments, and others for others") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    const auto once = trained(variant, number);
    CHECK(bytes_of(*trained(variant, number)) == bytes_of(*once));
    const bool kernel = variant.options.architecture == "kernel_mlp";
    // A kernel machine draws nothing at the beginning.
    if (!kernel) CHECK(bytes_of(*trained(variant, number, 2)) != bytes_of(*once));
    CHECK(bytes_of(*problem(variant.learned).network(variant.options)) != bytes_of(*once));
    CHECK(all_finite(once->logits(problem(variant.learned).rows)));
  });
}

TEST_CASE("every network that was cut off ends as if it had not been") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    const TcrProblem& given = problem(variant.learned);
    const TrainOptions options = training(number, variant);
    const auto keep_second = [](const EpochReport& report) {
      return EpochDecision{.stop = false, .keep = report.epoch == 2};
    };
    const auto whole = given.network(variant.options);
    whole->fit(given.examples(), {}, options, keep_second);
    for (const std::int64_t cut : {1, 3}) {
      std::optional<TrainState> state;
      Continuation until{.from = nullptr, .offer = {}};
      until.offer = [&](const std::function<TrainState()>& offered) {
        if (offered().epoch != cut) return;
        state = offered();
        throw Error(ExitCode::kTerminated, "cut off");
      };
      const auto first = given.network(variant.options);
      CHECK(error_code([&] { first->fit(given.examples(), {}, options, keep_second, until); }) ==
            ExitCode::kTerminated);
      REQUIRE(state);
      const TrainState stored = {state->epoch,
                                 read_safetensors(write_safetensors(state->tensors), "state")};
      const auto second = given.network(variant.options, 9);
      CHECK_NOTHROW(second->check_state(stored, options.optimiser));
      second->fit(given.examples(), {}, options, keep_second, {.from = &stored, .offer = {}});
      CHECK(bytes_of(*second) == bytes_of(*whole));
    }
  });
}

TEST_CASE("a state of another optimiser is refused") {
  const TcrProblem& given = problem(false);
  const auto network = given.network({});
  for (const std::string& one : optimiser_names()) {
    std::optional<TrainState> state;
    const TrainOptions options{.epochs = 2, .batch_size = 64, .optimiser = {.name = one}};
    network->fit(given.examples(), {}, options, kGoOn,
                 {.from = nullptr, .offer = [&](const auto& offered) { state = offered(); }});
    REQUIRE(state);
    for (const std::string& other : optimiser_names()) {
      INFO(one << " " << other);
      const bool same_memory = one.starts_with("adam") == other.starts_with("adam") &&
                               (one == "sgd") == (other == "sgd");
      const auto code = error_code([&] { network->check_state(*state, {.name = other}); });
      CHECK(code == (same_memory ? std::nullopt : std::optional(ExitCode::kArtifact)));
    }
  }
}

TEST_CASE("weights of other columns than the encoder's are refused") {
  const TcrProblem& given = problem(false);
  for (const char* readout : {"linear", "density"}) {
    NetworkOptions options;
    options.architecture = "kernel_mlp";
    options.head = "per_epitope";
    options.readout = readout;
    ModelSpec spec = given.spec(options);
    spec.loop_weights.push_back(1.0);
    const auto thrown = test::error_of([&] {
      static_cast<void>(core().create(spec, given.expansion, given.foundation, 1, Device{}));
    });
    CHECK(thrown.code == ExitCode::kArtifact);
    CHECK(thrown.says("they belong to different models"));
  }
}

TEST_CASE("no row's logit depends on the rows beside it") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    const data::EncodedRows& few = problem(variant.learned).rows;
    data::EncodedRows rows;
    for (std::size_t row = 0; row < 600; ++row) data::append_row(few, row * 7 % few.rows, rows);
    const auto network = trained(variant, number);
    const auto all = network->logits(rows);
    for (const std::size_t size : {1U, 2U, 7U, 33U, 255U, 256U, 257U}) {
      INFO(size);
      std::vector<float> parts;
      const std::size_t last = size < 7 ? 40 : 600;
      for (std::size_t begin = 0; begin < last; begin += size) {
        const auto part = network->logits(some_rows(rows, begin, std::min(begin + size, last)));
        parts.insert(parts.end(), part.begin(), part.end());
      }
      CHECK(same_bits(parts, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(last)}));
    }
    // Nor on its place.
    for (std::size_t row = few.rows; row < 600; ++row) CHECK(all[row] == all[row - few.rows]);
  });
}

TEST_CASE("every network is the same when it was saved and loaded") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    const TcrProblem& given = problem(variant.learned);
    const auto network = trained(variant, number);
    const ModelSpec spec =
        spec_from_json(parse_json(canonical_json(to_json(network->spec())), "test"));
    const auto weights = read_safetensors(bytes_of(*network), "test");
    const auto again = core().load(spec, given.expansion, weights, Device{});
    CHECK(same_bits(again->logits(given.rows), network->logits(given.rows)));
    CHECK(bytes_of(*again) == bytes_of(*network));
    CHECK(again->trained_numbers() == network->trained_numbers());
    std::vector<Tensor> fewer(weights.begin(), weights.end() - 1);
    CHECK(error_code([&] {
            static_cast<void>(core().load(spec, given.expansion, fewer, Device{}));
          }) == ExitCode::kArtifact);
  });
}

TEST_CASE("rows that lack a chain are scored") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    const TcrProblem& given = problem(variant.learned);
    const auto network = trained(variant, number);
    const auto whole = network->logits(given.rows);
    for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
      const auto masked = network->logits(given.without(column));
      CHECK(all_finite(masked));
      CHECK_FALSE(same_bits(masked, whole));
    }
  });
}

TEST_CASE("what a row lacks does not reach its logit") {
  // The weights that only a missing chain would use.
  const std::map<std::string, std::string> own = {{"cnn", "conv_CDR3_alpha"},
                                                  {"attention", "token_CDR3_alpha"}};
  for_each_variant([&](const Variant& variant, std::size_t number) {
    const auto prefix = own.find(variant.options.architecture);
    if (prefix == own.end()) return;
    const TcrProblem& given = problem(variant.learned);
    const auto network = trained(variant, number);
    auto weights = network->weights();
    std::size_t changed = 0;
    for (Tensor& tensor : weights) {
      if (!tensor.name.starts_with(prefix->second)) continue;
      auto values = as_f32(tensor);
      for (float& value : values) value += 1.0F;
      tensor = make_f32(tensor.name, tensor.shape, values);
      ++changed;
    }
    REQUIRE(changed > 0);
    const auto other = core().load(network->spec(), given.expansion, weights, Device{});
    const auto masked = given.without(Column::kCdr3Alpha);
    CHECK(same_bits(other->logits(masked), network->logits(masked)));
    CHECK_FALSE(same_bits(other->logits(given.rows), network->logits(given.rows)));
  });
}

TEST_CASE("a gap is nothing, whatever an embedding says of it") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    if (!variant.learned) return;
    const TcrProblem& given = problem(true);
    const auto network = trained(variant, number);
    auto weights = network->weights();
    REQUIRE(weights[0].name == "embedding0");
    const auto before = as_f32(weights[0]);
    CHECK(before != as_f32(given.network(variant.options)->weights()[0]));
    const auto dims = static_cast<std::size_t>(weights[0].shape[1]);
    auto values = before;
    for (std::size_t i = 0; i < dims; ++i) {
      CHECK(before[i] == 0.0F);
      values[i] = 3.0F;
    }
    weights[0] = make_f32(weights[0].name, weights[0].shape, values);
    const auto other = core().load(network->spec(), given.expansion, weights, Device{});
    CHECK(same_bits(other->logits(given.rows), network->logits(given.rows)));
  });
}

TEST_CASE("a head knows its epitope by its letters and sees nothing of it") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    if (variant.options.head == "pan") return;
    const TcrProblem& given = problem(variant.learned);
    const auto network = trained(variant, number);
    const auto logits = network->logits(given.rows);
    data::EncodedRows other = given.rows;
    const std::size_t epitope = given.first_of(Column::kEpitope);
    const std::size_t mhc = given.first_of(Column::kMhc);
    for (std::size_t row = 0; row < other.rows; ++row) {
      other.codes[row * other.code_width + mhc] = 3;
      if (row % 5 == 0) other.codes[row * other.code_width + epitope] = 20;  // nobody's
    }
    const auto changed = network->logits(other);
    for (std::size_t row = 0; row < other.rows; ++row) {
      if (row % 5 == 0)
        CHECK(std::isnan(changed[row]));
      else
        CHECK(changed[row] == logits[row]);
    }
    // Rows of an unknown epitope have no attributions either, and cannot be trained on.
    const auto attributed = network->attributions(some_rows(other, 0, 2), 2);
    CHECK(std::isnan(attributed.values.front()));
    CHECK(std::isfinite(attributed.values.back()));
    CHECK(std::isnan(attributed.baselines.front()));
    CHECK(error_code([&] {
            network->fit({&other, given.labels}, {}, training(number, variant), kGoOn);
          }) == ExitCode::kInputData);
  });
}

TEST_CASE("competing heads share at most one") {
  for_each_variant([](const Variant& variant, std::size_t number) {
    if (variant.options.head != "competing") return;
    const TcrProblem& given = problem(variant.learned);
    const auto logits = trained(variant, number)->logits(given.rows);
    for (std::size_t tcr = 0; tcr < TcrProblem::kTcrs; ++tcr) {
      double sum = 0.0;
      for (std::size_t head = 0; head < TcrProblem::kHeads; ++head)
        sum +=
            1.0 / (1.0 + std::exp(-static_cast<double>(logits[tcr * TcrProblem::kHeads + head])));
      CHECK(sum > 0.0);
      CHECK(sum < 1.0 + 1e-6);  // of rounded logits
    }
  });
}

TEST_CASE("attributions add up to what the row says more than nothing does") {
  constexpr std::int64_t kSteps = 200;
  for_each_variant([](const Variant& variant, std::size_t number) {
    const TcrProblem& given = problem(variant.learned);
    const auto network = trained(variant, number);
    const data::EncodedRows rows = some_rows(given.rows, 0, 30);
    const auto [attributed, baselines] = network->attributions(rows, kSteps);
    const std::string before = bytes_of(*network);
    const auto logits = network->logits(rows);
    const std::size_t width = rows.code_width + rows.number_width;
    REQUIRE(attributed.size() == rows.rows * width);
    REQUIRE(baselines.size() == rows.rows);
    CHECK(all_finite(attributed));
    CHECK(same_bits(network->attributions(rows, kSteps).values, attributed));
    CHECK(bytes_of(*network) == before);
    bool any = false;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      for (std::size_t i = 0; i < width; ++i) {
        const float value = attributed[row * width + i];
        any = any || value != 0.0F;
        if (i < rows.code_width && rows.codes[row * rows.code_width + i] == 0) CHECK(value == 0.0F);
      }
    }
    CHECK(any);
    for (std::size_t row = 0; row < rows.rows; ++row) {
      double sum = 0.0;
      for (std::size_t i = 0; i < width; ++i)
        sum += static_cast<double>(attributed[row * width + i]);
      const double wanted = static_cast<double>(logits[row]) - static_cast<double>(baselines[row]);
      CHECK(sum == Approx(wanted).margin(0.02 * std::max(1.0, std::abs(wanted))));
    }
  });
}
