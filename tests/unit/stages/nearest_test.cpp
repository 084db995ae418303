#include "../store/fixture.hpp"
#include "catch_all.hpp"

#include <tcrops/data/profile.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/stages/nearest.hpp>

#include <sstream>

namespace tcrops::stages {
namespace {

using store::Artifact;
using store::Fixture;

Json synthetic_profile(std::int64_t tcrs, std::uint64_t seed) {
  std::stringstream text;
  data::generate_synthetic({tcrs, 3, 0.9}, seed, [&](std::string_view piece) { text << piece; });
  const auto table = data::read_table(text, "synthetic", {}, data::LabelRule::kRequired);
  return data::profile(table.records, {});
}

data::Fingerprint fingerprint_of(const Json& profile) {
  return data::fingerprint_of_profile(profile).value();
}

// A dataset whose only file is its profile.
Artifact publish(const store::Store& store, std::int64_t number, const Json& profile,
                 store::Kind kind = store::Kind::kDataset) {
  store::Draft draft = store.begin_draft();
  draft.add("profile.json", canonical_json(profile));
  store::Manifest manifest;
  manifest.kind = kind;
  manifest.stage = "preprocess";
  manifest.seed = number;
  store::ReuseKey key;
  key.stage = "preprocess";
  key.seed = number;
  return store.publish(std::move(draft), manifest, {{"host", "one"}}, key);
}

}  // namespace

TEST_CASE("the nearest datasets of a store, nearest first") {
  const Fixture f;
  const Json asked = synthetic_profile(400, 1);
  const Artifact self = publish(f.store, 1, asked);
  const Artifact part = publish(f.store, 2, synthetic_profile(200, 1));  // its first half
  const Artifact other = publish(f.store, 3, synthetic_profile(400, 2));
  publish(f.store, 4, asked, store::Kind::kModel);  // a model has a profile, but is no dataset
  f.store.set_name("half.dataset", part.id);
  f.store.set_name("again.dataset", part.id);

  const auto found = nearest_datasets(f.store, fingerprint_of(asked), 5, self.id);
  REQUIRE(found.nearest.size() == 2);
  CHECK(found.compared == 2);
  CHECK(found.skipped == 0);
  CHECK(found.nearest[0].id == part.id);
  CHECK(found.nearest[0].names == std::vector<std::string>{"again.dataset", "half.dataset"});
  CHECK(found.nearest[0].rows == 600);
  CHECK(found.nearest[1].id == other.id);
  CHECK(found.nearest[1].names.empty());
  CHECK(found.nearest[0].distance > 0);
  CHECK(found.nearest[0].distance < found.nearest[1].distance);

  const auto with_self = nearest_datasets(f.store, fingerprint_of(asked), 1, "");
  REQUIRE(with_self.nearest.size() == 1);
  CHECK(with_self.nearest[0].id == self.id);
  CHECK(with_self.nearest[0].distance == 0);
  CHECK(with_self.compared == 3);
  const std::string text = nearest_text(found);
  CHECK(text.find(part.short_id()) < text.find(other.short_id()));
  CHECK(text.find("again.dataset, half.dataset") != std::string::npos);
  CHECK(to_json(found)["nearest"][1]["id"] == other.id);
}

TEST_CASE("datasets without a fingerprint and damaged ones are passed over") {
  const Fixture f;
  const Json asked = synthetic_profile(100, 1);
  Json older = asked;
  older.erase("fingerprint");
  publish(f.store, 1, older);
  const Artifact damaged = publish(f.store, 2, asked);
  store::flip_byte(damaged.file("profile.json"));
  const Artifact lost = publish(f.store, 3, asked);
  std::filesystem::remove_all(lost.directory / "profile.json");
  publish(f.store, 4, Json{{"fingerprint", asked["fingerprint"]}});  // no profile
  store::publish(f.store, 5);                                        // raw
  const auto found = nearest_datasets(f.store, fingerprint_of(asked), 5, "");
  CHECK(found.nearest.empty());
  CHECK(found.compared == 0);
  CHECK(found.skipped == 4);
  CHECK(nearest_text(found).find("no other dataset") == 0);
  CHECK(nearest_text(found).find("4 datasets have no fingerprint") != std::string::npos);
}

TEST_CASE("an empty store has no nearest dataset") {
  const Fixture f;
  const auto found = nearest_datasets(f.store, data::Fingerprint{}, 3, "");
  CHECK(found.nearest.empty());
  CHECK(nearest_text(found) == "no other dataset to compare with\n");
}

}  // namespace tcrops::stages
