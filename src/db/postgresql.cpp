#include "address.hpp"
#include "driver.hpp"
#include "libpq.hpp"
#include "library.hpp"
#include "statement.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <soci/postgresql/soci-postgresql.h>

namespace tcrops::db {
namespace {

// Numbers that PostgreSQL gives its types (catalog/pg_type.dat).
enum Type : Oid {
  kBool = 16,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kBpchar = 1042,
  kVarchar = 1043,
};

// A process that is stopped, or whose machine is gone, inside a transaction would keep from the
// others what it holds, until TCP notices after hours. Who has set it otherwise knows better.
constexpr std::string_view kEndIdleTransactions =
    "select set_config('idle_in_transaction_session_timeout', '60s', false) where "
    "current_setting('idle_in_transaction_session_timeout') = '0'";

// A server that is gone without a word is noticed within a minute or so.
std::string connection_text(const Address& address) {
  return with_defaults(address,
                       {"connect_timeout=10", "keepalives_idle=30", "keepalives_interval=10",
                        "keepalives_count=3", "tcp_user_timeout=60000"});
}

// Words in one line.
std::string in_one_line(std::string_view words) {
  std::string result;
  for (const std::string& line : split(words, '\n')) {
    const std::string_view part = trim(line);
    if (!part.empty()) result += (result.empty() ? "" : "; ") + std::string(part);
  }
  return result;
}

bool is_class(std::string_view state, std::string_view name) { return state.starts_with(name); }

// The server is stopping or starting, or the connection broke.
bool is_away(std::string_view state) {
  return is_class(state, "08") || is_class(state, "57P") || state == "53300";
}

class Postgresql : public Driver {
 public:
  explicit Postgresql(const Address& address)
      : address_(address),
        connection_(connection_text(address)),
        library_("postgresql", connection_),
        libpq_(library_) {}

  bool is_connected() const override { return session_ != nullptr; }

  void connect() override {
    if (is_connected()) return;
    try {
      session_ = std::make_unique<soci::session>(library_.parameters());
    } catch (const soci::soci_error& error) {
      throw_refusal(words_of(error));
    }
    try {
      // libpq prints the server's remarks to stderr otherwise.
      libpq_.set_notice_processor(
          connection(), [](void*, const char*) {}, nullptr);
      run("set client_encoding = 'UTF8'; set standard_conforming_strings = on", {});
      run(kEndIdleTransactions, {});
    } catch (...) {
      session_.reset();
      throw;
    }
  }

  Outcome run(std::string_view sql, std::span<const Value> parameters) override {
    try {
      Statement statement(*session_, sql, parameters);
      try {
        statement.run();
      } catch (const soci::soci_error& error) {
        throw_failure(words_of(error), result_of(statement));
      }
      return outcome(statement);
    } catch (const Away&) {
      session_.reset();
      throw;
    }
  }

  void begin(Isolation isolation) override {
    run(isolation == Isolation::kSerializable ? "begin isolation level serializable"
                                              : "begin isolation level read committed",
        {});
  }
  void commit() override { run("commit", {}); }
  void rollback() noexcept override {
    try {
      if (is_connected()) run("rollback", {});
    } catch (...) {
      session_.reset();
    }
  }

  double now() override {
    const Outcome result =
        run("select cast(extract(epoch from clock_timestamp()) as double precision)", {});
    return real(result.rows.at(0).at(0));
  }

 private:
  // SOCI's own words, without its first sentence and what it adds: the parameters.
  std::string words_of(const soci::soci_error& error) const {
    constexpr std::string_view kSaid = "Cannot establish connection to the database.";
    const std::string words = error.get_error_message();
    return without_passwords(
        address_, in_one_line(words.starts_with(kSaid) ? words.substr(kSaid.size()) : words));
  }

  static const PGresult* result_of(Statement& statement) {
    return statement.back_end<soci::postgresql_statement_backend>().result_;
  }

  PGconn* connection() const {
    return static_cast<soci::postgresql_session_backend*>(session_->get_backend())->conn_;
  }

  [[noreturn]] void throw_refusal(const std::string& words) const {
    const Refusal why = refusal(libpq_, connection_);
    const std::string said = address_.shown() + ": " + words;
    if (is_class(why.state, "28") || why.state == "3D000" || why.state == "42501" ||
        why.needs_password || why.is_invalid) {
      throw Error(ExitCode::kConfiguration,
                  said +
                      "; check the user, the password (PGPASSWORD or ~/.pgpass), the name of "
                      "the database and the settings of the address");
    }
    throw Away(said + "; run the same command again when the database is there");
  }

  std::string field(const PGresult* result, int which) const {
    const char* const found = libpq_.error_field(result, which);
    return found == nullptr ? "" : found;
  }

  [[noreturn]] void throw_failure(const std::string& said, const PGresult* result) const {
    const std::string state = field(result, PG_DIAG_SQLSTATE);
    const bool is_lost = libpq_.status(connection()) != CONNECTION_OK;
    std::string words = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (words.empty() && is_lost) words = in_one_line(libpq_.error_message(connection()));
    if (words.empty()) words = said;
    words = address_.shown() + ": " + without_passwords(address_, words);
    if (is_lost || is_away(state)) {
      throw Away(words + "; run the same command again when the database is there");
    }
    if (state == "40001" || state == "40P01") throw Conflict(words);
    if (is_class(state, "53")) {
      throw Error(ExitCode::kTemporary, fmt::format("{}; on the server: {}", words, kFreeSpace));
    }
    const bool is_refused = is_class(state, "28") || state == "42501";
    throw Error(is_refused ? ExitCode::kConfiguration : ExitCode::kFailure, words);
  }

  Outcome outcome(Statement& statement) const {
    const PGresult* const result = result_of(statement);
    Outcome found;
    for (int i = 0; i < libpq_.rows(result); ++i) {
      Row& row = found.rows.emplace_back();
      for (int j = 0; j < libpq_.columns(result); ++j) row.push_back(value(result, i, j));
    }
    found.changed = std::max<std::int64_t>(0, statement.changed());
    return found;
  }

  Value value(const PGresult* result, int row, int column) const {
    if (libpq_.is_null(result, row, column) != 0) return {};
    const std::string_view words(libpq_.value(result, row, column),
                                 static_cast<std::size_t>(libpq_.length(result, row, column)));
    switch (libpq_.column_type(result, column)) {
      case kBool:  // as in SQLite
        return std::int64_t{words == "t"};
      case kInt2:
      case kInt4:
      case kInt8:
        return parse_integer(words).value();
      case kFloat4:
      case kFloat8:
        return parse_number(words).value();
      case kText:
      case kName:
      case kVarchar:
      case kBpchar:
      case kUnknown:
        return std::string(words);
      default:
        throw Error(ExitCode::kFailure,
                    fmt::format("{}: column {} is neither bigint, double precision nor text; cast "
                                "it in the query",
                                address_.shown(), libpq_.column_name(result, column)));
    }
  }

  const Address address_;
  const std::string connection_;
  const Library library_;
  const Libpq libpq_;
  std::unique_ptr<soci::session> session_;
};

}  // namespace

std::unique_ptr<Driver> make_postgresql(const Address& address) {
  return std::make_unique<Postgresql>(address);
}

}  // namespace tcrops::db
