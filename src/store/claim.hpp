#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace tcrops::store {

// A process's notice of what it is using: a file in claims/ that is locked while the process lives,
// with one line per artifact id or "work:<key>". The lock, and not a process number, says whether
// it counts, so it means the same on every host. Its drafts are named after it.
class Claim {
 public:
  explicit Claim(std::filesystem::path root);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  // Call with the store's lock held, so that nothing is removed between the look and the claim.
  void add(const std::string& what);
  // The name of the next draft: unique in the store.
  [[nodiscard]] std::filesystem::path next_draft();
  // Takes over what dead processes have left, under names of this claim. Call with the store's lock
  // held exclusively, and delete what it returns after giving the lock back: that may take long.
  [[nodiscard]] std::vector<std::filesystem::path> inherit();

 private:
  void open_file();

  std::filesystem::path root_;
  std::mutex mutex_;
  std::string name_;     // "" until first needed
  int descriptor_ = -1;  // locked
  std::set<std::string> claimed_;
};

// Who lives and who has died. Call with the store's lock held.
struct Census {
  std::set<std::string> claimed;                // by living processes
  std::vector<std::filesystem::path> deceased;  // notices and drafts of dead ones
};
// `own` is the name of a notice of this process, which must not be opened; "" when it has none.
[[nodiscard]] Census take_census(const std::filesystem::path& root, const std::string& own);

// The lock that orders claims, publications and removals. Shared by all who look up, point or
// publish; exclusive for who makes or removes claims, drafts and artifacts.
[[nodiscard]] std::filesystem::path store_lock(const std::filesystem::path& root);

}  // namespace tcrops::store
