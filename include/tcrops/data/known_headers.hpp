#pragma once

#include <memory>

namespace tcrops::data {

// What headers mean that were read before, for whoever reads many small tables of the same columns.
// Keeps the last few. Thread-safe.
class KnownHeaders {
 public:
  KnownHeaders();
  ~KnownHeaders();
  KnownHeaders(const KnownHeaders&) = delete;
  KnownHeaders& operator=(const KnownHeaders&) = delete;

  struct Entries;
  [[nodiscard]] Entries& entries() const { return *entries_; }

 private:
  std::unique_ptr<Entries> entries_;
};

}  // namespace tcrops::data
