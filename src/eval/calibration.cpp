#include <tcrops/core/error.hpp>
#include <tcrops/eval/calibration.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace tcrops::eval {
namespace {

constexpr int kMostSteps = 200;
constexpr double kFlat = 1e-10;   // gradient per row at which the fit ends
constexpr double kRidge = 1e-12;  // keeps the Hessian invertible
constexpr double kSmallestStep = 1e-10;
constexpr double kSufficient = 1e-4;  // of the decrease that the gradient promises

double logistic(double x) {
  if (x >= 0) return 1.0 / (1.0 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1.0 + e);
}

// log(1 + exp(x)) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

std::size_t positives_of(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  if (labels.size() != scores.size()) {
    throw Error(ExitCode::kFailure, "calibration: labels and scores differ in number");
  }
  return static_cast<std::size_t>(std::count(labels.begin(), labels.end(), std::uint8_t{1}));
}

// Cross-entropy of smoothed targets as a function of slope and intercept.
class PlattProblem {
 public:
  PlattProblem(std::span<const std::uint8_t> labels, std::span<const double> scores,
               std::size_t positives)
      : labels_(labels), scores_(scores) {
    const auto high = static_cast<double>(positives);
    const auto low = static_cast<double>(labels.size() - positives);
    target_ = {1.0 / (low + 2.0), (high + 1.0) / (high + 2.0)};
    start_.slope = 0.0;
    start_.intercept = std::log((high + 1.0) / (low + 1.0));
  }

  [[nodiscard]] PlattCurve start() const { return start_; }

  [[nodiscard]] double loss(const PlattCurve& curve) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const double logit = curve.slope * scores_[i] + curve.intercept;
      sum += softplus(logit) - target(i) * logit;
    }
    return sum;
  }

  struct Slope {
    double by_slope = 0.0;
    double by_intercept = 0.0;
    double slope_slope = kRidge;
    double slope_intercept = 0.0;
    double intercept_intercept = kRidge;
  };
  [[nodiscard]] Slope derivatives(const PlattCurve& curve) const {
    Slope d;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const double score = scores_[i];
      const double p = logistic(curve.slope * score + curve.intercept);
      const double error = p - target(i);
      const double weight = p * (1.0 - p);
      d.by_slope += error * score;
      d.by_intercept += error;
      d.slope_slope += weight * score * score;
      d.slope_intercept += weight * score;
      d.intercept_intercept += weight;
    }
    return d;
  }

 private:
  [[nodiscard]] double target(std::size_t row) const { return target_[labels_[row]]; }

  std::span<const std::uint8_t> labels_;
  std::span<const double> scores_;
  std::array<double, 2> target_{};
  PlattCurve start_;
};

// Newton's steps are exact only for scores of about 1.
struct Scale {
  double mean = 0.0;
  double spread = 1.0;
};

Scale scale_of(std::span<const double> scores) {
  Scale scale;
  const auto count = static_cast<double>(scores.size());
  for (const double score : scores) scale.mean += score / count;
  double squares = 0.0;
  for (const double score : scores) squares += (score - scale.mean) * (score - scale.mean) / count;
  if (squares > 0.0) scale.spread = std::sqrt(squares);
  return scale;
}

PlattCurve minimise(const PlattProblem& problem, std::size_t rows) {
  PlattCurve curve = problem.start();
  double loss = problem.loss(curve);
  const double flat = kFlat * static_cast<double>(rows);
  for (int step = 0; step < kMostSteps; ++step) {
    const auto d = problem.derivatives(curve);
    if (std::abs(d.by_slope) < flat && std::abs(d.by_intercept) < flat) break;
    const double determinant =
        d.slope_slope * d.intercept_intercept - d.slope_intercept * d.slope_intercept;
    const double by_slope =
        -(d.intercept_intercept * d.by_slope - d.slope_intercept * d.by_intercept) / determinant;
    const double by_intercept =
        -(d.slope_slope * d.by_intercept - d.slope_intercept * d.by_slope) / determinant;
    const double promised = d.by_slope * by_slope + d.by_intercept * by_intercept;
    double length = 1.0;
    for (; length >= kSmallestStep; length /= 2.0) {
      const PlattCurve next{.slope = curve.slope + length * by_slope,
                            .intercept = curve.intercept + length * by_intercept};
      const double next_loss = problem.loss(next);
      if (!(next_loss < loss + kSufficient * length * promised)) continue;
      curve = next;
      loss = next_loss;
      break;
    }
    if (length < kSmallestStep) break;
  }
  return curve;
}

// Adjacent scores that share a value.
struct Piece {
  double first = 0.0;
  double last = 0.0;
  double rows = 0.0;
  double sum = 0.0;

  [[nodiscard]] double value() const { return sum / rows; }
};

// Equal scores as one piece, in ascending order.
std::vector<Piece> pieces_of(std::span<const std::uint8_t> labels, std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  std::vector<Piece> pieces;
  for (const std::size_t row : order) {
    if (pieces.empty() || pieces.back().last < scores[row]) {
      pieces.push_back({.first = scores[row], .last = scores[row]});
    }
    pieces.back().rows += 1.0;
    pieces.back().sum += labels[row] == 1 ? 1.0 : 0.0;
  }
  return pieces;
}

}  // namespace

double PlattCurve::at(double score) const { return logistic(slope * score + intercept); }

std::optional<PlattCurve> fit_platt(std::span<const std::uint8_t> labels,
                                    std::span<const double> scores) {
  const std::size_t positives = positives_of(labels, scores);
  if (positives == 0 || positives == labels.size()) return std::nullopt;
  const Scale scale = scale_of(scores);
  std::vector<double> scaled;
  scaled.reserve(scores.size());
  for (const double score : scores) scaled.push_back((score - scale.mean) / scale.spread);
  const PlattCurve curve = minimise(PlattProblem(labels, scaled, positives), labels.size());
  return PlattCurve{.slope = curve.slope / scale.spread,
                    .intercept = curve.intercept - curve.slope * scale.mean / scale.spread};
}

double IsotonicCurve::at(double score) const {
  if (!(score > scores.front())) return values.front();
  if (!(score < scores.back())) return values.back();
  const auto above = std::upper_bound(scores.begin(), scores.end(), score);
  const auto i = static_cast<std::size_t>(above - scores.begin());
  const double share = (score - scores[i - 1]) / (scores[i] - scores[i - 1]);
  return values[i - 1] + share * (values[i] - values[i - 1]);
}

std::optional<IsotonicCurve> fit_isotonic(std::span<const std::uint8_t> labels,
                                          std::span<const double> scores) {
  const std::size_t positives = positives_of(labels, scores);
  if (positives == 0 || positives == labels.size()) return std::nullopt;
  std::vector<Piece> level;
  for (const Piece& piece : pieces_of(labels, scores)) {
    level.push_back(piece);
    while (level.size() > 1 && level[level.size() - 2].value() >= level.back().value()) {
      const Piece last = level.back();
      level.pop_back();
      level.back().last = last.last;
      level.back().rows += last.rows;
      level.back().sum += last.sum;
    }
  }
  IsotonicCurve curve;
  for (const Piece& piece : level) {
    curve.scores.push_back(piece.first);
    curve.values.push_back(piece.value());
    if (piece.last == piece.first) continue;
    curve.scores.push_back(piece.last);
    curve.values.push_back(piece.value());
  }
  return curve;
}

}  // namespace tcrops::eval
