#include "connection.hpp"

#include <tcrops/core/text.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <utility>

namespace tcrops::serve {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBlock = 16'384;
constexpr std::size_t kMostUnsent = 65'536;
constexpr milliseconds kLook{50};      // how often a waiting connection sees that the server stops
constexpr milliseconds kGrace{1'000};  // for the first request of one that was just accepted
constexpr std::string_view kEmptyLine = "\r\n\r\n";  // and the end of the one before it
// A client that still sends while it is refused must get to read why.
constexpr milliseconds kLinger{2'000};

bool wait_for(socket_t socket, short events, milliseconds time) {
  pollfd waiting{socket, events, 0};
  const int ready =
      ::poll(&waiting, 1, static_cast<int>(std::max(time.count(), milliseconds::rep{0})));
  return ready > 0;
}

// Whether every reader takes a line of a header for the same: a name, at once a colon, a value. A
// length that is written in another way would be one here, and none to a proxy in front.
bool is_sound(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty()) return false;
  if (name.find_first_of(" \t") != std::string_view::npos) return false;
  const std::string known = to_lower(name);
  const bool is_length = known == "content-length" || known == "transfer-encoding";
  return !is_length || line.find('%') == std::string_view::npos;
}

}  // namespace

Connection::Connection(socket_t socket, std::unique_ptr<Transport> transport,
                       const ConnectionLimits& limits, const std::atomic<bool>& stopping)
    : socket_(socket), transport_(std::move(transport)), limits_(limits), stopping_(stopping) {}

Connection::~Connection() {
  static_cast<void>(flush());
  transport_->finish();
  if (must_close_) {
    std::array<char, kBlock> unread{};
    const auto until = Clock::now() + kLinger;
    while (Clock::now() < until && wait_for(socket_, POLLIN, kLook * 4) &&
           transport_->receive(unread.data(), unread.size()) > 0) {
    }
  }
  ::close(socket_);
}

bool Connection::begin_request() {
  if (fault_ != Fault::kNone || must_close_) return false;
  if (!has_bytes() && !flush()) return false;
  const auto begin = Clock::now();
  while (!has_bytes()) {
    const bool stopping = stopping_.load();
    const milliseconds look = stopping ? milliseconds(0) : kLook;
    if (transport_->has_pending() || wait_for(socket_, POLLIN, look)) {
      if (receive(Clock::now() + kLook)) break;
      if (fault_ != Fault::kNone) return false;
    }
    const auto waited = Clock::now() - begin;
    if (waited >= limits_.idle) return false;
    if (!stopping) continue;
    if (requests_ > 0 || waited >= kGrace) return false;
    static_cast<void>(wait_for(socket_, POLLIN, kLook));
  }
  ++requests_;
  deadline_ = Clock::now() + limits_.read;
  header_bytes_ = 0;
  line_.clear();
  is_first_line_ = true;
  body_bytes_ = 0;
  in_header_ = true;
  end_.clear();
  answered_ = false;
  return true;
}

bool Connection::receive(Clock::time_point deadline) {
  buffer_.resize(kBlock);
  at_ = 0;
  ssize_t count = transport_->receive(buffer_.data(), buffer_.size());
  while (count == Transport::kReadLater || count == Transport::kWriteLater) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    const short events = count == Transport::kReadLater ? POLLIN : POLLOUT;
    if (left.count() <= 0 || !wait_for(socket_, events, left)) break;
    count = transport_->receive(buffer_.data(), buffer_.size());
  }
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count == 0 || count == -1) fail(Fault::kGone);
  return count > 0;
}

ssize_t Connection::fail(Fault fault) {
  if (fault_ == Fault::kNone) fault_ = fault;
  return -1;
}

void Connection::note_header(char letter) {
  if (++header_bytes_ > limits_.header_bytes) fail(Fault::kHeaderTooLarge);
  line_ += letter;
  if (letter != '\n') return;
  if (line_ == "\r\n") {
    in_header_ = false;
  } else if (!line_.ends_with("\r\n") || (!is_first_line_ && !is_sound(line_))) {
    fail(Fault::kBadHeader);
  }
  is_first_line_ = false;
  line_.clear();
}

ssize_t Connection::read(char* to, size_t size) {
  if (fault_ != Fault::kNone) return -1;
  if (!has_bytes() && (!flush() || !receive(deadline_))) return fail(Fault::kTooSlow);
  std::size_t count = std::min(size, buffer_.size() - at_);
  if (in_header_) count = 1;
  std::memcpy(to, buffer_.data() + at_, count);
  at_ += count;
  if (in_header_)
    note_header(*to);
  else
    note_body(std::string_view(to, count));
  return fault_ == Fault::kNone ? static_cast<ssize_t>(count) : -1;
}

void Connection::note_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (body_bytes_ > limits_.body_bytes) fail(Fault::kBodyTooLarge);
  end_ += bytes.substr(bytes.size() - std::min(bytes.size(), kEmptyLine.size()));
  if (end_.size() > kEmptyLine.size()) end_.erase(0, end_.size() - kEmptyLine.size());
}

bool Connection::ended_on_empty_line() const { return end_ == kEmptyLine; }

// The first bytes of an answer are its whole header.
void Connection::note_answer(const char* from, size_t size) {
  const std::string_view header(from, size);
  if (answered_ || header.starts_with("HTTP/1.1 100")) return;
  answered_ = true;
  must_close_ = header.find("\r\nConnection: close\r\n") != std::string_view::npos;
}

bool Connection::send(const char* from, size_t size) {
  while (size > 0) {
    const ssize_t sent = transport_->send(from, size);
    if (sent > 0) {
      from += sent;
      size -= static_cast<std::size_t>(sent);
    } else if (sent != Transport::kReadLater && sent != Transport::kWriteLater) {
      return false;
    } else if (!wait_for(socket_, sent == Transport::kReadLater ? POLLIN : POLLOUT,
                         limits_.write)) {
      return false;
    }
  }
  return true;
}

bool Connection::flush() {
  const bool sent = send(unsent_.data(), unsent_.size());
  unsent_.clear();
  return sent;
}

// The library writes an answer in several parts; a small one goes as one.
ssize_t Connection::write(const char* from, size_t size) {
  if (fault_ != Fault::kNone) return static_cast<ssize_t>(size);
  note_answer(from, size);
  if (unsent_.size() + size <= kMostUnsent) {
    unsent_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  return flush() && send(from, size) ? static_cast<ssize_t>(size) : -1;
}

void Connection::answer_fault(const std::string& response) {
  unsent_.clear();
  // Short enough for the kernel to take at once.
  static_cast<void>(transport_->send(response.data(), response.size()));
  must_close_ = true;
}

bool Connection::is_readable() const {
  return has_bytes() || wait_for(socket_, POLLIN, limits_.read);
}

bool Connection::is_writable() const { return wait_for(socket_, POLLOUT, limits_.write); }

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace tcrops::serve
