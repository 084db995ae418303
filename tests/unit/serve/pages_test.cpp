#include "pages.hpp"

#include "page_files.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <set>

using namespace tcrops::serve;

namespace {

Response got(const std::string& path, const std::string& if_none_match = "") {
  Router router;
  add_page_routes(router);
  Request request;
  request.method = "GET";
  request.path = path;
  if (!if_none_match.empty()) request.headers = {{"if-none-match", if_none_match}};
  const auto match = router.match("GET", path);
  CHECK(match.route->role == kAnybody);
  return match.route->handler(request, match.values);
}

std::string header(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

std::set<std::string> found(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> values;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), wanted);
       at != std::sregex_iterator(); ++at)
    values.insert((*at)[1].str());
  return values;
}

const char* const kPaths[] = {"/", "/models", "/queries", "/monitor"};

}  // namespace

TEST_CASE("every page is whole, and loads only what there is") {
  std::set<std::string> bodies;
  for (const char* path : kPaths) {
    const Response page = got(path);
    CHECK(page.status == 200);
    CHECK(page.type == "text/html; charset=utf-8");
    CHECK(page.body.find('@') == std::string::npos);
    CHECK(page.body.find("<h1>") != std::string::npos);
    const auto assets = found(page.body, "(?:src|href)=\"(/assets/[^\"]+)\"");
    CHECK(assets.size() == 4);
    for (const std::string& asset : assets) CHECK(got(asset).status == 200);
    bodies.insert(page.body);
  }
  CHECK(bodies.size() == std::size(kPaths));
}

TEST_CASE("a script imports only what there is") {
  std::size_t imports = 0;
  for (const PageFile& file : page_files()) {
    for (const auto& name : found(std::string(file.text), "\\bfrom \"\\./([a-z_]+\\.js)\"")) {
      CHECK(got("/assets/" + name).status == 200);
      ++imports;
    }
  }
  CHECK(imports > 20);
}

TEST_CASE("pages keep to the policy that they are sent with") {
  const std::string policy = header(got("/"), "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; script-src 'self';"));
  CHECK(policy.find("unsafe") == std::string::npos);
  for (const PageFile& file : page_files()) {
    const std::string text(file.text);
    if (file.name == "chart.js") continue;
    INFO(file.name);
    CHECK(found(text, "(<script>|<style|\\sstyle=\"|\\son[a-z]+=\"|javascript:)").empty());
    CHECK(found(text, "\\b(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval)\\b")
              .empty());
    for (const auto& address : found(text, "(https?://[^\"' ]*)"))
      CHECK(address == "http://www.w3.org/2000/svg");
  }
}

TEST_CASE("assets have their types") {
  CHECK(got("/assets/style.css").type == "text/css; charset=utf-8");
  CHECK(got("/assets/predict.js").type == "text/javascript; charset=utf-8");
  CHECK(got("/assets/mark.svg").type == "image/svg+xml");
  CHECK(got("/assets/chart.js").body.size() > 100'000);
  CHECK(got("/assets/chart.js").body.find("sourceMappingURL") == std::string::npos);
  CHECK_THROWS_AS(got("/assets/shell.html"), HttpError);
  CHECK_THROWS_AS(got("/assets/none.js"), HttpError);
}

TEST_CASE("what a browser has already is not sent again") {
  const Response first = got("/assets/style.css");
  const std::string tag = header(first, "ETag");
  CHECK(tag.size() > 10);
  CHECK(tag != header(got("/assets/predict.js"), "ETag"));
  CHECK(header(first, "Cache-Control") == "no-cache");
  for (const std::string& named : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Response again = got("/assets/style.css", named);
    CHECK(again.status == 304);
    CHECK(again.body.empty());
    CHECK(header(again, "ETag") == tag);
  }
  CHECK(got("/assets/style.css", "\"other\"").status == 200);
}

TEST_CASE("nobody may frame a page, and it tells nobody where it was") {
  for (const char* path : {"/", "/assets/predict.js"}) {
    CHECK(header(got(path), "X-Frame-Options") == "DENY");
    CHECK(header(got(path), "Referrer-Policy") == "no-referrer");
  }
}
