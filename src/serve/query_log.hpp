#pragma once

#include <tcrops/core/sha256.hpp>
#include <tcrops/serve/monitor.hpp>
#include <tcrops/serve/queries.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/stages/small_table.hpp>

#include <array>
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
#include <string_view>
#include <thread>

namespace tcrops::serve {

struct Asked;  // api.hpp

// What all entries of a served model have in common.
struct LoggedModel {
  std::string name{};
  std::string version{};
  std::string artifact{};
  std::string data_version{};
  std::string reference{};
};

// What is noted of one request. Small, since it is made while whoever asked waits, and many may
// wait to be written.
struct QueryEntry {
  std::string id{};
  std::string route{};
  std::shared_ptr<const LoggedModel> model{};  // that answered, or would have; null: none
  double time = 0.0;                           // when it came, seconds since 1970
  double seconds = 0.0;
  int status = 0;
  std::uint32_t rows = 0;
  std::uint32_t scored = 0;
  std::uint32_t rejected = 0;
  std::uint32_t unseen = 0;
  std::uint32_t far = 0;
  std::array<std::uint32_t, kScoreBins> scores{};  // of all rows
  std::string outputs{};          // the first kLoggedRows, as the tables have them; "" for none
  Sha256Digest digest{};          // of the body
  std::string_view media_type{};  // of the body, one of a few constants
  std::shared_ptr<const LoggedInput> input{};  // kept with QueryLogOptions::inputs only

  // Notes of what was sent its digest and its type.
  void describe_body(std::string_view body, std::string_view content_type);
  // Counts the rows of an answered table, and notes their scores. One answer per record.
  void add_rows(const stages::SmallTable& table, std::span<const stages::Answer> answers);
  // How much memory it takes, about.
  [[nodiscard]] std::size_t bytes() const;
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
  void take(Clock::time_point wake);
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

// What is noted of a request for predictions; what it sent only if that is to be kept.
[[nodiscard]] QueryEntry entry_of(const Asked& asked, bool keep_input);

// What an HTTP status means, in a word or two: the kind of failure that an entry has, a constant.
// "" below 400.
[[nodiscard]] std::string_view failure_kind(int status);

}  // namespace tcrops::serve
