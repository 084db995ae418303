#include "transport.hpp"

#include <tcrops/core/error.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace tcrops::serve {
namespace {

bool is_for_later() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

class Plain : public Transport {
 public:
  explicit Plain(int socket) : socket_(socket) {}

  ssize_t receive(char* to, std::size_t size) override {
    const ssize_t count = ::recv(socket_, to, size, MSG_DONTWAIT);
    return count < 0 && is_for_later() ? kReadLater : count;
  }
  ssize_t send(std::string_view bytes) override { return send(bytes, {}); }
  ssize_t send(std::string_view first, std::string_view second) override {
    std::array<iovec, 2> pieces = {piece(first), piece(second)};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = second.empty() ? 1 : 2;
    const ssize_t count = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 && is_for_later() ? kWriteLater : count;
  }
  void finish() override { ::shutdown(socket_, SHUT_WR); }

 private:
  static iovec piece(std::string_view bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size()};
  }

  int socket_;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class Tls : public Transport {
 public:
  Tls(SSL_CTX* context, int socket) : socket_(socket), ssl_(SSL_new(context)) {
    ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1)
      throw Error(ExitCode::kFailure, "no memory for a TLS connection");
    SSL_set_accept_state(ssl_.get());
  }

  ssize_t receive(char* to, std::size_t size) override {
    ERR_clear_error();
    return count_of(SSL_read(ssl_.get(), to, shortened(size)));
  }
  using Transport::send;
  ssize_t send(std::string_view bytes) override {
    ERR_clear_error();
    return count_of(SSL_write(ssl_.get(), bytes.data(), shortened(bytes.size())));
  }
  [[nodiscard]] bool has_pending() const override { return SSL_pending(ssl_.get()) > 0; }
  void finish() override {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) != 0 && !failed_) SSL_shutdown(ssl_.get());
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  static int shortened(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
  }

  ssize_t count_of(int result) {
    if (result > 0) return result;
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return kReadLater;
      case SSL_ERROR_WANT_WRITE:
        return kWriteLater;
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      default:
        failed_ = true;
        return -1;
    }
  }

  int socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool failed_ = false;  // after which nothing may be said any more
};

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "it cannot be read" : reason;
}

}  // namespace

std::unique_ptr<Transport> plain_transport(int socket) { return std::make_unique<Plain>(socket); }

TlsIdentity::TlsIdentity(const std::string& certificate, const std::string& key)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  const auto refuse = [](const char* field, const std::string& file) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("{}: {}: {}; a PEM file is needed", field, file, openssl_reason()));
  };
  SSL_CTX* const context = context_.get();
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    refuse("serve.tls_certificate", certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse("serve.tls_key", key);
}

std::unique_ptr<Transport> TlsIdentity::transport(int socket) const {
  return std::make_unique<Tls>(context_.get(), socket);
}

}  // namespace tcrops::serve
