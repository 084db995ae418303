#include <tcrops/core/error.hpp>
#include <tcrops/eval/metrics.hpp>

#include <catch_all.hpp>
#include <cmath>
#include <limits>

namespace tcrops::eval {
namespace {

using Labels = std::vector<std::uint8_t>;
using Scores = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_CASE("ranking metrics reproduce scikit-learn's documented examples") {
  const Labels labels = {0, 0, 1, 1};
  const Scores scores = {0.1, 0.4, 0.35, 0.8};
  CHECK(auroc(labels, scores) == Approx(0.75).margin(1e-15));
  CHECK(average_precision(labels, scores) == Approx(5.0 / 6.0).margin(1e-15));
}

TEST_CASE("ties count half for AUROC and are one threshold for average precision") {
  CHECK(auroc(Labels{0, 1, 0, 1}, Scores{0.5, 0.5, 0.5, 0.5}) == 0.5);
  CHECK(average_precision(Labels{0, 1, 0, 1}, Scores{0.5, 0.5, 0.5, 0.5}) == 0.5);
  // Pairs: (0.7, 0.7) half, (0.7, 0.2) right, (0.2, 0.7) wrong, (0.2, 0.2) half.
  CHECK(auroc(Labels{1, 0, 1, 0}, Scores{0.7, 0.7, 0.2, 0.2}) == 0.5);
  CHECK(auroc(Labels{1, 0, 0}, Scores{0.7, 0.7, 0.2}) == 0.75);
  CHECK(auroc(Labels{1, 0}, Scores{0.0, -0.0}) == 0.5);
}

TEST_CASE("perfect and inverted rankings are the extremes") {
  CHECK(auroc(Labels{0, 0, 1}, Scores{-kInfinity, 2, kInfinity}) == 1.0);
  CHECK(average_precision(Labels{0, 0, 1}, Scores{1, 2, 3}) == 1.0);
  CHECK(auroc(Labels{1, 0, 0}, Scores{1, 2, 3}) == 0.0);
  CHECK(average_precision(Labels{1, 0, 0}, Scores{1, 2, 3}) == Approx(1.0 / 3.0));
}

TEST_CASE("ranking metrics are undefined without both classes or with a NaN score") {
  for (const Labels& labels : {Labels{}, Labels{0, 0}, Labels{1, 1}}) {
    const Scores scores(labels.size(), 0.5);
    CHECK(std::isnan(auroc(labels, scores)));
    CHECK(std::isnan(average_precision(labels, scores)));
  }
  CHECK(std::isnan(auroc(Labels{0, 1}, Scores{0.5, kNaN})));
  CHECK(std::isnan(average_precision(Labels{0, 1}, Scores{0.5, kNaN})));
}

TEST_CASE("different lengths are refused") {
  const Labels labels = {0, 1};
  const Scores scores = {0.5};
  CHECK_THROWS_AS(auroc(labels, scores), Error);
  CHECK_THROWS_AS(average_precision(labels, scores), Error);
  CHECK_THROWS_AS(log_loss_from_logits(labels, scores), Error);
  CHECK_THROWS_AS(confusion(labels, scores, 0.5), Error);
  CHECK_THROWS_AS(best_f1_threshold(labels, scores), Error);
}

TEST_CASE("log loss does not overflow") {
  CHECK(log_loss_from_logits(Labels{0, 1}, Scores{0, 0}) == Approx(std::log(2.0)));
  CHECK(log_loss_from_logits(Labels{0, 1}, Scores{1000, -3000}) == Approx(2000.0));
  CHECK(log_loss_from_logits(Labels{1, 0}, Scores{1000, -1000}) == 0.0);
  CHECK(log_loss_from_logits(Labels{1}, Scores{40}) == Approx(std::exp(-40.0)));
  CHECK(log_loss_from_logits(Labels{1, 0}, Scores{kInfinity, -kInfinity}) == 0.0);
  CHECK(std::isinf(log_loss_from_logits(Labels{0}, Scores{kInfinity})));
  CHECK(std::isnan(log_loss_from_logits(Labels{}, Scores{})));
}

TEST_CASE("confusion counts take the threshold itself as positive") {
  const Confusion counts = confusion(Labels{1, 1, 0, 0, 0}, Scores{0.9, 0.1, 0.5, 0.4, kNaN}, 0.5);
  CHECK(counts.true_positive == 1);
  CHECK(counts.false_negative == 1);
  CHECK(counts.false_positive == 1);
  CHECK(counts.true_negative == 2);
  CHECK(counts.rows() == 5);
  CHECK(counts.accuracy() == Approx(0.6));
  CHECK(counts.precision() == Approx(0.5));
  CHECK(counts.recall() == Approx(0.5));
  CHECK(counts.f1() == Approx(0.5));
  CHECK(counts.mcc() == Approx(1.0 / 6.0));
}

TEST_CASE("ratios with an empty denominator are 0") {
  const Confusion empty;
  CHECK(empty.accuracy() == 0.0);
  CHECK(empty.precision() == 0.0);
  CHECK(empty.recall() == 0.0);
  CHECK(empty.f1() == 0.0);
  CHECK(empty.mcc() == 0.0);
  const Confusion all_no{0, 0, 5, 2};
  CHECK(all_no.precision() == 0.0);
  CHECK(all_no.mcc() == 0.0);
}

TEST_CASE("mcc of large counts does not overflow") {
  const Confusion counts{2'000'000'000, 0, 2'000'000'000, 0};
  CHECK(counts.mcc() == Approx(1.0));
}

TEST_CASE("the best F1 threshold is a score, the largest among equals") {
  CHECK(best_f1_threshold(Labels{0, 0, 1, 1}, Scores{0.1, 0.4, 0.35, 0.8}) == 0.35);
  // At 0.9 and at 0.3 F1 is 2/3.
  CHECK(best_f1_threshold(Labels{1, 0, 0, 1}, Scores{0.9, 0.5, 0.4, 0.3}) == 0.9);
  CHECK(best_f1_threshold(Labels{0, 0}, Scores{0.1, 0.2}) == 0.5);
  CHECK(best_f1_threshold(Labels{}, Scores{}) == 0.5);
  CHECK(best_f1_threshold(Labels{1, 0}, Scores{0.2, kNaN}) == 0.2);
}

}  // namespace
}  // namespace tcrops::eval
