#include "claim.hpp"
#include "folder.hpp"
#include "hash_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/gc.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownIdDigits = 12;
constexpr std::size_t kIdsPerLogLine = 1000;
constexpr const char* kWorkClaim = "work:";
constexpr double kLongAgoDays = 50 * 365;  // before the first artifact

// id -> why it is kept. The first reason given stays.
using Reasons = std::map<std::string, std::string>;

// Nobody else changes the store while we hold its lock, but what another host has just put there
// may take a moment to be seen.
template <class Look>
auto patiently(Look look) {
  constexpr int kLooks = 20;
  constexpr auto kPause = std::chrono::milliseconds(100);
  for (int attempt = 1; attempt < kLooks; ++attempt) {
    try {
      return look();
    } catch (const Error&) {
      std::this_thread::sleep_for(kPause);
    }
  }
  return look();
}

// What an earlier collection has removed, when nothing needed it, cannot stay.
void add_evidence(const std::set<std::string>& present, const Json& evidence,
                  const std::string& why, Reasons& roots) {
  if (evidence.is_string() && present.contains(evidence.get_ref<const std::string&>()))
    roots.emplace(evidence.get<std::string>(), why);
  if (!evidence.is_structured()) return;
  for (const auto& [key, value] : evidence.items()) add_evidence(present, value, why, roots);
}

// Versions that have an alias, and what their promotion rested on.
Reasons model_roots(const Store& store, const std::set<std::string>& present, bool all_versions) {
  Reasons roots;
  const Registry registry(store);
  for (const RegisteredModel& model : registry.all()) {
    const std::string& name = model.name;
    if (!model.problems.empty()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("nothing was removed: {}; which models must stay cannot be known",
                              model.problems.front()));
    }
    for (const ModelVersion& version : model.versions) {
      const auto aliases = model.aliases_of(version.number);
      // A rollback gives an old champion the alias `previous`, even if it has been removed. One
      // that can be used, a champion or a candidate, must be there.
      const bool usable = !aliases.empty() && aliases.front() != kPrevious;
      if (!usable && !present.contains(version.artifact)) continue;
      if (!aliases.empty()) {
        roots.emplace(version.artifact, fmt::format("{}@{}", name, aliases.front()));
      } else if (all_versions) {
        roots.emplace(version.artifact, fmt::format("{}@v{}", name, version.number));
      }
    }
    for (const std::int64_t number : model.champions) {
      const std::string& artifact = model.find(number)->artifact;
      if (present.contains(artifact))
        roots.emplace(artifact, fmt::format("{}@v{}, a champion to go back to", name, number));
    }
    for (const RegistryEvent& event : model.events) {
      if (model.aliases_of(event.version).empty()) continue;
      add_evidence(present, event.evidence, fmt::format("evidence for {}@v{}", name, event.version),
                   roots);
    }
  }
  return roots;
}

std::string time_before(double days) {
  const double seconds = std::min(days, kLongAgoDays) * 24 * 3600;
  return utc_text(std::chrono::system_clock::now() -
                  std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

Reasons catalog_roots(const std::vector<CatalogEntry>& catalog, const GcRoots& wanted) {
  Reasons roots;
  std::map<std::string, std::size_t> seen;  // by kind
  for (auto entry = catalog.rbegin(); entry != catalog.rend(); ++entry) {
    if (wanted.last && ++seen[entry->kind] <= *wanted.last) {
      roots.emplace(entry->id, fmt::format("among the newest {} of its kind", *wanted.last));
    }
    if (!wanted.newer_days) continue;
    // Without a time it may be new.
    if (entry->time.empty() || entry->time >= time_before(*wanted.newer_days)) {
      roots.emplace(entry->id, fmt::format("published {}", entry->time.empty() ? "nobody knows when"
                                                                               : entry->time));
    }
  }
  return roots;
}

// name -> id, of every name that is listed: nothing goes because its name is not seen yet.
std::map<std::string, std::string> all_names(const fs::path& root) {
  std::map<std::string, std::string> names;
  for (const auto& entry : entries_of(root / "names")) {
    std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    const auto text = patiently([&] { return read_file(entry.path(), ExitCode::kArtifact); });
    names.emplace(std::move(name), trim(text));
  }
  return names;
}

Reasons all_roots(const Store& store, const std::vector<CatalogEntry>& catalog,
                  const std::set<std::string>& present,
                  const std::map<std::string, std::string>& names, const GcRoots& wanted) {
  Reasons roots;
  for (const std::string& reference : wanted.references) {
    roots.emplace(store.get(reference).id, "asked for as " + reference);
  }
  if (wanted.names) {
    for (const auto& [name, id] : names) roots.emplace(id, "name " + name);
  }
  roots.merge(model_roots(store, present, wanted.models));
  roots.merge(catalog_roots(catalog, wanted));
  return roots;
}

// The roots and everything they were made from. Of several reasons the one nearest to a root stays.
Reasons reachable(const Store& store, const Reasons& roots) {
  Reasons kept = roots;
  struct Open {
    std::string id;
    std::string root;  // why its root is kept
  };
  std::deque<Open> open;
  for (const auto& [id, why] : roots) open.push_back({id, why});
  for (; !open.empty(); open.pop_front()) {
    const auto& [id, root] = open.front();
    try {
      const Artifact artifact = patiently([&, &id = id] { return store.at(id); });
      for (const auto& [role, parent] : artifact.manifest.parents) {
        const std::string why =
            fmt::format("{} of {} {}, for {}", role, kind_name(artifact.manifest.kind),
                        artifact.short_id(), root);
        if (kept.emplace(parent, why).second) open.push_back({parent, root});
      }
    } catch (const Error& e) {
      throw Error(e.code(),
                  fmt::format("nothing was removed: {} must stay ({}), but cannot be read: {}",
                              id.substr(0, kShownIdDigits), kept.at(id), e.what()));
    }
  }
  return kept;
}

// Half-written pointers. Whoever writes one holds the store's lock, and so do we.
std::vector<fs::path> half_written(const fs::path& root) {
  std::vector<fs::path> found;
  const auto look = [&](const fs::path& path) {
    const std::string name = path.filename().string();
    if (name.starts_with('.') && name.find(".tmp-") != std::string::npos) found.push_back(path);
  };
  for (const char* folder : {"keys", "names", "models"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) look(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(root)) look(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> keys_to(const fs::path& root, const std::set<std::string>& ids) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(root / "keys")) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    const Json key =
        Json::parse(patiently([&] { return read_file(entry.path(), ExitCode::kArtifact); }),
                    nullptr, /*exceptions=*/false);
    if (key.is_object() && ids.contains(text_of(key, "artifact"))) found.push_back(entry.path());
  }
  return found;
}

void log_removals(const fs::path& root, const std::vector<GcItem>& items) {
  for (std::size_t begin = 0; begin < items.size(); begin += kIdsPerLogLine) {
    Json ids = Json::array();
    for (std::size_t i = begin; i < std::min(items.size(), begin + kIdsPerLogLine); ++i) {
      ids.push_back(items[i].id);
    }
    static_cast<void>(
        store_log(root).append({{"event", "remove"}, {"time", utc_now()}, {"ids", ids}}));
  }
}

// Pointers first, so that nobody is led to what is going; then each artifact in one step to where
// any command may delete it.
std::vector<fs::path> move_away(const Store& store, const GcReport& report) {
  const fs::path& root = store.root();
  std::set<std::string> ids;
  for (const GcItem& item : report.removed) ids.insert(item.id);
  log_removals(root, report.removed);
  std::error_code ignored;
  if (!ids.empty()) {
    for (const fs::path& key : keys_to(root, ids)) fs::remove(key, ignored);
  }
  for (const std::string& name : report.names) fs::remove(root / "names" / name, ignored);
  for (const std::string& file : report.left_behind) fs::remove(root / file, ignored);
  std::vector<fs::path> doomed;
  const auto doom = [&](const fs::path& from) {
    const auto to = root / "drafts" / ("removed-" + random_name() + ".gc");
    if (::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) {
      throw system_error("cannot remove", from, errno);
    }
    doomed.push_back(to);
  };
  for (const GcItem& item : report.removed) doom(artifact_folder(root, item.id));
  for (const std::string& key : report.work) doom(root / "work" / key);
  return doomed;
}

// Half-done work that goes, and that stays.
std::pair<std::vector<std::string>, std::vector<std::string>> sorted_work(
    const fs::path& root, const std::set<std::string>& living, bool remove) {
  std::vector<std::string> goes;
  std::vector<std::string> stays;
  for (const auto& entry : entries_of(root / "work")) {
    const std::string key = entry.path().filename().string();
    const bool used = living.contains(kWorkClaim + key);
    (remove && !used ? goes : stays).push_back(key);
  }
  std::sort(goes.begin(), goes.end());
  std::sort(stays.begin(), stays.end());
  return {goes, stays};
}

// What is made before what it was made from, so that a removal that is cut off leaves nothing whose
// parents are gone.
void sort_children_first(const std::vector<CatalogEntry>& catalog, std::vector<GcItem>& items) {
  std::map<std::string, const CatalogEntry*> entries;
  for (const CatalogEntry& entry : catalog) entries.emplace(entry.id, &entry);
  std::map<std::string, std::size_t> depths;  // longest way up
  const std::function<std::size_t(const std::string&)> depth_of = [&](const std::string& id) {
    if (const auto known = depths.find(id); known != depths.end()) return known->second;
    std::size_t depth = 0;
    depths[id] = depth;
    if (const auto at = entries.find(id); at != entries.end()) {
      for (const auto& [role, parent] : at->second->parents)
        depth = std::max(depth, depth_of(parent) + 1);
    }
    return depths[id] = depth;
  };
  std::stable_sort(items.begin(), items.end(), [&](const GcItem& a, const GcItem& b) {
    return depth_of(a.id) > depth_of(b.id);
  });
}

GcReport mark(const Store& store, const GcRoots& wanted, const GcOptions& options,
              const std::set<std::string>& living) {
  const auto catalog = store.catalog();
  // By the list that is removed from: what is listed may not be seen yet in other ways.
  std::set<std::string> present;
  for (const CatalogEntry& entry : catalog) present.insert(entry.id);
  Reasons roots;
  for (const std::string& id : living) {
    if (present.contains(id)) roots.emplace(id, "in use by a running command");
  }
  const auto names = all_names(store.root());
  roots.merge(all_roots(store, catalog, present, names, wanted));
  const Reasons kept = reachable(store, roots);
  GcReport report;
  for (const CatalogEntry& entry : catalog) {
    const auto why = kept.find(entry.id);
    const bool stays = why != kept.end();
    (stays ? report.kept : report.removed)
        .push_back({entry.id, entry.kind, entry.bytes, stays ? why->second : ""});
    if (!stays) report.bytes += entry.bytes;
  }
  sort_children_first(catalog, report.removed);
  for (const auto& [name, id] : names) {
    if (!kept.contains(id)) report.names.push_back(name);
  }
  for (const fs::path& path : half_written(store.root())) {
    report.left_behind.push_back(fs::relative(path, store.root()).string());
  }
  std::tie(report.work, report.work_kept) = sorted_work(store.root(), living, options.work);
  return report;
}

}  // namespace

GcReport collect_garbage(const fs::path& root, const GcRoots& roots, const GcOptions& options) {
  if (!roots.any()) {
    throw Error(ExitCode::kUsage,
                "say what must stay: --keep-names, --keep-models, --keep-last N, --keep-newer DAYS "
                "or --keep ARTIFACT");
  }
  // For reading: with a claim of its own it would wait for the lock that is held here.
  const Store store = Store::open_existing(root);
  if (!options.remove) {
    // Where nobody can write, nobody is using anything either.
    std::optional<FileLock> lock;
    if (::access(root.c_str(), W_OK) == 0) lock.emplace(store_lock(root));
    return mark(store, roots, options, take_census(root, "").claimed);
  }
  std::vector<fs::path> doomed;
  GcReport report;
  {
    const FileLock lock(store_lock(root));
    const Census census = take_census(root, "");
    report = mark(store, roots, options, census.claimed);
    doomed = move_away(store, report);
    doomed.insert(doomed.end(), census.deceased.begin(), census.deceased.end());
  }
  std::error_code ignored;
  for (const fs::path& path : doomed) fs::remove_all(path, ignored);
  return report;
}

}  // namespace tcrops::store
