#include <tcrops/core/text.hpp>
#include <tcrops/stages/serve_configuration.hpp>

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace tcrops::stages {

void add_serve(FieldTable& table, ServeConfig& c) {
  table.begin_section("serve", "the server");
  table.add("listen", c.listen,
            "address and port; port 0 takes a free one. Others than this machine are only served "
            "with serve.token_file",
            {.shapes_result = false, .examples = {"127.0.0.1:8080", "0.0.0.0:8080", "[::1]:0"}});
  table.add("token_file", c.token_file,
            "file with a line for each bearer token that may ask: its SHA-256, its roles (read, "
            "predict and promote, with commas between) and a name; empty: anybody on this machine "
            "may read and predict",
            {.shapes_result = false});
  table.add("tls_certificate", c.tls_certificate,
            "PEM file with the certificate, and those between it and its root; empty: no TLS",
            {.shapes_result = false});
  table.add("tls_key", c.tls_key, "PEM file with the certificate's private key",
            {.shapes_result = false});
  table.add("shadow", c.shadow,
            "a second model that scores a copy of what the first one answers, so that both can be "
            "compared: candidate, or NAME@candidate, followed as it moves; empty: none",
            {.shapes_result = false, .examples = {"candidate", "viral@v3"}});
  table.add("more_models", c.more_models,
            "versions kept in memory besides the one that is served, for requests that name them",
            {.minimum = 1, .maximum = 100, .shapes_result = false});
  table.add(
      "copies", c.copies,
      "networks that score at the same time, each with memory of its own, and threads that read "
      "and answer small requests; 0: one per processor, at most 4",
      {.minimum = 0, .maximum = 256, .shapes_result = false});
  table.add("batch_rows", c.batch_rows, "most rows that are scored together",
            {.minimum = 1, .maximum = 100'000, .unit = "rows", .shapes_result = false});
  table.add("queue_rows", c.queue_rows,
            "rows that may wait; a request that finds more waiting is answered 503",
            {.minimum = 1, .maximum = 100'000'000, .unit = "rows", .shapes_result = false});
  table.add("request_rows", c.request_rows, "most rows of one request",
            {.minimum = 1, .maximum = 10'000'000, .unit = "rows", .shapes_result = false});
  table.add("body_bytes", c.body_bytes, "most bytes of one request, uncompressed",
            {.minimum = 1024,
             .maximum = static_cast<double>(std::int64_t{1} << 32U),
             .unit = "bytes",
             .shapes_result = false});
  table.add("header_bytes", c.header_bytes, "most bytes of a request's first line and headers",
            {.minimum = 1024, .maximum = 1'048'576, .unit = "bytes", .shapes_result = false});
  table.add("connections", c.connections,
            "clients at a time, each of which may have a body in memory; who comes on top is "
            "answered 503, or not at all",
            {.minimum = 1, .maximum = 10'000, .shapes_result = false});
  table.add("read_seconds", c.read_seconds, "time a client has to send one request",
            {.minimum = 0.1, .maximum = 3600, .unit = "s", .shapes_result = false});
  table.add("write_seconds", c.write_seconds, "time a client may take no byte of its answer",
            {.minimum = 0.1, .maximum = 3600, .unit = "s", .shapes_result = false});
  table.add("idle_seconds", c.idle_seconds, "how long a connection may stay open between requests",
            {.minimum = 0.1, .maximum = 3600, .unit = "s", .shapes_result = false});
  table.add("poll_seconds", c.poll_seconds,
            "how often to look whether --model means another model by now",
            {.minimum = 0.05, .maximum = 3600, .unit = "s", .shapes_result = false});
  table.add("query_log", c.query_log,
            "file that says what was asked and answered; empty: queries.sqlite in the store; none: "
            "no log",
            {.shapes_result = false, .examples = {"", "none", "/var/log/tcrops/queries.sqlite"}});
  table.add("log_sequences", c.log_sequences,
            "also keep what was sent, sequences and all, so that it can be looked at and scored "
            "again; otherwise only its SHA-256",
            {.shapes_result = false});
  table.add("keep_days", c.keep_days,
            "entries of the query log that are older are removed; 0: none. Laws may ask for half a "
            "year or more",
            {.minimum = 0, .maximum = 36'500, .unit = "days", .shapes_result = false});
}

Problems unfit_serve(const FieldTable& table, const ServeConfig& c) {
  const auto address = parse_listen(c.listen);
  if (!address) {
    return table.joint_problem({"serve.listen"},
                               fmt::format("\"{}\" is no address; write HOST:PORT, for example "
                                           "127.0.0.1:8080 or [::1]:8080",
                                           c.listen));
  }
  if (c.tls_certificate.empty() != c.tls_key.empty()) {
    return table.joint_problem({"serve.tls_certificate", "serve.tls_key"},
                               "TLS needs both a certificate and its key");
  }
  if (address->is_loopback() || !c.token_file.empty()) return {};
  return table.joint_problem({"serve.listen", "serve.token_file"},
                             fmt::format("others could reach {}: name a file of tokens in "
                                         "serve.token_file, or listen on 127.0.0.1",
                                         address->text()));
}

bool ListenAddress::is_loopback() const {
  in_addr four{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24U == 127U;
  return host == "localhost" || host == "::1";
}

std::string ListenAddress::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

std::optional<ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535) return std::nullopt;
  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string::npos;
  if (host.empty() || has_colon != bracketed || host.find_first_of("[]") != std::string::npos)
    return std::nullopt;
  return ListenAddress{host, static_cast<int>(*port)};
}

}  // namespace tcrops::stages
