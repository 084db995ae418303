#include "http_server.hpp"

#include "request_checks.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace tcrops::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestPath = 1024;
constexpr std::chrono::milliseconds kStartLook{1};
// What a body may take with what frames its chunks, or a form.
constexpr std::size_t kFraming = 2;
constexpr std::size_t kUnframed = 65'536;
constexpr const char* kJson = "application/json";
constexpr const char* kNoRoute = "none";

// Of the statuses that are sent without the library.
const char* reason_phrase(int status) {
  switch (status) {
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
}

Request request_of(const httplib::Request& from, std::string id, Caller caller) {
  Request request;
  request.method = from.method;
  request.path = from.path;
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  for (const auto& [name, value] : from.headers) request.headers.emplace(to_lower(name), value);
  request.id = std::move(id);
  request.caller = std::move(caller);
  return request;
}

}  // namespace

HttpServer::HttpServer(const stages::ServeConfig& config, const Router& router, Tokens tokens,
                       std::function<Headers()> common, OnServed on_served)
    : router_(router),
      tokens_(std::move(tokens)),
      common_(std::move(common)),
      on_served_(std::move(on_served)),
      limits_{static_cast<std::size_t>(config.header_bytes),
              kFraming * static_cast<std::size_t>(config.body_bytes) + kUnframed,
              milliseconds_of(config.read_seconds), milliseconds_of(config.write_seconds),
              milliseconds_of(config.idle_seconds)},
      most_connections_(static_cast<std::size_t>(config.connections)),
      most_body_bytes_(static_cast<std::size_t>(config.body_bytes)) {
  if (!config.tls_certificate.empty()) tls_.emplace(config.tls_certificate, config.tls_key);
  // One more, to tell the next client that there are too many.
  new_task_queue = [this] { return new httplib::ThreadPool(most_connections_ + 1); };
  set_tcp_nodelay(true);
  // Two servers that share a port would share the requests, too.
  set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  set_pre_routing_handler([this](const auto& from, auto& to) { return before_body(from, to); });
  Post("[\\s\\S]*",
       [this](const auto& from, auto& to, const auto& reader) { with_body(from, to, reader); });
  set_error_handler(
      HandlerWithResponse([this](const auto& from, auto& to) { return fill_error(from, to); }));
  set_exception_handler([](const auto&, auto& to, std::exception_ptr) { to.status = 500; });
  set_payload_max_length(most_body_bytes_);
  set_post_routing_handler([this](const auto&, auto& to) { finish(to); });
  set_expect_100_continue_handler([this](const auto& from, auto& to) {
    const auto length = parse_integer(from.get_header_value("Content-Length"));
    if (!length || *length <= static_cast<std::int64_t>(most_body_bytes_)) return 100;
    to.status = 413;
    return 413;
  });
}

int HttpServer::bind(const stages::ListenAddress& address) {
  const int port = address.port == 0                          ? bind_to_any_port(address.host)
                   : bind_to_port(address.host, address.port) ? address.port
                                                              : -1;
  if (port < 0) {
    throw Error(ExitCode::kFailure,
                fmt::format("cannot listen on {}: {}; choose another address with --listen",
                            address.text(), std::strerror(errno)));
  }
  return port;
}

void HttpServer::run() {
  began_ = true;
  const bool served = stopping_ || listen_after_bind() || stopping_;
  ended_ = true;
  if (!served) throw Error(ExitCode::kFailure, "the server's socket failed; start it again");
}

void HttpServer::stop() {
  stopping_ = true;
  // The library forgets a stop that comes before it accepts.
  while (began_ && !ended_ && !is_running()) std::this_thread::sleep_for(kStartLook);
  httplib::Server::stop();
}

// What is sent where the library can send nothing.
std::string HttpServer::refusal(int status, const std::string& message) {
  const std::string id = request_id("");
  const Response response = error_response(HttpError(status, message), id);
  if (on_served_) on_served_({kNoRoute, status, 0.0});
  return fmt::format(
      "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
      "X-Request-Id: {}\r\n{}\r\n{}",
      status, reason_phrase(status), kJson, response.body.size(), id,
      status == 503 ? "Retry-After: 1\r\n" : "", response.body);
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  struct Counted {
    explicit Counted(std::atomic<std::size_t>& all) : all_(all), number(++all) {}
    ~Counted() { --all_; }
    std::atomic<std::size_t>& all_;
    std::size_t number;
  };
  const Counted counted(active_);
  Connection connection(socket, tls_ ? tls_->transport(socket) : plain_transport(socket), limits_,
                        stopping_);
  if (counted.number > most_connections_) {
    connection.answer_fault(
        refusal(503, fmt::format("{} clients at a time, and no more (serve.connections); try again",
                                 most_connections_)));
    return false;
  }
  bool goes_on = true;
  while (goes_on && connection.begin_request()) {
    bool closed = false;
    bool chunked = false;
    goes_on = process_request(connection, stopping_, closed, [&](httplib::Request& request) {
      request.ranges.clear();
      chunked = is_chunked(request);
      const auto encoding = request.get_header_value("Content-Encoding");
      request.headers.erase("Content-Encoding");
      request.headers.erase(kBodyEncoding);
      if (!encoding.empty()) request.set_header(kBodyEncoding, encoding);
    });
    goes_on = goes_on && !closed && !connection.must_close();
    // The library takes a chunk that is longer than it says for the last one.
    goes_on = goes_on && (!chunked || connection.ended_on_empty_line());
  }
  using Fault = Connection::Fault;
  if (connection.fault() == Fault::kTooSlow) {
    connection.answer_fault(refusal(408, "the request did not arrive in time"));
  } else if (connection.fault() == Fault::kHeaderTooLarge) {
    connection.answer_fault(
        refusal(431, fmt::format("at most {} bytes of headers are taken", limits_.header_bytes)));
  } else if (connection.fault() == Fault::kBadHeader) {
    connection.answer_fault(
        refusal(400, "a line of the header is none: NAME: VALUE is needed, ended by CR LF"));
  } else if (connection.fault() == Fault::kBodyTooLarge) {
    connection.answer_fault(refusal(413, "the body is too large (serve.body_bytes)"));
  }
  return true;
}

// A page of another site can make a browser on this machine ask, though not under our name: a name
// of its own may lead here, and a form may be sent here.
void HttpServer::require_own_site(const httplib::Request& from) const {
  const std::string host = from.get_header_value("Host");
  if (!tokens_.are_needed() && !host.empty() && !is_loopback_name(host)) {
    throw HttpError(421,
                    "this server answers by the name localhost or 127.0.0.1 only; with a token "
                    "file (serve.token_file) by any");
  }
  const std::string origin = from.get_header_value("Origin");
  if (from.method != "POST" || origin.empty()) return;
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string::npos || origin.substr(scheme + 3) != host)
    throw HttpError(403, "pages of other sites may not send anything here");
}

HttpServer::Admitted HttpServer::admit(const httplib::Request& from) const {
  if (from.target.size() > kLongestPath)
    throw HttpError(414, fmt::format("a path has at most {} bytes", kLongestPath));
  require_own_site(from);
  Admitted admitted{router_.match(from.method, valid_utf8(from.path)),
                    tokens_.caller(from.get_header_value("Authorization"))};
  const std::optional<Role> role = admitted.match.route->role;
  if (role && !admitted.caller.roles.has(*role)) {
    const std::string name = Roles{*role}.names().front();
    if (!tokens_.are_needed()) {
      throw HttpError(403, fmt::format("without a token file nobody has the role {}: name one in "
                                       "serve.token_file",
                                       name));
    }
    if (admitted.caller.name.empty()) {
      throw HttpError(401, "this server asks for a token: Authorization: Bearer TOKEN",
                      {{"WWW-Authenticate", "Bearer"}});
    }
    throw HttpError(403, fmt::format("this token does not have the role {}", name));
  }
  require_readable_body(from, most_body_bytes_);
  return admitted;
}

void HttpServer::write(Response response, const std::string& id, httplib::Response& to) const {
  to.status = response.status;
  to.body = std::move(response.body);
  to.set_header("Content-Type", response.type);
  for (const auto& [name, value] : response.headers) to.set_header(name, value);
  for (const auto& [name, value] : common_()) {
    if (!to.has_header(name)) to.set_header(name, value);
  }
  to.set_header("X-Request-Id", id);
}

void HttpServer::answer(const httplib::Request& from, httplib::Response& to,
                        const std::string& route, bool unread_body,
                        const std::function<Response(const std::string& id)>& make) {
  const auto begin = Clock::now();
  const std::string id = request_id(from.get_header_value("X-Request-Id"));
  bool failed = false;
  try {
    write(make(id), id, to);
  } catch (...) {
    failed = true;
    write(response_to_exception(id), id, to);
  }
  // What is left of a body would be taken for the next request.
  if (unread_body && failed) to.set_header("Connection", "close");
  const std::chrono::duration<double> spent = Clock::now() - begin;
  if (on_served_) on_served_({route, to.status, spent.count()});
  if (verbosity() != Verbosity::kVerbose) return;
  log_debug(fmt::format("request {}: {} {}: {} in {:.1f} ms", id, from.method, route, to.status,
                        spent.count() * 1000.0));
}

// Answers everything but a POST that will be read.
httplib::Server::HandlerResponse HttpServer::before_body(const httplib::Request& from,
                                                         httplib::Response& to) {
  std::string route = kNoRoute;
  Admitted admitted;
  try {
    admitted = admit(from);
    route = admitted.match.route->path;
    if (from.method == "POST") return HandlerResponse::Unhandled;
  } catch (const HttpError& error) {
    answer(from, to, route, has_body(from) || from.method == "POST",
           [&](const std::string&) -> Response { throw error; });
    return HandlerResponse::Handled;
  }
  answer(from, to, route, false, [&](const std::string& id) {
    return admitted.match.route->handler(request_of(from, id, admitted.caller),
                                         admitted.match.values);
  });
  return HandlerResponse::Handled;
}

// Of a form the one file that is in it, with the file's own type.
void HttpServer::read_body(const httplib::Request& from, const httplib::ContentReader& reader,
                           Request& request) const {
  std::string& body = request.body;
  bool too_large = false;
  const auto receive = [&](const char* bytes, std::size_t count) {
    too_large = body.size() + count > most_body_bytes_;
    if (!too_large) body.append(bytes, count);
    return !too_large;
  };
  std::size_t files = 0;
  const auto begin_part = [&](const httplib::MultipartFormData& part) {
    if (part.name == "file") ++files;
    request.headers["content-type"] = part.content_type.empty() ? "text/plain" : part.content_type;
    return part.name == "file" && files == 1;
  };
  const bool is_form = from.is_multipart_form_data();
  const bool whole = is_form ? reader(begin_part, receive) : reader(receive);
  if (too_large) {
    throw HttpError(413, fmt::format("the body has more than {} bytes (serve.body_bytes); send "
                                     "the rows in parts",
                                     most_body_bytes_));
  }
  if (is_form && (files != 1 || !whole))
    throw HttpError(400, "a form must have one part, a file named \"file\"");
  if (!whole) throw HttpError(400, "the body ends early, or its chunks are none");
  unpack(body, from.has_header(kBodyEncoding), most_body_bytes_);
}

void HttpServer::with_body(const httplib::Request& from, httplib::Response& to,
                           const httplib::ContentReader& reader) {
  const Router::Match match = router_.match(from.method, valid_utf8(from.path));
  bool is_read = false;
  answer(from, to, match.route->path, true, [&](const std::string& id) {
    Request request = request_of(from, id, tokens_.caller(from.get_header_value("Authorization")));
    read_body(from, reader, request);
    is_read = true;
    return match.route->handler(request, match.values);
  });
  if (is_read) to.headers.erase("Connection");
}

// Answers what the library refused by itself.
httplib::Server::HandlerResponse HttpServer::fill_error(const httplib::Request& from,
                                                        httplib::Response& to) {
  if (!to.body.empty()) return HandlerResponse::Unhandled;
  const std::string id = request_id(from.get_header_value("X-Request-Id"));
  const char* why = to.status == 413   ? "the body is too large (serve.body_bytes)"
                    : to.status == 414 ? "the first line of the request is too long"
                    : to.status == 400 ? "this is no request of HTTP/1.1"
                    : to.status == 500 ? "internal error"
                                       : "this request cannot be answered";
  write(error_response(HttpError(to.status, why), id), id, to);
  to.set_header("Connection", "close");
  if (on_served_) on_served_({kNoRoute, to.status, 0.0});
  return HandlerResponse::Handled;
}

// Last changes to an answer's headers.
void HttpServer::finish(httplib::Response& to) const {
  to.set_header("X-Content-Type-Options", "nosniff");
  if (!to.has_header("Cache-Control")) to.set_header("Cache-Control", "no-store");
  if (!stopping_ && !to.has_header("Connection")) return;
  to.headers.erase("Connection");
  to.headers.erase("Keep-Alive");
  to.set_header("Connection", "close");
}

}  // namespace tcrops::serve
