#include <tcrops/core/rng.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace tcrops {
namespace {

using Block = std::array<std::uint32_t, 4>;
constexpr std::uint32_t kOnes = 0xffffffffU;

TEST_CASE("the known answers of Random123 for Philox4x32-10") {
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) ==
        Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a generator walks through the blocks of its seed and stream") {
  Rng rng(0x1122334455667788U, 0x99aabbccddeeff00U);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word :
         philox4x32_10({block, 0, 0xddeeff00U, 0x99aabbccU}, {0x55667788U, 0x11223344U})) {
      CHECK(rng.next32() == word);
    }
  }
}

std::vector<std::uint64_t> numbers(Rng rng) {
  std::vector<std::uint64_t> result(20);
  std::generate(result.begin(), result.end(), [&] { return rng.next64(); });
  return result;
}

TEST_CASE("equal seeds and purposes repeat, others differ") {
  CHECK(numbers(Rng(7, "split", 3)) == numbers(Rng(7, "split", 3)));
  const std::set<std::vector<std::uint64_t>> different = {
      numbers(Rng(7)),          numbers(Rng(8)),          numbers(Rng(7, std::uint64_t{1})),
      numbers(Rng(7, "split")), numbers(Rng(7, "spliu")), numbers(Rng(7, "split", 1)),
      numbers(Rng(8, "split"))};
  CHECK(different.size() == 7);
}

TEST_CASE("a copy goes on from the same place") {
  Rng rng(1);
  static_cast<void>(rng.next32());
  Rng copy = rng;
  CHECK(numbers(copy) == numbers(rng));
}

TEST_CASE("uniform numbers stay in their range and fill it evenly") {
  Rng rng(3);
  constexpr int kDraws = 100000;
  std::vector<int> tenths(10, 0);
  double sum = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double closed = rng.uniform();
    REQUIRE((closed >= 0.0 && closed < 1.0));
    const double open = rng.uniform_open();
    REQUIRE((open > 0.0 && open < 1.0));
    sum += open;
    ++tenths[static_cast<std::size_t>(closed * 10.0)];
  }
  for (const int count : tenths) CHECK(count == Approx(kDraws / 10.0).margin(500));  // 5 sigma
  CHECK(sum / kDraws == Approx(0.5).margin(0.005));
}

TEST_CASE("below is even, and exact at the ends of its range") {
  Rng rng(4);
  constexpr int kDraws = 70000;
  std::vector<int> counts(7, 0);
  for (int i = 0; i < kDraws; ++i) ++counts.at(rng.below(7));
  for (const int count : counts) CHECK(count == Approx(10000).margin(470));  // 5 sigma
  for (int i = 0; i < 100; ++i) CHECK(rng.below(1) == 0);
  // Without redrawing, values under a half of 3 * 2^62 would be twice as likely as others.
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62U;
  int small = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t value = rng.below(kBound);
    REQUIRE(value < kBound);
    small += value < kBound / 3 ? 1 : 0;
  }
  CHECK(small == Approx(3333).margin(240));
}

TEST_CASE("normal numbers have mean 0, deviation 1 and the right tails") {
  Rng rng(5);
  constexpr int kDraws = 100000;
  double sum = 0.0;
  double squares = 0.0;
  int far = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    REQUIRE(std::isfinite(x));
    sum += x;
    squares += x * x;
    far += std::abs(x) > 1.959964 ? 1 : 0;
  }
  CHECK(sum / kDraws == Approx(0.0).margin(0.016));
  CHECK(squares / kDraws == Approx(1.0).margin(0.023));
  CHECK(far == Approx(5000).margin(350));
}

TEST_CASE("a shuffle keeps the items and gives every order") {
  Rng rng(6);
  std::vector<int> none;
  rng.shuffle(none);
  CHECK(none.empty());
  std::map<std::vector<int>, int> orders;
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> items = {1, 2, 3};
    rng.shuffle(items);
    ++orders[items];
  }
  CHECK(orders.size() == 6);
  for (const auto& [order, count] : orders) {
    CHECK(std::accumulate(order.begin(), order.end(), 0) == 6);
    CHECK(count == Approx(1000).margin(150));
  }
}

}  // namespace
}  // namespace tcrops
