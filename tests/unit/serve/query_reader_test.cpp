#include "query_logs.hpp"

#include <tcrops/db/database.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <error_of.hpp>
#include <functional>
#include <optional>
#include <thread>

using namespace tcrops;
using namespace tcrops::serve;
using namespace tcrops::serve::test;
using tcrops::test::error_of;

namespace {

using Ids = std::vector<std::string>;

Ids ids_of(const QueryPage& page) {
  Ids ids;
  for (const LoggedQuery& query : page.queries) ids.push_back(query.id);
  return ids;
}

QueryEntry changed(QueryEntry entry, const std::function<void(QueryEntry&)>& change) {
  change(entry);
  return entry;
}

// Five entries, one minute apart.
class Logged {
 public:
  explicit Logged(bool inputs = false) {
    QueryLog log(options_of(file(), inputs));
    log.note(entry("aa-1"));
    log.note(changed(entry("aa-2", kNoon + 60.0), [](QueryEntry& e) {
      e.status = 400;
      e.rows = e.scored = e.rejected = 0;
      e.scores = {};
      e.outputs.clear();
    }));
    LoggedModel other = *entry("").model;
    other.name = "other_100%";
    other.artifact = "b333";
    log.note(with_model(entry("bb-3", kNoon + 120.0), other));
    log.note(changed(entry("bb-4", kNoon + 180.0), [](QueryEntry& e) {
      e.scored = 0;
      e.rejected = 2;
    }));
    log.note(entry("cc-5", kNoon + 240.0, "CDR3_beta\nCASSPECIAL\n"));
    REQUIRE(log.flush(kLong));
  }
  [[nodiscard]] std::filesystem::path file() const { return scratch_ / "q.sqlite"; }
  [[nodiscard]] QueryReader reader() const { return QueryReader(file()); }
  [[nodiscard]] Ids ids(const QueryFilter& filter = {}) const {
    return ids_of(reader().list(filter));
  }

 private:
  ScratchFolder scratch_;
};

QueryFilter searching(const std::string& text) {
  QueryFilter filter;
  filter.search = text;
  return filter;
}

}  // namespace

TEST_CASE("pages go from the newest to the oldest without a gap, while entries are added") {
  const Logged logged;
  QueryFilter filter;
  filter.limit = 2;
  Ids seen;
  for (int pages = 0; pages < 10; ++pages) {
    const QueryPage page = logged.reader().list(filter);
    for (const LoggedQuery& query : page.queries) seen.push_back(query.id);
    QueryLog(options_of(logged.file())).note(entry("later"));
    if (!page.next) break;
    filter.before = page.next;
  }
  CHECK(seen == Ids{"cc-5", "bb-4", "bb-3", "aa-2", "aa-1"});
}

TEST_CASE("filters choose, alone and together") {
  const Logged logged;
  QueryFilter filter;
  filter.model = "viral";
  CHECK(logged.ids(filter) == Ids{"cc-5", "bb-4", "aa-2", "aa-1"});
  filter.valid = false;
  CHECK(logged.ids(filter) == Ids{"bb-4", "aa-2"});
  filter.from = kNoon + 60.0;
  filter.to = kNoon + 180.0;
  CHECK(logged.ids(filter) == Ids{"aa-2"});
  filter = {};
  filter.valid = true;
  CHECK(logged.ids(filter) == Ids{"cc-5", "bb-3", "aa-1"});
  filter.model = "vira";
  CHECK(logged.ids(filter).empty());
}

TEST_CASE("a search finds part of an id, model or error, and the beginning of a digest") {
  const Logged logged;
  CHECK(logged.ids(searching("B-")) == Ids{"bb-4", "bb-3"});
  CHECK(logged.ids(searching("100%")) == Ids{"bb-3"});
  CHECK(logged.ids(searching("Bad Req")) == Ids{"aa-2"});
  const std::string digest = sha256_hex("CDR3_beta\nCASSPECIAL\n");
  CHECK(logged.ids(searching(digest.substr(0, 8))) == Ids{"cc-5"});
  CHECK(logged.ids(searching(digest)) == Ids{"cc-5"});
  CHECK(logged.ids(searching(digest.substr(1, 12))).empty());
  CHECK(logged.ids(searching("cassspecial")).empty());
  CHECK(logged.ids(searching("' OR 1=1 --")).empty());
}

TEST_CASE("a search finds part of what was sent where that was kept") {
  const Logged logged(true);
  CHECK(logged.ids(searching("cassPECIAL")) == Ids{"cc-5"});
}

TEST_CASE("a log that is not there has no entries") {
  const ScratchFolder scratch;
  const QueryReader reader(scratch / "q.sqlite");
  CHECK_FALSE(reader.exists());
  CHECK(reader.list({}).queries.empty());
  CHECK_FALSE(reader.find("x"));
  CHECK(reader.monitor(kNoon, 24.0).totals.requests == 0);
  CHECK_FALSE(std::filesystem::exists(scratch / "q.sqlite"));
  CHECK(error_of([&] { purge_queries(reader.file(), {}, "me"); }).code == ExitCode::kArtifact);
}

TEST_CASE("a monitor counts by minutes and by hours alike") {
  const Logged logged;
  const Monitor minutes = logged.reader().monitor(kNoon + 299.0, 0.5);
  CHECK(minutes.bucket_seconds == 60);
  REQUIRE(minutes.buckets.size() == 30);
  CHECK(minutes.to == kNoon + 300.0);
  CHECK(minutes.buckets[24].sums.requests == 0);
  CHECK(minutes.buckets[25].sums.requests == 1);
  CHECK(minutes.buckets[26].sums.errors == 1);
  CHECK(minutes.buckets[26].sums.rows == 0);
  CHECK(minutes.buckets[28].sums.rejected == 2);
  CHECK(minutes.buckets[29].sums.scores == ScoreBins{0, 0, 0, 0, 0, 0, 0, 0, 1, 0});
  const Monitor days = logged.reader().monitor(kNoon + 299.0, 24.0 * 90);
  CHECK(days.bucket_seconds >= 3600);
  for (const Monitor* monitor : {&minutes, &days}) {
    CHECK(monitor->totals.requests == 5);
    CHECK(monitor->totals.errors == 1);
    CHECK(monitor->totals.rows == 8);
    CHECK(monitor->totals.rejected == 5);
    CHECK(monitor->totals.unseen == 5);
    CHECK(monitor->totals.scores[8] == 4);
    CHECK(std::abs(*monitor->totals.quantile(0.5) - 0.004) < 0.0002);
  }
  CHECK(logged.reader().monitor(kNoon + 7200.0, 1.0).totals.requests == 0);
}

TEST_CASE("a purge removes what came before, and its sums; numbers are not used again") {
  const Logged logged(true);
  const Purge what{kNoon + 120.0, false};
  const Purged counted = count_purge(logged.file(), what);
  CHECK(counted.queries == 2);
  CHECK(counted.inputs == 2);
  CHECK(logged.ids().size() == 5);
  const Purged purged = purge_queries(logged.file(), what, "me@here");
  CHECK(purged.queries == 2);
  CHECK(purged.inputs == 2);
  CHECK(purged.is_erased);
  CHECK(logged.ids() == Ids{"cc-5", "bb-4", "bb-3"});
  CHECK(logged.reader().monitor(kNoon + 299.0, 0.5).totals.requests == 3);
  CHECK(has(bytes_of_log(logged.file()), "CASSPECIAL"));

  const auto before = std::filesystem::file_size(logged.file());
  CHECK(purge_queries(logged.file(), {}, "me@here").queries == 3);
  CHECK(logged.ids().empty());
  const std::string bytes = bytes_of_log(logged.file());
  for (const char* part : {"CASSPECIAL", "CASSIRSSYEQYF", "GILGFVFTL", "cc-5", "aa-1"})
    CHECK_FALSE(has(bytes, part));
  CHECK(std::filesystem::file_size(logged.file()) <= before);
  CHECK(logged.reader().monitor(kNoon + 299.0, 24.0).totals.requests == 0);
  QueryLog(options_of(logged.file())).note(entry("next"));
  CHECK(logged.reader().find("next")->query.number == 6);
}

TEST_CASE("a purge of the texts alone leaves the entries") {
  const Logged logged(true);
  const Purged purged = purge_queries(logged.file(), {kNoon + 120.0, true}, "me@here");
  CHECK(purged.queries == 0);
  CHECK(purged.inputs == 2);
  CHECK(logged.ids().size() == 5);
  CHECK_FALSE(logged.reader().find("aa-1")->input);
  CHECK_FALSE(logged.reader().find("aa-1")->query.has_input);
  CHECK(logged.reader().find("aa-1")->outputs.size() == 2);
  CHECK(logged.reader().find("cc-5")->input);
  CHECK(purge_queries(logged.file(), {{}, true}, "me@here").inputs == 3);
  CHECK_FALSE(has(bytes_of_log(logged.file()), "CASS"));
}

TEST_CASE("a large purge gives its room back and leaves a whole file") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  {
    QueryLog log(options_of(file, true));
    for (int i = 0; i < 2000; ++i) log.note(entry("e", kNoon, std::string(2000, 'x')));
    REQUIRE(log.flush(kLong));
    REQUIRE(log.counts().lost == 0);
  }
  const auto before = std::filesystem::file_size(file);
  CHECK(purge_queries(file, {}, "me").queries == 2000);
  CHECK(std::filesystem::file_size(file) < before / 20);
  auto database = db::Database::open(db::address("sqlite:" + file.string()));
  CHECK(db::text(database.query("PRAGMA integrity_check").at(0).at(0)) == "ok");
}

TEST_CASE("a purge and a server that writes get along") {
  const ScratchFolder scratch;
  const auto file = scratch / "q.sqlite";
  QueryLog log(options_of(file, true));
  for (int i = 0; i < 1500; ++i) log.note(entry("old", kNoon));
  REQUIRE(log.flush(kLong));
  std::atomic<bool> done{false};
  std::uint64_t noted = 0;
  std::thread writing([&] {
    for (; !done; ++noted) {
      log.note(entry("new", kNoon + 1000.0));
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  const Purged purged = purge_queries(file, {kNoon + 500.0, false}, "me");
  done = true;
  writing.join();
  CHECK(purged.queries == 1500);
  REQUIRE(log.flush(kLong));
  CHECK(log.counts().lost == 0);
  CHECK(QueryReader(file).count("new") == static_cast<std::int64_t>(noted));
  CHECK(QueryReader(file).count("old") == 0);
}
