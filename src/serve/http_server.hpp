#pragma once

#include "http_loop.hpp"
#include "router.hpp"
#include "tokens.hpp"
#include "transport.hpp"
#include "workers.hpp"

#include <tcrops/stages/serve_configuration.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::serve {

// HTTP/1.1 in front of a router: reads requests within limits, asks for tokens, answers what goes
// wrong as JSON. Threads: the one in run() accepts, the loops read and write, the workers handle
// what may take its time.
class HttpServer {
 public:
  // `model_lines` is asked for lines that the header of every answer gets, as Front.
  HttpServer(const stages::ServeConfig& config, const Router& router, Tokens tokens,
             std::size_t loops, std::function<std::shared_ptr<const std::string>()> model_lines,
             std::function<void(const Served&)> on_served);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes the address; says which port it is. Throws Error (kFailure) when it cannot be had.
  int bind(const stages::ListenAddress& address);
  // Accepts until stop(), then returns when everything accepted is answered.
  void run();
  // From any thread, before run(), too.
  void stop();
  [[nodiscard]] std::size_t connections() const { return context_.connections.load(); }

 private:
  void accept_all(const std::vector<std::unique_ptr<HttpLoop>>& loops);

  std::optional<TlsIdentity> tls_;
  Workers predicting_;
  Workers others_;
  LoopContext context_;
  std::size_t loops_;
  int listening_ = -1;
  int stop_ = -1;  // becomes readable when it is to stop
};

}  // namespace tcrops::serve
