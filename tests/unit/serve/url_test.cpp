#include "url.hpp"

#include <catch2/catch.hpp>

using namespace tcrops::serve;

TEST_CASE("what a first line asks for") {
  const Target target = parse_target("/v1/models/a%20b%2Fc?format=a+b&x=%2b&&y&format=other#end");
  CHECK(target.path == "/v1/models/a b/c");
  CHECK(target.query == Headers{{"format", "a b"}, {"x", "+"}, {"y", ""}});
  CHECK(parse_target("/").path == "/");
  CHECK(parse_target("/a+b").path == "/a+b");
  CHECK(parse_target("/?").query.empty());
  CHECK(parse_target("/%00").path == std::string("/\0", 2));
}

TEST_CASE("what is no path is refused") {
  for (const char* text :
       {"", "*", "v1", "http://x/", "/%", "/%4", "/%zz", "/%4g", "/a?b=%", "/a?%=b"}) {
    CAPTURE(text);
    try {
      static_cast<void>(parse_target(text));
      FAIL("taken");
    } catch (const HttpError& error) {
      CHECK(error.status() == 400);
    }
  }
}
