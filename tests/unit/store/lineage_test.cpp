#include "fixture.hpp"

#include <tcrops/store/diff.hpp>
#include <tcrops/store/lineage.hpp>
#include <tcrops/store/registry.hpp>

#include <algorithm>
#include <catch_all.hpp>

namespace tcrops::store {
namespace {

std::vector<std::string> ids_of(const Lineage& lineage) {
  std::vector<std::string> ids;
  for (const auto& node : lineage.nodes) ids.push_back(node.id);
  return ids;
}

// Two ways lead from the last to the first.
struct Diamond : Fixture {
  Artifact raw = publish(store, 1);
  Artifact left = publish(store, 2, {.parents = {{"raw", raw.id}}});
  Artifact right = publish(store, 3, {.parents = {{"raw", raw.id}}});
  Artifact last = publish(store, 4, {.parents = {{"a", left.id}, {"b", right.id}}});
};

// The causes, as "a > b: path".
std::vector<std::string> causes_of(const ArtifactDiff& diff) {
  std::vector<std::string> causes;
  for (const Cause& cause : diff.causes) {
    std::string text;
    for (const std::string& role : cause.at) text += role + " > ";
    causes.push_back(text + cause.difference.path);
  }
  return causes;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a lineage has each ancestor once and every edge") {
  const Diamond f;
  f.store.set_name("it.raw", f.raw.id);
  const Registry registry(f.store);
  registry.add("it", f.raw.id, "", Registry::Candidate::kYes, {});
  const Lineage up = ancestors_of(f.store, f.last.id);
  CHECK(ids_of(up) == Texts{f.last.id, f.left.id, f.raw.id, f.right.id});
  CHECK(up.edges.size() == 4);
  CHECK(up.edges[0].from == f.left.id);
  CHECK(up.edges[0].to == f.last.id);
  CHECK(up.edges[0].role == "a");
  const LineageNode& raw = up.nodes[2];
  CHECK(raw.names == Texts{"it.raw"});
  CHECK(raw.versions.at(0).number == 1);
  CHECK(raw.versions.at(0).aliases == Texts{"candidate"});
  CHECK(raw.run.at("host") == "one");
  const Lineage down = descendants_of(f.store, f.raw.id);
  CHECK(down.nodes.size() == 4);
  CHECK(down.edges.size() == 4);
  CHECK(ids_of(descendants_of(f.store, f.last.id)) == Texts{f.last.id});
}

TEST_CASE("a lineage shows what is missing or damaged, and goes on behind it") {
  const Diamond f;
  const auto node_of = [&](const Artifact& artifact) {
    const Lineage lineage = ancestors_of(f.store, f.last.id);
    CHECK(lineage.nodes.size() == 4);
    const auto at = std::find_if(lineage.nodes.begin(), lineage.nodes.end(),
                                 [&](const auto& node) { return node.id == artifact.id; });
    return *at;
  };
  CHECK(node_of(f.left).problem.empty());
  overwrite(f.left.file("data.bin"), "longer than it was");
  CHECK(node_of(f.left).problem.find("data.bin") != std::string::npos);
  CHECK(node_of(f.left).manifest);
  flip_byte(f.left.file("manifest.json"), 3);
  CHECK(node_of(f.left).problem.find("manifest.json was changed") != std::string::npos);
  CHECK_FALSE(node_of(f.left).manifest);
  std::filesystem::remove_all(f.left.directory);
  CHECK(node_of(f.left).problem == "missing");
  CHECK(node_of(f.left).kind == "raw");
  std::filesystem::remove(f.right.file("run.json"));
  CHECK(node_of(f.right).run.is_null());
  CHECK(node_of(f.right).problem.empty());
}

TEST_CASE("a difference leads to the ancestor that was given something else") {
  const Fixture f;
  const Artifact raw = publish(f.store, 1);
  const Artifact other_raw = publish(f.store, 7);
  const Artifact dataset = publish(f.store, 2, {.parents = {{"raw", raw.id}}});
  const Artifact other = publish(f.store, 2, {.parents = {{"raw", other_raw.id}}});
  const Artifact model = publish(f.store, 3, {.parents = {{"dataset", dataset.id}}});
  const Artifact second =
      publish(f.store, 3, {.bytes = "longer\n\n", .parents = {{"dataset", other.id}}});
  const ArtifactDiff diff = compare(f.store, model, second);
  CHECK_FALSE(diff.same);
  CHECK(causes_of(diff) == Texts{"dataset > raw > seed"});
  CHECK(diff.fields.size() == 1);
  CHECK(diff.fields[0].path == "parents.dataset");
  CHECK(diff.files.at(0).name == "data.bin");
  CHECK(diff.files[0].was.at("bytes") == 11);
  CHECK(diff.equal_files == 0);

  CHECK(causes_of(compare(f.store, raw, other_raw)) == Texts{"seed"});
  CHECK(compare(f.store, raw, other_raw).equal_files == 1);
  CHECK(compare(f.store, raw, raw).same);
  CHECK(compare(f.store, raw, raw).equal_files == 1);

  std::filesystem::remove_all(other_raw.directory);
  CHECK(compare(f.store, model, second).not_followed.size() == 1);
}

TEST_CASE("an ancestor that was given the same and is another is a cause itself") {
  const Fixture f;
  const Artifact raw = publish(f.store, 1);
  const Artifact other_raw = publish(f.store, 1, {.bytes = "changed"});
  const Artifact dataset = publish(f.store, 2, {.parents = {{"raw", raw.id}}});
  const Artifact other = publish(f.store, 2, {.parents = {{"raw", other_raw.id}}});
  CHECK(causes_of(compare(f.store, dataset, other)) == Texts{"raw > files.data.bin"});
}

}  // namespace tcrops::store
