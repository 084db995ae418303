#include "router.hpp"

#include <catch2/catch.hpp>

using namespace tcrops::serve;

namespace {

Router router() {
  Router made;
  const auto say = [](const char* text) {
    return [text](const Request&, const PathValues&) {
      Response response;
      response.body = text;
      return response;
    };
  };
  made.add({"GET", "/models", say("all")});
  made.add({"GET", "/models/{name}", say("one")});
  made.add({"POST", "/models/{name}/infer", say("infer")});
  made.add({"GET", "/models/{name}/versions/{version}", say("version")});
  return made;
}

int status_of(const std::string& method, const std::string& path) {
  try {
    static_cast<void>(router().match(method, path));
    return 200;
  } catch (const HttpError& e) {
    return e.status();
  }
}

}  // namespace

TEST_CASE("a path leads to its route and gives its values") {
  const Router made = router();
  CHECK(made.match("GET", "/models").route->handler({}, {}).body == "all");
  CHECK(made.match("HEAD", "/models/x").values == PathValues{"x"});
  const auto match = made.match("GET", "/models/a b/versions/3");
  CHECK(match.route->handler({}, {}).body == "version");
  CHECK(match.values == PathValues{"a b", "3"});
}

TEST_CASE("what is no route is 404, a wrong method 405") {
  for (const char* path : {"/", "", "/model", "/models/", "/models/x/", "/models//infer", "models"})
    CHECK(status_of("GET", path) == 404);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"})
    CHECK(status_of(method, "/models") == 405);
  CHECK(status_of("GET", "/models/x/infer") == 405);
  try {
    static_cast<void>(router().match("POST", "/models/x"));
    FAIL("a method too many");
  } catch (const HttpError& e) {
    CHECK(e.headers() == Headers{{"Allow", "GET, HEAD"}});
  }
  CHECK_THROWS_WITH(static_cast<void>(router().match("GET", "/model")),
                    Catch::Contains("did you mean \"/models\""));
}
