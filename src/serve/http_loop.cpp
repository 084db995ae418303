#include "http_loop.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace tcrops::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{50};      // how often a loop sees who is too slow
constexpr milliseconds kGrace{1'000};  // for the first request of one that was just accepted
constexpr std::size_t kMostEvents = 256;
constexpr int kMostSteps = 64;  // of one client before others have their turn
constexpr std::uint64_t kEventId = 0;

epoll_event event_of(std::uint64_t id, std::uint32_t wanted) {
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = id;
  return event;
}

[[noreturn]] void fail(const char* what) {
  throw Error(ExitCode::kFailure, fmt::format("the server cannot {}: {}", what, strerror(errno)));
}

}  // namespace

HttpLoop::HttpLoop(LoopContext& context)
    : context_(context),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event = event_of(kEventId, EPOLLIN);
  if (epoll_ < 0 || event_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) != 0)
    fail("watch its connections");
  thread_ = std::thread([this] { run(); });
}

HttpLoop::~HttpLoop() {
  post([this] { ending_ = true; });
  thread_.join();
  ::close(event_);
  ::close(epoll_);
}

void HttpLoop::adopt(int socket, std::unique_ptr<Transport> transport, bool is_extra) {
  const auto moved = std::make_shared<std::unique_ptr<Transport>>(std::move(transport));
  ++count_;
  ++context_.connections;
  try {
    post([this, socket, is_extra, moved] { begin(socket, std::move(*moved), is_extra); });
  } catch (...) {
    --count_;
    --context_.connections;
    throw;
  }
}

void HttpLoop::begin(int socket, std::unique_ptr<Transport> transport, bool is_extra) {
  const std::uint64_t id = next_id_++;
  std::unique_ptr<Client> client;
  try {
    client =
        std::make_unique<Client>(id, socket, std::move(transport), context_.limits, now_, is_extra);
    client->connection.watched = EPOLLIN;
    clients_.emplace(id, std::move(client));
  } catch (const std::exception& e) {  // no memory
    log_error(fmt::format("a client is not let in: {}", e.what()));
    if (!client) ::close(socket);
    --count_;
    --context_.connections;
    return;
  }
  epoll_event event = event_of(id, EPOLLIN);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) remove(id);
}

void HttpLoop::wake() {
  post([] {});
}

void HttpLoop::post(Task task) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  if (is_first) static_cast<void>(::write(event_, &one, sizeof(one)));
}

void HttpLoop::run_posted() {
  std::uint64_t count = 0;
  static_cast<void>(::read(event_, &count, sizeof(count)));
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
}

void HttpLoop::run() {
  std::array<epoll_event, kMostEvents> events{};
  auto next_look = Clock::now() + kLook;
  while (!ending_ || !clients_.empty() || jobs_ > 0) {
    const bool has_work = !ready_.empty() || !together_.empty();
    const int timeout = has_work ? 0 : clients_.empty() ? -1 : static_cast<int>(kLook.count());
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
    now_ = Clock::now();
    try {
      drive_ready();
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events.at(static_cast<std::size_t>(i));
        if (event.data.u64 == kEventId)
          run_posted();
        else
          handle(event.data.u64, event.events);
      }
      answer_together();
      if (now_ < next_look && !context_.stopping) continue;
      next_look = now_ + kLook;
      look_at_all();
    } catch (const std::exception& e) {  // no memory for what it has to remember
      log_error(fmt::format("a turn of the server is lost: {}", e.what()));
    }
  }
}

// An event of a client, if it is one.
void HttpLoop::handle(std::uint64_t id, std::uint32_t what) {
  const auto at = clients_.find(id);
  if (at == clients_.end()) return;
  Client& client = *at->second;
  // While an answer is made nothing matters but the end of the connection; what else has come, and
  // be it that no more will, is read after it.
  const std::uint32_t ends = EPOLLHUP | EPOLLERR;
  const bool is_waiting = client.connection.wants() == 0;
  if ((what & (EPOLLIN | EPOLLOUT)) == 0 || (is_waiting && (what & ends) != 0))
    leave(client);
  else if (!is_waiting && !client.is_ready)
    drive(client);
}

// It has gone. What a worker has of it still takes up memory, and so counts.
void HttpLoop::leave(Client& client) {
  if (!client.job) {
    std::erase(together_, client.connection.id());
    remove(client.connection.id());
    return;
  }
  client.job->is_abandoned = true;
  client.is_gone = true;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client.connection.socket(), nullptr);
}

void HttpLoop::drive_ready() {
  for (const std::uint64_t id : std::exchange(ready_, {})) {
    const auto at = clients_.find(id);
    if (at == clients_.end()) continue;
    at->second->is_ready = false;
    drive(*at->second);
  }
}

// Who is too slow, and when the server stops who has nothing to finish.
void HttpLoop::look_at_all() {
  std::vector<std::uint64_t> due;
  for (const auto& [id, client] : clients_) {
    Connection& connection = client->connection;
    const bool may_end = context_.stopping && connection.is_idle() &&
                         (connection.has_answered() || now_ - connection.idle_since() >= kGrace);
    if (may_end) connection.end();
    if (may_end || connection.is_overdue(now_)) due.push_back(id);
  }
  for (const std::uint64_t id : due) drive(*clients_.at(id));
}

void HttpLoop::remove(std::uint64_t id) {
  const auto at = clients_.find(id);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, at->second->connection.socket(), nullptr);
  clients_.erase(at);
  --count_;
  --context_.connections;
}

void HttpLoop::watch(Client& client) {
  Connection& connection = client.connection;
  const std::uint32_t wanted = connection.wants();
  if (wanted == connection.watched) return;
  epoll_event event = event_of(connection.id(), wanted);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.socket(), &event);
  connection.watched = wanted;
}

// Does what the connection asks for until it has to wait, or others have their turn.
void HttpLoop::drive(Client& client) {
  const std::uint64_t id = client.connection.id();
  try {
    drive_on(client);
  } catch (const std::exception& e) {
    give_up(id, e);
  }
}

// There is no memory, not even for an error.
void HttpLoop::give_up(std::uint64_t id, const std::exception& why) {
  log_error(fmt::format("a connection is given up: {}", why.what()));
  std::erase(together_, id);
  if (clients_.contains(id)) remove(id);
}

void HttpLoop::drive_on(Client& client) {
  Connection& connection = client.connection;
  using Step = Connection::Step;
  for (int step = 0; step < kMostSteps; ++step) {
    switch (connection.advance(now_)) {
      case Step::kWait:
        watch(client);
        return;
      case Step::kClosed:
        remove(connection.id());
        return;
      case Step::kHead:
        decide(client);
        break;
      case Step::kRefused: {
        if (!client.exchange) client.exchange.emplace(context_.front);
        answer(client, client.exchange->message(connection.refusal(), true), true);
        break;
      }
      case Step::kRequest:
        dispatch(client);
        if (!together_.empty() && together_.back() == connection.id()) return;
        break;
    }
  }
  ready_.push_back(connection.id());
  client.is_ready = true;
}

bool HttpLoop::is_last(const Client& client) const {
  return context_.stopping || !client.exchange->keeps_alive();
}

void HttpLoop::answer(Client& client, Message&& message, bool last) {
  client.exchange.reset();
  client.connection.answer(std::move(message), last, now_);
}

// A request's head is there: its body may come, or not.
void HttpLoop::decide(Client& client) {
  Connection& connection = client.connection;
  const RequestHead& head = connection.head();
  Exchange& exchange = client.exchange.emplace(context_.front, head);
  client.is_extra = client.is_extra && context_.connections > context_.most_connections;
  try {
    if (client.is_extra) {
      throw HttpError(503,
                      fmt::format("{} clients at a time, and no more (serve.connections); try "
                                  "again",
                                  context_.most_connections),
                      {{"Retry-After", "1"}});
    }
    exchange.admit(head);
    connection.take_body();
  } catch (...) {
    // What is left of a body would be taken for the next request.
    const bool last = client.is_extra || connection.has_unread_body() || is_last(client);
    answer(client, exchange.message_of_failure(last), last);
  }
}

void HttpLoop::dispatch(Client& client) {
  Connection& connection = client.connection;
  connection.await_answer();
  if (client.exchange->is_for_together(connection.head(), connection.body()))
    together_.push_back(connection.id());
  else
    ask_workers(client);
}

}  // namespace tcrops::serve
