// How an artifact is found by what a person types.
#include "folder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

namespace tcrops::store {
namespace {

constexpr std::size_t kFewestDigits = 6;
constexpr std::size_t kFolderDigits = 2;  // artifacts/<first two>/<id>

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<std::string> ids_beginning(const std::filesystem::path& root,
                                       const std::string& digits) {
  std::vector<std::string> ids;
  const auto folder = root / "artifacts" / digits.substr(0, kFolderDigits);
  if (!std::filesystem::exists(folder)) return ids;
  for (const auto& entry : entries_of(folder)) {
    std::string id = entry.path().filename().string();
    if (id.starts_with(digits)) ids.push_back(std::move(id));
  }
  return ids;
}

// Another file, or the same one after it was written to, gives another text.
std::string stamp_of(const std::filesystem::path& path) {
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0) return "-";
  return fmt::format("{}:{}:{}.{}", seen.st_ino, seen.st_size, seen.st_mtim.tv_sec,
                     seen.st_mtim.tv_nsec);
}

}  // namespace

std::map<std::string, std::string> Store::names() const {
  std::map<std::string, std::string> result;
  for (const auto& entry : entries_of(root_ / "names")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    if (const auto text = read_if_there(entry.path())) result[name] = std::string(trim(*text));
  }
  return result;
}

Artifact Store::get(const std::string& reference) const {
  const auto named = names();
  if (const auto found = named.find(reference); found != named.end()) return at(found->second);
  if (reference.find('@') != std::string::npos) {
    return at(Registry(*this).resolve(reference).artifact);
  }
  if (is_hex(reference) && reference.size() >= kFewestDigits) {
    const auto matches = ids_beginning(root_, reference);
    if (matches.size() == 1) return at(matches.front());
    if (!matches.empty()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("\"{}\" begins {} ids; give more digits", reference, matches.size()));
    }
  }
  std::vector<std::string> known;
  for (const auto& [name, id] : named) known.push_back(name);
  throw Error(ExitCode::kArtifact,
              fmt::format("{}: no artifact \"{}\"{}; `tcrops artifacts ls` lists what there is",
                          root_.string(), reference, suggestion(reference, known)));
}

std::string Store::stamp(const std::string& reference) const {
  const std::string name = reference.substr(0, reference.find('@'));
  return stamp_of(root_ / "names" / reference) + " " +
         stamp_of(root_ / "models" / (name + ".jsonl"));
}

}  // namespace tcrops::store
