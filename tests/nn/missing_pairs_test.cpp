// TrainOptions::missing_pairs: what heads learn from training TCRs that have no row of their
// epitope.
#include "catch_all.hpp"
#include "tcr_problem.hpp"

#include <error_of.hpp>
#include <functional>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

struct Part {
  data::EncodedRows rows;
  std::vector<std::uint8_t> labels;
};

// Rows of the problem that `wanted` says; as negatives where `negative` says so.
Part part(const TcrProblem& problem, const std::function<bool(std::size_t)>& wanted,
          const std::function<bool(std::size_t)>& negative) {
  Part some;
  for (std::size_t row = 0; row < problem.rows.rows; ++row) {
    if (!wanted(row)) continue;
    data::append_row(problem.rows, row, some.rows);
    some.labels.push_back(negative(row) ? 0 : problem.labels[row]);
  }
  return some;
}

bool is_left_out(std::size_t row) { return row % 5 == 2 || row % 5 == 3; }
bool is_elsewhere(std::size_t row) { return row % 5 == 3; }
bool nowhere(std::size_t /*row*/) { return false; }

TrainOptions training(double missing_pairs, double learning_rate) {
  TrainOptions options{
      .learning_rate = learning_rate, .epochs = 6, .batch_size = 1'000'000, .seed = 2};
  options.sampling = "each_row";
  options.missing_pairs = missing_pairs;
  options.optimiser = {.name = "sgd", .weight_decay = 0.0, .momentum = 0.0};
  return options;
}

NetworkOptions network_options() {
  NetworkOptions options;
  options.architecture = "mlp";
  options.head = "per_epitope";
  options.hidden = {6};
  return options;
}

std::vector<float> logits_after(const TcrProblem& problem, const Part& train,
                                const data::EncodedRows* elsewhere, const TrainOptions& options) {
  const auto network = problem.network(network_options());
  network->fit({&train.rows, train.labels, elsewhere}, {}, options,
               [](const EpochReport&) { return EpochDecision{}; });
  return network->logits(problem.rows);
}

void check_close(const std::vector<float>& some, const std::vector<float>& others) {
  REQUIRE(some.size() == others.size());
  for (std::size_t i = 0; i < some.size(); ++i)
    CHECK(some[i] == Approx(others[i]).margin(1e-4).epsilon(1e-4));
}

Part kept_rows(const TcrProblem& problem) {
  return part(
      problem, [](std::size_t row) { return !is_left_out(row); }, nowhere);
}

}  // namespace

TEST_CASE("a missing pair with weight 1 is a negative row, unless it stands elsewhere") {
  const TcrProblem problem;
  const Part kept = kept_rows(problem);
  const Part elsewhere = part(problem, is_elsewhere, nowhere);
  // As rows the pairs are in the mean; a larger step makes up for that.
  const Part written_out = part(
      problem, [](std::size_t row) { return !is_elsewhere(row); }, is_left_out);
  constexpr double kRate = 0.5;
  const double share =
      static_cast<double>(written_out.rows.rows) / static_cast<double>(kept.rows.rows);
  const auto missing = logits_after(problem, kept, &elsewhere.rows, training(1.0, kRate));
  check_close(missing, logits_after(problem, written_out, nullptr, training(0.0, kRate * share)));
  CHECK(missing != logits_after(problem, kept, nullptr, training(1.0, kRate)));
}

TEST_CASE("a missing pair weighs what the options say") {
  const TcrProblem problem;
  const Part kept = kept_rows(problem);
  const auto mean_of_missing = [&](double weight) {
    const auto logits = logits_after(problem, kept, nullptr, training(weight, 0.5));
    double sum = 0.0;
    for (std::size_t row = 0; row < logits.size(); ++row)
      sum += is_left_out(row) ? static_cast<double>(logits[row]) : 0.0;
    return sum;
  };
  CHECK(mean_of_missing(0.3) < mean_of_missing(0.0));
  CHECK(mean_of_missing(1.0) < mean_of_missing(0.3));
}

TEST_CASE("nothing is missing when every pair stands somewhere") {
  const TcrProblem problem;
  const Part kept = kept_rows(problem);
  const Part rest = part(problem, is_left_out, nowhere);
  CHECK(logits_after(problem, kept, &rest.rows, training(1.0, 0.5)) ==
        logits_after(problem, kept, nullptr, training(0.0, 0.5)));
}

TEST_CASE("missing pairs need heads, whole TCRs and a loss of rows") {
  const TcrProblem problem;
  const auto refused = [&](const NetworkOptions& network, const TrainOptions& options) {
    const auto fresh = problem.network(network);
    const auto thrown = test::error_of([&] {
      fresh->fit(problem.examples(), {}, options,
                 [](const EpochReport&) { return EpochDecision{}; });
    });
    CHECK(thrown.code == ExitCode::kConfiguration);
    CHECK(thrown.says("missing pairs count with heads"));
  };
  NetworkOptions pan = network_options();
  pan.head = "pan";
  refused(pan, training(0.5, 0.1));
  TrainOptions drawn = training(0.5, 0.1);
  drawn.sampling = "equal_classes";
  refused(network_options(), drawn);
  NetworkOptions competing = network_options();
  competing.head = "competing";
  TrainOptions softmax = training(0.5, 0.1);
  softmax.loss.name = "softmax";
  refused(competing, softmax);
}
