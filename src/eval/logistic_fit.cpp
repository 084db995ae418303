#include "logistic_fit.hpp"

#include <tcrops/core/interrupt.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <numeric>

namespace tcrops::eval {
namespace {

using Vector = std::vector<double>;

constexpr int kSteps = 500;
constexpr std::size_t kPairs = 10;
constexpr double kSmallDerivative = 1e-5;
constexpr double kEnoughDecrease = 1e-4;  // of what the slope promises
constexpr double kSmallestStep = 1e-12;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add_scaled(Vector& to, double factor, const Vector& what) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * what[i];
}

double margin(const Vector& weights, std::span<const std::uint32_t> features) {
  double sum = weights.back();
  for (const std::uint32_t feature : features) sum += weights[feature];
  return sum;
}

struct Point {
  Vector weights;
  Vector gradient;
  double loss = 0.0;
};

class Problem {
 public:
  explicit Problem(const BinaryRows& rows) : rows_(rows) {
    const auto all = static_cast<double>(rows.labels.size());
    const auto positives = static_cast<double>(std::count_if(
        rows.labels.begin(), rows.labels.end(), [](auto label) { return label != 0; }));
    positive_weight_ = all / (2.0 * positives);
    negative_weight_ = all / (2.0 * (all - positives));
  }

  [[nodiscard]] Point at(Vector weights) const {
    Point point{std::move(weights), {}, 0.0};
    point.gradient = point.weights;
    point.gradient.back() = 0.0;
    const double intercept = point.weights.back();
    point.loss = 0.5 * (dot(point.weights, point.weights) - intercept * intercept);
    for (std::size_t row = 0; row < rows_.labels.size(); ++row) {
      const bool positive = rows_.labels[row] != 0;
      const double sign = positive ? 1.0 : -1.0;
      const double weight = positive ? positive_weight_ : negative_weight_;
      const double z = sign * margin(point.weights, rows_.features[row]);
      // log(1 + exp(-z)) and its derivative, without overflow.
      const double small = std::exp(-std::abs(z));
      point.loss += weight * (std::max(-z, 0.0) + std::log1p(small));
      const double slope = -sign * weight * (z > 0 ? small : 1.0) / (1.0 + small);
      for (const std::uint32_t feature : rows_.features[row]) point.gradient[feature] += slope;
      point.gradient.back() += slope;
    }
    return point;
  }

 private:
  const BinaryRows& rows_;
  double positive_weight_ = 1.0;
  double negative_weight_ = 1.0;
};

// What the last steps tell of the curvature.
class Memory {
 public:
  void add(Vector step, Vector change) {
    const double product = dot(step, change);
    if (product <= 0.0) return;
    pairs_.push_back({std::move(step), std::move(change), product});
    if (pairs_.size() > kPairs) pairs_.pop_front();
  }

  [[nodiscard]] Vector direction(const Vector& gradient) const {
    Vector direction(gradient.size());
    std::transform(gradient.begin(), gradient.end(), direction.begin(), std::negate<>());
    std::vector<double> factors;
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      factors.push_back(dot(pair->step, direction) / pair->product);
      add_scaled(direction, -factors.back(), pair->change);
    }
    const double scale =
        pairs_.empty() ? 1.0 / std::max(1.0, std::sqrt(dot(gradient, gradient)))
                       : pairs_.back().product / dot(pairs_.back().change, pairs_.back().change);
    for (double& each : direction) each *= scale;
    for (const Pair& pair : pairs_) {
      const double factor = factors.back() - dot(pair.change, direction) / pair.product;
      factors.pop_back();
      add_scaled(direction, factor, pair.step);
    }
    return direction;
  }

 private:
  struct Pair {
    Vector step;
    Vector change;  // of the gradient
    double product;
  };
  std::deque<Pair> pairs_;
};

double largest(const Vector& values) {
  double found = 0.0;
  for (const double value : values) found = std::max(found, std::abs(value));
  return found;
}

}  // namespace

LogisticWeights fit_logistic(const BinaryRows& rows) {
  const Problem problem(rows);
  Memory memory;
  Point here = problem.at(Vector(rows.width + 1, 0.0));
  for (int step = 0; step < kSteps && largest(here.gradient) > kSmallDerivative; ++step) {
    check_interrupt();
    const Vector direction = memory.direction(here.gradient);
    const double slope = dot(direction, here.gradient);
    double length = 1.0;
    Point next;
    for (;; length *= 0.5) {
      Vector weights = here.weights;
      add_scaled(weights, length, direction);
      next = problem.at(std::move(weights));
      if (next.loss <= here.loss + kEnoughDecrease * length * slope) break;
      if (length < kSmallestStep) return here.weights;
    }
    Vector moved = next.weights;
    add_scaled(moved, -1.0, here.weights);
    Vector change = next.gradient;
    add_scaled(change, -1.0, here.gradient);
    memory.add(std::move(moved), std::move(change));
    here = std::move(next);
  }
  return here.weights;
}

double probability_of(const LogisticWeights& weights, std::span<const std::uint32_t> features) {
  return 1.0 / (1.0 + std::exp(-margin(weights, features)));
}

}  // namespace tcrops::eval
