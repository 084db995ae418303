#include "query_writer.hpp"

#include "query_purge.hpp"
#include "query_rows.hpp"
#include "query_tables.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::serve {
namespace {

constexpr double kBusySeconds = 0.5;
constexpr std::size_t kMostModels = 64;
constexpr const char* kRetention = "retention";

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0; });
}

std::int64_t multiple_below(double time, std::int64_t span) {
  return span * static_cast<std::int64_t>(std::floor(time / static_cast<double>(span)));
}

double finite(double value) { return std::isfinite(value) ? value : 0.0; }

template <class Number>
Cell whole(Number number) {
  return std::int64_t{number};
}

Cell text_or_null(std::string_view text) { return text.empty() ? Cell() : Cell(text); }

void add_to(QuerySums& sums, const QueryEntry& entry) {
  ++sums.requests;
  if (entry.status >= 400) ++sums.errors;
  sums.rows += entry.rows;
  sums.rejected += entry.rejected;
  sums.unseen += entry.unseen;
  sums.far += entry.far;
  for (std::size_t i = 0; i < kScoreBins; ++i) sums.scores[i] += entry.scores[i];
  ++sums.durations[duration_bin(finite(entry.seconds))];
}

// Of many entries, by when they came.
class SumsByTime {
 public:
  void add(const QueryEntry& entry) {
    const std::int64_t time = multiple_below(finite(entry.time), kShortSpan);
    // Mostly that of the one before.
    if (last_ == nullptr || time != last_time_) {
      last_ = &by_minute_[time];
      last_time_ = time;
    }
    add_to(*last_, entry);
  }
  [[nodiscard]] const std::map<std::int64_t, QuerySums>& by_minute() const { return by_minute_; }
  [[nodiscard]] std::map<std::int64_t, QuerySums> by_hour() const {
    std::map<std::int64_t, QuerySums> sums;
    for (const auto& [time, some] : by_minute_)
      sums[multiple_below(static_cast<double>(time), kLongSpan)].add(some);
    return sums;
  }

 private:
  std::map<std::int64_t, QuerySums> by_minute_;
  QuerySums* last_ = nullptr;
  std::int64_t last_time_ = 0;
};
static_assert(kLongSpan % kShortSpan == 0);

}  // namespace

std::string plain(std::string text) {
  if (is_plain(text)) return text;
  std::string result = valid_utf8(text);
  std::erase(result, '\0');
  return result;
}

QueryWriter::QueryWriter(std::filesystem::path file)
    : file_(std::move(file)),
      queries_("query",
               "number, id, time, route, status, model, rows, scored, rejected, unseen, far, "
               "seconds, digest, media_type, error",
               15),
      outputs_("output", "number, rows", 2),
      inputs_("input", "number, body, encoding, content_type, format, epitope, mhc", 7) {}

std::optional<QueryWriter::FileKey> QueryWriter::file_key() const {
  struct stat found {};
  if (::stat(file_.c_str(), &found) != 0) return std::nullopt;
  return FileKey{found.st_dev, found.st_ino};
}

void QueryWriter::open() {
  if (database_ && opened_ == file_key()) return;
  database_.reset();
  models_.clear();
  database_.emplace(make_query_log(file_, kBusySeconds));
  // What an entry refers to is written before it, and removed after it.
  static_cast<void>(database_->query("PRAGMA foreign_keys = off"));
  opened_ = file_key();
}

void QueryWriter::append(const std::deque<QueryEntry>& entries, std::size_t count) {
  open();
  ModelKeys models;
  SumsByTime sums;
  for (std::size_t i = 0; i < count; ++i) sums.add(entries[i]);
  database_->transaction([&] {
    models = keys_of(entries, count);
    for (TableRows* rows : {&queries_, &outputs_, &inputs_}) rows->clear();
    const std::int64_t before = last_number();
    std::int64_t number = before;
    for (std::size_t i = 0; i < count; ++i)
      insert(entries[i], ++number, models.at(entries[i].model));
    queries_.write(*database_);  // the others refer to them
    number = before;
    for (std::size_t i = 0; i < count; ++i) insert_rows(entries[i], ++number);
    outputs_.write(*database_);
    inputs_.write(*database_);
    for (const auto& [time, sum] : sums.by_minute()) add_sums(kShortSpan, time, sum);
    for (const auto& [time, sum] : sums.by_hour()) add_sums(kLongSpan, time, sum);
  });
  models_ = std::move(models);
}

// The last number that was ever given, also to an entry that is gone.
std::int64_t QueryWriter::last_number() {
  const auto rows = database_->query("SELECT seq FROM sqlite_sequence WHERE name = 'query'");
  return rows.empty() ? 0 : db::integer(rows.at(0).at(0));
}

// Those of the entries, and those known before unless they have become many.
QueryWriter::ModelKeys QueryWriter::keys_of(const std::deque<QueryEntry>& entries,
                                            std::size_t count) {
  ModelKeys keys;
  if (models_.size() < kMostModels) keys = models_;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& model = entries[i].model;
    if (!keys.contains(model)) keys[model] = key_of(model ? *model : LoggedModel());
  }
  return keys;
}

std::int64_t QueryWriter::key_of(const LoggedModel& model) {
  const std::vector<db::Value> values = {plain(model.artifact), plain(model.name),
                                         plain(model.version), plain(model.data_version),
                                         plain(model.reference)};
  database_->execute(
      "INSERT INTO served_model (artifact, name, version, data_version, reference) VALUES (:p1, "
      ":p2, :p3, :p4, :p5) ON CONFLICT DO NOTHING",
      values);
  const auto rows = database_->query(
      "SELECT key FROM served_model WHERE artifact = :p1 AND name = :p2 AND version = :p3 AND "
      "data_version = :p4 AND reference = :p5",
      values);
  return db::integer(rows.at(0).at(0));
}

void QueryWriter::insert(const QueryEntry& entry, std::int64_t number, std::int64_t model) {
  const std::string digest = digest_hex(entry.digest);
  queries_.add(*database_, {number, entry.id, finite(entry.time), entry.route, whole(entry.status),
                            model, whole(entry.rows), whole(entry.scored), whole(entry.rejected),
                            whole(entry.unseen), whole(entry.far), finite(entry.seconds), digest,
                            entry.media_type, text_or_null(failure_kind(entry.status))});
}

void QueryWriter::insert_rows(const QueryEntry& entry, std::int64_t number) {
  if (!entry.outputs.empty()) outputs_.add(*database_, {number, entry.outputs});
  if (!entry.input) return;
  const LoggedInput& input = *entry.input;
  const bool is_text = is_plain(input.body) || plain(input.body) == input.body;
  const std::string digits = is_text ? "" : hex_of(input.body);
  const std::string content_type = plain(input.content_type);
  const std::string format = plain(input.format);
  const std::string epitope = plain(input.epitope);
  const std::string mhc = plain(input.mhc);
  inputs_.add(*database_, {number, is_text ? input.body : digits, is_text ? "text" : "hex",
                           content_type, format, epitope, mhc});
}

void QueryWriter::add_sums(std::int64_t span, std::int64_t time, const QuerySums& sums) {
  std::vector<db::Value> values = {span,      time,          sums.requests, sums.errors,
                                   sums.rows, sums.rejected, sums.unseen,   sums.far};
  for (const std::int64_t count : sums.scores) values.emplace_back(count);
  database_->execute(
      "INSERT INTO sums (span, time, requests, errors, rows, rejected, unseen, far, s0, s1, s2, "
      "s3, s4, s5, s6, s7, s8, s9) VALUES (:p1, :p2, :p3, :p4, :p5, :p6, :p7, :p8, :p9, :p10, "
      ":p11, :p12, :p13, :p14, :p15, :p16, :p17, :p18) ON CONFLICT (span, time) DO UPDATE SET "
      "requests = requests + excluded.requests, errors = errors + excluded.errors, rows = rows + "
      "excluded.rows, rejected = rejected + excluded.rejected, unseen = unseen + "
      "excluded.unseen, far = far + excluded.far, s0 = s0 + excluded.s0, s1 = s1 + excluded.s1, "
      "s2 = s2 + excluded.s2, s3 = s3 + excluded.s3, s4 = s4 + excluded.s4, s5 = s5 + "
      "excluded.s5, s6 = s6 + excluded.s6, s7 = s7 + excluded.s7, s8 = s8 + excluded.s8, s9 = s9 "
      "+ excluded.s9",
      values);
  for (const auto& [bin, count] : sums.durations)
    database_->execute(
        "INSERT INTO duration (span, time, bin, requests) VALUES (:p1, :p2, :p3, :p4) ON CONFLICT "
        "(span, time, bin) DO UPDATE SET requests = requests + excluded.requests",
        {span, time, std::int64_t{bin}, count});
}

Purged QueryWriter::remove_some(double before) {
  open();
  return purge_step(*database_, {before, std::nullopt, false});
}

void QueryWriter::end_removal(double before, const Purged& removed) {
  note_purge(*database_, {before, false}, removed, kRetention);
  static_cast<void>(erase_traces(*database_, std::chrono::milliseconds(0)));
}

}  // namespace tcrops::serve
