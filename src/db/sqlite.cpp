#include "address.hpp"
#include "driver.hpp"
#include "library.hpp"
#include "retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <soci/sqlite3/soci-sqlite3.h>

namespace tcrops::db {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
namespace api = sqlite_api;

// SQLite itself waits this long for a lock; longer waits are made of such ones, so that an
// interrupt is seen between them.
constexpr Seconds kOneWait{0.1};
constexpr Seconds kBetweenWaits{0.02};

// Another process holds the database: worth another try within busy_seconds.
class Busy : public Away {
 public:
  using Away::Away;
};

struct Functions {
  explicit Functions(const Library& library)
      : configure(library.function<decltype(configure)>("sqlite3_config")),
        prepare(library.function<decltype(prepare)>("sqlite3_prepare_v2")),
        step(library.function<decltype(step)>("sqlite3_step")),
        reset(library.function<decltype(reset)>("sqlite3_reset")),
        finalize(library.function<decltype(finalize)>("sqlite3_finalize")),
        bind_int64(library.function<decltype(bind_int64)>("sqlite3_bind_int64")),
        bind_double(library.function<decltype(bind_double)>("sqlite3_bind_double")),
        bind_text(library.function<decltype(bind_text)>("sqlite3_bind_text")),
        bind_null(library.function<decltype(bind_null)>("sqlite3_bind_null")),
        clear_bindings(library.function<decltype(clear_bindings)>("sqlite3_clear_bindings")),
        column_count(library.function<decltype(column_count)>("sqlite3_column_count")),
        column_type(library.function<decltype(column_type)>("sqlite3_column_type")),
        column_int64(library.function<decltype(column_int64)>("sqlite3_column_int64")),
        column_double(library.function<decltype(column_double)>("sqlite3_column_double")),
        column_text(library.function<decltype(column_text)>("sqlite3_column_text")),
        column_bytes(library.function<decltype(column_bytes)>("sqlite3_column_bytes")),
        parameter_index(
            library.function<decltype(parameter_index)>("sqlite3_bind_parameter_index")),
        parameter_count(
            library.function<decltype(parameter_count)>("sqlite3_bind_parameter_count")),
        changes(library.function<decltype(changes)>("sqlite3_changes")),
        total_changes(library.function<decltype(total_changes)>("sqlite3_total_changes")),
        error_code(library.function<decltype(error_code)>("sqlite3_errcode")),
        error_words(library.function<decltype(error_words)>("sqlite3_errmsg")),
        system_error(library.function<decltype(system_error)>("sqlite3_system_errno")) {}

  decltype(&api::sqlite3_config) configure;
  decltype(&api::sqlite3_prepare_v2) prepare;
  decltype(&api::sqlite3_step) step;
  decltype(&api::sqlite3_reset) reset;
  decltype(&api::sqlite3_finalize) finalize;
  decltype(&api::sqlite3_bind_int64) bind_int64;
  decltype(&api::sqlite3_bind_double) bind_double;
  decltype(&api::sqlite3_bind_text) bind_text;
  decltype(&api::sqlite3_bind_null) bind_null;
  decltype(&api::sqlite3_clear_bindings) clear_bindings;
  decltype(&api::sqlite3_column_count) column_count;
  decltype(&api::sqlite3_column_type) column_type;
  decltype(&api::sqlite3_column_int64) column_int64;
  decltype(&api::sqlite3_column_double) column_double;
  decltype(&api::sqlite3_column_text) column_text;
  decltype(&api::sqlite3_column_bytes) column_bytes;
  decltype(&api::sqlite3_bind_parameter_index) parameter_index;
  decltype(&api::sqlite3_bind_parameter_count) parameter_count;
  decltype(&api::sqlite3_changes) changes;
  decltype(&api::sqlite3_total_changes) total_changes;
  decltype(&api::sqlite3_errcode) error_code;
  decltype(&api::sqlite3_errmsg) error_words;
  decltype(&api::sqlite3_system_errno) system_error;
};

// SOCI takes a text with an equals sign for settings, one of which is the path.
std::string connection_text(const Address& address) {
  const std::string path = sqlite_path(address);
  if (path.find('=') == std::string::npos) return path;
  if (path.find('"') != std::string::npos) {
    throw Error(ExitCode::kConfiguration,
                address.url + ": a path with both = and \" in it cannot be used; choose another");
  }
  return "db=\"" + path + "\"";
}

// Statements with parameters are kept prepared, so many of them: what prepares one costs more than
// what runs it.
constexpr std::size_t kMostPrepared = 64;

class Sqlite : public Driver {
 public:
  Sqlite(const Address& address, double busy_seconds)
      : shown_(address.shown()),
        busy_(busy_seconds),
        library_("sqlite3", connection_text(address)),
        functions_(library_) {
    // A connection is used by one thread at a time, and nobody asks how much memory SQLite takes:
    // locks for neither. Once, before the first connection.
    [[maybe_unused]] static const bool is_configured =
        functions_.configure(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK &&
        functions_.configure(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;
  }

  bool is_connected() const override { return session_ != nullptr; }

  void connect() override {
    if (is_connected()) return;
    try {
      session_ = std::make_unique<soci::session>(library_.parameters());
    } catch (const soci::soci_error& error) {
      throw Error(ExitCode::kArtifact, shown_ + ": " + error.get_error_message() +
                                           "; check the path and the permissions");
    }
    try {
      prepare_connection();
    } catch (...) {
      disconnect();
      throw;
    }
  }

  Outcome run(std::string_view sql, std::span<const Value> parameters) override {
    if (is_inside_) return run_once(sql, parameters);
    return while_busy([&] { return run_once(sql, parameters); });
  }

  void begin(Isolation /*isolation*/) override {
    run("begin immediate", {});
    is_inside_ = true;
  }
  void commit() override {
    run("commit", {});
    is_inside_ = false;
  }
  void rollback() noexcept override {
    try {
      run_once("rollback", {});
    } catch (...) {
      // SQLite has rolled back already, or the connection cannot be trusted; a new one can.
      disconnect();
    }
    is_inside_ = false;
  }

  double now() override {
    return Seconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }

 private:
  void prepare_connection() {
    run_once(fmt::format("pragma busy_timeout = {}",
                         static_cast<int>(1000.0 * std::min(busy_, kOneWait).count())),
             {});
    run("pragma foreign_keys = on", {});
    run("pragma synchronous = normal", {});
    const Outcome mode = run("pragma journal_mode = wal", {});
    if (mode.rows.empty() || text(mode.rows.front().front()) != "wal") {
      throw Error(ExitCode::kArtifact,
                  shown_ +
                      ": cannot be put into SQLite's WAL mode here; check the permissions, or "
                      "choose another place, on a local disk");
    }
  }

  template <class Try>
  Outcome while_busy(const Try& once) const {
    const auto until = Clock::now() + busy_;
    for (;;) {
      try {
        return once();
      } catch (const Busy&) {
        if (Clock::now() >= until) throw;
      }
      pause(kBetweenWaits);
    }
  }

  // Statements go before their connection.
  void disconnect() noexcept {
    prepared_.clear();
    session_.reset();
  }

  Outcome run_once(std::string_view sql, std::span<const Value> parameters) {
    if (parameters.empty()) return outcome(prepared(sql, 0), parameters);
    auto known = prepared_.find(sql);
    if (known == prepared_.end()) {
      Prepared fresh = prepared(sql, parameters.size());
      if (prepared_.size() >= kMostPrepared) prepared_.clear();
      known = prepared_.emplace(sql, std::move(fresh)).first;
    }
    return outcome(known->second, parameters);
  }

  [[noreturn]] void throw_failure() const {
    const int code = functions_.error_code(connection());
    const std::string words = shown_ + ": " + functions_.error_words(connection());
    const int reason = functions_.system_error(connection());
    const bool is_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    if (code == SQLITE_FULL || (is_system && (reason == ENOSPC || reason == EDQUOT))) {
      throw Error(ExitCode::kTemporary, fmt::format("{}; {}", words, kFreeSpace));
    }
    switch (code) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw Busy(words + " by another process; run the same command again");
      case SQLITE_NOMEM:
        throw Error(ExitCode::kTemporary, words + "; run the same command again");
      case SQLITE_CANTOPEN:
      case SQLITE_READONLY:
      case SQLITE_PERM:
        throw Error(ExitCode::kArtifact, words + "; check the path and the permissions");
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT:
        throw Error(ExitCode::kArtifact, words + "; restore it from a copy, or name another file");
      default:
        throw Error(ExitCode::kFailure, words);
    }
  }

  struct Prepared {
    std::unique_ptr<api::sqlite3_stmt, decltype(Functions::finalize)> statement;
    std::vector<int> places;  // where SQLite has :p1, :p2, …
  };

  [[nodiscard]] Prepared prepared(std::string_view sql, std::size_t parameters) const {
    api::sqlite3_stmt* made = nullptr;
    const int code =
        functions_.prepare(connection(), sql.data(), static_cast<int>(sql.size()), &made, nullptr);
    if (code != SQLITE_OK) throw_failure();
    if (made == nullptr) throw Error(ExitCode::kFailure, shown_ + ": an empty statement");
    Prepared result{{made, functions_.finalize}, {}};
    const int count = functions_.parameter_count(made);
    if (count != static_cast<int>(parameters)) {
      throw Error(ExitCode::kFailure, fmt::format("{}: a statement with {} parameters was given {}",
                                                  shown_, count, parameters));
    }
    for (std::size_t i = 1; i <= parameters; ++i) {
      const int place = functions_.parameter_index(made, fmt::format(":p{}", i).c_str());
      if (place == 0)
        throw Error(ExitCode::kFailure, fmt::format("{}: a statement without :p{}", shown_, i));
      result.places.push_back(place);
    }
    return result;
  }

  void bind(api::sqlite3_stmt& statement, int place, const Value& value) const {
    int code = SQLITE_OK;
    if (const auto* const whole = std::get_if<std::int64_t>(&value)) {
      code = functions_.bind_int64(&statement, place, *whole);
    } else if (const auto* const fraction = std::get_if<double>(&value)) {
      // SQLite has no negative zero; the sum is a positive one.
      code = functions_.bind_double(&statement, place, *fraction + 0.0);
    } else if (const auto* const words = std::get_if<std::string>(&value)) {
      code = functions_.bind_text(&statement, place, words->data(), static_cast<int>(words->size()),
                                  SQLITE_STATIC);
    } else {
      code = functions_.bind_null(&statement, place);
    }
    if (code != SQLITE_OK) throw_failure();
  }

  Outcome outcome(const Prepared& prepared, std::span<const Value> parameters) const {
    api::sqlite3_stmt& statement = *prepared.statement;
    if (prepared.places.size() != parameters.size()) {
      throw Error(ExitCode::kFailure,
                  fmt::format("{}: a statement with {} parameters was given {}", shown_,
                              prepared.places.size(), parameters.size()));
    }
    // It lets go of its locks, and of the parameters, whatever happens.
    const auto end = [this](api::sqlite3_stmt* ended) {
      functions_.reset(ended);
      functions_.clear_bindings(ended);
    };
    const std::unique_ptr<api::sqlite3_stmt, decltype(end)> running(&statement, end);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      bind(statement, prepared.places[i], parameters[i]);
    const int before = functions_.total_changes(connection());
    Outcome result;
    int code = functions_.step(&statement);
    for (; code == SQLITE_ROW; code = functions_.step(&statement))
      result.rows.push_back(row(&statement));
    if (code != SQLITE_DONE) throw_failure();
    // The number of the last statement that changed rows stays until the next one does.
    if (functions_.total_changes(connection()) != before) {
      result.changed = functions_.changes(connection());
    }
    return result;
  }

  Row row(api::sqlite3_stmt* statement) const {
    Row result;
    for (int i = 0; i < functions_.column_count(statement); ++i) {
      switch (functions_.column_type(statement, i)) {
        case SQLITE_NULL:
          result.emplace_back();
          break;
        case SQLITE_INTEGER:
          result.emplace_back(std::int64_t{functions_.column_int64(statement, i)});
          break;
        case SQLITE_FLOAT:
          result.emplace_back(functions_.column_double(statement, i));
          break;
        default:
          result.emplace_back(text_of(statement, i));
      }
    }
    return result;
  }

  std::string text_of(api::sqlite3_stmt* statement, int column) const {
    const unsigned char* const begin = functions_.column_text(statement, column);
    const int size = functions_.column_bytes(statement, column);
    return {begin, begin + size};
  }

  api::sqlite3* connection() const {
    return static_cast<soci::sqlite3_session_backend*>(session_->get_backend())->conn_;
  }

  const std::string shown_;
  const Seconds busy_;
  const Library library_;
  const Functions functions_;
  std::unique_ptr<soci::session> session_;
  std::map<std::string, Prepared, std::less<>> prepared_;
  bool is_inside_ = false;
};

}  // namespace

std::unique_ptr<Driver> make_sqlite(const Address& address, double busy_seconds) {
  return std::make_unique<Sqlite>(address, busy_seconds);
}

}  // namespace tcrops::db
