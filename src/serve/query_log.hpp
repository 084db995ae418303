#pragma once

#include <tcrops/serve/monitor.hpp>
#include <tcrops/serve/queries.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/stages/small_table.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tcrops::serve {

struct Asked;  // api.hpp

// What is noted of one request.
struct QueryEntry {
  LoggedQuery query;   // the log itself fills in `number`, `digest`, `media_type` and `has_input`
  LoggedInput input;   // kept with QueryLogOptions::inputs only
  ScoreBins scores{};  // of all rows
  std::vector<LoggedRow> rows{};  // the first kLoggedRows

  // Counts the rows of an answered table, and notes their scores. One answer per record.
  void add_rows(const stages::SmallTable& table, std::span<const stages::Answer> answers);
};

struct QueryLogOptions {
  std::filesystem::path file;
  bool inputs = false;       // what was sent is kept
  double keep_days = 180.0;  // older entries are removed; 0: none
  // Entries that may wait to be written, and their bytes; what comes on top is lost.
  std::size_t most_waiting = 100'000;
  std::size_t most_waiting_bytes = std::size_t{64} << 20U;
  // How long an entry may wait for others, to be written with them.
  std::chrono::milliseconds gather{50};
};

// The log of what was asked and answered: a SQLite file that a thread of its own appends to. A
// locked or full disk, or a file that somebody removed, costs the requests nothing: entries wait,
// then are lost and counted, until it works again. What is written survives the end of the process;
// the last moments before a power cut may be missing. Thread-safe.
class QueryLog {
 public:
  // Throws Error: kArtifact for a file that is no query log, is of a newer format, or cannot be
  // opened or made. One that is locked or full for now is waited for.
  explicit QueryLog(const QueryLogOptions& options);
  ~QueryLog();  // writes what waits, for at most two seconds
  QueryLog(const QueryLog&) = delete;
  QueryLog& operator=(const QueryLog&) = delete;

  // Never waits and never throws.
  void note(QueryEntry entry) noexcept;
  void note(const Asked& asked) noexcept;

  // Returns when all that was noted before is written or lost, or the time is up (false).
  [[nodiscard]] bool flush(std::chrono::milliseconds patience);

  struct Counts {
    std::uint64_t written = 0;
    std::uint64_t lost = 0;
    std::uint64_t waiting = 0;
  };
  [[nodiscard]] Counts counts() const;
  // Why it cannot be written now; "" while it can.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] const QueryLogOptions& options() const { return options_; }

 private:
  struct Work;  // of the thread alone
  using Clock = std::chrono::steady_clock;

  void work();
  [[nodiscard]] std::deque<QueryEntry> take(Clock::time_point wake);
  void make_ready(QueryEntry entry);
  void write_pending();
  void remove_expired();
  void fail(const std::string& reason);
  void settle(std::size_t count, bool written);
  void lose_one() noexcept;
  void tell_of_losses();

  const QueryLogOptions options_;
  std::unique_ptr<Work> work_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable arrived_;
  std::condition_variable settled_;
  std::deque<QueryEntry> queue_;
  std::size_t waiting_ = 0;        // in the queue or with the thread
  std::size_t waiting_bytes_ = 0;  // of these
  Counts counts_;
  std::string problem_;
  bool ending_ = false;
  std::thread thread_;
};

// What is noted of a request for predictions.
[[nodiscard]] QueryEntry entry_of(const Asked& asked);

// What an HTTP status means, in a word or two: the kind of failure that an entry has. "" below 400.
[[nodiscard]] std::string failure_kind(int status);

}  // namespace tcrops::serve
