#pragma once

#include "query_log.hpp"
#include "table_rows.hpp"

#include <tcrops/db/database.hpp>

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tcrops::serve {

// A text that a database takes.
[[nodiscard]] std::string plain(std::string text);

// Appends to the tables. One thread at a time; all members throw Error.
class QueryWriter {
 public:
  explicit QueryWriter(std::filesystem::path file);

  // Opens the file, or opens it again when another one, or none, is at its place.
  void open();
  // The first `count`, in one transaction.
  void append(const std::deque<QueryEntry>& entries, std::size_t count);
  // Removes some of what came before.
  [[nodiscard]] Purged remove_some(double before);
  // After the last of them: their bytes are overwritten, and the log notes what happened.
  void end_removal(double before, const Purged& removed);

 private:
  using FileKey = std::pair<dev_t, ino_t>;
  // Keys of models in the table. Whoever noted an entry holds what its model is, and so does this.
  using ModelKeys = std::map<std::shared_ptr<const LoggedModel>, std::int64_t>;

  [[nodiscard]] std::optional<FileKey> file_key() const;
  [[nodiscard]] ModelKeys keys_of(const std::deque<QueryEntry>& entries, std::size_t count);
  [[nodiscard]] std::int64_t key_of(const LoggedModel& model);
  [[nodiscard]] std::int64_t last_number();
  void insert(const QueryEntry& entry, std::int64_t number, std::int64_t model);
  void insert_rows(const QueryEntry& entry, std::int64_t number);
  void add_sums(std::int64_t span, std::int64_t time, const QuerySums& sums);

  std::filesystem::path file_;
  std::optional<db::Database> database_;
  std::optional<FileKey> opened_;
  ModelKeys models_;
  TableRows queries_;
  TableRows outputs_;
  TableRows inputs_;
};

}  // namespace tcrops::serve
