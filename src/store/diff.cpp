#include <tcrops/core/error.hpp>
#include <tcrops/store/diff.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace tcrops::store {
namespace {

// Lists of objects as objects by number, so that differences inside show.
Json by_number(const Json& value) {
  if (!value.is_structured()) return value;
  const bool is_list = value.is_array();
  const bool is_opened =
      is_list && !value.empty() &&
      std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_object(); });
  if (is_list && !is_opened) return value;
  Json numbered = Json::object();
  for (const auto& [key, item] : value.items()) numbered[key] = by_number(item);
  return numbered;
}

Json without_files(const Manifest& manifest) {
  Json json = to_json(manifest);
  json.erase("files");
  json.erase("format");
  json["facts"] = by_number(manifest.facts);
  return json;
}

// What it was made with, but for its parents.
Json given_to(const Manifest& manifest) {
  Json json = without_files(manifest);
  json.erase("facts");
  json.erase("parents");
  return json;
}

std::vector<FileDifference> file_differences(const Manifest& was, const Manifest& now) {
  std::map<std::string, FileDifference> found;
  for (const auto& [name, file] : was.files.items()) found[name] = {name, file, nullptr};
  for (const auto& [name, file] : now.files.items()) {
    FileDifference& difference = found[name];
    difference.name = name;
    difference.now = file;
    if (difference.was == file) found.erase(name);
  }
  std::vector<FileDifference> differences;
  for (auto& [name, difference] : found) differences.push_back(std::move(difference));
  return differences;
}

// Of two artifacts that were given the same.
std::vector<JsonDifference> content_differences(const Manifest& was, const Manifest& now) {
  std::vector<JsonDifference> differences;
  for (const FileDifference& file : file_differences(was, now)) {
    const auto hash = [](const Json& side) { return side.is_null() ? side : side.at("sha256"); };
    differences.push_back({"files." + file.name, hash(file.was), hash(file.now)});
  }
  if (differences.empty()) differences = json_differences(without_files(was), without_files(now));
  return differences;
}

// Two artifacts in the same place of both lineages.
struct Pair {
  std::vector<std::string> at;
  Artifact was;
  Artifact now;
};

class CauseSearch {
 public:
  CauseSearch(const Store& store, ArtifactDiff& diff) : store_(store), diff_(diff) {}

  // Nearest first, and each pair once.
  void follow(const Artifact& was, const Artifact& now) {
    open_.push_back({{}, was, now});
    while (!open_.empty()) {
      const Pair pair = std::move(open_.front());
      open_.pop_front();
      auto given = json_differences(given_to(pair.was.manifest), given_to(pair.now.manifest));
      const bool same_parents = pair.was.manifest.parents == pair.now.manifest.parents;
      if (given.empty() && same_parents && !pair.at.empty()) {
        given = content_differences(pair.was.manifest, pair.now.manifest);
      }
      note(pair, std::move(given));
      add_parents(pair);
    }
  }

 private:
  // What several artifacts of one stage were given is said once.
  void note(const Pair& pair, std::vector<JsonDifference> differences) {
    for (JsonDifference& difference : differences) {
      const std::string what =
          Json({pair.was.manifest.stage, difference.path, difference.was, difference.now}).dump();
      if (said_.insert(what).second) diff_.causes.push_back({pair.at, std::move(difference)});
    }
  }

  void add_parents(const Pair& pair) {
    for (const auto& [role, parent] : pair.was.manifest.parents) {
      // A study's parents model-1, model-2, … are its results.
      if (role.starts_with("model-")) continue;
      const auto other = pair.now.manifest.parents.find(role);
      if (other == pair.now.manifest.parents.end() || other->second == parent) continue;
      if (!met_.insert({parent, other->second}).second) continue;
      std::vector<std::string> at = pair.at;
      at.push_back(role);
      try {
        open_.push_back({at, store_.at(parent), store_.at(other->second)});
      } catch (const Error& e) {
        diff_.not_followed.push_back(fmt::format("{}: {}", fmt::join(at, " > "), e.what()));
      }
    }
  }

  const Store& store_;
  ArtifactDiff& diff_;
  std::deque<Pair> open_;
  std::set<std::pair<std::string, std::string>> met_;
  std::set<std::string> said_;
};

}  // namespace

ArtifactDiff compare(const Store& store, const Artifact& was, const Artifact& now) {
  ArtifactDiff diff;
  diff.same = was.id == now.id;
  diff.files = file_differences(was.manifest, now.manifest);
  std::set<std::string> names;
  for (const auto& [name, file] : was.manifest.files.items()) names.insert(name);
  for (const auto& [name, file] : now.manifest.files.items()) names.insert(name);
  diff.equal_files = names.size() - diff.files.size();
  if (diff.same) return diff;
  diff.fields = json_differences(without_files(was.manifest), without_files(now.manifest));
  CauseSearch(store, diff).follow(was, now);
  return diff;
}

}  // namespace tcrops::store
