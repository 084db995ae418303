#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>

#include <set>

#include "store_log.hpp"

namespace tcrops::store {
namespace {

namespace fs = std::filesystem;

// What the log says of each artifact: hashes of the run records it may have.
using RunHashes = std::map<std::string, std::set<std::string>>;

void verify_files(const Artifact& artifact, std::vector<VerifyProblem>& problems) {
  for (const auto& [name, file] : artifact.manifest.files.items()) {
    if (sha256_file(artifact.file(name)) != file.at("sha256").get<std::string>()) {
      problems.push_back({artifact.id, fmt::format("{}: SHA-256 differs from the manifest", name)});
    }
  }
  for (const auto& entry : fs::directory_iterator(artifact.directory)) {
    const std::string name = entry.path().filename().string();
    if (name == "manifest.json" || name == "run.json") continue;
    if (!artifact.manifest.files.contains(name)) {
      problems.push_back({artifact.id, fmt::format("{}: not in the manifest", name)});
    }
  }
}

void verify_run(const Artifact& artifact, const RunHashes& logged,
                std::vector<VerifyProblem>& problems) {
  const auto at = logged.find(artifact.id);
  if (at == logged.end()) {
    problems.push_back({artifact.id, "its publication is not in log.jsonl"});
  } else if (!at->second.contains(sha256_file(artifact.file("run.json")))) {
    problems.push_back({artifact.id, "run.json: SHA-256 differs from log.jsonl"});
  }
}

}  // namespace

std::vector<VerifyProblem> Store::verify(
    const std::function<void(std::size_t, std::size_t)>& progress) const {
  std::vector<VerifyProblem> problems;
  const LogContents log = read_log(root_);
  for (const std::string& problem : log.problems) problems.push_back({"", problem});
  RunHashes logged;
  for (const Json& entry : log.entries) {
    if (entry.value("event", "") == "publish") {
      logged[entry.value("id", "")].insert(entry.value("run_sha256", ""));
    }
  }
  const auto ids = list();
  const std::set<std::string> known(ids.begin(), ids.end());
  std::size_t done = 0;
  for (const std::string& id : ids) {
    check_interrupt();
    try {
      const Artifact artifact = load(id);
      verify_files(artifact, problems);
      verify_run(artifact, logged, problems);
      for (const auto& [role, parent] : artifact.manifest.parents) {
        if (!known.contains(parent)) {
          problems.push_back({id, fmt::format("its {} {} is missing", role, parent)});
        }
      }
    } catch (const Error& e) {
      problems.push_back({id, e.what()});
    }
    progress(++done, ids.size());
  }
  for (const auto& [name, id] : names()) {
    if (!known.contains(id)) {
      problems.push_back({id, fmt::format("the name {} points at it, but it is missing", name)});
    }
  }
  for (const auto& entry : fs::recursive_directory_iterator(root_ / "keys")) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    const Json pointer = Json::parse(read_file(entry.path(), ExitCode::kArtifact), nullptr, false);
    const std::string id = pointer.is_object() ? pointer.value("artifact", "") : "";
    if (!known.contains(id)) {
      problems.push_back({id, fmt::format("the key {} points at it, but it is missing", name)});
    }
  }
  return problems;
}

}  // namespace tcrops::store
