#include "connection.hpp"

#include <catch2/catch.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

using namespace tcrops::serve;
using namespace std::chrono_literals;
using Step = Connection::Step;

namespace {

constexpr ConnectionLimits kLimits{.read = {.header_bytes = 1000, .body_bytes = 1000},
                                   .reading = 30s,
                                   .writing = 20s,
                                   .idle = 10s};
const std::string kGet = "GET / HTTP/1.1\r\n\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n";

// A connection, and the client's end of it.
class Ends {
 public:
  Ends() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets_.data()) == 0);
    connection =
        std::make_unique<Connection>(1, sockets_[0], plain_transport(sockets_[0]), kLimits, now);
  }
  ~Ends() { leave(); }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  void send(const std::string& text) {
    REQUIRE(::write(sockets_[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  std::string receive() {
    std::string text(1 << 20, '\0');
    const ssize_t count = ::read(sockets_[1], text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
  void leave() {
    if (sockets_[1] >= 0) ::close(std::exchange(sockets_[1], -1));
  }
  Step advance() { return connection->advance(now); }
  // Up to the request being there.
  void take_request() {
    REQUIRE(advance() == Step::kHead);
    connection->take_body();
    REQUIRE(advance() == Step::kRequest);
    connection->await_answer();
  }

  Connection::Clock::time_point now = Connection::Clock::now();
  std::unique_ptr<Connection> connection;

 private:
  std::array<int, 2> sockets_{-1, -1};
};

}  // namespace

TEST_CASE("requests in one go are answered in turn") {
  Ends ends;
  CHECK(ends.advance() == Step::kWait);
  CHECK(ends.connection->is_idle());
  ends.send(kPost + "body" + kGet + "GET /half");
  ends.take_request();
  CHECK(ends.connection->body() == "body");
  CHECK(ends.connection->wants() == 0);
  CHECK(ends.advance() == Step::kWait);  // whatever else is there
  ends.connection->answer({"one", {}}, false, ends.now);
  REQUIRE(ends.advance() == Step::kHead);
  CHECK(ends.receive() == "one");
  CHECK(ends.connection->head().method == "GET");
  ends.connection->take_body();
  REQUIRE(ends.advance() == Step::kRequest);
  ends.connection->answer({"two", {}}, false, ends.now);
  CHECK(ends.advance() == Step::kWait);
  CHECK(ends.receive() == "two");
  CHECK(ends.connection->wants() == EPOLLIN);
  CHECK_FALSE(ends.connection->is_idle());
  ends.leave();
  CHECK(ends.advance() == Step::kClosed);
}

TEST_CASE("the last answer goes out before the connection ends") {
  Ends ends;
  ends.send(kPost);
  REQUIRE(ends.advance() == Step::kHead);
  CHECK(ends.connection->has_unread_body());
  ends.connection->answer({"no", {}}, true, ends.now);
  CHECK(ends.advance() == Step::kWait);
  CHECK(ends.receive() == "no");
  ends.send("what nobody reads");
  CHECK(ends.advance() == Step::kWait);
  CHECK_FALSE(ends.connection->is_overdue(ends.now + 1s));
  CHECK(ends.connection->is_overdue(ends.now + 3s));
  CHECK(ends.advance() == Step::kClosed);
}

TEST_CASE("a large answer waits for whoever reads it") {
  Ends ends;
  ends.send(kGet);
  ends.take_request();
  const std::string head(100'000, 'h');
  const std::string body(10 << 20, 'x');
  const std::string large = head + body;
  ends.connection->answer({head, body}, false, ends.now);
  std::string got;
  while (ends.advance() == Step::kWait && got.size() < large.size()) {
    if (got.size() + (1 << 20) < large.size()) CHECK(ends.connection->wants() == EPOLLOUT);
    const auto later = ends.now + (ends.connection->is_idle() ? 9s : 19s);
    CHECK_FALSE(ends.connection->is_overdue(later));
    got += ends.receive();
  }
  CHECK(got == large);
  CHECK(ends.advance() == Step::kWait);
  CHECK(ends.connection->is_idle());
}

TEST_CASE("those who are too slow") {
  SECTION("to ask") {
    Ends ends;
    CHECK(ends.advance() == Step::kWait);
    CHECK_FALSE(ends.connection->is_overdue(ends.now + 9s));
    CHECK(ends.connection->is_overdue(ends.now + 10s));
    CHECK(ends.advance() == Step::kClosed);
  }
  SECTION("with a request, however often they send a letter") {
    Ends ends;
    const auto begin = ends.now;
    for (int i = 0; i < 29; ++i) {
      ends.send("x");
      CHECK(ends.advance() == Step::kWait);
      ends.now += 1s;
      CHECK_FALSE(ends.connection->is_overdue(ends.now));
    }
    CHECK(ends.connection->is_overdue(begin + 30s));
    REQUIRE(ends.advance() == Step::kRefused);
    CHECK(ends.connection->refusal().status() == 408);
  }
  SECTION("to take an answer") {
    Ends ends;
    ends.send(kGet);
    ends.take_request();
    CHECK_FALSE(ends.connection->is_overdue(ends.now + 1h));  // that is the server's fault
    ends.connection->answer({std::string(10 << 20, 'x'), {}}, false, ends.now);
    CHECK(ends.advance() == Step::kWait);
    CHECK(ends.connection->is_overdue(ends.now + 20s));
    CHECK(ends.advance() == Step::kClosed);
  }
}

TEST_CASE("a body that is asked for comes") {
  Ends ends;
  ends.send("POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  REQUIRE(ends.advance() == Step::kHead);
  CHECK(ends.receive().empty());
  ends.connection->take_body();
  CHECK(ends.receive() == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(ends.advance() == Step::kWait);
  ends.send("body");
  CHECK(ends.advance() == Step::kRequest);
}

TEST_CASE("only an idle connection is ended") {
  Ends ends;
  ends.send("GET");
  CHECK(ends.advance() == Step::kWait);
  ends.connection->end();
  ends.send(kGet.substr(3));
  ends.take_request();
  ends.connection->answer({"x", {}}, false, ends.now);
  CHECK(ends.advance() == Step::kWait);
  ends.connection->end();
  CHECK(ends.advance() == Step::kClosed);
}
