#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::store {

// A registered version that means an artifact.
struct VersionName {
  std::string model;
  std::int64_t number = 0;
  std::vector<std::string> aliases;
};

struct LineageNode {
  std::string id;
  std::string kind;   // from the log where the manifest is missing; "" when it does not say either
  std::string stage;  // the same
  std::optional<Manifest> manifest;  // none when it is missing or was changed
  std::string problem;               // "": whole on the surface (see Store::find)
  std::vector<std::string> names;
  std::vector<VersionName> versions;
  Json run;  // run.json; null when it is missing or cannot be read
};

// `to` was made from `from`, which it calls `role`.
struct LineageEdge {
  std::string from;
  std::string to;
  std::string role;
};

struct Lineage {
  std::string root;
  std::vector<LineageNode> nodes;  // each once; the root first, the others as they are met from it
  std::vector<LineageEdge> edges;
};

// An artifact and all that it was made from. A missing or damaged ancestor is a node with a
// problem; its own parents are those that the log knows. Throws Error.
[[nodiscard]] Lineage ancestors_of(const Store& store, const std::string& id);
// An artifact and all that was made from it, from the log.
[[nodiscard]] Lineage descendants_of(const Store& store, const std::string& id);

}  // namespace tcrops::store
