#include <tcrops/db/database.hpp>

#include <catch_all.hpp>
#include <error_of.hpp>

namespace tcrops::db {
namespace {

using tcrops::test::error_of;

TEST_CASE("the two kinds of address") {
  CHECK_FALSE(address("sqlite:a b=c.db").is_postgresql());
  CHECK(address("sqlite:/x/a.db").shown() == "sqlite:/x/a.db");
  for (const char* const url :
       {"postgresql://", "postgres://host", "postgresql://me@h:1,[::1]:2/name",
        "postgresql:///name?host=/run/db&port=5", "postgresql://h/?user=me"}) {
    CHECK(address(url).is_postgresql());
    CHECK(address(url).shown() == url);
  }
}

TEST_CASE("a password is not shown") {
  CHECK(address("postgresql://me:secret@h/n").shown() == "postgresql://me@h/n");
  CHECK(address("postgresql://:secret@h").shown() == "postgresql://@h");
  CHECK(address("postgres://me:s%40:?x@h:1/n?sslmode=require").shown() ==
        "postgres://me@h:1/n?sslmode=require");
  CHECK(address("postgresql://h/n?password=secret&user=me&sslpassword=other").shown() ==
        "postgresql://h/n?user=me");
  CHECK(address("postgresql://h/n?password=secret").shown() == "postgresql://h/n");
}

TEST_CASE("what is no address") {
  for (const char* const url :
       {"", "sqlite", "sqlite:", "a.db", "mysql://me:secret@h", "postgresql:", "POSTGRESQL://h",
        "postgresql://me:secret/x@h/n", "postgresql://h:port/secret", "postgresql://h/n?secret",
        "postgresql://h/n?=secret", "postgresql://h/n?a=b=secret", "postgresql://me:se cret@h"}) {
    const auto thrown = error_of([&] { static_cast<void>(address(url)); });
    INFO(url);
    CHECK(thrown.code == ExitCode::kConfiguration);
    CHECK(thrown.says("sqlite:PATH or postgresql://"));
    CHECK_FALSE(thrown.says("secret"));
    CHECK_FALSE(thrown.says("cret@"));
  }
}

}  // namespace
}  // namespace tcrops::db
