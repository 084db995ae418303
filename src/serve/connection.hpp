#pragma once

#include "request_reader.hpp"
#include "transport.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tcrops::serve {

struct ConnectionLimits {
  ReadLimits read;
  std::chrono::milliseconds reading{30'000};  // for one request, from its first byte to its last
  std::chrono::milliseconds writing{30'000};  // without a byte taken
  std::chrono::milliseconds idle{15'000};     // between requests
};

// One client's connection: bytes in, requests out, answers in, bytes out. Never waits; whoever runs
// it calls advance() whenever the socket is ready for what wants() says, and does what the step
// asks. Closes the socket. One thread at a time.
class Connection {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(std::uint64_t id, int socket, std::unique_ptr<Transport> transport,
             const ConnectionLimits& limits, Clock::time_point now);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Step {
    kWait,     // for the socket, or for an answer
    kHead,     // of a request is there: take_body() or answer()
    kRequest,  // is there: await_answer(), then answer()
    kRefused,  // a request cannot be read, or not in time: answer() with refusal()
    kClosed    // nothing will come of it any more
  };
  // Reads and writes as far as it goes. After kHead and kRequest it is called again once the step
  // was done.
  [[nodiscard]] Step advance(Clock::time_point now);

  [[nodiscard]] RequestHead& head() { return reader_.head(); }
  [[nodiscard]] std::string& body() { return reader_.body(); }
  [[nodiscard]] const HttpError& refusal() const { return *refusal_; }
  // Whether its request asked to be answered before it is all read.
  [[nodiscard]] bool has_unread_body() const { return reader_.has_head() && !reader_.is_done(); }

  // After kHead: the body may come.
  void take_body();
  // After kRequest: the answer will come later, and nothing is read until then.
  void await_answer() { state_ = State::kAnswering; }
  // `last`: the connection ends with it.
  void answer(Message&& message, bool last, Clock::time_point now);

  // Whether no request has begun; whether one was ever answered.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] bool has_answered() const { return has_answered_; }
  [[nodiscard]] Clock::time_point idle_since() const { return since_; }
  // No more requests are read.
  void end();
  // Whether it was too slow: the next advance() closes or refuses it.
  [[nodiscard]] bool is_overdue(Clock::time_point now);

  // EPOLLIN, EPOLLOUT, or nothing while an answer is awaited.
  [[nodiscard]] std::uint32_t wants() const;
  // What the socket is watched for; kept here for whoever watches.
  std::uint32_t watched = 0;

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] int socket() const { return socket_; }

 private:
  enum class State {
    kHead,       // of a request is awaited
    kDeciding,   // it is there, and somebody looks at it
    kBody,       // is awaited
    kAnswering,  // somebody makes the answer
    kWriting,    // it goes out
    kLingering,  // the last one has gone out; what still comes is thrown away
    kClosed
  };

  Step read_on(Clock::time_point now);
  Step write_on(Clock::time_point now);
  Step linger(Clock::time_point now);
  // More bytes, valid until the next call; empty when there are none for now, or ever.
  [[nodiscard]] std::string_view receive(Clock::time_point now);
  void read_or_keep(std::string_view bytes);
  Step refuse(HttpError error);
  void close() { state_ = State::kClosed; }
  void begin_request(Clock::time_point now);

  std::uint64_t id_;
  int socket_;
  std::unique_ptr<Transport> transport_;
  const ConnectionLimits& limits_;
  RequestReader reader_;
  State state_ = State::kHead;
  std::string in_;  // received; from at_ on not yet read
  std::size_t at_ = 0;
  Message out_;  // from sent_ on, head and body counted as one, not yet sent
  std::size_t sent_ = 0;
  std::optional<HttpError> refusal_;
  std::uint32_t wants_;
  Clock::time_point since_;  // the last change that a limit counts from
  bool has_answered_ = false;
  bool is_last_ = false;
};

}  // namespace tcrops::serve
