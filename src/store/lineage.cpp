#include "folder.hpp"
#include "hash_log.hpp"
#include "log_index.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/store/lineage.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <functional>
#include <map>
#include <set>
#include <utility>

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

// Artifacts next to one, with the role that joins them.
using Neighbours = std::vector<std::pair<std::string, std::string>>;

class Explorer {
 public:
  explicit Explorer(const Store& store) : store_(store) {
    for (const auto& [name, id] : store.names()) names_[id].push_back(name);
    const Registry registry(store);
    for (const RegisteredModel& model : registry.all()) {
      const std::string& name = model.name;
      for (const ModelVersion& version : model.versions) {
        versions_[version.artifact].push_back(
            {name, version.number, model.aliases_of(version.number)});
      }
    }
  }

  LineageNode look_at(const std::string& id) {
    LineageNode node;
    node.id = id;
    node.names = names_[id];
    node.versions = versions_[id];
    read_manifest(node);
    if (node.manifest) {
      node.kind = kind_name(node.manifest->kind);
      node.stage = node.manifest->stage;
      node.run = read_run(artifact_folder(store_.root(), id));
    } else {
      node.kind = text_of(logged(id), "kind");
      node.stage = text_of(logged(id), "stage");
    }
    return node;
  }

  // Role and id of what it was made from.
  Neighbours parents_of(const LineageNode& node) {
    if (node.manifest) {
      return {node.manifest->parents.begin(), node.manifest->parents.end()};
    }
    Neighbours parents;
    const Json known = logged(node.id).value("parents", Json::object());
    for (const auto& [role, parent] : known.items()) {
      if (parent.is_string()) parents.emplace_back(role, parent.get<std::string>());
    }
    return parents;
  }

 private:
  void read_manifest(LineageNode& node) const {
    const fs::path folder = artifact_folder(store_.root(), node.id);
    if (!is_id(node.id) || !fs::exists(folder)) {
      node.problem = "missing";
      return;
    }
    try {
      const std::string bytes = read_file(folder / "manifest.json", ExitCode::kArtifact);
      if (sha256_hex(bytes) != node.id) {
        node.problem = "damaged: manifest.json was changed after it was published";
        return;
      }
      node.manifest = manifest_from_json(parse_json(bytes, node.id), node.id);
    } catch (const Error& e) {
      node.problem = fmt::format("damaged: {}", e.what());
      return;
    }
    for (const auto& [name, file] : node.manifest->files.items()) {
      std::error_code status;
      const auto size = fs::file_size(folder / name, status);
      if (status || size != file.at("bytes").get<std::uintmax_t>()) {
        node.problem = fmt::format("damaged: {} is missing or of another size", name);
      }
    }
  }

  static Json read_run(const fs::path& folder) {
    try {
      Json run = parse_json(read_file(folder / "run.json", ExitCode::kArtifact), "run.json");
      return run.is_object() ? run : Json();
    } catch (const Error&) {
      return {};
    }
  }

  // An object that may be empty. The log is long, and only needed where something is missing.
  const Json& logged(const std::string& id) {
    static const Json kNothing = Json::object();
    if (!log_) log_.emplace(store_.root());
    const Json& line = log_->line_of(id);
    return line.is_object() ? line : kNothing;
  }

  const Store& store_;
  std::map<std::string, std::vector<std::string>> names_;
  std::map<std::string, std::vector<VersionName>> versions_;
  std::optional<LogIndex> log_;
};

// Follows the neighbours from the root on; `upwards` says which end of an edge they are.
Lineage explore(const std::string& root, Explorer& explorer, bool upwards,
                const std::function<Neighbours(const LineageNode&)>& neighbours_of) {
  Lineage lineage{root, {}, {}};
  std::set<std::string> met = {root};
  std::vector<std::string> open = {root};
  while (!open.empty()) {
    const std::string id = open.back();
    open.pop_back();
    lineage.nodes.push_back(explorer.look_at(id));
    const Neighbours neighbours = neighbours_of(lineage.nodes.back());
    for (const auto& [role, other] : neighbours) {
      lineage.edges.push_back(upwards ? LineageEdge{other, id, role}
                                      : LineageEdge{id, other, role});
    }
    for (auto next = neighbours.rbegin(); next != neighbours.rend(); ++next) {
      if (met.insert(next->second).second) open.push_back(next->second);
    }
  }
  return lineage;
}

}  // namespace

Lineage ancestors_of(const Store& store, const std::string& id) {
  Explorer explorer(store);
  return explore(id, explorer, true,
                 [&](const LineageNode& node) { return explorer.parents_of(node); });
}

Lineage descendants_of(const Store& store, const std::string& id) {
  std::map<std::string, Neighbours> children;
  for (const CatalogEntry& entry : store.catalog()) {
    for (const auto& [role, parent] : entry.parents) children[parent].emplace_back(role, entry.id);
  }
  Explorer explorer(store);
  return explore(id, explorer, false, [&](const LineageNode& node) { return children[node.id]; });
}

}  // namespace tcrops::store
