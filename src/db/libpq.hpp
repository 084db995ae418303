#pragma once

#include "library.hpp"

#include <libpq-fe.h>
#include <string>

namespace tcrops::db {

// The functions of libpq that SOCI does not pass on.
struct Libpq {
  explicit Libpq(const Library& library);

  decltype(&PQconnectStart) connect_start;
  decltype(&PQconnectPoll) connect_poll;
  decltype(&PQsetErrorVerbosity) set_error_verbosity;
  decltype(&PQsetNoticeProcessor) set_notice_processor;
  decltype(&PQconnectionNeedsPassword) needs_password;
  decltype(&PQping) ping;
  decltype(&PQfinish) finish;
  decltype(&PQsocket) socket;
  decltype(&PQstatus) status;
  decltype(&PQerrorMessage) error_message;
  decltype(&PQresultErrorField) error_field;
  decltype(&PQntuples) rows;
  decltype(&PQnfields) columns;
  decltype(&PQfname) column_name;
  decltype(&PQftype) column_type;
  decltype(&PQgetisnull) is_null;
  decltype(&PQgetvalue) value;
  decltype(&PQgetlength) length;
};

// Why a server did not let us in.
struct Refusal {
  std::string state;            // its SQLSTATE; empty: it did not say, or there was no server
  bool is_invalid = false;      // the address means nothing to libpq
  bool needs_password = false;  // and none was given
};

// Connects once more to learn why SOCI, which knows only words in some language, could not. Ends
// with `check_interrupt`.
[[nodiscard]] Refusal refusal(const Libpq& libpq, const std::string& connection);

}  // namespace tcrops::db
