#include "query_writer.hpp"

#include "http.hpp"
#include "query_purge.hpp"
#include "query_rows.hpp"
#include "query_tables.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/host.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <vector>

namespace tcrops::serve {
namespace {

constexpr double kBusySeconds = 0.5;
constexpr const char* kRetention = "retention";

// The types that the server reads. A type may be any text, so others are not repeated.
constexpr std::array kMediaTypes = {"application/json",          "text/csv",
                                    "text/tab-separated-values", "text/plain",
                                    "application/octet-stream",  "multipart/form-data"};

std::string known_media_type(const std::string& header) {
  std::string type = media_type(header);
  const bool known =
      type.empty() || std::find(kMediaTypes.begin(), kMediaTypes.end(), type) != kMediaTypes.end();
  return known ? type : "other";
}

std::string plain(const std::string& text) {
  const auto is_ascii = [](char c) { return c > 0; };
  if (std::all_of(text.begin(), text.end(), is_ascii)) return text;
  std::string result = valid_utf8(text);
  std::erase(result, '\0');
  return result;
}

double finite(double value) { return std::isfinite(value) ? value : 0.0; }

db::Value text_or_null(const std::string& text) {
  return text.empty() ? db::Value() : db::Value(text);
}

QuerySums sums_of(const QueryEntry& entry) {
  const LoggedQuery& query = entry.query;
  QuerySums sums;
  sums.requests = 1;
  sums.errors = query.status >= 400 ? 1 : 0;
  sums.rows = query.rows;
  sums.rejected = query.rejected;
  sums.unseen = query.unseen;
  sums.far = query.far;
  sums.scores = entry.scores;
  sums.durations[duration_bin(query.seconds)] = 1;
  return sums;
}

// Rows of one table, written many at a time: a statement costs more than its rows.
class ManyRows {
 public:
  // `columns`: "a, b"; `width` of them.
  ManyRows(db::Database& database, const char* table, const char* columns, std::size_t width)
      : database_(database),
        head_(fmt::format("INSERT INTO {} ({}) VALUES ", table, columns)),
        width_(width) {}

  void add(std::initializer_list<db::Value> row) {
    for (const db::Value& value : row) {
      if (const auto* const text = std::get_if<std::string>(&value)) bytes_ += text->size();
      values_.push_back(value);
    }
    if (values_.size() >= kMostValues || bytes_ >= kMostBytes) write();
  }

  void write() {
    if (values_.empty()) return;
    std::string sql = head_;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const char* const before = i % width_ > 0 ? ", " : i > 0 ? "), (" : "(";
      sql += fmt::format("{}:p{}", before, i + 1);
    }
    database_.execute(sql + ")", values_);
    values_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kMostValues = 45;
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20U;

  db::Database& database_;
  std::string head_;
  std::size_t width_;
  std::vector<db::Value> values_;
  std::size_t bytes_ = 0;
};

std::int64_t multiple_below(double time, std::int64_t span) {
  return span * static_cast<std::int64_t>(std::floor(time / static_cast<double>(span)));
}

}  // namespace

std::size_t bytes_of(const QueryEntry& entry) {
  return sizeof(QueryEntry) + entry.input.body.size() + entry.rows.size() * sizeof(LoggedRow);
}

ReadyEntry made_ready(QueryEntry entry, bool keep_input) {
  ReadyEntry ready;
  LoggedQuery& query = entry.query;
  LoggedInput& input = entry.input;
  query.digest = sha256_hex(input.body);
  query.media_type = known_media_type(input.content_type);
  query.has_input = keep_input;
  query.time = finite(query.time);
  query.seconds = finite(query.seconds);
  for (std::string* text : {&query.id, &query.route, &query.model, &query.version, &query.artifact,
                            &query.data_version, &query.reference, &query.error})
    *text = plain(*text);
  if (!keep_input) {
    input = {};
  } else {
    for (std::string* text : {&input.content_type, &input.format, &input.epitope, &input.mhc})
      *text = plain(*text);
    const bool is_text = plain(input.body) == input.body;
    ready.encoding = is_text ? "text" : "hex";
    if (!is_text) input.body = hex_of(input.body);
  }
  ready.outputs = stored_rows(entry.rows);
  entry.rows = {};
  ready.bytes = bytes_of(entry) + ready.outputs.size();
  ready.entry = std::move(entry);
  return ready;
}

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
  opened_ = file_key();
}

void QueryWriter::append(std::span<const ReadyEntry> entries) {
  open();
  std::map<ModelKey, std::int64_t> models;
  database_->transaction([&] {
    models = models_;
    std::vector<std::int64_t> keys;
    std::map<SumKey, QuerySums> sums;
    for (const ReadyEntry& ready : entries) {
      const LoggedQuery& query = ready.entry.query;
      keys.push_back(model_key(query, models));
      const QuerySums own = sums_of(ready.entry);
      for (const std::int64_t span : {kShortSpan, kLongSpan})
        sums[{span, multiple_below(query.time, span)}].add(own);
    }
    insert(entries, keys);
    for (const auto& [key, sum] : sums) add_sums(key, sum);
  });
  models_ = std::move(models);
}

// The last number that was ever given, also to an entry that is gone.
std::int64_t QueryWriter::last_number() {
  const auto rows = database_->query("SELECT seq FROM sqlite_sequence WHERE name = 'query'");
  return rows.empty() ? 0 : db::integer(rows.at(0).at(0));
}

std::int64_t QueryWriter::model_key(const LoggedQuery& query,
                                    std::map<ModelKey, std::int64_t>& models) {
  const ModelKey key = {query.artifact, query.model, query.version, query.data_version,
                        query.reference};
  if (const auto known = models.find(key); known != models.end()) return known->second;
  const std::vector<db::Value> values(key.begin(), key.end());
  database_->execute(
      "INSERT INTO served_model (artifact, name, version, data_version, reference) VALUES (:p1, "
      ":p2, :p3, :p4, :p5) ON CONFLICT DO NOTHING",
      values);
  const auto rows = database_->query(
      "SELECT key FROM served_model WHERE artifact = :p1 AND name = :p2 AND version = :p3 AND "
      "data_version = :p4 AND reference = :p5",
      values);
  return models[key] = db::integer(rows.at(0).at(0));
}

void QueryWriter::insert(std::span<const ReadyEntry> entries,
                         std::span<const std::int64_t> models) {
  ManyRows queries(*database_, "query",
                   "number, id, time, route, status, model, rows, scored, rejected, unseen, far, "
                   "seconds, digest, media_type, error",
                   15);
  ManyRows outputs(*database_, "output", "number, rows", 2);
  ManyRows inputs(*database_, "input", "number, body, encoding, content_type, format, epitope, mhc",
                  7);
  std::int64_t number = last_number();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ReadyEntry& ready = entries[i];
    const LoggedQuery& query = ready.entry.query;
    ++number;
    queries.add({number, query.id, query.time, query.route, std::int64_t{query.status}, models[i],
                 query.rows, query.scored, query.rejected, query.unseen, query.far, query.seconds,
                 query.digest, query.media_type, text_or_null(query.error)});
  }
  queries.write();  // the others refer to them
  number -= static_cast<std::int64_t>(entries.size());
  for (const ReadyEntry& ready : entries) {
    const LoggedInput& input = ready.entry.input;
    ++number;
    if (ready.outputs != "[]") outputs.add({number, ready.outputs});
    if (ready.entry.query.has_input)
      inputs.add({number, input.body, ready.encoding, input.content_type, input.format,
                  input.epitope, input.mhc});
  }
  outputs.write();
  inputs.write();
}

void QueryWriter::add_sums(const SumKey& key, const QuerySums& sums) {
  std::vector<db::Value> values = {key.first, key.second,    sums.requests, sums.errors,
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
        {key.first, key.second, std::int64_t{bin}, count});
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
