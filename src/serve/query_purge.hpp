#pragma once

#include <tcrops/db/database.hpp>
#include <tcrops/serve/queries.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace tcrops::serve {

// What a purge removes, once it has begun: what comes later stays.
struct PurgeRange {
  std::optional<double> before;      // time
  std::optional<std::int64_t> last;  // number
  bool only_inputs = false;
};

// Removes a few entries, in one short transaction. Zeros when there are none left; then the sums of
// that time are gone as well.
[[nodiscard]] Purged purge_step(db::Database& database, const PurgeRange& range);

// The log keeps what was removed from it, when and by whom.
void note_purge(db::Database& database, const Purge& what, const Purged& removed,
                const std::string& by);

// Gives free pages back and empties the file beside the database, where deleted bytes still are.
// False when somebody read all the time.
[[nodiscard]] bool erase_traces(db::Database& database, std::chrono::milliseconds patience);

}  // namespace tcrops::serve
