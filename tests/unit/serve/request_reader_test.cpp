#include "request_reader.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace tcrops::serve;

namespace {

constexpr ReadLimits kLimits{.header_bytes = 300, .body_bytes = 50};

// Reads a text as a connection does, `step` bytes at a time; what was left of it.
std::string read_all(RequestReader& reader, const std::string& text, std::size_t step) {
  std::string waiting;
  for (std::size_t at = 0; at < text.size(); at += step) {
    waiting += text.substr(at, step);
    std::size_t taken = 0;
    do {
      taken = reader.read(waiting);
      waiting.erase(0, taken);
    } while (taken > 0);
  }
  return waiting;
}

int status_of(const std::string& text, std::size_t step) {
  RequestReader reader(kLimits);
  try {
    static_cast<void>(read_all(reader, text, step));
    return reader.is_done() ? 200 : 0;
  } catch (const HttpError& error) {
    return error.status();
  }
}

}  // namespace

TEST_CASE("a request is read whole, whatever pieces it comes in") {
  const std::string text =
      "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice:  2 \r\nContent-Length: 5\r\n\r\n"
      "helloGET / HTTP";
  for (const std::size_t step : {1UL, 2UL, 7UL, 1000UL}) {
    RequestReader reader(kLimits);
    CHECK_FALSE(reader.has_begun());
    CHECK(read_all(reader, text, step) == "GET / HTTP");
    REQUIRE(reader.is_done());
    const RequestHead& head = reader.head();
    CHECK(head.method == "POST");
    CHECK(head.target == "/a?b=c");
    CHECK(head.header("x-twice") == "1");
    CHECK(head.headers.at(2) == std::pair<std::string, std::string>("x-twice", "2"));
    CHECK(head.length == 5U);
    CHECK(head.keeps_alive);
    CHECK(reader.body() == "hello");
    reader.restart();
    CHECK_FALSE(reader.has_head());
    CHECK(reader.read("GET / HTTP/1.0\r\n\r\n") == 18);
    CHECK(reader.is_done());
    CHECK(reader.head().is_http_1_0);
    CHECK_FALSE(reader.head().keeps_alive);
    CHECK_FALSE(reader.head().length);
  }
}

TEST_CASE("chunks are joined") {
  const std::string text =
      "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n"
      "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nrest";
  for (const std::size_t step : {1UL, 3UL, 1000UL}) {
    RequestReader reader(kLimits);
    CHECK(read_all(reader, text, step) == "rest");
    REQUIRE(reader.is_done());
    CHECK(reader.head().is_chunked);
    CHECK(reader.head().expects_continue);
    CHECK(reader.head().headers.size() == 2);
    CHECK(reader.body() == "abc0123456789");
  }
}

TEST_CASE("what two readers could take for different requests is refused") {
  const std::string post = "POST / HTTP/1.1\r\n";
  for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{
           {"GET / HTTP/1.1\n\n", 400},
           {"GET / HTTP/1.1\r\nX: 1\n\r\n", 400},
           {"GET / HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\n\tfolded: x\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nNo colon\r\n\r\n", 400},
           {"GET / HTTP/1.1\r\nName : x\r\n\r\n", 400},
           {"GET / HTTP/2.0\r\n\r\n", 400},
           {"GET  / HTTP/1.1\r\n\r\n", 400},
           {"\r\n\r\n", 400},
           {post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
           {post + "Content-Length: 1, 1\r\n\r\nx", 400},
           {post + "Content-Length: +1\r\n\r\nx", 400},
           {post + "Content-Length: -1\r\n\r\nx", 400},
           {post + "Content-Length: 0x1\r\n\r\nx", 400},
           {post + "Content-Length: \r\n\r\n", 400},
           {post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
           {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
           {post + "Transfer-Encoding: gzip\r\n\r\n", 501},
           {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
           {post + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", 400},
           {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
           {post + "Content-Length: 51\r\n\r\n" + std::string(51, 'x'), 413},
           {post + "Transfer-Encoding: chunked\r\n\r\n33\r\n" + std::string(51, 'x') + "\r\n", 413},
           {post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x'), 413},
           {"GET / HTTP/1.1\r\nX: " + std::string(300, 'x') + "\r\n\r\n", 431},
           {std::string(400, 'x'), 431},
           {post + "Content-Length: 50\r\n\r\n" + std::string(50, 'x'), 200}}) {
    CAPTURE(text.substr(0, 100));
    CHECK(status_of(text, text.size()) == status);
    CHECK(status_of(text, 5) == status);
  }
}
