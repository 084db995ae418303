#include "exchange.hpp"

#include "form.hpp"

#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/input.hpp>
#include <tcrops/stages/serve_configuration.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <iterator>
#include <sstream>
#include <utility>

namespace tcrops::serve {
namespace {

constexpr std::size_t kLongestPath = 1024;
constexpr std::size_t kUnpackBlock = 65'536;
// What is answered by the thread that reads it, or sent as one piece.
constexpr std::size_t kSmallBody = 8'192;
constexpr std::ptrdiff_t kFewObjects = 33;  // 32 rows, and what they stand in
constexpr std::string_view kNoRoute = "none";
constexpr int kNotModified = 304;

std::string_view reason_phrase(int status) {
  const auto phrase =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {phrase.data(), phrase.size()};
}

// Whether a look at more than the first byte is worth it: gzip, zstd, zip, xz and bzip2.
bool may_be_packed(const std::string& body) {
  constexpr std::string_view kFirst =
      "\x1F(P\xFD"
      "B";
  return !body.empty() && kFirst.find(body.front()) != std::string_view::npos;
}

std::string unpacked(std::istream& stream, std::size_t most_bytes) {
  std::string plain;
  std::string block(kUnpackBlock, '\0');
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())),
         stream.gcount() > 0) {
    plain.append(block, 0, static_cast<std::size_t>(stream.gcount()));
    if (plain.size() > most_bytes) {
      throw HttpError(413, fmt::format("unpacked, the body has more than {} bytes "
                                       "(serve.body_bytes); send the rows in parts",
                                       most_bytes));
    }
  }
  return plain;
}

// A compressed body becomes a plain one, whether a header says so or only its first bytes.
std::string plain_body(const std::string& body, bool must_be_gzip, std::size_t most_bytes) {
  if (must_be_gzip && !body.starts_with("\x1F\x8B"))
    throw HttpError(400, "the body is not the gzip that it says it is");
  data::Input input = data::open_input(std::make_unique<std::istringstream>(body), "body");
  return input.compression.empty() ? body : unpacked(*input.stream, most_bytes);
}

void set_header(Headers& headers, std::string_view name, std::string value) {
  const auto at = std::find_if(headers.begin(), headers.end(),
                               [&](const auto& header) { return header.first == name; });
  if (at == headers.end())
    headers.emplace_back(name, std::move(value));
  else
    at->second = std::move(value);
}

// Of a Host header: "localhost:8080", "127.0.0.1", "[::1]:80".
bool is_loopback_name(const std::string& host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.find(':');
  const std::string name =
      bracketed && end != std::string::npos ? host.substr(1, end - 1) : host.substr(0, end);
  return stages::ListenAddress{to_lower(name), 0}.is_loopback();
}

}  // namespace

Exchange::Exchange(const Front& front) : front_(&front), id_(request_id("")) {}

Exchange::Exchange(const Front& front, const RequestHead& head)
    : front_(&front),
      id_(request_id(head.header("x-request-id"))),
      method_(head.method),
      keeps_alive_(head.keeps_alive),
      is_http_1_0_(head.is_http_1_0) {}

void Exchange::admit(const RequestHead& head) {
  if (head.target.size() > kLongestPath)
    throw HttpError(414, fmt::format("a path has at most {} bytes", kLongestPath));
  target_ = parse_target(head.target);
  require_own_site(head);
  match_ = front_->router.match(method_, valid_utf8(target_.path));
  caller_ = front_->tokens.caller(head.header("authorization"));
  require_role();
  require_readable_body(head);
}

// A page of another site can make a browser on this machine ask, though not under our name: a name
// of its own may lead here, and a form may be sent here.
void Exchange::require_own_site(const RequestHead& head) const {
  const std::string& host = head.header("host");
  if (!front_->tokens.are_needed() && !host.empty() && !is_loopback_name(host)) {
    throw HttpError(421,
                    "this server answers by the name localhost or 127.0.0.1 only; with a token "
                    "file (serve.token_file) by any");
  }
  const std::string& origin = head.header("origin");
  if (method_ != "POST" || origin.empty()) return;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string::npos || origin.substr(scheme + 3) != host)
    throw HttpError(403, "pages of other sites may not send anything here");
}

void Exchange::require_role() const {
  const std::optional<Role> role = match_.route->role;
  if (!role || caller_.roles.has(*role)) return;
  const std::string name = Roles{*role}.names().front();
  if (!front_->tokens.are_needed()) {
    throw HttpError(403, fmt::format("without a token file nobody has the role {}: name one in "
                                     "serve.token_file",
                                     name));
  }
  if (caller_.name.empty()) {
    throw HttpError(401, "this server asks for a token: Authorization: Bearer TOKEN",
                    {{"WWW-Authenticate", "Bearer"}});
  }
  throw HttpError(403, fmt::format("this token does not have the role {}", name));
}

void Exchange::require_readable_body(const RequestHead& head) const {
  if (head.length.value_or(0) > front_->most_body_bytes) {
    throw HttpError(413, fmt::format("the body has {} bytes, at most {} are taken "
                                     "(serve.body_bytes); send the rows in parts",
                                     *head.length, front_->most_body_bytes));
  }
  if (method_ == "POST" && !head.length && !head.is_chunked)
    throw HttpError(411, "a body needs a Content-Length, or chunks");
  if (method_ != "POST" && head.has_body())
    throw HttpError(400, fmt::format("{} takes no body", method_));
  const std::string& expects = head.header("expect");
  if (!expects.empty() && !head.expects_continue)
    throw HttpError(417, "Expect may only be 100-continue");
  const std::string encoding = to_lower(head.header("content-encoding"));
  if (!encoding.empty() && encoding != "identity" && encoding != "gzip")
    throw HttpError(415, "Content-Encoding may only be gzip");
  const std::string type = media_type(head.header("content-type"));
  if (type == "application/x-www-form-urlencoded")
    throw HttpError(415, fmt::format("{}: send JSON, CSV, TSV or a file", type));
}

bool Exchange::is_for_together(const RequestHead& head, const std::string& body) const {
  return match_.route->together && target_.query.empty() && body.size() <= kSmallBody &&
         body.starts_with('{') && head.header("content-encoding").empty() &&
         std::count(body.begin(), body.end(), '{') <= kFewObjects;
}

Request Exchange::request(RequestHead&& head, std::string&& body) {
  Request request;
  request.method = method_;
  request.path = std::move(target_.path);
  request.query = std::move(target_.query);
  request.headers = std::move(head.headers);
  request.body = std::move(body);
  request.id = id_;
  request.caller = std::move(caller_);
  const std::string boundary = form_boundary(request.header("content-type"));
  if (!boundary.empty()) {
    FormFile file = file_of_form(request.body, boundary);
    request.body = std::move(file.body);
    set_header(request.headers, "content-type", file.type.empty() ? "text/plain" : file.type);
  }
  const bool must_be_gzip = to_lower(request.header("content-encoding")) == "gzip";
  if (must_be_gzip || may_be_packed(request.body))
    request.body = plain_body(request.body, must_be_gzip, front_->most_body_bytes);
  return request;
}

Response Exchange::handled(RequestHead&& head, std::string&& body) {
  try {
    return match_.route->handler(request(std::move(head), std::move(body)), match_.values);
  } catch (...) {
    return response_to_exception(id_);
  }
}

void Exchange::note(int status) const {
  const std::string_view route =
      match_.route == nullptr ? kNoRoute : std::string_view(match_.route->path);
  const std::chrono::duration<double> spent = Clock::now() - begin_;
  if (front_->on_served) front_->on_served({route, status, spent.count()});
  if (verbosity() != Verbosity::kVerbose) return;
  log_debug(fmt::format("request {}: {} {}: {} in {:.1f} ms", id_, method_, route, status,
                        spent.count() * 1000.0));
}

Message Exchange::message(Response&& response, bool last) {
  const std::string& body = response.body;
  const bool has_body = method_ != "HEAD" && response.status != kNotModified;
  const bool is_one_piece = has_body && body.size() <= kSmallBody;
  std::string text;
  text.reserve((is_one_piece ? body.size() : 0) + 512);
  auto out = std::back_inserter(text);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (response.status != kNotModified)
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", response.type, body.size());
  bool is_cached = false;
  for (const auto& [name, value] : response.headers) {
    fmt::format_to(out, "{}: {}\r\n", name, value);
    is_cached = is_cached || name == "Cache-Control";
  }
  const auto model = response.model_lines ? response.model_lines : front_->model_lines();
  if (model) text += *model;
  if (!is_cached) text += "Cache-Control: no-store\r\n";
  fmt::format_to(out, "X-Content-Type-Options: nosniff\r\nX-Request-Id: {}\r\n{}\r\n", id_,
                 last           ? "Connection: close\r\n"
                 : is_http_1_0_ ? "Connection: keep-alive\r\n"
                                : "");
  if (is_one_piece) text += body;
  note(response.status);
  if (is_one_piece || !has_body) return {std::move(text), {}};
  return {std::move(text), std::move(response.body)};
}

Message Exchange::message(const HttpError& error, bool last) {
  return message(error_response(error, id_), last);
}

Message Exchange::message_of_failure(bool last) {
  return message(response_to_exception(id_), last);
}

}  // namespace tcrops::serve
