#include "http.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/stages/serve_configuration.hpp>

#include <catch2/catch.hpp>

using namespace tcrops;
using namespace tcrops::serve;

TEST_CASE("Accept names the type that is wanted most") {
  const std::vector<std::string> offered = {"application/json", "text/csv"};
  for (const auto& [accept, type] : std::vector<std::pair<std::string, std::string>>{
           {"", "application/json"},
           {"*/*", "application/json"},
           {"text/csv", "text/csv"},
           {"text/*", "text/csv"},
           {"TEXT/CSV", "text/csv"},
           {"application/json;q=0.1, text/csv;q=0.2", "text/csv"},
           {"*/*, application/json;q=0.5", "text/csv"},
           {"application/json;q=0", ""},
           {"image/png", ""},
           {"text/csv;q=nonsense", ""},
           {"*/*;q=0.1, text/csv ; q=0", "application/json"}}) {
    CAPTURE(accept);
    CHECK(accepted_type(accept, offered) == type);
  }
  CHECK(media_type("Text/CSV; charset=utf-8") == "text/csv");
  CHECK(media_type("").empty());
}

TEST_CASE("a request id is kept when it is harmless") {
  CHECK(request_id("abc-1.2_X") == "abc-1.2_X");
  CHECK(request_id(std::string(64, 'a')) == std::string(64, 'a'));
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a b"),
                                 std::string("a\r\nSet-Cookie: x"), std::string("ä")}) {
    const std::string made = request_id(bad);
    CHECK(made.size() == 28);
    CHECK(made != request_id(bad));
  }
}

namespace {

Response answer_to(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    return response_to_exception("id");
  }
  return {};
}

}  // namespace

TEST_CASE("an error is JSON, and tells no secrets") {
  const auto known = answer_to([] { throw HttpError(405, "no", {{"Allow", "GET"}}); });
  CHECK(known.status == 405);
  CHECK(known.headers == Headers{{"Allow", "GET"}});
  CHECK(Json::parse(known.body) == Json{{"error", "no"}, {"request_id", "id"}});
  CHECK(answer_to([] { throw Error(ExitCode::kInputData, "body:1: no"); }).status == 400);
  for (const auto& secret : {answer_to([] { throw Error(ExitCode::kArtifact, "/secret"); }),
                             answer_to([] { throw std::runtime_error("/secret"); })}) {
    CHECK(secret.status == 500);
    CHECK(secret.body.find("secret") == std::string::npos);
  }
  CHECK(answer_to([] { throw std::bad_alloc(); }).status == 503);
  const auto bytes = answer_to([] { throw HttpError(400, "not \xff UTF-8"); });
  CHECK(Json::parse(bytes.body).at("error") == "not \xef\xbf\xbd UTF-8");
}

TEST_CASE("addresses to listen on") {
  using stages::parse_listen;
  const auto four = parse_listen("127.0.0.1:8080");
  REQUIRE(four);
  CHECK(four->host == "127.0.0.1");
  CHECK(four->port == 8080);
  CHECK(parse_listen("[::1]:0")->text() == "[::1]:0");
  for (const char* own : {"127.0.0.1:1", "127.9.8.7:1", "localhost:1", "[::1]:1"})
    CHECK(parse_listen(own)->is_loopback());
  for (const char* other : {"0.0.0.0:1", "[::]:1", "192.168.1.2:1", "example.org:1", "127.1:1"})
    CHECK_FALSE(parse_listen(other)->is_loopback());
  for (const char* none : {"", "8080", ":8080", "host:", "host:x", "host:-1", "host:65536",
                           "::1:80", "[host]:80", "[]:80"})
    CHECK_FALSE(parse_listen(none));
}
