#include "pages.hpp"

#include "page_files.hpp"

#include <tcrops/core/sha256.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>

namespace tcrops::serve {
namespace {

constexpr std::size_t kTagLetters = 32;  // of the hash, which are plenty

// No script or style but files of this server, and no address but its own.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Page {
  const char* path;
  const char* name;  // of its .html and .js
  const char* title;
};

constexpr Page kPages[] = {
    {"/", "predict", "Predict"},
    {"/models", "models", "Models"},
    {"/queries", "queries", "Queries"},
    {"/monitor", "monitor", "Monitor"},
};

// What is sent, and the hash by which a browser knows whether it has it already.
struct Sent {
  std::string type;
  std::string text;
  std::string tag;
};

std::string_view text_of(std::string_view name) {
  const auto files = page_files();
  const auto at = std::find_if(files.begin(), files.end(),
                               [&](const PageFile& file) { return file.name == name; });
  if (at == files.end()) throw std::logic_error(fmt::format("no page file {}", name));
  return at->text;
}

// "" for what no browser asks for by itself.
std::string type_of(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return {};
}

Sent sent(std::string type, std::string text) {
  std::string tag = fmt::format("\"{}\"", sha256_hex(text).substr(0, kTagLetters));
  return {std::move(type), std::move(text), std::move(tag)};
}

std::string with(std::string text, std::string_view mark, std::string_view value) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
  return text;
}

Sent whole_page(const Page& page) {
  std::string text(text_of("shell.html"));
  text = with(std::move(text), "@TITLE@", page.title);
  text = with(std::move(text), "@NAME@", page.name);
  text = with(std::move(text), "@MAIN@", text_of(fmt::format("{}.html", page.name)));
  return sent("text/html; charset=utf-8", std::move(text));
}

// Whether an If-None-Match names the tag; proxies may have marked it as weak.
bool names_tag(const std::string& header, const std::string& tag) {
  for (const std::string& each : split(header, ',')) {
    std::string_view given = trim(each);
    if (given.starts_with("W/")) given.remove_prefix(2);
    if (given == "*" || given == tag) return true;
  }
  return false;
}

Response answer(const Request& request, const Sent& sent) {
  Response response;
  response.type = sent.type;
  // Kept, but asked for each time: another program at this address may have another page.
  response.headers = {{"ETag", sent.tag},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", kPolicy},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Frame-Options", "DENY"},
                      {"Cross-Origin-Opener-Policy", "same-origin"},
                      {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (names_tag(request.header("if-none-match"), sent.tag)) {
    response.status = 304;
  } else {
    response.body = sent.text;
  }
  return response;
}

// Every asset by its name.
std::map<std::string, Sent, std::less<>> all_assets() {
  std::map<std::string, Sent, std::less<>> assets;
  for (const PageFile& file : page_files()) {
    const std::string type = type_of(file.name);
    if (!type.empty()) assets.emplace(file.name, sent(type, std::string(file.text)));
  }
  return assets;
}

}  // namespace

void add_page_routes(Router& router) {
  for (const Page& page : kPages) {
    router.add({"GET", page.path,
                [whole = whole_page(page)](const Request& request, const PathValues&) {
                  return answer(request, whole);
                },
                kAnybody});
  }
  router.add({"GET", "/assets/{name}",
              [assets = all_assets()](const Request& request, const PathValues& values) {
                const auto at = assets.find(values.front());
                if (at == assets.end()) throw HttpError(404, "the pages have no such file");
                return answer(request, at->second);
              },
              kAnybody});
}

}  // namespace tcrops::serve
