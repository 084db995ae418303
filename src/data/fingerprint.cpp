#include <tcrops/data/fingerprint.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>

namespace tcrops::data {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;

// The part of `values` that belongs to block number `block`.
template <class Values>
auto part(Values& values, std::size_t block) {
  std::size_t begin = 0;
  for (std::size_t b = 0; b < block; ++b) begin += kFingerprintBlocks[b].bins;
  return std::span(values).subspan(begin, kFingerprintBlocks[block].bins);
}

template <class Part>
std::uint64_t sum_of(const Part& part) {
  return std::accumulate(part.begin(), part.end(), std::uint64_t{0});
}

std::optional<double> block_distance(std::span<const std::uint32_t> one,
                                     std::span<const std::uint32_t> other) {
  const auto one_sum = static_cast<double>(sum_of(one));
  const auto other_sum = static_cast<double>(sum_of(other));
  if (one_sum == 0 && other_sum == 0) return std::nullopt;
  if (one_sum == 0 || other_sum == 0) return 1.0;
  double sum = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const double step = std::sqrt(one[i] / one_sum) - std::sqrt(other[i] / other_sum);
    sum += step * step;
  }
  return std::min(1.0, std::sqrt(sum / 2));
}

// Takes a block over; false when the list is none.
bool read_block(const Json& list, std::span<std::uint32_t> into) {
  if (!list.is_array() || list.size() != into.size()) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    if (!list[i].is_number_unsigned() || list[i].get<std::uint64_t>() > kMillion) return false;
    into[i] = list[i].get<std::uint32_t>();
  }
  return true;
}

}  // namespace

std::size_t fingerprint_bin(std::string_view name, std::size_t bins) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  for (const std::uint64_t factor : {0xff51afd7ed558ccdULL, 0xc4ceb9fe1a85ec53ULL}) {
    hash ^= hash >> 33U;
    hash *= factor;
  }
  return static_cast<std::size_t>((hash ^ (hash >> 33U)) % bins);
}

Fingerprint fingerprint_of_counts(const std::array<std::uint64_t, kFingerprintSize>& counts) {
  Fingerprint fingerprint;
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    const auto from = part(counts, b);
    const auto into = part(fingerprint.values, b);
    const std::uint64_t total = sum_of(from);
    if (total == 0) continue;
    for (std::size_t i = 0; i < from.size(); ++i) {
      into[i] = static_cast<std::uint32_t>((2 * kMillion * from[i] + total) / (2 * total));
    }
  }
  return fingerprint;
}

Json to_json(const Fingerprint& fingerprint) {
  Json blocks = Json::object();
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    const auto shares = part(fingerprint.values, b);
    blocks[std::string(kFingerprintBlocks[b].name)] = std::vector(shares.begin(), shares.end());
  }
  return {{"schema", kFingerprintSchema}, {"blocks", std::move(blocks)}};
}

std::optional<Fingerprint> fingerprint_from_json(const Json& json) {
  if (!json.is_object() || !json.contains("schema") || !json.contains("blocks")) {
    return std::nullopt;
  }
  const Json& blocks = json.at("blocks");
  if (json.at("schema") != Json(kFingerprintSchema) || !blocks.is_object()) return std::nullopt;
  Fingerprint fingerprint;
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    const std::string name(kFingerprintBlocks[b].name);
    if (!blocks.contains(name)) return std::nullopt;
    if (!read_block(blocks.at(name), part(fingerprint.values, b))) return std::nullopt;
  }
  return fingerprint;
}

std::optional<Fingerprint> fingerprint_of_profile(const Json& profile) {
  if (!profile.is_object() || !profile.contains("fingerprint")) return std::nullopt;
  return fingerprint_from_json(profile["fingerprint"]);
}

FingerprintDistance distance(const Fingerprint& one, const Fingerprint& other) {
  FingerprintDistance result;
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    result.blocks[b] = block_distance(part(one.values, b), part(other.values, b));
    if (!result.blocks[b]) continue;
    sum += *result.blocks[b];
    ++counted;
  }
  if (counted > 0) result.mean = sum / static_cast<double>(counted);
  return result;
}

Json to_json(const FingerprintDistance& distance) {
  Json blocks = Json::object();
  for (std::size_t b = 0; b < kFingerprintBlocks.size(); ++b) {
    blocks[std::string(kFingerprintBlocks[b].name)] =
        distance.blocks[b] ? Json(*distance.blocks[b]) : Json(nullptr);
  }
  return {{"distance", distance.mean}, {"blocks", std::move(blocks)}};
}

}  // namespace tcrops::data
