#pragma once

#include "connection.hpp"
#include "exchange.hpp"
#include "workers.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tcrops::serve {

// What the loops of a server have in common.
struct LoopContext {
  Front front;
  ConnectionLimits limits;
  Workers& predicting;  // for routes that need the role
  Workers& others;
  std::size_t most_connections = 128;
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> connections{0};
};

// A thread that reads and writes its share of the connections as they are ready (epoll). Small
// requests of routes that answer together it answers itself, all that came at the same time at
// once; the others are for the workers.
class HttpLoop {
 public:
  explicit HttpLoop(LoopContext& context);
  ~HttpLoop();  // when every connection has ended; context.stopping must be set
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  // Takes over a connected socket that does not block. `is_extra`: all it gets is a 503, unless
  // others have gone when its request comes. From any thread.
  void adopt(int socket, std::unique_ptr<Transport> transport, bool is_extra);
  // Looks at context.stopping soon. From any thread.
  void wake();
  [[nodiscard]] std::size_t connections() const { return count_.load(); }

 private:
  using Clock = Connection::Clock;
  // What a worker has of a request.
  struct Job {
    Exchange exchange;
    RequestHead head;
    std::string body;
    Message message{};  // the answer; without a head when there is none
    bool last = true;
    std::atomic<bool> is_abandoned{false};  // the client has gone
  };
  struct Client {
    Client(std::uint64_t id, int socket, std::unique_ptr<Transport> transport,
           const ConnectionLimits& limits, Clock::time_point now, bool extra)
        : connection(id, socket, std::move(transport), limits, now), is_extra(extra) {}
    Connection connection;
    bool is_extra;
    std::optional<Exchange> exchange{};  // of the request that is read or answered
    std::shared_ptr<Job> job{};          // that a worker has; the client stays as long
    bool is_gone = false;
    bool is_ready = false;  // in ready_
  };
  using Task = std::function<void()>;

  void run();
  void handle(std::uint64_t id, std::uint32_t what);
  void post(Task task);
  void run_posted();
  void begin(int socket, std::unique_ptr<Transport> transport, bool is_extra);
  void look_at_all();
  void drive(Client& client);
  void drive_on(Client& client);
  void drive_ready();
  void decide(Client& client);
  void dispatch(Client& client);
  void ask_workers(Client& client);
  void work(const std::shared_ptr<Job>& job, std::uint64_t id);
  void end_job(std::uint64_t id);
  void answer_together();
  void answer_some(const std::vector<std::uint64_t>& ids);
  void answer_each(const std::vector<std::uint64_t>& ids, std::span<const Request> requests);
  void answer_failure(std::uint64_t id);
  void answer_with(std::uint64_t id, Response&& response);
  void answer(Client& client, Message&& message, bool last);
  [[nodiscard]] bool is_last(const Client& client) const;
  void watch(Client& client);
  void leave(Client& client);
  void give_up(std::uint64_t id, const std::exception& why);
  void remove(std::uint64_t id);

  LoopContext& context_;
  int epoll_ = -1;
  int event_ = -1;  // becomes readable when something is posted
  std::uint64_t next_id_ = 1;
  Clock::time_point now_ = Clock::now();
  std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
  std::vector<std::uint64_t> together_;  // their requests are complete
  std::vector<std::uint64_t> ready_;     // they had their turn, and may have more to read
  std::size_t jobs_ = 0;                 // that workers have
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::vector<Task> posted_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tcrops::serve
