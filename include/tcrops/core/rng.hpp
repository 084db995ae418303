#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tcrops {

// Counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011). The same (seed, stream) gives the same numbers on every machine, so a value never
// depends on the number of threads. Copying copies the position. Not thread-safe: one per thread.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0);
  // A stream named by its purpose, so that two uses of one seed never share numbers.
  Rng(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  std::uint32_t next32();
  std::uint64_t next64();
  // Uniform in [0, 1) with 53 random bits.
  double uniform();
  // Uniform in (0, 1): never 0, for logarithms and quantile functions.
  double uniform_open();
  // Uniform integer in [0, bound), without modulo bias. bound must be positive.
  std::uint64_t below(std::uint64_t bound);
  // Standard normal (Box-Muller, one value per call).
  double normal();

  // Fisher-Yates; the order depends only on the generator's state.
  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(i))]);
    }
  }

 private:
  void refill();

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
};

// One round function of ten: the raw block for a counter and a key, for tests against the published
// vectors.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                                         std::array<std::uint32_t, 2> key);

}  // namespace tcrops
