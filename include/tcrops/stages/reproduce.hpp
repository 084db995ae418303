#pragma once

#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tcrops::stages {

struct ReproducedFile {
  std::string name;
  bool same = false;
  std::uint64_t bytes = 0;
  std::string difference;  // "first at byte 123", "missing", …; empty when same
};

// One artifact made again from its manifest.
struct Reproduced {
  store::Artifact original;
  std::string id;                     // of what came out
  bool copied = false;                // raw data that cannot be made, only taken over
  std::vector<ReproducedFile> files;  // with manifest.json

  [[nodiscard]] bool same() const;
};

struct ReproduceOptions {
  std::string device = "auto";
  bool only = false;  // the ancestors are copied, and only the artifact itself is made again
  std::function<void(const store::Artifact&)> on_start{};
};

// Makes an artifact and its ancestors again in `scratch`, an empty store, from what their manifests
// say: configuration, seed and parents. Raw data made of a seed are made again; files that came
// from outside are copied and their hashes checked. Parents come first, the artifact itself last.
// Everything downstream of a difference is made from what came out, so the first difference is the
// cause. Throws Error: kArtifact when a manifest was made by a version of a stage that this program
// no longer has, or the original is damaged.
[[nodiscard]] std::vector<Reproduced> reproduce(const store::Store& store,
                                                const store::Artifact& artifact,
                                                const store::Store& scratch,
                                                const ReproduceOptions& options);

}  // namespace tcrops::stages
