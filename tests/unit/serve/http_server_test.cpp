#include "http_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace tcrops;
using namespace tcrops::serve;
using namespace std::chrono_literals;

namespace {

// A client that sends and receives bytes as they are.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    is_connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  bool send(const std::string& text) {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // No more will be sent or received.
  void finish() { ::shutdown(socket_, SHUT_RDWR); }
  // No more will be sent.
  void end() { ::shutdown(socket_, SHUT_WR); }
  // Breaks off without a word.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    ::close(std::exchange(socket_, -1));
  }
  // One answer with its head; what comes until the end when there is no whole one.
  std::string answer() {
    for (;;) {
      const std::size_t head = received_.find("\r\n\r\n");
      const std::size_t at = received_.find("Content-Length: ");
      if (head != std::string::npos && at < head) {
        const std::size_t size = head + 4 + std::stoul(received_.substr(at + 16));
        if (received_.size() >= size) {
          std::string whole = received_.substr(0, size);
          received_.erase(0, size);
          return whole;
        }
      }
      std::string block(65'536, '\0');
      const ssize_t count = ::recv(socket_, block.data(), block.size(), 0);
      if (count <= 0) return std::exchange(received_, {});
      received_.append(block, 0, static_cast<std::size_t>(count));
    }
  }
  std::string ask(const std::string& path, const std::string& body) {
    return send(fmt::format("POST {} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}", path, body.size(),
                            body))
               ? answer()
               : "";
  }

 private:
  int socket_;
  bool is_connected_ = false;
  std::string received_;
};

// Holds handlers until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_open_; });
  }
  void wait_for(int waiting) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= waiting; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_open_ = false;
};

Response response_of(const std::string& body) {
  Response response;
  response.body = body;
  return response;
}

// A server with a route that answers together (/together), one that waits for a gate (/slow), and
// one that says bodies back (/echo).
class Running {
 public:
  explicit Running(const stages::ServeConfig& config = {}, std::size_t loops = 2)
      : server_(
            config, router_, Tokens(), loops,
            [] { return std::make_shared<const std::string>("X-Model-Id: m\r\n"); },
            [this](const Served& served) {
              const std::lock_guard lock(mutex_);
              served_.emplace_back(served.route, served.status);
            }) {
    const auto echo = [](const Request& request, const PathValues&) {
      if (request.body == "throw") throw HttpError(409, "thrown");
      return response_of(request.body);
    };
    router_.add({"POST", "/echo", echo, kAnybody});
    router_.add({"POST", "/slow",
                 [this](const Request& request, const PathValues&) {
                   gate.pass();
                   return response_of(request.body);
                 },
                 kAnybody});
    router_.add({"POST", "/together", echo, kAnybody, [this](std::span<const Request> requests) {
                   if (requests.front().body == "{wait") gate.pass();
                   std::size_t most = most_together.load();
                   while (most < requests.size() &&
                          !most_together.compare_exchange_weak(most, requests.size())) {
                   }
                   std::vector<Response> responses;
                   for (const Request& request : requests) {
                     if (request.body == "{throw") throw std::runtime_error("none of them");
                     responses.push_back(response_of(request.body + "!"));
                   }
                   return responses;
                 }});
    port = server_.bind({"127.0.0.1", 0});
    thread_ = std::thread([this] { server_.run(); });
  }
  ~Running() {
    gate.open();
    stop();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void tell_to_stop() { server_.stop(); }
  void stop() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::size_t connections() const { return server_.connections(); }
  [[nodiscard]] std::vector<std::pair<std::string, int>> served() {
    const std::lock_guard lock(mutex_);
    return served_;
  }

  Gate gate;
  std::atomic<std::size_t> most_together{0};
  int port = 0;

 private:
  Router router_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, int>> served_;
  HttpServer server_;
  std::thread thread_;
};

bool is_answer(const std::string& text, int status, const std::string& body) {
  return text.starts_with("HTTP/1.1 " + std::to_string(status)) &&
         text.ends_with("\r\n\r\n" + body);
}

}  // namespace

TEST_CASE("many clients get their own answers, from loops and from workers") {
  Running running;
  std::vector<std::future<int>> all;
  for (int number = 0; number < 8; ++number) {
    all.push_back(std::async(std::launch::async, [&running, number] {
      Client client(running.port);
      int right = 0;
      for (int turn = 0; turn < 200; ++turn) {
        const std::string name = fmt::format("{{{}/{}", number, turn);
        const bool together = turn % 3 != 0;
        const std::string got = client.ask(together ? "/together" : "/echo", name);
        right += is_answer(got, 200, together ? name + "!" : name) ? 1 : 0;
      }
      return right;
    }));
  }
  for (auto& each : all) CHECK(each.get() == 200);
  running.stop();
  CHECK(running.connections() == 0);
  CHECK(running.served().size() == 1600);
}

TEST_CASE("those that wait for a loop are answered together, each with its own") {
  const bool fails = GENERATE(false, true);
  Running running({}, 1);
  Client first(running.port);
  REQUIRE(first.send("POST /together HTTP/1.1\r\nContent-Length: 5\r\n\r\n{wait"));
  running.gate.wait_for(1);
  std::vector<std::unique_ptr<Client>> others;
  const auto body_of = [&](std::size_t i) {
    return fails && i == 5 ? std::string("{throw") : fmt::format("{{{:5}", i);
  };
  for (std::size_t i = 0; i < 8; ++i) {
    others.push_back(std::make_unique<Client>(running.port));
    REQUIRE(others.back()->send(
        fmt::format("POST /together HTTP/1.1\r\nContent-Length: 6\r\n\r\n{}", body_of(i))));
  }
  while (running.connections() < 9) std::this_thread::sleep_for(1ms);
  running.gate.open();
  CHECK(is_answer(first.answer(), 200, "{wait!"));
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string answer = others[i]->answer();
    if (fails)
      CHECK(answer.starts_with("HTTP/1.1 500"));
    else
      CHECK(is_answer(answer, 200, body_of(i) + "!"));
  }
  CHECK(running.most_together == 8);
}

TEST_CASE("one client with many requests lets others have their turn") {
  Running running({}, 1);
  Client greedy(running.port);
  std::atomic<bool> done{false};
  const bool is_together = GENERATE(false, true);
  const std::string one = is_together ? "POST /together HTTP/1.1\r\nContent-Length: 2\r\n\r\n{x"
                                      : "GET /nothing HTTP/1.1\r\n\r\n";
  std::string many;
  while (many.size() < 60'000) many += one;
  std::thread sender([&] {
    while (!done && greedy.send(many)) {
    }
  });
  std::thread reader([&] {
    while (!greedy.answer().empty()) {
    }
  });
  Client other(running.port);
  for (int i = 0; i < 20; ++i) CHECK(is_answer(other.ask("/echo", "x"), 200, "x"));
  done = true;
  greedy.finish();
  sender.join();
  reader.join();
}

TEST_CASE("a client that breaks off counts as long as a worker has its request") {
  stages::ServeConfig config;
  config.connections = 2;
  Running running(config, 1);
  auto slow = std::make_unique<Client>(running.port);
  REQUIRE(slow->send("POST /slow HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
  running.gate.wait_for(1);
  Client other(running.port);
  CHECK(is_answer(other.ask("/echo", "x"), 200, "x"));
  slow->reset();
  CHECK(is_answer(other.ask("/echo", "x"), 200, "x"));
  CHECK(running.connections() == 2);
  CHECK(Client(running.port).ask("/echo", "x").starts_with("HTTP/1.1 503"));
  running.gate.open();
  while (running.connections() > 1) std::this_thread::sleep_for(1ms);
  CHECK(is_answer(other.ask("/echo", "x"), 200, "x"));
}

TEST_CASE("requests of one client in one go go through both, in order") {
  Running running;
  Client client(running.port);
  std::string all;
  for (const char* path : {"/together", "/echo", "/together", "/together", "/echo"})
    all += fmt::format("POST {} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{{}", path, all.size() % 10);
  REQUIRE(client.send(all));
  for (std::size_t at = 0; at < all.size(); at = all.find("POST", at + 1)) {
    const std::string sent = fmt::format("{{{}", at % 10);
    const bool together = all.substr(at).starts_with("POST /together");
    CHECK(is_answer(client.answer(), 200, sent + (together ? "!" : "")));
  }
}

TEST_CASE("what is large or asks for more goes to a worker") {
  Running running;
  Client client(running.port);
  const std::string large = "{" + std::string(8'192, 'x');
  CHECK(is_answer(client.ask("/together", large), 200, large));
  CHECK(is_answer(client.ask("/together", "x"), 200, "x"));
  CHECK(is_answer(client.ask("/together?a=b", "{x"), 200, "{x"));
  const std::string many(34, '{');
  CHECK(is_answer(client.ask("/together", many), 200, many));
  CHECK(running.most_together == 0);
  CHECK(is_answer(client.ask("/together", "{x"), 200, "{x!"));
  CHECK(running.most_together == 1);
}

TEST_CASE("a handler that throws is answered for") {
  Running running;
  Client client(running.port);
  CHECK(client.ask("/echo", "throw").starts_with("HTTP/1.1 409"));
  CHECK(client.ask("/together", "{throw").starts_with("HTTP/1.1 500"));
  CHECK(client.ask("/nothing", "").starts_with("HTTP/1.1 404"));
  CHECK(is_answer(client.ask("/echo", "x"), 200, "x"));
  CHECK(running.served() == std::vector<std::pair<std::string, int>>{
                                {"/echo", 409}, {"/together", 500}, {"none", 404}, {"/echo", 200}});
}

TEST_CASE("a slow handler holds up nobody else, and is waited for at the end") {
  Running running;
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 3; ++i) {
    slow.push_back(std::make_unique<Client>(running.port));
    REQUIRE(slow.back()->send("POST /slow HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"));
  }
  running.gate.wait_for(3);
  slow.pop_back();  // leaves
  Client idle(running.port);
  CHECK(is_answer(idle.ask("/together", "{x"), 200, "{x!"));
  running.tell_to_stop();
  CHECK(idle.answer().empty());
  running.gate.open();
  for (const auto& client : slow) {
    const std::string answer = client->answer();
    CHECK(is_answer(answer, 200, "x"));
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(client->answer().empty());
  }
  running.stop();
  CHECK(running.connections() == 0);
  CHECK_FALSE(Client(running.port).is_connected());
}

TEST_CASE("clients beyond the limit are told so, until others go") {
  stages::ServeConfig config;
  config.connections = 2;
  Running running(config);
  auto first = std::make_unique<Client>(running.port);
  Client second(running.port);
  CHECK(is_answer(first->ask("/echo", "x"), 200, "x"));
  CHECK(is_answer(second.ask("/echo", "x"), 200, "x"));
  // Gone at once: one that stays is waited for a while, and counts.
  const std::string refused = Client(running.port).ask("/echo", "x");
  CHECK(refused.starts_with("HTTP/1.1 503"));
  CHECK(refused.find("\r\nRetry-After: 1\r\n") != std::string::npos);
  first.reset();
  std::string answer;
  for (int i = 0; i < 100 && !answer.starts_with("HTTP/1.1 200"); ++i) {
    std::this_thread::sleep_for(20ms);
    answer = Client(running.port).ask("/echo", "x");
  }
  CHECK(is_answer(answer, 200, "x"));
}

TEST_CASE("who sends several requests and says that it was all gets all answers") {
  Running running;
  for (int turn = 0; turn < 20; ++turn) {
    Client client(running.port);
    std::string all;
    for (int i = 0; i < 5; ++i)
      all += fmt::format("POST /together HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{{}", i);
    REQUIRE(client.send(all));
    client.end();
    for (int i = 0; i < 5; ++i) CHECK(is_answer(client.answer(), 200, fmt::format("{{{}!", i)));
  }
}

TEST_CASE("a server may be told to stop before it runs") {
  stages::ServeConfig config;
  Router router;
  HttpServer server(config, router, Tokens(), 1, [] { return nullptr; }, {});
  CHECK(server.bind({"127.0.0.1", 0}) > 0);
  server.stop();
  server.run();
  CHECK(server.connections() == 0);
}
