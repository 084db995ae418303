#include "libpq.hpp"

#include <tcrops/core/interrupt.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <poll.h>
#include <string_view>

namespace tcrops::db {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongest{5};
constexpr int kSliceMilliseconds = 200;
constexpr std::size_t kStateSize = 5;

bool is_state(std::string_view text) {
  return text.size() == kStateSize && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

// The last SQLSTATE in messages of the verbose kind, "FATAL:  28P01: words", whatever the language.
std::string state_in(std::string_view words) {
  std::string result;
  constexpr std::string_view kBefore = ":  ";
  for (std::size_t at = 0; (at = words.find(kBefore, at)) != std::string_view::npos;) {
    at += kBefore.size();
    const std::string_view rest = words.substr(at);
    if (rest.substr(kStateSize).starts_with(": ") && is_state(rest.substr(0, kStateSize))) {
      result = rest.substr(0, kStateSize);
    }
  }
  return result;
}

// Waits until libpq can go on; false: not before `until`.
bool wait_for(int socket, PostgresPollingStatusType what, Clock::time_point until) {
  std::array<pollfd, 1> sockets = {{{socket, 0, 0}}};
  sockets[0].events = what == PGRES_POLLING_READING ? POLLIN : POLLOUT;
  do {
    check_interrupt();
    if (Clock::now() >= until) return false;
  } while (poll(sockets.data(), 1, kSliceMilliseconds) <= 0);
  return true;
}

}  // namespace

Libpq::Libpq(const Library& library)
    : connect_start(library.function<decltype(connect_start)>("PQconnectStart")),
      connect_poll(library.function<decltype(connect_poll)>("PQconnectPoll")),
      set_error_verbosity(library.function<decltype(set_error_verbosity)>("PQsetErrorVerbosity")),
      set_notice_processor(
          library.function<decltype(set_notice_processor)>("PQsetNoticeProcessor")),
      needs_password(library.function<decltype(needs_password)>("PQconnectionNeedsPassword")),
      ping(library.function<decltype(ping)>("PQping")),
      finish(library.function<decltype(finish)>("PQfinish")),
      socket(library.function<decltype(socket)>("PQsocket")),
      status(library.function<decltype(status)>("PQstatus")),
      error_message(library.function<decltype(error_message)>("PQerrorMessage")),
      error_field(library.function<decltype(error_field)>("PQresultErrorField")),
      rows(library.function<decltype(rows)>("PQntuples")),
      columns(library.function<decltype(columns)>("PQnfields")),
      column_name(library.function<decltype(column_name)>("PQfname")),
      column_type(library.function<decltype(column_type)>("PQftype")),
      is_null(library.function<decltype(is_null)>("PQgetisnull")),
      value(library.function<decltype(value)>("PQgetvalue")),
      length(library.function<decltype(length)>("PQgetlength")) {}

Refusal refusal(const Libpq& libpq, const std::string& connection) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> tried(libpq.connect_start(connection.c_str()),
                                                           libpq.finish);
  if (tried == nullptr) return {};
  if (libpq.status(tried.get()) == CONNECTION_BAD) {
    return {.state = "", .is_invalid = libpq.ping(connection.c_str()) == PQPING_NO_ATTEMPT};
  }
  libpq.set_error_verbosity(tried.get(), PQERRORS_VERBOSE);
  const auto until = Clock::now() + kLongest;
  auto what = PGRES_POLLING_WRITING;
  while (what == PGRES_POLLING_READING || what == PGRES_POLLING_WRITING) {
    if (!wait_for(libpq.socket(tried.get()), what, until)) return {};
    what = libpq.connect_poll(tried.get());
  }
  return {.state = state_in(libpq.error_message(tried.get())),
          .needs_password = libpq.needs_password(tried.get()) != 0};
}

}  // namespace tcrops::db
