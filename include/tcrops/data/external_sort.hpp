#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::data {

// Sorts more than memory holds. Entries go in with add(), then come out of next() by key (bytes,
// unsigned); equal keys in the order they went in. Up to about `memory_bytes` are held; beyond
// that, sorted runs wait in nameless files in `folder`, which vanish with the process. Throws Error
// when they cannot be written (a full disk is kTemporary).
class ExternalSort {
 public:
  explicit ExternalSort(std::filesystem::path folder,
                        std::size_t memory_bytes = std::size_t{64} << 20U);
  ~ExternalSort();
  ExternalSort(ExternalSort&&) noexcept;
  ExternalSort& operator=(ExternalSort&&) noexcept;

  struct Entry {
    std::string key;
    std::string value;
  };
  // Not after next().
  void add(std::string_view key, std::string_view value);
  [[nodiscard]] std::optional<Entry> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A number as eight bytes that sort like it.
[[nodiscard]] std::string sortable(std::uint64_t number);
[[nodiscard]] std::uint64_t unsortable(std::string_view bytes);

}  // namespace tcrops::data
