#include <tcrops/core/host.hpp>

#include <catch2/catch.hpp>

using namespace tcrops;

TEST_CASE("a time in UTC is read as it is written") {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2026-01-31T12:34:56Z", "2028-02-29T23:59:59Z"}) {
    const auto time = utc_time(text);
    REQUIRE(time);
    CHECK(utc_text(*time) == text);
  }
  CHECK(utc_time("2026-01-31") == utc_time("2026-01-31T00:00:00Z"));
}

TEST_CASE("what is no time in UTC is none") {
  for (const char* text : {"", "yesterday", "2026", "2026-02-30", "2026-13-01", "2026-1-1",
                           "2026-01-31T12:00", "2026-01-31T12:00:00", "2026-01-31T12:00:00+01:00",
                           "2026-01-31T25:00:00Z", "2026-01-31 ", " 2026-01-31"}) {
    CAPTURE(text);
    CHECK_FALSE(utc_time(text));
  }
}
