#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/nearest.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

namespace tcrops::stages {
namespace {

constexpr const char* kProfile = "profile.json";

// Ids of the newest datasets.
std::vector<std::string> newest_datasets(const store::Store& store, const std::string& except_id) {
  const std::string kind = store::kind_name(store::Kind::kDataset);
  const auto catalog = store.catalog();
  std::vector<std::string> ids;
  for (auto entry = catalog.rbegin(); entry != catalog.rend(); ++entry) {
    if (ids.size() == kNearestLookedAt) break;
    if (entry->kind == kind && entry->id != except_id) ids.push_back(entry->id);
  }
  return ids;
}

// Empty for a dataset that cannot be compared.
std::optional<NearDataset> compared(const store::Store& store, const std::string& id,
                                    const data::Fingerprint& fingerprint) {
  try {
    const store::Artifact artifact = store.at(id);
    if (!artifact.manifest.files.contains(kProfile)) return std::nullopt;
    const Json profile =
        parse_json(store.read(artifact, kProfile), artifact.file(kProfile).string());
    const auto other = data::fingerprint_of_profile(profile);
    if (!other || !profile.contains("rows") || !profile["rows"].is_number_unsigned()) {
      return std::nullopt;
    }
    return NearDataset{.id = id,
                       .names = {},
                       .rows = profile["rows"].get<std::uint64_t>(),
                       .distance = data::distance(fingerprint, *other).mean};
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInterrupted || error.code() == ExitCode::kTerminated) throw;
    return std::nullopt;
  }
}

}  // namespace

NearestDatasets nearest_datasets(const store::Store& store, const data::Fingerprint& fingerprint,
                                 std::size_t count, const std::string& except_id) {
  NearestDatasets found;
  for (const std::string& id : newest_datasets(store, except_id)) {
    check_interrupt();
    auto near = compared(store, id, fingerprint);
    ++(near ? found.compared : found.skipped);
    if (near) found.nearest.push_back(std::move(*near));
  }
  std::sort(found.nearest.begin(), found.nearest.end(),
            [](const NearDataset& a, const NearDataset& b) {
              return std::tie(a.distance, a.id) < std::tie(b.distance, b.id);
            });
  if (found.nearest.size() > count) found.nearest.resize(count);
  for (const auto& [name, id] : store.names()) {
    for (NearDataset& near : found.nearest) {
      if (near.id == id) near.names.push_back(name);
    }
  }
  return found;
}

std::string nearest_text(const NearestDatasets& found) {
  std::string text;
  std::vector<std::vector<std::string>> rows;
  for (const NearDataset& near : found.nearest) {
    rows.push_back({near.id.substr(0, 12), fmt::format("{}", fmt::join(near.names, ", ")),
                    std::to_string(near.rows), fmt::format("{:.4f}", near.distance)});
  }
  if (rows.empty()) text = "no other dataset to compare with\n";
  if (!rows.empty()) text = format_table({"nearest dataset", "names", "rows", "distance"}, rows);
  if (found.skipped > 0) {
    text += fmt::format("{} datasets have no fingerprint or cannot be read\n", found.skipped);
  }
  return text;
}

Json to_json(const NearestDatasets& found) {
  Json nearest = Json::array();
  for (const NearDataset& near : found.nearest) {
    nearest.push_back(
        {{"id", near.id}, {"names", near.names}, {"rows", near.rows}, {"distance", near.distance}});
  }
  return {
      {"nearest", std::move(nearest)}, {"compared", found.compared}, {"skipped", found.skipped}};
}

}  // namespace tcrops::stages
