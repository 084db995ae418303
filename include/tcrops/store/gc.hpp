#pragma once

#include <tcrops/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::store {

// What must stay, with all it was made from. Champions, their predecessors and candidates, the
// evidence of their promotion, and what running commands use stay in any case.
struct GcRoots {
  bool names = false;                  // everything that has a name
  bool models = false;                 // every version of every registered model
  std::optional<std::size_t> last{};   // the newest so many of each kind
  std::optional<double> newer_days{};  // published within so many days, by the log's time
  std::vector<std::string> references{};

  [[nodiscard]] bool any() const {
    return names || models || last || newer_days || !references.empty();
  }
};

struct GcOptions {
  bool remove = false;  // otherwise only said
  bool work = false;    // half-done work that no running command uses goes too
};

struct GcItem {
  std::string id;
  std::string kind;
  std::uint64_t bytes = 0;
  std::string why;  // what keeps it; "" when nothing does
};

struct GcReport {
  std::vector<GcItem> kept;
  std::vector<GcItem> removed;           // or would be
  std::vector<std::string> names;        // pointed at something removed
  std::vector<std::string> work;         // half-done work that is removed, by key
  std::vector<std::string> work_kept;    // … and that stays
  std::vector<std::string> left_behind;  // half-written files of killed processes
  std::uint64_t bytes = 0;               // of what is removed
};

// Removes what no root needs. Nobody can look anything up while it marks and moves away, which
// takes a moment; deleting comes after. Killed half-way, it leaves a store that is well, in which
// the same command removes the rest. The process must not hold a store on this folder that was
// opened for writing. Throws Error: kUsage without a root, kArtifact when a root or what it was
// made from cannot be read (nothing is removed then).
[[nodiscard]] GcReport collect_garbage(const std::filesystem::path& root, const GcRoots& roots,
                                       const GcOptions& options);

}  // namespace tcrops::store
