#include "folder.hpp"
#include "hash_log.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>

#include <set>

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

RunHashes runs_in(const LogContents& log) {
  RunHashes runs;
  for (const Json& entry : log.entries) {
    const std::string event = text_of(entry, "event");
    if (event == "publish" || event == "import")
      runs[text_of(entry, "id")].insert(text_of(entry, "run_sha256"));
  }
  return runs;
}

// A key is named by the hash of its inputs. Returns the id it points at.
std::string verify_key(const fs::path& path, const std::string& text,
                       std::vector<VerifyProblem>& problems) {
  const Json key = Json::parse(text, nullptr, false);
  const std::string id = key.is_object() ? text_of(key, "artifact") : "";
  if (id.empty() || !key.contains("inputs") ||
      sha256_hex(canonical_json(key["inputs"])) != path.stem().string()) {
    problems.push_back(
        {id, fmt::format("the key {} was changed after it was written", path.filename().string())});
  }
  return id;
}

// Pointers are removed before what they point at.
bool still_names(const fs::path& path, const std::string& id) {
  const auto text = read_if_there(path);
  return text && trim(*text) == id;
}

}  // namespace

std::vector<VerifyProblem> Store::verify(
    const std::function<void(std::size_t, std::size_t)>& progress) const {
  std::vector<VerifyProblem> problems;
  // Others may publish meanwhile. A log line comes before its artifact, so listing first makes sure
  // that the line of every artifact listed is seen.
  const auto ids = list();
  const LogContents log = store_log(root_).read();
  for (const std::string& problem : log.problems) problems.push_back({"", problem});
  const RunHashes runs = runs_in(log);
  const std::set<std::string> known(ids.begin(), ids.end());
  const auto is_here = [&](const std::string& id) {
    return known.contains(id) || (id.size() == 64 && fs::exists(artifact_path(id)));
  };
  std::size_t done = 0;
  for (const std::string& id : ids) {
    check_interrupt();
    std::vector<VerifyProblem> found;
    try {
      const Artifact artifact = load(id);
      verify_files(artifact, found);
      verify_run(artifact, runs, found);
      for (const auto& [role, parent] : artifact.manifest.parents) {
        if (!is_here(parent)) {
          found.push_back({id, fmt::format("its {} {} is missing", role, parent)});
        }
      }
    } catch (const Error& e) {
      found.push_back({id, e.what()});
    } catch (const fs::filesystem_error& e) {
      found.push_back({id, e.what()});
    }
    // One that another process has removed while it was looked at is no problem.
    if (!found.empty() && fs::exists(artifact_path(id)))
      problems.insert(problems.end(), found.begin(), found.end());
    progress(++done, ids.size());
  }
  for (const auto& [name, id] : names()) {
    if (!is_here(id) && still_names(root_ / "names" / name, id)) {
      problems.push_back({id, fmt::format("the name {} points at it, but it is missing", name)});
    }
  }
  for (VerifyProblem& problem : Registry(*this).verify()) {
    problems.push_back(std::move(problem));
  }
  std::error_code status;
  const fs::recursive_directory_iterator keys(root_ / "keys", status);
  if (status) problems.push_back({"", fmt::format("keys: {}", status.message())});
  for (const auto& entry : keys) {
    if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    const auto text = read_if_there(entry.path());
    if (!text) continue;
    const std::string id = verify_key(entry.path(), *text, problems);
    if (!is_here(id) && fs::exists(entry.path())) {
      problems.push_back({id, fmt::format("the key {} points at it, but it is missing", name)});
    }
  }
  return problems;
}

}  // namespace tcrops::store
