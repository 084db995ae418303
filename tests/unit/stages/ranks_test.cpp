#include "ranks.hpp"

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tcrops::stages {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

// Holds them against the standard library, for each of the numbers, their neighbours and others.
void check(std::vector<float> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const Ranks ranks(numbers);
  REQUIRE(ranks.size() == numbers.size());
  std::vector<float> values = {-kInfinity, -kLargest, -1.0F,    -0.0F,
                               0.0F,       0.3F,      kLargest, kInfinity};
  for (const float number : numbers) {
    values.insert(values.end(), {number, std::nextafter(number, -kInfinity),
                                 std::nextafter(number, kInfinity), number / 2 + 0.5F});
  }
  for (const float value : values) {
    const auto below = std::lower_bound(numbers.begin(), numbers.end(), value) - numbers.begin();
    REQUIRE(ranks.below(value) == static_cast<std::size_t>(below));
  }
  CHECK(ranks.below(std::nanf("")) == 0);
}

TEST_CASE("ranks are those of the standard library, however the numbers lie") {
  std::mt19937 random(1);
  std::normal_distribution<float> bell(-3.0F, 2.0F);
  for (const std::size_t size : {1, 2, 3, 10, 100, 1000, 20'000}) {
    std::vector<float> numbers(size);
    for (float& each : numbers) each = bell(random);
    check(numbers);
    for (float& each : numbers) each = std::round(each);  // many equal ones
    check(numbers);
    for (float& each : numbers) each = std::exp(20.0F * each);  // nearly all in one part
    check(numbers);
  }
  for (std::size_t size = 1; size < 40; ++size) {
    std::vector<float> numbers;
    for (std::size_t i = 0; i < size; ++i) numbers.push_back(static_cast<float>(i * i % 17));
    check(numbers);
  }
}

TEST_CASE("ranks of numbers without a width, with too much of it, and of none") {
  check({1.5F, 1.5F, 1.5F});
  check({1.0F, std::nextafter(1.0F, 2.0F)});
  check({-kLargest, 0.0F, kLargest});
  check({-kLargest / 2, 0.0F, kLargest / 2});
  check({-kInfinity, -1.0F, 2.0F});
  check({-1.0F, 2.0F, kInfinity, kInfinity});
  check({-kInfinity, kInfinity});
  check({0.0F, std::numeric_limits<float>::denorm_min()});
  check({});
  CHECK(Ranks().empty());
}

}  // namespace
}  // namespace tcrops::stages
