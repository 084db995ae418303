#include "tokens.hpp"

#include <tcrops/core/sha256.hpp>

#include <catch2/catch.hpp>

#include <error_of.hpp>

using namespace tcrops;
using serve::Caller;
using serve::Role;
using serve::Tokens;
using Names = std::vector<std::string>;

TEST_CASE("a token is known by its digest alone, and has its roles") {
  const std::string file = "# who may ask\n" + sha256_hex("secret-1") + "  -\n\n" +
                           sha256_hex("secret-2") + "\tpromote,read\tAnna Berg\r\n" +
                           sha256_hex("secret-3") + " predict\n";
  const Tokens tokens(file, "tokens");
  CHECK(tokens.are_needed());
  for (const char* good : {"Bearer secret-1", "bearer secret-1", "Bearer  secret-1 "}) {
    CHECK(tokens.caller(good).roles.names() == Names{"read", "predict"});
    CHECK(tokens.caller(good).name == "token 2");
  }
  CHECK(tokens.caller("Bearer secret-2").name == "Anna Berg");
  CHECK(tokens.caller("Bearer secret-2").roles.names() == Names{"read", "promote"});
  CHECK_FALSE(tokens.caller("Bearer secret-3").roles.has(Role::kRead));
  CHECK(tokens.caller("Bearer secret-3").roles.has(Role::kPredict));
  for (const std::string& bad :
       {std::string("Bearer secret-4"), std::string("Bearer "), std::string("Bearer"),
        std::string(), std::string("secret-1"), std::string("Basic secret-1"),
        "Bearer " + sha256_hex("secret-1")}) {
    const Caller caller = tokens.caller(bad);
    CHECK(caller.name.empty());
    CHECK(caller.roles.names().empty());
  }
}

TEST_CASE("where no token is needed, everybody may look and ask, and nobody move") {
  const Tokens none;
  CHECK_FALSE(none.are_needed());
  for (const char* header : {"", "Bearer x"})
    CHECK(none.caller(header).roles.names() == Names{"read", "predict"});
}

TEST_CASE("a file that holds no digests, or unknown roles, is refused") {
  const auto plain = test::error_of([] { Tokens("secret\n", "own.tokens"); });
  CHECK(plain.code == ExitCode::kConfiguration);
  CHECK(plain.says("own.tokens:1"));
  CHECK(plain.says("sha256sum"));
  CHECK_FALSE(plain.says("secret"));
  std::string line = "\n";
  line += sha256_hex("x") + " read,admin Anna\n";
  const auto role = test::error_of([&] { Tokens(line, "own.tokens"); });
  CHECK(role.code == ExitCode::kConfiguration);
  CHECK(role.says("own.tokens:2"));
  CHECK(role.says("promote"));
  CHECK(test::error_of([] { Tokens("# none\n", "t"); }).says("no tokens"));
  CHECK(test::error_of([] { Tokens::read("/nowhere/tokens"); }).code == ExitCode::kConfiguration);
}
