#pragma once

#include "query_log.hpp"

#include <tcrops/db/database.hpp>

#include <sys/types.h>

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace tcrops::serve {

// An entry as it goes into the tables.
struct ReadyEntry {
  QueryEntry entry;
  std::string outputs;   // JSON
  std::string encoding;  // of the body in the tables: "text" or "hex"
  std::size_t bytes = 0;
};

// Hashes the body, and throws it away unless it is to be kept. Makes every text fit for a database.
[[nodiscard]] ReadyEntry made_ready(QueryEntry entry, bool keep_input);

// How much memory an entry takes, about.
[[nodiscard]] std::size_t bytes_of(const QueryEntry& entry);

// Appends to the tables. One thread at a time; all members throw Error.
class QueryWriter {
 public:
  explicit QueryWriter(std::filesystem::path file) : file_(std::move(file)) {}

  // Opens the file, or opens it again when another one, or none, is at its place.
  void open();
  // In one transaction.
  void append(std::span<const ReadyEntry> entries);
  // Removes some of what came before.
  [[nodiscard]] Purged remove_some(double before);
  // After the last of them: their bytes are overwritten, and the log notes what happened.
  void end_removal(double before, const Purged& removed);

 private:
  using ModelKey = std::array<std::string, 5>;
  using FileKey = std::pair<dev_t, ino_t>;
  using SumKey = std::pair<std::int64_t, std::int64_t>;  // span, time

  [[nodiscard]] std::optional<FileKey> file_key() const;
  std::int64_t model_key(const LoggedQuery& query, std::map<ModelKey, std::int64_t>& fresh);
  [[nodiscard]] std::int64_t last_number();
  void insert(std::span<const ReadyEntry> entries, std::span<const std::int64_t> models);
  void add_sums(const SumKey& key, const QuerySums& sums);

  std::filesystem::path file_;
  std::optional<db::Database> database_;
  std::optional<FileKey> opened_;
  std::map<ModelKey, std::int64_t> models_;
};

}  // namespace tcrops::serve
