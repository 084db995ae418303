#pragma once

#include "transport.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <httplib.h>
#include <memory>
#include <string>
#include <string_view>

namespace tcrops::serve {

struct ConnectionLimits {
  std::size_t header_bytes = 16'384;
  std::size_t body_bytes = std::size_t{1}
                           << 25U;          // as they come, with what frames chunks and forms
  std::chrono::milliseconds read{30'000};   // for one request, from its first byte to its last
  std::chrono::milliseconds write{30'000};  // without a byte taken
  std::chrono::milliseconds idle{15'000};   // between requests
};

// One client's connection, as the HTTP library reads and writes it, with limits that the library
// does not have. Closes the socket. One thread at a time.
class Connection : public httplib::Stream {
 public:
  Connection(socket_t socket, std::unique_ptr<Transport> transport, const ConnectionLimits& limits,
             const std::atomic<bool>& stopping);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the first byte of a request. False when the client has gone, sends none in time, or
  // the server stops and there is none to finish.
  [[nodiscard]] bool begin_request();

  // What went wrong with reading the request; what is written after that is thrown away, because
  // the library takes the rest for a request of its own.
  enum class Fault {
    kNone,
    kGone,
    kTooSlow,
    kHeaderTooLarge,
    kBadHeader,  // a line that the library would leave out or read in its own way
    kBodyTooLarge
  };
  [[nodiscard]] Fault fault() const { return fault_; }
  // An answer in place of the one that was thrown away.
  void answer_fault(const std::string& response);

  // Whether the last line that was read is an empty one, as it must be behind chunks.
  [[nodiscard]] bool ended_on_empty_line() const;
  // Whether the answer said that the connection closes.
  [[nodiscard]] bool must_close() const { return must_close_; }

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] bool has_bytes() const { return at_ < buffer_.size(); }
  // Whether more bytes came before the deadline.
  bool receive(Clock::time_point deadline);
  bool send(const char* from, size_t size);
  bool flush();
  ssize_t fail(Fault fault);
  void note_header(char letter);
  void note_body(std::string_view bytes);
  void note_answer(const char* from, size_t size);

  socket_t socket_;
  std::unique_ptr<Transport> transport_;
  ConnectionLimits limits_;
  const std::atomic<bool>& stopping_;
  std::string buffer_;  // received and not yet read from at_ on
  std::size_t at_ = 0;
  std::string unsent_;  // goes before anything is waited for
  std::size_t requests_ = 0;
  // Of the current request.
  Clock::time_point deadline_;
  std::size_t header_bytes_ = 0;
  std::string line_;  // of the header, as far as it was read
  bool is_first_line_ = true;
  bool in_header_ = true;
  std::size_t body_bytes_ = 0;
  std::string end_;  // of the body, as far as it was read
  bool answered_ = false;
  bool must_close_ = false;
  Fault fault_ = Fault::kNone;
};

}  // namespace tcrops::serve
