#pragma once

#include <tcrops/data/profile_change.hpp>
#include <tcrops/store/store.hpp>

#include <optional>
#include <string>

namespace tcrops::cli {

// What moved from one dataset to another, by their profiles. Empty for one and the same artifact,
// for other kinds, and, with a warning, where a profile cannot be read.
[[nodiscard]] std::optional<data::ProfileChange> what_moved(const store::Store& store,
                                                            const store::Artifact& was,
                                                            const store::Artifact& now);

// The same as tables; ends with a newline.
[[nodiscard]] std::string moved_text(const data::ProfileChange& change);

}  // namespace tcrops::cli
