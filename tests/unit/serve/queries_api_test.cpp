#include "queries_api.hpp"

#include "query_logs.hpp"

#include <catch2/catch.hpp>

using namespace tcrops;
using namespace tcrops::serve;
using namespace tcrops::serve::test;

namespace {

class Asking {
 public:
  explicit Asking(bool inputs, bool has_log = true) {
    if (has_log) log_.emplace(options_of(scratch_ / "q.sqlite", inputs));
    add_query_routes(router_, log_ ? &*log_ : nullptr,
                     [this](const QueryDetail& detail, const std::string& reference) {
                       const LoggedInput& input = *detail.input;
                       asked_ = {input.body, input.format, input.epitope, input.mhc, reference};
                       Rescored now;
                       now.model = {{"name", "viral"}, {"version", "4"}};
                       now.rows = {{2, 0.5, false, ""}, {4, 0.25, false, ""}};
                       return now;
                     });
    add_monitor_route(router_, log_ ? &*log_ : nullptr);
  }

  void note(const QueryEntry& entry) {
    log_->note(entry);
    REQUIRE(log_->flush(kLong));
  }

  Json ask(const std::string& method, const std::string& path, const Headers& query = {}) {
    Request request;
    request.method = method;
    request.path = path;
    request.query = query;
    const auto match = router_.match(method, path);
    return Json::parse(match.route->handler(request, match.values).body);
  }
  Json get(const std::string& path, const Headers& query = {}) { return ask("GET", path, query); }
  int status(const std::string& method, const std::string& path, const Headers& query = {}) {
    try {
      static_cast<void>(ask(method, path, query));
      return 200;
    } catch (const HttpError& e) {
      CHECK(std::string(e.what()).size() > 10);
      return e.status();
    }
  }
  [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

 private:
  ScratchFolder scratch_;
  std::optional<QueryLog> log_;
  Router router_;
  std::vector<std::string> asked_;
};

}  // namespace

TEST_CASE("the list has pages, and says how the log is kept") {
  Asking api(false);
  for (const char* id : {"one", "two", "three"}) api.note(entry(id));
  const Json first = api.get("/v1/queries", {{"limit", "2"}});
  CHECK(first.at("schema") == "tcrops.queries/1");
  CHECK(first.at("logging").at("sequences") == false);
  CHECK(first.at("logging").at("keep_days") == 0.0);
  CHECK(first.at("logging").at("problem").is_null());
  REQUIRE(first.at("queries").size() == 2);
  const Json& newest = first.at("queries").at(0);
  CHECK(newest.at("id") == "three");
  CHECK(newest.at("number") == 3);
  CHECK(newest.at("valid") == true);
  CHECK(newest.at("error").is_null());
  CHECK(newest.at("has_input") == false);
  CHECK(newest.at("digest") == sha256_hex("CDR3_beta\nCASSIRSSYEQYF\n"));
  CHECK(first.at("next") == 2);
  const Json second = api.get("/v1/queries", {{"limit", "2"}, {"before", "2"}});
  CHECK(second.at("queries").size() == 1);
  CHECK(second.at("next").is_null());
  CHECK(api.get("/v1/queries", {{"search", "tw"}}).at("queries").size() == 1);
  CHECK(api.get("/v1/queries", {{"search", ""}, {"model", ""}}).at("queries").size() == 3);
}

TEST_CASE("parameters that make no sense are refused") {
  Asking api(false);
  for (const auto& query : std::vector<Headers>{{{"limit", "0"}},
                                                {{"limit", "x"}},
                                                {{"limit", "1.5"}},
                                                {{"limit", "1001"}},
                                                {{"before", "-1"}},
                                                {{"valid", "maybe"}},
                                                {{"from", "nan"}},
                                                {{"unknown", "1"}},
                                                {{"search", "\xff"}}}) {
    CAPTURE(query.begin()->first, query.begin()->second);
    CHECK(api.status("GET", "/v1/queries", query) == 400);
  }
  CHECK(api.status("GET", "/v1/monitor", {{"hours", "0"}}) == 400);
  CHECK(api.status("GET", "/v1/monitor", {{"hours", "1e9"}}) == 400);
  CHECK(api.status("GET", "/v1/queries/none") == 404);
}

TEST_CASE("one request has its scores, and its text where it was kept") {
  Asking kept(true);
  kept.note(entry("one"));
  const Json body = kept.get("/v1/queries/one");
  CHECK(body.at("schema") == "tcrops.query/1");
  CHECK(body.at("id") == "one");
  CHECK(body.at("input") == "CDR3_beta\nCASSIRSSYEQYF\n");
  CHECK(body.at("content_type") == "text/csv; charset=utf-8");
  REQUIRE(body.at("outputs").size() == 2);
  CHECK(body.at("outputs").at(0) ==
        Json({{"line", 2}, {"score", 0.87}, {"call", true}, {"problem_kind", nullptr}}));
  CHECK(body.at("outputs").at(1) ==
        Json({{"line", 3}, {"score", nullptr}, {"call", nullptr}, {"problem_kind", "CDR3_beta"}}));
  Asking bare(false);
  bare.note(entry("one"));
  CHECK(bare.get("/v1/queries/one").at("input").is_null());
}

TEST_CASE("of several requests with one id the number chooses") {
  Asking api(false);
  QueryEntry failed = entry("same");
  failed.status = 400;
  api.note(entry("same"));
  api.note(failed);
  CHECK(api.get("/v1/queries/same").at("status") == 400);
  CHECK(api.get("/v1/queries/same", {{"number", "1"}}).at("status") == 200);
  CHECK(api.status("GET", "/v1/queries/same", {{"number", "3"}}) == 404);
  api.note(entry("other"));
  CHECK(api.status("GET", "/v1/queries/same", {{"number", "3"}}) == 404);
}

TEST_CASE("a request is scored again beside what it had") {
  Asking api(true);
  api.note(entry("one"));
  const Json body = api.ask("POST", "/v1/queries/one/rerun", {{"model", "viral@v4"}});
  CHECK(api.asked() == std::vector<std::string>{"CDR3_beta\nCASSIRSSYEQYF\n", "plain", "GILGFVFTL",
                                                "HLA-A*02:01", "viral@v4"});
  CHECK(body.at("then").at("model").at("version") == "3");
  CHECK(body.at("then").at("rows").size() == 2);
  CHECK(body.at("now").at("model").at("version") == "4");
  CHECK(body.at("now").at("rows").at(0) == Json({{"line", 2}, {"score", 0.5}, {"call", false}}));
  CHECK(body.at("rows") == Json::array({{{"line", 2}, {"then", 0.87}, {"now", 0.5}},
                                        {{"line", 3}, {"then", nullptr}, {"now", nullptr}},
                                        {{"line", 4}, {"then", nullptr}, {"now", 0.25}}}));
  Asking bare(false);
  bare.note(entry("one"));
  CHECK(bare.status("POST", "/v1/queries/one/rerun") == 409);
  CHECK(bare.status("POST", "/v1/queries/two/rerun") == 404);
}

TEST_CASE("the monitor sums what came lately") {
  Asking api(false);
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  api.note(entry("now", now));
  api.note(entry("long ago", now - 3.0 * 86'400.0));
  const Json body = api.get("/v1/monitor");
  CHECK(body.at("schema") == "tcrops.monitor/1");
  CHECK(body.at("bucket_seconds") == 900);
  CHECK(body.at("buckets").size() == 96);
  CHECK(body.at("totals").at("requests") == 1);
  CHECK(api.get("/v1/monitor", {{"hours", "168"}}).at("totals").at("requests") == 2);
}

TEST_CASE("without a log there is nothing, and that is said") {
  Asking api(false, false);
  CHECK(api.get("/v1/queries").at("logging").is_null());
  CHECK(api.get("/v1/queries").at("queries").empty());
  CHECK(api.get("/v1/monitor").at("logging").is_null());
  CHECK(api.status("GET", "/v1/queries/one") == 404);
}
