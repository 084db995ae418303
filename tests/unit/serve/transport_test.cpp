#include "transport.hpp"

#include <catch2/catch.hpp>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <error_of.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

using namespace tcrops;
using serve::TlsIdentity;
using serve::Transport;

TEST_CASE("bytes over a plain socket") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const auto transport = serve::plain_transport(ends[0]);
  std::array<char, 16> buffer{};
  CHECK(transport->receive(buffer.data(), buffer.size()) == Transport::kReadLater);
  CHECK_FALSE(transport->has_pending());
  CHECK(transport->send("hel", "lo") == 5);
  CHECK(::read(ends[1], buffer.data(), buffer.size()) == 5);
  CHECK(::write(ends[1], "back", 4) == 4);
  CHECK(transport->receive(buffer.data(), buffer.size()) == 4);
  const std::string many(1 << 20, 'x');
  ssize_t sent = 0;
  while ((sent = transport->send(many)) > 0) {
  }
  CHECK(sent == Transport::kWriteLater);
  ::close(ends[1]);
  CHECK(transport->receive(buffer.data(), buffer.size()) <= 0);
  CHECK(transport->send("x") == -1);
  ::close(ends[0]);
}

TEST_CASE("a certificate that cannot be used is refused by its field") {
  const auto missing = test::error_of([] { TlsIdentity("/nowhere/cert.pem", "/nowhere/key.pem"); });
  CHECK(missing.code == ExitCode::kConfiguration);
  CHECK(missing.says("serve.tls_certificate"));
  CHECK(missing.says("/nowhere/cert.pem"));
}
