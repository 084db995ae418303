#include "http_server.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <thread>
#include <utility>

namespace tcrops::serve {
namespace {

// Whoever predicts much keeps nobody from asking how the server is.
constexpr std::size_t kPredicting = 16;
constexpr std::size_t kOthers = 4;
constexpr int kBacklog = 512;
// Those beyond the limit that are told so; whoever comes after them is hung up on.
constexpr std::size_t kMostRefused = 64;
// When there are no descriptors left.
constexpr std::chrono::milliseconds kPause{50};

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000.0));
}

ConnectionLimits limits_of(const stages::ServeConfig& config) {
  return {
      {static_cast<std::size_t>(config.header_bytes), static_cast<std::size_t>(config.body_bytes)},
      milliseconds_of(config.read_seconds),
      milliseconds_of(config.write_seconds),
      milliseconds_of(config.idle_seconds)};
}

void set_option(int socket, int level, int option) {
  const int yes = 1;
  ::setsockopt(socket, level, option, &yes, sizeof(yes));
}

// A socket that listens there, or -1 and errno.
int listening_socket(const addrinfo& address) {
  const int socket = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                              address.ai_protocol);
  if (socket < 0) return -1;
  set_option(socket, SOL_SOCKET, SO_REUSEADDR);
  if (address.ai_family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket, address.ai_addr, address.ai_addrlen) == 0 && ::listen(socket, kBacklog) == 0)
    return socket;
  const int reason = errno;
  ::close(socket);
  errno = reason;
  return -1;
}

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  std::array<char, NI_MAXSERV> port{};
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket, generic, &size) != 0 ||
      ::getnameinfo(generic, size, nullptr, 0, port.data(), port.size(), NI_NUMERICSERV) != 0)
    return 0;
  return std::stoi(port.data());
}

HttpLoop& least_busy(const std::vector<std::unique_ptr<HttpLoop>>& loops) {
  return **std::min_element(loops.begin(), loops.end(), [](const auto& a, const auto& b) {
    return a->connections() < b->connections();
  });
}

}  // namespace

HttpServer::HttpServer(const stages::ServeConfig& config, const Router& router, Tokens tokens,
                       std::size_t loops,
                       std::function<std::shared_ptr<const std::string>()> model_lines,
                       std::function<void(const Served&)> on_served)
    : predicting_(kPredicting),
      others_(kOthers),
      context_{{router, std::move(tokens), static_cast<std::size_t>(config.body_bytes),
                std::move(model_lines), std::move(on_served)},
               limits_of(config),
               predicting_,
               others_,
               static_cast<std::size_t>(config.connections)},
      loops_(std::max<std::size_t>(loops, 1)),
      stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!config.tls_certificate.empty()) tls_.emplace(config.tls_certificate, config.tls_key);
  if (stop_ < 0) throw Error(ExitCode::kFailure, "no descriptor for the server");
}

HttpServer::~HttpServer() {
  if (listening_ >= 0) ::close(listening_);
  ::close(stop_);
}

int HttpServer::bind(const stages::ListenAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int problem =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  std::string why = problem == 0 ? "" : ::gai_strerror(problem);
  for (const addrinfo* each = found; each != nullptr && listening_ < 0; each = each->ai_next) {
    listening_ = listening_socket(*each);
    if (listening_ < 0) why = strerror(errno);
  }
  if (found != nullptr) ::freeaddrinfo(found);
  if (listening_ < 0) {
    throw Error(ExitCode::kFailure,
                fmt::format("cannot listen on {}: {}; choose another address with --listen",
                            address.text(), why));
  }
  return port_of(listening_);
}

// Those who wait to be let in.
void HttpServer::accept_all(const std::vector<std::unique_ptr<HttpLoop>>& loops) {
  for (int i = 0; i < kBacklog; ++i) {
    const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) std::this_thread::sleep_for(kPause);
      return;
    }
    const std::size_t others = context_.connections.load();
    if (others >= context_.most_connections + kMostRefused) {
      ::close(socket);
      continue;
    }
    set_option(socket, IPPROTO_TCP, TCP_NODELAY);
    try {
      auto transport = tls_ ? tls_->transport(socket) : plain_transport(socket);
      least_busy(loops).adopt(socket, std::move(transport), others >= context_.most_connections);
    } catch (const std::exception& e) {  // no memory
      log_error(fmt::format("a client is not let in: {}", e.what()));
      ::close(socket);
    }
  }
}

void HttpServer::run() {
  std::vector<std::unique_ptr<HttpLoop>> loops;
  for (std::size_t i = 0; i < loops_; ++i) loops.push_back(std::make_unique<HttpLoop>(context_));
  std::array<pollfd, 2> watched = {{{listening_, POLLIN, 0}, {stop_, POLLIN, 0}}};
  while (!context_.stopping) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    accept_all(loops);
  }
  context_.stopping = true;
  accept_all(loops);
  ::close(std::exchange(listening_, -1));
  for (const auto& loop : loops) loop->wake();
}

void HttpServer::stop() {
  context_.stopping = true;
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_, &one, sizeof(one)));
}

}  // namespace tcrops::serve
