#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace tcrops::serve {

// Bytes to and from a connected socket, which it does not own. Never waits. One thread at a time.
class Transport {
 public:
  virtual ~Transport() = default;

  // There is nothing to read, or no room to write, for now: wait until the socket can be read (or
  // written), and try again.
  static constexpr ssize_t kReadLater = -2;
  static constexpr ssize_t kWriteLater = -3;
  // The number of bytes; 0 when the peer has gone; below 0 one of the above, or a failure.
  virtual ssize_t receive(char* to, std::size_t size) = 0;
  virtual ssize_t send(std::string_view bytes) = 0;
  // The same of two pieces, one behind the other.
  virtual ssize_t send(std::string_view first, std::string_view second) {
    return send(first.empty() ? second : first);
  }
  // Whether received bytes wait that the socket knows nothing of.
  [[nodiscard]] virtual bool has_pending() const { return false; }
  // Says that no more will be sent.
  virtual void finish() = 0;
};

[[nodiscard]] std::unique_ptr<Transport> plain_transport(int socket);

// A certificate with its key, for many connections. TLS 1.2 and later. Thread-safe.
class TlsIdentity {
 public:
  // Two PEM files; the first may have a chain of certificates. Throws Error (kConfiguration) when
  // they cannot be read or do not belong together.
  TlsIdentity(const std::string& certificate, const std::string& key);

  // The handshake happens with the first bytes that are received.
  [[nodiscard]] std::unique_ptr<Transport> transport(int socket) const;

 private:
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace tcrops::serve
