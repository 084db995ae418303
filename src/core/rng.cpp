#include <tcrops/core/rng.hpp>

#include <cmath>
#include <numbers>

namespace tcrops {
namespace {

// FNV-1a, 64 bit: names a stream; not a security function.
std::uint64_t name_hash(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32U); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

Rng::Rng(std::uint64_t seed, std::uint64_t stream)
    : key_{low(seed), high(seed)}, counter_{0, 0, low(stream), high(stream)} {}

Rng::Rng(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : Rng(seed, name_hash(purpose) + index * 0x9E3779B97F4A7C15ULL) {}

void Rng::refill() {
  block_ = philox4x32_10(counter_, key_);
  used_ = 0;
  if (++counter_[0] == 0) ++counter_[1];
}

std::uint32_t Rng::next32() {
  if (used_ == 4) refill();
  return block_[used_++];
}

std::uint64_t Rng::next64() {
  const std::uint64_t upper = next32();
  return (upper << 32U) | next32();
}

double Rng::uniform() { return static_cast<double>(next64() >> 11U) * 0x1.0p-53; }

double Rng::uniform_open() { return (static_cast<double>(next64() >> 12U) + 0.5) * 0x1.0p-52; }

std::uint64_t Rng::below(std::uint64_t bound) {
  // Values under 2^64 mod bound would make small results likelier: draw again.
  const std::uint64_t biased = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next64();
    if (value >= biased) return value % bound;
  }
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log(uniform_open()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace tcrops
