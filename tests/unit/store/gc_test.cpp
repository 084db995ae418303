#include "fixture.hpp"

#include <tcrops/store/gc.hpp>
#include <tcrops/store/registry.hpp>

#include <catch_all.hpp>
#include <child_process.hpp>
#include <set>
#include <thread>

namespace tcrops::store {
namespace {

using Ids = std::set<std::string>;

Ids ids_of(const std::vector<GcItem>& items) {
  Ids ids;
  for (const GcItem& item : items) ids.insert(item.id);
  return ids;
}

// raw <- dataset <- model, and a lonely one. Opened for reading: a store that has published claims.
struct Family {
  test::ScratchFolder scratch;
  std::filesystem::path root = scratch / "store";
  std::string raw, dataset, model, lonely;
  Family() {
    const Store writer = Store::open(root);
    raw = publish(writer, 1).id;
    dataset = publish(writer, 2, {.parents = {{"raw", raw}}}).id;
    model = publish(writer, 3, {.parents = {{"dataset", dataset}}}).id;
    lonely = publish(writer, 4).id;
    writer.set_name("named", dataset);
    writer.set_name("other", lonely);
  }
  [[nodiscard]] Store store() const { return Store::open_existing(root); }
};

GcRoots keeping(std::vector<std::string> references) {
  return {.references = std::move(references)};
}

TEST_CASE("without a root nothing can be collected") {
  const Family f;
  CHECK(test::error_of([&] {
          static_cast<void>(collect_garbage(f.store().root(), {}, {.remove = true}));
        }).code == ExitCode::kUsage);
}

TEST_CASE("what a root was made from stays, the rest goes with its keys and names") {
  const Family f;
  const GcReport said = collect_garbage(f.store().root(), keeping({f.dataset}), {});
  CHECK(f.store().list().size() == 4);
  const GcReport done = collect_garbage(f.store().root(), keeping({f.dataset}), {.remove = true});
  CHECK(ids_of(said.removed) == ids_of(done.removed));
  CHECK(ids_of(done.kept) == Ids{f.raw, f.dataset});
  CHECK(ids_of(done.removed) == Ids{f.model, f.lonely});
  CHECK(done.names == std::vector<std::string>{"other"});
  CHECK(f.store().names().size() == 1);
  CHECK_FALSE(f.store().find(key_of(4)).has_value());
  CHECK(f.store().find(key_of(2))->id == f.dataset);
  CHECK(entries_in(f.root / "drafts") == 0);
  CHECK(problems_of(f.store()).empty());
  CHECK(publish(Store::open(f.root), 4).id == f.lonely);
  CHECK(problems_of(f.store()).empty());
}

TEST_CASE("what was made goes before what it was made from") {
  const Family f;
  // Published again, so that the log has the parent after its child.
  std::filesystem::remove_all(f.store().at(f.raw).directory);
  publish(Store::open(f.root), 1);
  std::vector<std::string> order;
  for (const GcItem& item : collect_garbage(f.store().root(), {.last = 0}, {}).removed) {
    if (item.id != f.lonely) order.push_back(item.id);
  }
  CHECK(order == std::vector<std::string>{f.model, f.dataset, f.raw});
}

TEST_CASE("aliases and their evidence, however deep, are roots") {
  const Family f;
  const Store store = f.store();
  const Registry registry(store);
  registry.add("viral", f.lonely, "", Registry::Candidate::kNo, {});
  CHECK(collect_garbage(store.root(), {.last = 0}, {}).kept.empty());
  registry.promote("viral", 1,
                   {.by = "", .reason = "", .evidence = {{"rival", {{"list", {f.dataset}}}}}});
  CHECK(ids_of(collect_garbage(store.root(), {.last = 0}, {}).kept) ==
        Ids{f.lonely, f.dataset, f.raw});
}

TEST_CASE("evidence may hold texts as long as an id") {
  const Family f;
  const Store store = f.store();
  const Registry registry(store);
  registry.add("viral", f.lonely, "", Registry::Candidate::kNo, {});
  registry.promote("viral", 1,
                   {.by = "", .reason = "", .evidence = {{"found", std::string(64, 'x')}}});
  CHECK(ids_of(collect_garbage(store.root(), {.last = 0}, {}).kept) == Ids{f.lonely});
}

TEST_CASE("a root or parent that cannot be read keeps everything") {
  const Family f;
  std::filesystem::remove(f.store().at(f.raw).file("data.bin"));
  CHECK(test::error_of([&] {
          static_cast<void>(
              collect_garbage(f.store().root(), keeping({f.model}), {.remove = true}));
        }).code == ExitCode::kArtifact);
  CHECK(f.store().list().size() == 4);
  CHECK(f.store().names().size() == 2);
}

TEST_CASE("a model's log that is gone keeps everything") {
  const Family f;
  const Store store = f.store();
  Registry(store).add("viral", f.model, "", Registry::Candidate::kYes, {});
  std::filesystem::remove(f.root / "models" / "viral.jsonl");
  CHECK(test::error_of([&] {
          static_cast<void>(collect_garbage(store.root(), {.last = 0}, {.remove = true}));
        }).code == ExitCode::kArtifact);
  CHECK(store.list().size() == 4);
}

TEST_CASE("what another process uses stays until it ends") {
  const Family f;
  test::ChildProcess user([&] {
    const Store store = Store::open(f.root);
    static_cast<void>(store.find(key_of(2)));
    const WorkFolder work = store.work(key_of(7));
    work.write("half", "done");
    write_file(f.scratch / "ready", "");
    pause();
    return 0;
  });
  while (!std::filesystem::exists(f.scratch / "ready")) std::this_thread::yield();
  const GcOptions all{.remove = true, .work = true};
  const GcReport report = collect_garbage(f.store().root(), {.last = 0}, all);
  CHECK(ids_of(report.kept) == Ids{f.raw, f.dataset});
  CHECK(report.work.empty());
  CHECK(report.work_kept == std::vector<std::string>{key_of(7).digest()});
  CHECK(problems_of(f.store()).empty());
  user.kill_now();
  const GcReport after = collect_garbage(f.store().root(), {.last = 0}, all);
  CHECK(ids_of(after.removed) == Ids{f.raw, f.dataset});
  CHECK(after.work.size() == 1);
  CHECK(entries_in(f.root / "claims") == 0);
  CHECK(f.store().list().empty());
  CHECK(problems_of(f.store()).empty());
}

TEST_CASE("publishing and collecting at once lose nothing that is used") {
  const Family f;
  test::ChildProcess publisher([&] {
    const Store store = Store::open(f.root);
    for (int i = 0; i < 40; ++i) {
      const Artifact parent = publish(store, 1000 + i);
      const Artifact child = publish(store, 2000 + i, {.parents = {{"raw", parent.id}}});
      if (store.at(parent.id).id != parent.id || store.at(child.id).id != child.id) return 1;
    }
    return 0;
  });
  for (int i = 0; i < 15; ++i) {
    static_cast<void>(collect_garbage(f.store().root(), {.last = 0}, {.remove = true}));
    CHECK(problems_of(f.store()).empty());
  }
  CHECK(publisher.wait() == 0);
  static_cast<void>(collect_garbage(f.store().root(), {.last = 0}, {.remove = true}));
  CHECK(f.store().list().empty());
}

}  // namespace
}  // namespace tcrops::store
