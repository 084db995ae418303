#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::data {

// A value of a distribution and its share in either profile.
struct Mover {
  std::string value;
  double was = 0;
  double now = 0;
};

// One distribution that both profiles have: "genes.V_beta", "lengths.CDR3_alpha", "letters.…",
// "positions.…", "kmers.…" ("(others)" are those not listed, and those that the other profile may
// have as often without listing them), "epitopes" (by rows), "binders" (epitopes by positive rows),
// "classes", "origins", "mhc", "tcrs_per_epitope", "sides" (by rows).
struct DistributionChange {
  std::string name;
  double distance = 0;  // Hellinger, from 0 (equal shares) to 1 (nothing in common)
  std::uint64_t was_total = 0;
  std::uint64_t now_total = 0;
  std::vector<Mover>
      movers;  // largest difference of shares first; those that did not move left out
};

struct CountChange {
  std::string name;  // rows, tcrs, positives, epitopes
  std::optional<std::uint64_t> was;
  std::optional<std::uint64_t> now;
};

struct EpitopeRows {
  std::string epitope;
  std::uint64_t rows = 0;
};

struct ProfileChange {
  std::vector<CountChange> counts;
  std::optional<double> distance;                 // of the fingerprints; empty when one has none
  std::vector<DistributionChange> distributions;  // furthest first
  std::vector<Mover> missing;                     // share of rows without a value, by column
  std::vector<EpitopeRows> new_epitopes;          // only now; most rows first
  std::vector<EpitopeRows> vanished_epitopes;     // only before
  std::vector<std::string> not_compared;  // distributions of which only one has a value, sorted
};

inline constexpr std::size_t kMoversListed = 10;
inline constexpr std::size_t kEpitopesListed = 100;

// What moved from one profile (data/profile.hpp) to another. Older profiles lack keys: what one of
// them has no value for is named in not_compared. Throws Error (kArtifact), with `name`, for a
// profile that is none.
[[nodiscard]] ProfileChange profile_change(const Json& was, const Json& now,
                                           const std::string& name);

// {"counts": {<name>: {"a", "b"}}, "distance", "distributions": [{"name", "distance", "a", "b",
// "movers": [{"value", "a", "b"}]}], "missing": [{"value", "a", "b"}], "new_epitopes" and
// "vanished_epitopes": {"count", "listed": [{"epitope", "rows"}]}, "not_compared"}; lists are cut
// at kMoversListed and kEpitopesListed.
[[nodiscard]] Json to_json(const ProfileChange& change);

}  // namespace tcrops::data
