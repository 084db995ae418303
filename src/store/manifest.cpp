#include <tcrops/core/error.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>

#include <array>
#include <utility>

namespace tcrops::store {
namespace {

constexpr const char* kManifestFormat = "tcrops.manifest/1";

constexpr std::array<std::pair<Kind, const char*>, 7> kKinds = {{
    {Kind::kRaw, "raw"},
    {Kind::kDataset, "dataset"},
    {Kind::kStudy, "study"},
    {Kind::kModel, "model"},
    {Kind::kEvaluation, "evaluation"},
    {Kind::kCheck, "check"},
    {Kind::kPredictions, "predictions"},
}};

}  // namespace

std::string kind_name(Kind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

Kind kind_from_name(const std::string& name) {
  for (const auto& [value, text] : kKinds) {
    if (name == text) return value;
  }
  throw Error(ExitCode::kArtifact, fmt::format("unknown kind of artifact \"{}\"", name));
}

Json to_json(const Manifest& manifest) {
  return {{"format", kManifestFormat},
          {"kind", kind_name(manifest.kind)},
          {"stage", manifest.stage},
          {"stage_version", manifest.stage_version},
          {"configuration", manifest.configuration},
          {"seed", manifest.seed},
          {"backend_class", manifest.backend_class},
          {"parents", manifest.parents},
          {"facts", manifest.facts},
          {"files", manifest.files}};
}

Manifest manifest_from_json(const Json& json, const std::string& name) {
  try {
    if (const std::string format = json.at("format").get<std::string>();
        format != kManifestFormat) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: format {} is not {}; use the version of tcrops that wrote it",
                              name, format, kManifestFormat));
    }
    Manifest manifest;
    manifest.kind = kind_from_name(json.at("kind").get<std::string>());
    manifest.stage = json.at("stage").get<std::string>();
    manifest.stage_version = json.at("stage_version").get<std::int64_t>();
    manifest.configuration = json.at("configuration");
    manifest.seed = json.at("seed").get<std::int64_t>();
    manifest.backend_class = json.at("backend_class").get<std::string>();
    manifest.parents = json.at("parents").get<std::map<std::string, std::string>>();
    manifest.facts = json.at("facts");
    manifest.files = json.at("files");
    for (const auto& [file, entry] : manifest.files.items()) {
      static_cast<void>(entry.at("bytes").get<std::uint64_t>());
      static_cast<void>(entry.at("sha256").get<std::string>());
    }
    return manifest;
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: not a manifest: {}", name, e.what()));
  }
}

bool answers(const Manifest& manifest, const ReuseKey& key) {
  std::map<std::string, std::string> parents = manifest.parents;
  std::erase_if(parents, [](const auto& parent) {
    return parent.first.starts_with("model-") || parent.first.starts_with("warm-start-");
  });
  return key.stage == manifest.stage && key.stage_version == manifest.stage_version &&
         key.configuration == manifest.configuration && key.seed == manifest.seed &&
         key.backend_class == manifest.backend_class && key.parents == parents;
}

Json ReuseKey::to_json() const {
  return {{"stage", stage},
          {"stage_version", stage_version},
          {"configuration", configuration},
          {"parents", parents},
          {"seed", seed},
          {"backend_class", backend_class}};
}

ReuseKey reuse_key_from_json(const Json& json, const std::string& name) {
  try {
    ReuseKey key;
    key.stage = json.at("stage").get<std::string>();
    key.stage_version = json.at("stage_version").get<std::int64_t>();
    key.configuration = json.at("configuration");
    key.parents = json.at("parents").get<std::map<std::string, std::string>>();
    key.seed = json.at("seed").get<std::int64_t>();
    key.backend_class = json.at("backend_class").get<std::string>();
    return key;
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: not a reuse key: {}", name, e.what()));
  }
}

std::string ReuseKey::digest() const { return sha256_hex(canonical_json(to_json())); }

}  // namespace tcrops::store
