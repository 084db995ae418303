#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/serve/monitor.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcrops::serve {

// What became of one row of a request.
struct LoggedRow {
  std::size_t line = 0;  // in what was sent, from 1
  std::optional<double> score{};
  bool call = false;
  std::string problem_kind{};  // the column at fault, or "row"; "" when there is a score
};

// The first so many rows of a request are kept.
inline constexpr std::size_t kLoggedRows = 1000;

// A request as it was sent; kept with serve.log_sequences only.
struct LoggedInput {
  std::string body;
  std::string content_type;  // as it was sent
  // Of the query, "" where it did not say.
  std::string format{};
  std::string epitope{};
  std::string mhc{};
};

// A request that asked for scores, without a word of what was asked.
struct LoggedQuery {
  std::int64_t number = 0;  // grows with every entry; never given twice
  std::string id;           // that the answer had; clients may use one twice
  double time = 0.0;        // when it came, seconds since 1970
  std::string route;        // "/v1/predict"
  int status = 0;
  // The model that answered, or would have.
  std::string model;
  std::string version;
  std::string artifact;
  std::string data_version;
  std::string reference;
  std::int64_t rows = 0;
  std::int64_t scored = 0;
  std::int64_t rejected = 0;
  std::int64_t unseen = 0;
  std::int64_t far = 0;
  double seconds = 0.0;
  std::string digest;      // SHA-256 of the body
  std::string media_type;  // of the body; "other" for one that nobody reads
  std::string error{};     // what kind of failure; "" when it was answered
  bool has_input = false;

  // It was answered, and some row has a score.
  [[nodiscard]] bool is_valid() const { return status < 400 && scored > 0; }
};

struct QueryDetail {
  LoggedQuery query;
  std::vector<LoggedRow> outputs;
  std::optional<LoggedInput> input;
};

// Which entries to list; what is not given does not matter.
struct QueryFilter {
  std::size_t limit = 50;
  std::optional<std::int64_t> before{};  // lower numbers only
  std::string model{};                   // its name
  std::optional<bool> valid{};
  std::string
      search{};  // part of the request id, of the model's name, of the error or of the input
                 // that was kept, or the beginning of the digest; in any case of letters
  std::optional<double> from{};  // seconds since 1970
  std::optional<double> to{};    // … and before this
};

struct QueryPage {
  std::vector<LoggedQuery> queries;    // newest first
  std::optional<std::int64_t> next{};  // `before` of the page that follows
};

// What of the log is to go.
struct Purge {
  std::optional<double> before{};  // came before, seconds since 1970; none: everything there is now
  bool only_inputs = false;        // what was sent goes, the entries stay
};

struct Purged {
  std::int64_t queries = 0;
  std::int64_t inputs = 0;
  bool is_erased =
      true;  // false: others read just then, so bytes are still in the file; purge again
};

// queries.sqlite of the store.
[[nodiscard]] std::filesystem::path default_query_log(const std::filesystem::path& store);

// Reads a query log, also while servers write it. Each call has a connection of its own.
// Thread-safe. Throws Error: kArtifact for a file that is no query log, or of a newer format;
// kTemporary when it is locked for too long.
class QueryReader {
 public:
  explicit QueryReader(std::filesystem::path file) : file_(std::move(file)) {}

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  // A log that is not there yet has no entries.
  [[nodiscard]] bool exists() const;

  [[nodiscard]] QueryPage list(const QueryFilter& filter) const;
  // The newest one of that id.
  [[nodiscard]] std::optional<QueryDetail> find(const std::string& id) const;
  [[nodiscard]] std::optional<QueryDetail> at(std::int64_t number) const;
  // How many entries have that id.
  [[nodiscard]] std::int64_t count(const std::string& id) const;
  // The last `hours` before `now` (seconds since 1970). Takes milliseconds, however long the log.
  [[nodiscard]] Monitor monitor(double now, double hours) const;

 private:
  std::filesystem::path file_;
};

// What `purge` would remove.
[[nodiscard]] Purged count_purge(const std::filesystem::path& file, const Purge& what);
// Removes it in small steps, so that a server goes on writing in between, then overwrites and gives
// back its bytes. The log notes that it happened and who did it. Throws as QueryReader, and
// kArtifact when there is no log.
Purged purge_queries(const std::filesystem::path& file, const Purge& what, const std::string& by);

// As the API gives them.
[[nodiscard]] Json to_json(const LoggedQuery& query);
[[nodiscard]] Json to_json(const QueryDetail& detail);
// kScores: line, score and call; kAll: the kind of problem as well.
enum class RowFacts { kScores, kAll };
[[nodiscard]] Json to_json(const std::vector<LoggedRow>& rows, RowFacts facts = RowFacts::kAll);

}  // namespace tcrops::serve
