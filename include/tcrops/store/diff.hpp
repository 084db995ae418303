#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tcrops::store {

// A file that is not the same in both; a side is {"bytes", "sha256"}, or null where it has none.
struct FileDifference {
  std::string name;
  Json was;
  Json now;
};

// What was given differently: to the artifacts themselves (`at` is empty) or to ancestors of them
// (the roles that lead there). When an ancestor was given the same and is another nevertheless, the
// path is that of a file ("files.table.csv") or a fact.
struct Cause {
  std::vector<std::string> at;
  JsonDifference difference;
};

struct ArtifactDiff {
  bool same = true;
  std::vector<JsonDifference> fields;  // of the manifests, without their files
  std::vector<FileDifference> files;
  std::size_t equal_files = 0;
  std::vector<Cause> causes;              // nearest first
  std::vector<std::string> not_followed;  // ancestors that are missing or damaged, for people
};

[[nodiscard]] ArtifactDiff compare(const Store& store, const Artifact& was, const Artifact& now);

}  // namespace tcrops::store
