#pragma once

#include "connection.hpp"
#include "router.hpp"
#include "tokens.hpp"
#include "transport.hpp"

#include <tcrops/stages/serve_configuration.hpp>

#include <atomic>
#include <functional>
#include <httplib.h>
#include <memory>
#include <optional>
#include <string>

namespace tcrops::serve {

// What happened to one request, for metrics and the log.
struct Served {
  std::string route;  // a route's path, or "none"
  int status = 0;
  double seconds = 0.0;
};

// HTTP/1.1 in front of a router: reads requests within limits, asks for tokens, answers what goes
// wrong as JSON. A thread per connection.
class HttpServer : private httplib::Server {
 public:
  using OnServed = std::function<void(const Served&)>;
  // `common` is asked for headers of every answer.
  HttpServer(const stages::ServeConfig& config, const Router& router, Tokens tokens,
             std::function<Headers()> common, OnServed on_served);

  // Takes the address; says which port it is. Throws Error (kFailure) when it cannot be had.
  int bind(const stages::ListenAddress& address);
  // Accepts until stop(), then returns when everything accepted is answered.
  void run();
  // From any thread.
  void stop();
  [[nodiscard]] std::size_t connections() const { return active_.load(); }

 private:
  bool process_and_close_socket(socket_t socket) override;
  HandlerResponse before_body(const httplib::Request& from, httplib::Response& to);
  void with_body(const httplib::Request& from, httplib::Response& to,
                 const httplib::ContentReader& reader);
  HandlerResponse fill_error(const httplib::Request& from, httplib::Response& to);
  void finish(httplib::Response& to) const;

  // Of a request that may be read, and who asks.
  struct Admitted {
    Router::Match match;
    Caller caller;
  };
  [[nodiscard]] Admitted admit(const httplib::Request& from) const;
  void require_own_site(const httplib::Request& from) const;
  void read_body(const httplib::Request& from, const httplib::ContentReader& reader,
                 Request& request) const;
  void write(Response response, const std::string& id, httplib::Response& to) const;
  void answer(const httplib::Request& from, httplib::Response& to, const std::string& route,
              bool unread_body, const std::function<Response(const std::string& id)>& make);
  std::string refusal(int status, const std::string& message);

  const Router& router_;
  Tokens tokens_;
  std::optional<TlsIdentity> tls_;
  std::function<Headers()> common_;
  OnServed on_served_;
  ConnectionLimits limits_;
  std::size_t most_connections_;
  std::size_t most_body_bytes_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> began_{false};
  std::atomic<bool> ended_{false};
  std::atomic<std::size_t> active_{0};
};

}  // namespace tcrops::serve
