#include "query_rows.hpp"
#include "query_tables.hpp"

#include <tcrops/core/text.hpp>
#include <tcrops/serve/queries.hpp>

#include <fmt/format.h>

namespace tcrops::serve {
namespace {

constexpr double kBusySeconds = 10.0;

constexpr const char* kColumns =
    "query.number, query.id, query.time, query.route, query.status, served_model.name, "
    "served_model.version, served_model.artifact, served_model.data_version, "
    "served_model.reference, query.rows, query.scored, query.rejected, query.unseen, query.far, "
    "query.seconds, query.digest, query.media_type, query.error, CAST(EXISTS (SELECT 1 FROM input "
    "WHERE input.number = query.number) AS integer)";
constexpr const char* kTables = "query JOIN served_model ON served_model.key = query.model";

LoggedQuery query_of(const db::Row& row) {
  std::size_t at = 0;
  const auto text = [&] { return db::text(row.at(at++)); };
  const auto whole = [&] { return db::integer(row.at(at++)); };
  LoggedQuery query;
  query.number = whole();
  query.id = text();
  query.time = db::real(row.at(at++));
  query.route = text();
  query.status = static_cast<int>(whole());
  query.model = text();
  query.version = text();
  query.artifact = text();
  query.data_version = text();
  query.reference = text();
  query.rows = whole();
  query.scored = whole();
  query.rejected = whole();
  query.unseen = whole();
  query.far = whole();
  query.seconds = db::real(row.at(at++));
  query.digest = text();
  query.media_type = text();
  const db::Value& error = row.at(at++);
  if (error.index() != 0) query.error = db::text(error);
  query.has_input = whole() != 0;
  return query;
}

// The conditions of a filter with their parameters.
class Conditions {
 public:
  Conditions(const QueryFilter& filter, bool has_inputs) {
    if (filter.before) add("query.number < {}", {*filter.before});
    if (!filter.model.empty()) add("served_model.name = {}", {filter.model});
    // With a plus the entries are gone through from the newest on, and not sorted by the index.
    if (filter.from) add("+query.time >= {}", {*filter.from});
    if (filter.to) add("+query.time < {}", {*filter.to});
    if (filter.valid) {
      text_ += fmt::format(" AND {}(query.status < 400 AND query.scored > 0)",
                           *filter.valid ? "" : "NOT ");
    }
    if (!filter.search.empty()) add_search(to_lower(filter.search), has_inputs);
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<db::Value>& parameters() const { return parameters_; }

 private:
  std::string parameter(db::Value value) {
    parameters_.push_back(std::move(value));
    return fmt::format(":p{}", parameters_.size());
  }

  void add(const char* condition, db::Value value) {
    text_ += " AND " + fmt::format(fmt::runtime(condition), parameter(std::move(value)));
  }

  void add_search(const std::string& lower, bool has_inputs) {
    const auto has = [&](const char* column) {
      return fmt::format("instr(lower({}), {}) > 0", column, parameter(lower));
    };
    text_ += fmt::format(" AND ({}", has("query.id"));
    text_ += fmt::format(" OR query.model IN (SELECT key FROM served_model WHERE {})", has("name"));
    text_ += fmt::format(" OR {}", has("query.error"));
    text_ += fmt::format(" OR substr(query.digest, 1, {}) = {}", lower.size(), parameter(lower));
    if (has_inputs) {
      text_ += fmt::format(
          " OR EXISTS (SELECT 1 FROM input WHERE input.number = query.number AND encoding = 'text' "
          "AND {})",
          has("input.body"));
    }
    text_ += ")";
  }

  std::string text_ = "1 = 1";
  std::vector<db::Value> parameters_;
};

LoggedInput input_of(const db::Row& row) {
  LoggedInput input;
  const bool is_hex = db::text(row.at(1)) == "hex";
  input.body = is_hex ? bytes_of_hex(db::text(row.at(0))) : db::text(row.at(0));
  input.content_type = db::text(row.at(2));
  input.format = db::text(row.at(3));
  input.epitope = db::text(row.at(4));
  input.mhc = db::text(row.at(5));
  return input;
}

std::optional<QueryDetail> detail_where(const std::filesystem::path& file, const char* condition,
                                        const db::Value& value) {
  auto database = open_query_log(file, kBusySeconds);
  if (!database) return std::nullopt;
  const auto found =
      database->query(fmt::format("SELECT {} FROM {} WHERE {} ORDER BY query.number DESC LIMIT 1",
                                  kColumns, kTables, condition),
                      {value});
  if (found.empty()) return std::nullopt;
  QueryDetail detail;
  detail.query = query_of(found.front());
  const std::vector<db::Value> number = {detail.query.number};
  const auto outputs = database->query("SELECT rows FROM output WHERE number = :p1", number);
  if (!outputs.empty())
    detail.outputs = rows_of_stored(db::text(outputs.at(0).at(0)), file.string());
  const auto inputs = database->query(
      "SELECT body, encoding, content_type, format, epitope, mhc FROM input WHERE number = :p1",
      number);
  if (!inputs.empty()) detail.input = input_of(inputs.front());
  return detail;
}

// Sums by bucket: where they begin, and the columns from `requests` on.
void add_sums(Monitor& monitor, const db::Row& row) {
  const auto place = static_cast<std::size_t>(db::integer(row.at(0)));
  QuerySums sums;
  std::size_t at = 1;
  for (std::int64_t* count :
       {&sums.requests, &sums.errors, &sums.rows, &sums.rejected, &sums.unseen, &sums.far})
    *count = db::integer(row.at(at++));
  for (std::int64_t& count : sums.scores) count = db::integer(row.at(at++));
  monitor.buckets.at(place).sums.add(sums);
}

}  // namespace

std::filesystem::path default_query_log(const std::filesystem::path& store) {
  return store / "queries.sqlite";
}

bool QueryReader::exists() const { return std::filesystem::exists(file_); }

QueryPage QueryReader::list(const QueryFilter& filter) const {
  QueryPage page;
  auto database = open_query_log(file_, kBusySeconds);
  if (!database) return page;
  const Conditions conditions(filter, !database->query("SELECT number FROM input LIMIT 1").empty());
  const auto rows =
      database->query(fmt::format("SELECT {} FROM {} WHERE {} ORDER BY query.number DESC LIMIT {}",
                                  kColumns, kTables, conditions.text(), filter.limit + 1),
                      conditions.parameters());
  for (std::size_t i = 0; i < rows.size() && i < filter.limit; ++i)
    page.queries.push_back(query_of(rows[i]));
  if (rows.size() > filter.limit && !page.queries.empty()) page.next = page.queries.back().number;
  return page;
}

std::optional<QueryDetail> QueryReader::find(const std::string& id) const {
  return detail_where(file_, "query.id = :p1", id);
}

std::optional<QueryDetail> QueryReader::at(std::int64_t number) const {
  return detail_where(file_, "query.number = :p1", number);
}

std::int64_t QueryReader::count(const std::string& id) const {
  auto database = open_query_log(file_, kBusySeconds);
  if (!database) return 0;
  return db::integer(
      database->query("SELECT count(*) FROM query WHERE id = :p1", {id}).at(0).at(0));
}

Monitor QueryReader::monitor(double now, double hours) const {
  Monitor monitor = empty_monitor(now, hours);
  auto database = open_query_log(file_, kBusySeconds);
  if (!database) return monitor;
  const std::int64_t span = monitor.bucket_seconds < kLongSpan ? kShortSpan : kLongSpan;
  const auto from = static_cast<std::int64_t>(monitor.from);
  const auto to = static_cast<std::int64_t>(monitor.to);
  const std::string place =
      fmt::format("CAST((time - {}) / {} AS integer)", from, monitor.bucket_seconds);
  const std::vector<db::Value> range = {span, from, to};
  for (const db::Row& row : database->query(
           fmt::format("SELECT {}, sum(requests), sum(errors), sum(rows), sum(rejected), "
                       "sum(unseen), sum(far), sum(s0), sum(s1), sum(s2), sum(s3), sum(s4), "
                       "sum(s5), sum(s6), sum(s7), sum(s8), sum(s9) FROM sums WHERE span = :p1 "
                       "AND time >= :p2 AND time < :p3 GROUP BY 1",
                       place),
           range))
    add_sums(monitor, row);
  for (const db::Row& row : database->query(
           fmt::format("SELECT {}, bin, sum(requests) FROM duration WHERE span = :p1 AND time >= "
                       ":p2 AND time < :p3 GROUP BY 1, 2",
                       place),
           range)) {
    auto& bucket = monitor.buckets.at(static_cast<std::size_t>(db::integer(row.at(0))));
    bucket.sums.durations[static_cast<int>(db::integer(row.at(1)))] += db::integer(row.at(2));
  }
  for (const Monitor::Bucket& bucket : monitor.buckets) monitor.totals.add(bucket.sums);
  return monitor;
}

}  // namespace tcrops::serve
