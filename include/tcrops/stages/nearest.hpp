#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/store/store.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// A dataset of the store and how far it is from the one asked about.
struct NearDataset {
  std::string id;
  std::vector<std::string> names;  // that point at it, sorted; often none
  std::uint64_t rows = 0;
  double distance = 0;  // data::distance(), from 0 to 1
};

struct NearestDatasets {
  std::vector<NearDataset> nearest;  // nearest first; of equal ones by id
  std::size_t compared = 0;
  std::size_t skipped = 0;  // damaged, or of a version without a fingerprint
};

// Datasets looked at: the newest ones.
inline constexpr std::size_t kNearestLookedAt = 1000;

// The `count` datasets of the store that look most like `fingerprint`, by their profile.json.
// `except_id` is left out: the dataset itself, or "" when it is not in the store. Throws Error when
// the store as a whole cannot be read; looks at check_interrupt().
[[nodiscard]] NearestDatasets nearest_datasets(const store::Store& store,
                                               const data::Fingerprint& fingerprint,
                                               std::size_t count, const std::string& except_id);

// A table for people, or a line that says that there is none; ends with a newline.
[[nodiscard]] std::string nearest_text(const NearestDatasets& found);
// {"nearest": [{"id", "names", "rows", "distance"}], "compared", "skipped"}.
[[nodiscard]] Json to_json(const NearestDatasets& found);

}  // namespace tcrops::stages
