#include "query_log.hpp"

#include "query_logs.hpp"

#include <tcrops/db/database.hpp>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <error_of.hpp>
#include <limits>
#include <set>
#include <thread>

using namespace tcrops;
using namespace tcrops::serve;
using namespace tcrops::serve::test;
using std::chrono::milliseconds;
using tcrops::test::error_of;

namespace {

std::vector<std::string> ids_in(const std::filesystem::path& file) {
  QueryFilter all;
  all.limit = 100'000;
  std::vector<std::string> ids;
  for (const LoggedQuery& query : QueryReader(file).list(all).queries) ids.push_back(query.id);
  return ids;
}

db::Database opened(const std::filesystem::path& file) {
  return db::Database::open(db::address("sqlite:" + file.string()));
}

}  // namespace

TEST_CASE("what is noted can be read, without what was sent") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  {
    QueryLog log(options_of(file));
    log.note(entry("first"));
    CHECK(log.flush(kLong));
    CHECK(log.counts().written == 1);
    CHECK(log.counts().waiting == 0);
    CHECK(log.problem().empty());
    CHECK_FALSE(has(bytes_of_log(file), "CASSIRSSYEQYF"));
    CHECK_FALSE(has(bytes_of_log(file), "GILGFVFTL"));
  }
  const auto found = QueryReader(file).find("first");
  REQUIRE(found);
  const LoggedQuery& query = found->query;
  CHECK(query.number == 1);
  CHECK(query.time == kNoon);
  CHECK(query.route == "/v1/predict");
  CHECK(query.status == 200);
  CHECK(query.is_valid());
  CHECK(query.model == "viral");
  CHECK(query.version == "3");
  CHECK(query.artifact == "a111");
  CHECK(query.data_version == "d222");
  CHECK(query.reference == "viral@champion");
  CHECK(query.rows == 2);
  CHECK(query.scored == 1);
  CHECK(query.rejected == 1);
  CHECK(query.unseen == 1);
  CHECK(query.far == 0);
  CHECK(query.seconds == 0.004);
  CHECK(query.media_type == "text/csv");
  CHECK(query.error.empty());
  CHECK(query.digest == sha256_hex("CDR3_beta\nCASSIRSSYEQYF\n"));
  CHECK_FALSE(query.has_input);
  CHECK_FALSE(found->input);
  REQUIRE(found->outputs.size() == 2);
  CHECK(found->outputs[0].line == 2);
  CHECK(found->outputs[0].score == 0.87);
  CHECK(found->outputs[0].call);
  CHECK(found->outputs[1].line == 3);
  CHECK_FALSE(found->outputs[1].score);
  CHECK(found->outputs[1].problem_kind == "CDR3_beta");
  CHECK_FALSE(has(bytes_of_log(file), "CASSIRSSYEQYF"));
}

TEST_CASE("what was sent is kept when it is asked for, whatever its bytes") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  const std::string odd = std::string("\xff\x00 caf\xe9 '; DROP", 14);
  {
    QueryLog log(options_of(file, true));
    log.note(entry("text"));
    log.note(entry("odd", kNoon, odd));
  }
  const auto text = QueryReader(file).find("text");
  REQUIRE((text && text->input));
  CHECK(text->query.has_input);
  CHECK(text->input->body == "CDR3_beta\nCASSIRSSYEQYF\n");
  CHECK(text->input->content_type == "text/csv; charset=utf-8");
  CHECK(text->input->format == "plain");
  CHECK(text->input->epitope == "GILGFVFTL");
  CHECK(text->input->mhc == "HLA-A*02:01");
  const auto bytes = QueryReader(file).find("odd");
  REQUIRE((bytes && bytes->input));
  CHECK(bytes->input->body == odd);
  CHECK(bytes->query.digest == sha256_hex(odd));
}

TEST_CASE("texts that no database takes do not keep an entry out") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  {
    QueryLog log(options_of(file, true));
    LoggedModel model;
    model.reference = std::string("a\0b\xff", 4);
    QueryEntry odd = with_model(entry("odd"), model);
    odd.route = "\xff";
    odd.seconds = std::numeric_limits<double>::quiet_NaN();
    odd.outputs = with_row("", {2, std::numeric_limits<double>::infinity(), true, "\xff"});
    LoggedInput input = *odd.input;
    input.epitope = "\xc3";
    input.content_type = "CASSIRSSYEQYF/\xff";
    odd.input = std::make_shared<const LoggedInput>(input);
    odd.describe_body(odd.input->body, odd.input->content_type);
    log.note(odd);
    CHECK(log.flush(kLong));
    CHECK(log.counts().written == 1);
    CHECK(log.counts().lost == 0);
  }
  CHECK(QueryReader(file).find("odd")->query.media_type == "other");
}

TEST_CASE("two requests of one id are two entries, the newest is found first") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  {
    QueryLog log(options_of(file));
    QueryEntry again = entry("same");
    again.status = 503;
    log.note(entry("same"));
    log.note(again);
  }
  const QueryReader reader(file);
  CHECK(reader.count("same") == 2);
  CHECK(reader.find("same")->query.number == 2);
  CHECK(reader.find("same")->query.status == 503);
  CHECK(reader.at(1)->query.status == 200);
  CHECK_FALSE(reader.at(3));
  CHECK_FALSE(reader.find("other"));
}

TEST_CASE("entries of many threads and of two logs on one file are all there") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  {
    QueryLog one(options_of(file));
    QueryLog other(options_of(file));
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          (t % 2 == 0 ? one : other).note(entry(std::to_string(t) + "-" + std::to_string(i)));
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(one.flush(kLong));
    CHECK(other.flush(kLong));
    CHECK(one.counts().lost + other.counts().lost == 0);
  }
  const auto ids = ids_in(file);
  CHECK(ids.size() == kThreads * kEach);
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == kThreads * kEach);
  const Monitor monitor = QueryReader(file).monitor(kNoon, 1.0);
  CHECK(monitor.totals.requests == kThreads * kEach);
}

TEST_CASE("while others hold the file, entries wait; it is said once, and when it works again") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  QueryLogOptions options = options_of(file);
  options.most_waiting = 5;
  QueryLog log(options);
  {
    auto holder = opened(file);
    holder.transaction([&] {
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < 8; ++i) log.note(entry(std::to_string(i)));
      CHECK(std::chrono::steady_clock::now() - begin < milliseconds(100));
      for (int i = 0; i < 400 && log.problem().empty(); ++i)
        std::this_thread::sleep_for(milliseconds(10));
      CHECK(has(log.problem(), "locked"));
      CHECK_FALSE(has(log.problem(), "run the same command"));
      CHECK(log.counts().waiting == 5);
      CHECK(log.counts().lost == 3);
    });
  }
  CHECK(log.flush(kLong));
  CHECK(log.problem().empty());
  CHECK(log.counts().written == 5);
  CHECK(ids_in(file) == std::vector<std::string>{"4", "3", "2", "1", "0"});
}

TEST_CASE("a server may start while others hold the file") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  auto holder = opened(file);
  std::unique_ptr<QueryLog> log;
  holder.transaction([&] {
    holder.execute("CREATE TABLE IF NOT EXISTS x (y bigint)");
    log = std::make_unique<QueryLog>(options_of(file));
    CHECK_FALSE(log->problem().empty());
    log->note(entry("early"));
    holder.execute("DROP TABLE x");
  });
  CHECK(log->flush(kLong));
  CHECK(ids_in(file) == std::vector<std::string>{"early"});
}

TEST_CASE("bodies that wait take no more memory than is allowed, but one always fits") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  QueryLogOptions options = options_of(file, true);
  options.most_waiting_bytes = 10'000;
  QueryLog log(options);
  auto holder = opened(file);
  holder.transaction([&] {
    log.note(entry("large", kNoon, std::string(50'000, 'x')));
    log.note(entry("more", kNoon, std::string(50'000, 'y')));
    CHECK(log.counts().waiting == 1);
    CHECK(log.counts().lost == 1);
  });
  CHECK(log.flush(kLong));
  log.note(entry("later", kNoon, "z"));
  CHECK(log.flush(kLong));
  CHECK(ids_in(file) == std::vector<std::string>{"later", "large"});
}

TEST_CASE("a file that somebody removed is made again") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  QueryLog log(options_of(file));
  log.note(entry("gone"));
  REQUIRE(log.flush(kLong));
  std::filesystem::remove(file);
  log.note(entry("new"));
  REQUIRE(log.flush(kLong));
  CHECK(ids_in(file) == std::vector<std::string>{"new"});
}

TEST_CASE("only its owner may read it") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  QueryLog log(options_of(file));
  log.note(entry("one"));
  REQUIRE(log.flush(kLong));
  for (const std::string name : {"q.sqlite", "q.sqlite-wal"}) {
    struct stat found {};
    REQUIRE(::stat((scratch / name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777U) == 0600U);
  }
}

TEST_CASE("what is no query log, or a newer one, is refused and left alone") {
  const ScratchFolder scratch;
  const auto text = scratch / "text";
  write_file(text, std::string(5000, 'x'));
  const auto other = scratch / "other.db";
  opened(other).execute("CREATE TABLE mine (a bigint)");
  const auto newer = scratch / "newer.sqlite";
  { QueryLog log(options_of(newer)); }
  opened(newer).execute("UPDATE tcrops_schema SET version = 99");
  const std::vector<std::pair<std::filesystem::path, std::string>> files = {
      {text, "not a database"}, {other, "no query log"}, {newer, "format 99"}};
  for (const auto& [file, words] : files) {
    const auto written = error_of([&] { QueryLog log(options_of(file)); });
    CHECK(written.code == ExitCode::kArtifact);
    CHECK(written.says(words));
    const auto read = error_of([&] { static_cast<void>(QueryReader(file).list({})); });
    CHECK(read.code == ExitCode::kArtifact);
    CHECK(read.says(words));
  }
  CHECK(read_file(text) == std::string(5000, 'x'));
  CHECK(opened(other).query("SELECT name FROM sqlite_master").size() == 1);
  const auto missing = error_of([&] { QueryLog log(options_of(scratch / "no")); });
  CHECK(missing.code == ExitCode::kOk);
  const auto nowhere =
      error_of([&] { QueryLog log(options_of(scratch.path() / "no-folder" / "q.sqlite")); });
  CHECK(nowhere.code == ExitCode::kArtifact);
  CHECK(nowhere.says("serve.query_log"));
}

TEST_CASE("entries cannot be changed in the file") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  {
    QueryLog log(options_of(file, true));
    log.note(entry("one"));
  }
  auto database = opened(file);
  for (const char* sql : {"UPDATE query SET status = 500", "UPDATE output SET rows = '[]'",
                          "UPDATE input SET body = ''"}) {
    CHECK(error_of([&] { database.execute(sql); }).says("only appended to"));
  }
  CHECK(QueryReader(file).find("one")->query.status == 200);
}

TEST_CASE("expired entries are removed by the log itself, with their bytes") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  {
    QueryLog log(options_of(file, true));
    for (int i = 0; i < 1200; ++i)
      log.note(entry("old", now - 11.0 * 86'400.0, "expired-" + std::to_string(i)));
    log.note(entry("new", now - 9.0 * 86'400.0, "still-here"));
    REQUIRE(log.flush(kLong));
    REQUIRE(log.counts().lost == 0);
  }
  REQUIRE(has(bytes_of_log(file), "expired-7"));
  QueryLogOptions options = options_of(file, true);
  options.keep_days = 10.0;
  {
    QueryLog log(options);
    for (int i = 0; i < 1000 && (ids_in(file).size() > 1 || has(bytes_of_log(file), "expired-"));
         ++i)
      std::this_thread::sleep_for(milliseconds(10));
    CHECK_FALSE(has(bytes_of_log(file), "expired-"));
  }
  CHECK(ids_in(file) == std::vector<std::string>{"new"});
  const auto noted = opened(file).query("SELECT by, queries, inputs FROM purge");
  REQUIRE(noted.size() == 1);
  CHECK(db::text(noted[0][0]) == "retention");
  CHECK(db::integer(noted[0][1]) == 1200);
  CHECK(db::integer(noted[0][2]) == 1200);
}

TEST_CASE("kinds of failure") {
  CHECK(failure_kind(200).empty());
  CHECK(failure_kind(400) == "bad request");
  CHECK(failure_kind(422) == "bad request");
  CHECK(failure_kind(503) == "overloaded");
  CHECK(failure_kind(500) == "internal error");
}
