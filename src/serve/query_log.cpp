#include "query_log.hpp"

#include "clock.hpp"
#include "query_writer.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

namespace tcrops::serve {
namespace {

using std::chrono::milliseconds;

// Entries of one transaction, and their bytes.
constexpr std::size_t kTogether = 5000;
constexpr std::size_t kTogetherBytes = std::size_t{4} << 20U;
constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{5000};
constexpr milliseconds kEnd{2000};
constexpr milliseconds kBetweenLastTries{50};
constexpr int kMostRefusals = 3;
constexpr std::chrono::minutes kBetweenWarnings{1};
constexpr std::chrono::hours kBetweenRemovals{1};
constexpr double kSecondsOfDay = 86'400.0;

// Without the advice behind the last semicolon, which is for whoever typed a command.
std::string reason_of_failure(const std::string& message) {
  return message.substr(0, message.rfind("; "));
}

// Whether the database took offence at what it was given, and not at the state of the disk.
bool is_refusal(const std::exception& e) {
  const auto* const error = dynamic_cast<const Error*>(&e);
  return error != nullptr && error->code() == ExitCode::kFailure &&
         std::string_view(e.what()).find("I/O error") == std::string_view::npos;
}

}  // namespace

struct QueryLog::Work {
  explicit Work(std::filesystem::path file) : writer(std::move(file)) {}

  QueryWriter writer;
  std::deque<QueryEntry> pending;  // not yet written, oldest first
  std::size_t together = kTogether;

  // How many of them go into the next transaction.
  [[nodiscard]] std::size_t next_ones() const {
    std::size_t count = 0;
    for (std::size_t bytes = 0; count < std::min(pending.size(), together); ++count) {
      bytes += pending[count].bytes();
      if (count > 0 && bytes > kTogetherBytes) break;
    }
    return count;
  }

  int refused = 0;  // how often the oldest one alone was
  Clock::time_point retry;
  Clock::duration pause = kFirstPause;
  Clock::time_point next_removal = Clock::now();
  Purged removed;
  std::uint64_t lost_told = 0;
  Clock::time_point told;
};

QueryLog::QueryLog(const QueryLogOptions& options)
    : options_(options), work_(std::make_unique<Work>(options.file)) {
  try {
    work_->writer.open();
  } catch (const Error& e) {
    if (e.code() != ExitCode::kTemporary) throw;
    fail(reason_of_failure(e.what()));
  }
  thread_ = std::thread([this] { work(); });
}

QueryLog::~QueryLog() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

void QueryLog::note(QueryEntry entry) noexcept {
  try {
    if (!options_.inputs) entry.input.reset();
    entry.id = plain(std::move(entry.id));
    entry.route = plain(std::move(entry.route));
    const std::size_t bytes = entry.bytes();
    const std::lock_guard lock(mutex_);
    if (waiting_ >= options_.most_waiting ||
        (waiting_ > 0 && waiting_bytes_ + bytes > options_.most_waiting_bytes)) {
      ++counts_.lost;
      return;
    }
    queue_.push_back(std::move(entry));
    ++waiting_;
    waiting_bytes_ += bytes;
    if (queue_.size() == 1 || queue_.size() == kTogether) arrived_.notify_one();
  } catch (const std::exception&) {  // no memory for it
    lose_one();
  }
}

void QueryLog::note(const Asked& asked) noexcept {
  try {
    note(entry_of(asked, options_.inputs));
  } catch (const std::exception&) {
    lose_one();
  }
}

void QueryLog::lose_one() noexcept {
  const std::lock_guard lock(mutex_);
  ++counts_.lost;
}

bool QueryLog::flush(milliseconds patience) {
  std::unique_lock lock(mutex_);
  const auto settled = [&] { return counts_.written + counts_.lost; };
  const std::uint64_t wanted = settled() + waiting_;
  return settled_.wait_for(lock, patience, [&] { return settled() >= wanted; });
}

QueryLog::Counts QueryLog::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = waiting_;
  return counts;
}

std::string QueryLog::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void QueryLog::work() {
  std::optional<Clock::time_point> deadline;
  for (;;) {
    // What is expired goes only when nothing waits.
    const auto wake = work_->pending.empty() ? work_->next_removal : work_->retry;
    take(wake);
    bool ending = false;
    {
      const std::lock_guard lock(mutex_);
      ending = ending_ && queue_.empty();
    }
    const auto now = Clock::now();
    if (!work_->pending.empty() && (ending || now >= work_->retry)) write_pending();
    if (ending) {
      if (!deadline) deadline = now + kEnd;
      if (work_->pending.empty() || now >= *deadline) break;
      std::this_thread::sleep_for(kBetweenLastTries);
    } else if (work_->pending.empty() && now >= work_->next_removal) {
      remove_expired();
    }
    tell_of_losses();
  }
  if (work_->pending.empty()) return;
  log_error(fmt::format("{} entries of the query log could not be written, and are lost",
                        work_->pending.size()));
  settle(work_->pending.size(), false);
}

// Puts what came behind what waits already.
void QueryLog::take(Clock::time_point wake) {
  std::deque<QueryEntry>& pending = work_->pending;
  std::unique_lock lock(mutex_);
  arrived_.wait_until(lock, wake, [&] { return ending_ || !queue_.empty(); });
  if (!queue_.empty() && !ending_) {
    arrived_.wait_for(lock, options_.gather, [&] { return ending_ || queue_.size() >= kTogether; });
  }
  if (pending.empty()) {
    pending.swap(queue_);
  } else {
    try {
      for (; !queue_.empty(); queue_.pop_front()) pending.push_back(std::move(queue_.front()));
    } catch (const std::bad_alloc&) {
      // The rest stays in line.
    }
  }
}

// What the database refuses for good, whatever else is written, is given up after some tries.
void QueryLog::write_pending() {
  Work& work = *work_;
  while (!work.pending.empty()) {
    const std::size_t count = work.next_ones();
    bool written = true;
    try {
      work.writer.append(work.pending, count);
    } catch (const std::exception& e) {
      const bool is_refused = is_refusal(e);
      if (is_refused && count > 1) {
        work.together = 1;
        continue;
      }
      written = false;
      fail(reason_of_failure(e.what()));
      if (!is_refused || ++work.refused < kMostRefusals) {
        work.retry = Clock::now() + work.pause;
        work.pause = std::min<Clock::duration>(2 * work.pause, kLongestPause);
        return;
      }
    }
    work.refused = 0;
    work.pause = kFirstPause;
    settle(count, written);
  }
  work.together = kTogether;
}

// The oldest so many are written or lost.
void QueryLog::settle(std::size_t count, bool written) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += work_->pending[i].bytes();
  work_->pending.erase(work_->pending.begin(),
                       work_->pending.begin() + static_cast<std::ptrdiff_t>(count));
  bool works_again = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_ -= count;
    waiting_bytes_ -= bytes;
    (written ? counts_.written : counts_.lost) += count;
    works_again = written && !problem_.empty();
    if (works_again) problem_.clear();
  }
  settled_.notify_all();
  if (works_again) log_info("the query log is written again");
}

void QueryLog::fail(const std::string& reason) {
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    is_new = problem_.empty();
    problem_ = reason;
  }
  if (is_new) {
    log_error(
        fmt::format("the query log cannot be written: {}; requests are answered all the "
                    "same, and noted as long as there is room to remember them",
                    reason));
  }
}

void QueryLog::tell_of_losses() {
  const std::uint64_t lost = counts().lost;
  if (lost == work_->lost_told || Clock::now() < work_->told + kBetweenWarnings) return;
  log_warning(fmt::format("the query log has lost {} entries: more came than could be written",
                          lost - work_->lost_told));
  work_->lost_told = lost;
  work_->told = Clock::now();
}

void QueryLog::remove_expired() {
  Work& work = *work_;
  const auto now = Clock::now();
  work.next_removal = now + kBetweenRemovals;
  if (options_.keep_days <= 0.0) return;
  const double before = now_seconds() - options_.keep_days * kSecondsOfDay;
  try {
    const Purged some = work.writer.remove_some(before);
    work.removed.queries += some.queries;
    work.removed.inputs += some.inputs;
    if (some.queries > 0) {
      work.next_removal = now;  // the next ones, after what waits to be written
      return;
    }
    if (work.removed.queries > 0) work.writer.end_removal(before, std::exchange(work.removed, {}));
  } catch (const std::exception& e) {
    log_debug(fmt::format("query log: expired entries stay for now: {}", e.what()));
    work.next_removal = now + kBetweenWarnings;
  }
}

}  // namespace tcrops::serve
