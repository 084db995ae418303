// Load on an HTTP server from one thread: raw sockets that are kept alive, one request at a time on
// each.
//
// closed loop (no --rate): each connection asks again as soon as it has its answer, which finds
// what a server can do. open loop (--rate R): requests are due at fixed times, whether or not the
// ones before them are answered, and a latency counts from when its request was due; so a server
// that stalls is charged for all who would have come meanwhile.
//
// Prints one JSON object. Exit status 1 when nothing answers.

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/json.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <strings.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::nanoseconds;
using tcrops::Json;

constexpr std::size_t kBlock = 65'536;
constexpr std::chrono::seconds kPatience{30};  // for what is still out when the time is over
constexpr std::size_t kMostBrokenInARow = 100;
constexpr std::string_view kHeaderEnd = "\r\n\r\n";

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t connections = 1;
  double rate = 0.0;
  double seconds = 10.0;
  double warmup = 1.0;
  std::string path = "/v1/predict";
  std::string type = "application/json";
  std::vector<std::string> bodies;  // files, sent in turn
};

// Reads one answer as its bytes come.
class Answer {
 public:
  void clear() {
    header_.clear();
    in_body_ = false;
    left_ = 0;
    status_ = 0;
    closes_ = false;
  }
  // Throws std::runtime_error for what is no answer, or goes on behind its end.
  void add(std::string_view bytes) {
    if (!in_body_) {
      const std::size_t before = header_.size();
      header_ += bytes;
      const std::size_t end = header_.find(kHeaderEnd, before < 3 ? 0 : before - 3);
      if (end == std::string::npos) return;
      const std::size_t body = header_.size() - end - kHeaderEnd.size();
      bytes = bytes.substr(bytes.size() - body);
      header_.resize(end);
      read_header();
    }
    if (bytes.size() > left_) throw std::runtime_error("bytes behind the answer");
    left_ -= bytes.size();
  }
  [[nodiscard]] bool has_begun() const { return in_body_ || !header_.empty(); }
  [[nodiscard]] bool is_whole() const { return in_body_ && left_ == 0; }
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] bool closes() const { return closes_; }

 private:
  // The value of a line of the header, when it has this name.
  static std::optional<std::string_view> value(std::string_view line, std::string_view name) {
    if (line.size() <= name.size() || line[name.size()] != ':' ||
        ::strncasecmp(line.data(), name.data(), name.size()) != 0)
      return std::nullopt;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return line;
  }
  void read_header() {
    in_body_ = true;
    std::string_view rest = header_;
    if (!rest.starts_with("HTTP/1.1 ") || rest.size() < 12)
      throw std::runtime_error("no HTTP/1.1 answer");
    status_ = number(rest.substr(9, 3));
    bool has_length = false;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(std::min(line.size() + 2, rest.size()));
      if (const auto length = value(line, "content-length")) {
        left_ = static_cast<std::size_t>(number(*length));
        has_length = true;
      } else if (const auto connection = value(line, "connection")) {
        closes_ = *connection == "close";
      }
    }
    if (!has_length) throw std::runtime_error("an answer without Content-Length");
  }
  static int number(std::string_view text) {
    int result = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    if (error != std::errc() || end != text.data() + text.size())
      throw std::runtime_error("no number: " + std::string(text));
    return result;
  }

  std::string header_;
  bool in_body_ = false;
  std::size_t left_ = 0;
  int status_ = 0;
  bool closes_ = false;
};

struct Client {
  int socket = -1;
  const std::string* request = nullptr;  // null: idle
  std::size_t sent = 0;
  bool waits_to_write = false;
  Clock::time_point due;
  Answer answer;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), clients_(options.connections) {
    for (const std::string& file : options.bodies) {
      const std::string body = tcrops::read_file(file);
      requests_.push_back(
          fmt::format("POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: {}\r\nContent-Length: {}"
                      "\r\n\r\n{}",
                      options.path, options.host, options.port, options.type, body.size(), body));
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) idle_.push_back(i);
    if (poll_ < 0) throw std::runtime_error("epoll_create1 failed");
  }
  ~Load() {
    for (Client& client : clients_) close(client);
    ::close(poll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Json run() {
    begin_ = Clock::now();
    counted_from_ = begin_ + of_seconds(options_.warmup);
    end_ = counted_from_ + of_seconds(options_.seconds);
    while (Clock::now() < end_ + kPatience) {
      send_what_is_due();
      if (idle_.size() == clients_.size() && next_due() >= end_) break;
      wait();
    }
    return summary();
  }

 private:
  static Nanoseconds of_seconds(double seconds) {
    return Nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  }
  [[nodiscard]] bool is_open_loop() const { return options_.rate > 0.0; }
  // When the next request is due; of a closed loop: now.
  [[nodiscard]] Clock::time_point next_due() const {
    if (!is_open_loop()) return Clock::now();
    return begin_ + of_seconds(static_cast<double>(number_) / options_.rate);
  }

  void send_what_is_due() {
    while (!idle_.empty()) {
      const Clock::time_point due = next_due();
      if (due >= end_ || due > Clock::now()) return;
      Client& client = clients_[idle_.back()];
      idle_.pop_back();
      client.request = &requests_[number_++ % requests_.size()];
      client.sent = 0;
      client.due = due;
      client.answer.clear();
      if (client.socket < 0) connect(client);
      write(client);
    }
  }

  void wait() {
    timespec timeout{0, 100'000'000};
    if (is_open_loop() && !idle_.empty()) {
      const auto left = std::clamp<Nanoseconds>(next_due() - Clock::now(), Nanoseconds(0),
                                                Nanoseconds(100'000'000));
      timeout.tv_nsec = left.count();
    }
    std::array<epoll_event, 256> events{};
    const int count =
        ::epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events.at(static_cast<std::size_t>(i));
      Client& client = clients_[event.data.u64];
      if (client.socket >= 0 && (event.events & EPOLLOUT) != 0U) write(client);
      if (client.socket >= 0 && (event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0U)
        read(client);
    }
  }

  void connect(Client& client) {
    client.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client.socket < 0) throw std::runtime_error(std::strerror(errno));
    const int yes = 1;
    ::setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    if (::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1)
      throw std::runtime_error(options_.host + " is no IPv4 address");
    // What is wrong with it shows when it is written to.
    static_cast<void>(
        ::connect(client.socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
    client.waits_to_write = false;
    watch(client, EPOLL_CTL_ADD);
  }

  void watch(const Client& client, int operation) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (client.waits_to_write) event.events |= EPOLLOUT;
    event.data.u64 = static_cast<std::uint64_t>(&client - clients_.data());
    if (::epoll_ctl(poll_, operation, client.socket, &event) != 0)
      throw std::runtime_error(std::strerror(errno));
  }

  void write(Client& client) {
    while (client.request != nullptr && client.sent < client.request->size()) {
      const ssize_t count = ::send(client.socket, client.request->data() + client.sent,
                                   client.request->size() - client.sent, MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN && errno != EINPROGRESS) {
        // A server that refuses before it has read all has still said why.
        if (errno == EPIPE || errno == ECONNRESET) break;
        return fail(client, "broken");
      }
      if (count < 0) break;
      client.sent += static_cast<std::size_t>(count);
    }
    const bool waits = client.request != nullptr && client.sent < client.request->size() &&
                       !client.answer.has_begun();
    if (waits == client.waits_to_write) return;
    client.waits_to_write = waits;
    watch(client, EPOLL_CTL_MOD);
  }

  void read(Client& client) {
    const ssize_t count = ::recv(client.socket, block_.data(), block_.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      if (client.request == nullptr) return close(client);  // idle for too long
      return fail(client, "broken");
    }
    if (client.request == nullptr) throw std::runtime_error("bytes that nobody asked for");
    client.answer.add(std::string_view(block_.data(), static_cast<std::size_t>(count)));
    if (client.answer.is_whole()) finish(client);
  }

  void finish(Client& client) {
    broken_in_a_row_ = 0;
    const Clock::time_point now = Clock::now();
    const int status = client.answer.status();
    if (client.due >= counted_from_) {
      if (status == 200) {
        latencies_.push_back(std::chrono::duration<float, std::milli>(now - client.due).count());
        if (now <= end_) ++in_time_;
      } else {
        ++errors_[fmt::format("status_{}", status)];
      }
    }
    if (client.answer.closes()) close(client);
    rest(client);
  }

  void fail(Client& client, const std::string& why) {
    if (++broken_in_a_row_ > kMostBrokenInARow)
      throw std::runtime_error("nothing answers any more");
    if (client.due >= counted_from_) ++errors_[why];
    close(client);
    rest(client);
  }

  void rest(Client& client) {
    client.request = nullptr;
    idle_.push_back(static_cast<std::size_t>(&client - clients_.data()));
  }

  static void close(Client& client) {
    if (client.socket >= 0) ::close(client.socket);
    client.socket = -1;
  }

  Json summary() {
    if (const std::size_t out = clients_.size() - idle_.size(); out > 0)
      errors_["unanswered"] += out;
    if (is_open_loop() && next_due() < end_) {
      const std::chrono::duration<double> left = end_ - next_due();
      errors_["never_sent"] += static_cast<std::size_t>(left.count() * options_.rate);
    }
    std::sort(latencies_.begin(), latencies_.end());
    Json latency = Json::object();
    double sum = 0.0;
    for (const float each : latencies_) sum += static_cast<double>(each);
    if (!latencies_.empty()) {
      for (const auto& [name, share] : {std::pair{"p50", 0.5}, std::pair{"p95", 0.95},
                                        std::pair{"p99", 0.99}, std::pair{"p99_9", 0.999}}) {
        latency[name] = rounded(quantile(share));
      }
      latency["max"] = rounded(static_cast<double>(latencies_.back()));
      latency["mean"] = rounded(sum / static_cast<double>(latencies_.size()));
    }
    return {{"loop", is_open_loop() ? "open" : "closed"},
            {"connections", options_.connections},
            {"rate", is_open_loop() ? Json(options_.rate) : Json()},
            {"seconds", options_.seconds},
            {"answered", latencies_.size()},
            {"requests_per_second", rounded(static_cast<double>(in_time_) / options_.seconds)},
            {"latency_ms", latency},
            {"errors", errors_}};
  }

  static double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }
  // Nearest rank: the smallest value that so many are not above.
  [[nodiscard]] double quantile(double share) const {
    const double rank = std::ceil(share * static_cast<double>(latencies_.size()));
    return static_cast<double>(latencies_[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
  }

  const Options& options_;
  std::vector<std::string> requests_;
  std::vector<Client> clients_;
  std::vector<std::size_t> idle_;
  int poll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<char> block_ = std::vector<char>(kBlock);
  Clock::time_point begin_;
  Clock::time_point counted_from_;
  Clock::time_point end_;
  std::uint64_t number_ = 0;
  std::size_t broken_in_a_row_ = 0;
  std::vector<float> latencies_;
  std::size_t in_time_ = 0;
  std::map<std::string, std::size_t> errors_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("load on an HTTP server");
  Options options;
  app.add_option("--host", options.host)->capture_default_str();
  app.add_option("--port", options.port)->required();
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 10'000));
  app.add_option("--rate", options.rate, "requests per second; without it the loop is closed");
  app.add_option("--seconds", options.seconds, "counted, after the warm-up");
  app.add_option("--warmup", options.warmup, "seconds that do not count");
  app.add_option("--path", options.path)->capture_default_str();
  app.add_option("--type", options.type, "Content-Type")->capture_default_str();
  app.add_option("bodies", options.bodies, "files, posted in turn")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    fmt::print("{}\n", Load(options).run().dump());
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "http_load: {}\n", error.what());
    return 1;
  }
}
