#pragma once

#include <tcrops/core/field_table.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tcrops::stages {

// Section of a pipeline file that says how `serve` listens and what it refuses.
struct ServeConfig {
  std::string listen = "127.0.0.1:8080";
  std::string token_file;
  std::string tls_certificate;
  std::string tls_key;
  std::string shadow;
  std::int64_t more_models = 2;
  std::int64_t copies = 0;
  std::int64_t batch_rows = 1024;
  std::int64_t queue_rows = 50'000;
  std::int64_t request_rows = 10'000;
  std::int64_t body_bytes = std::int64_t{16} << 20U;
  std::int64_t header_bytes = 16'384;
  std::int64_t connections = 512;
  double read_seconds = 30.0;
  double write_seconds = 30.0;
  double idle_seconds = 15.0;
  double poll_seconds = 1.0;
  std::string query_log;
  bool log_sequences = false;
  std::int64_t keep_days = 180;
};

void add_serve(FieldTable& table, ServeConfig& c);

// An address that others can reach, and no tokens; no address at all; half of a TLS identity.
[[nodiscard]] Problems unfit_serve(const FieldTable& table, const ServeConfig& c);

struct ListenAddress {
  std::string host;  // without the brackets of IPv6
  int port = 0;      // 0: any that is free

  [[nodiscard]] bool is_loopback() const;
  // "127.0.0.1:8080", "[::1]:8080".
  [[nodiscard]] std::string text() const;
};
// "HOST:PORT", "[IPV6]:PORT"; empty when it is neither.
[[nodiscard]] std::optional<ListenAddress> parse_listen(const std::string& text);

}  // namespace tcrops::stages
