#include "connection.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tcrops::serve {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBlock = 65'536;
constexpr int kBlocksAtOnce = 16;
// A buffer that grew larger for one request is given back after it.
constexpr std::size_t kKept = 65'536;
// A client that still sends while it is refused must get to read why.
constexpr milliseconds kLinger{2'000};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(std::uint64_t id, int socket, std::unique_ptr<Transport> transport,
                       const ConnectionLimits& limits, Clock::time_point now)
    : id_(id),
      socket_(socket),
      transport_(std::move(transport)),
      limits_(limits),
      reader_(limits.read),
      wants_(EPOLLIN),
      since_(now) {}

Connection::~Connection() {
  transport_->finish();
  ::close(socket_);
}

std::uint32_t Connection::wants() const {
  return state_ == State::kAnswering || state_ == State::kDeciding ? 0U : wants_;
}

bool Connection::is_idle() const {
  return state_ == State::kHead && !reader_.has_begun() && at_ == in_.size();
}

Connection::Step Connection::advance(Clock::time_point now) {
  switch (state_) {
    case State::kHead:
    case State::kBody:
      return read_on(now);
    case State::kWriting:
      return write_on(now);
    case State::kLingering:
      return linger(now);
    case State::kClosed:
      return Step::kClosed;
    default:
      return Step::kWait;
  }
}

std::string_view Connection::receive(Clock::time_point now) {
  thread_local std::array<char, kBlock> block;
  const ssize_t count = transport_->receive(block.data(), block.size());
  if (count == Transport::kReadLater || count == Transport::kWriteLater) {
    wants_ = count == Transport::kReadLater ? EPOLLIN : EPOLLOUT;
    return {};
  }
  if (count <= 0) {
    close();
    return {};
  }
  if (is_idle()) since_ = now;
  return {block.data(), static_cast<std::size_t>(count)};
}

// Of a body nothing needs to be kept but what the reader leaves for later.
void Connection::read_or_keep(std::string_view bytes) {
  if (at_ == in_.size()) {
    in_.clear();
    at_ = 0;
    if (state_ == State::kBody) bytes.remove_prefix(reader_.read(bytes));
  }
  in_ += bytes;
}

Connection::Step Connection::refuse(HttpError error) {
  refusal_ = std::move(error);
  state_ = State::kDeciding;
  return Step::kRefused;
}

Connection::Step Connection::read_on(Clock::time_point now) {
  if (refusal_) return refuse(std::move(*refusal_));
  std::string_view received;
  while (true) {
    try {
      read_or_keep(received);
      if (at_ < in_.size()) at_ += reader_.read(std::string_view(in_).substr(at_));
    } catch (const HttpError& error) {
      return refuse(error);
    }
    if (state_ == State::kHead && reader_.has_head()) {
      state_ = State::kDeciding;
      return Step::kHead;
    }
    if (state_ == State::kBody && reader_.is_done()) {
      state_ = State::kDeciding;
      return Step::kRequest;
    }
    if (at_ > kBlock) {
      in_.erase(0, at_);
      at_ = 0;
    }
    received = receive(now);
    if (received.empty()) return state_ == State::kClosed ? Step::kClosed : Step::kWait;
  }
}

void Connection::take_body() {
  state_ = State::kBody;
  const RequestHead& head = reader_.head();
  if (!head.expects_continue || head.is_http_1_0 || at_ < in_.size() || reader_.is_done()) return;
  // Short enough for the kernel to take at once, unless the client reads nothing.
  const ssize_t sent = transport_->send(kContinue);
  if (sent != static_cast<ssize_t>(kContinue.size())) close();
}

void Connection::answer(Message&& message, bool last, Clock::time_point now) {
  out_ = std::move(message);
  sent_ = 0;
  is_last_ = last;
  has_answered_ = true;
  since_ = now;
  state_ = State::kWriting;
}

Connection::Step Connection::write_on(Clock::time_point now) {
  const std::string_view head = out_.head;
  const std::string_view body = out_.body;
  while (sent_ < head.size() + body.size()) {
    const ssize_t count = transport_->send(head.substr(std::min(sent_, head.size())),
                                           body.substr(sent_ - std::min(sent_, head.size())));
    if (count == Transport::kReadLater || count == Transport::kWriteLater) {
      wants_ = count == Transport::kReadLater ? EPOLLIN : EPOLLOUT;
      return Step::kWait;
    }
    if (count <= 0) {
      close();
      return Step::kClosed;
    }
    sent_ += static_cast<std::size_t>(count);
    since_ = now;
  }
  out_ = {};
  sent_ = 0;
  wants_ = EPOLLIN;
  if (is_last_) {
    transport_->finish();
    in_ = {};
    at_ = 0;
    state_ = State::kLingering;
    return linger(now);
  }
  begin_request(now);
  const bool has_more = at_ < in_.size() || transport_->has_pending();
  return has_more ? read_on(now) : Step::kWait;
}

void Connection::begin_request(Clock::time_point now) {
  reader_.restart();
  since_ = now;
  state_ = State::kHead;
  if (at_ < in_.size() || in_.capacity() <= kKept) return;
  in_ = {};
  at_ = 0;
}

Connection::Step Connection::linger(Clock::time_point now) {
  for (int i = 0; i < kBlocksAtOnce && !receive(now).empty(); ++i) continue;
  return state_ == State::kClosed ? Step::kClosed : Step::kWait;
}

void Connection::end() {
  if (is_idle()) close();
}

bool Connection::is_overdue(Clock::time_point now) {
  const auto spent = now - since_;
  if (is_idle()) {
    if (spent >= limits_.idle) close();
  } else if (state_ == State::kHead || state_ == State::kBody) {
    if (spent >= limits_.reading)
      refusal_ = HttpError(408, "the request did not arrive in time (serve.read_seconds)");
  } else if (state_ == State::kWriting) {
    if (spent >= limits_.writing) close();
  } else if (state_ == State::kLingering) {
    if (spent >= kLinger) close();
  }
  return state_ == State::kClosed || refusal_.has_value();
}

}  // namespace tcrops::serve
