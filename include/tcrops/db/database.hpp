#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tcrops::db {

// Null, a whole number, a real number or a text.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Value>;

// What a column of a row holds, as the type that was asked for; a number may be read as the other
// kind of number. Throws Error (kFailure) for null or another type.
[[nodiscard]] std::int64_t integer(const Value& value);
[[nodiscard]] double real(const Value& value);
[[nodiscard]] const std::string& text(const Value& value);
[[nodiscard]] inline bool is_null(const Value& value) { return value.index() == 0; }

// Where a database is: "sqlite:PATH" (the path as it is, made when absent), or
// "postgresql://[user[:password]@][host][:port][/name][?key=value&…]" as libpq reads it
// ("postgres://" likewise).
struct Address {
  std::string url;
  [[nodiscard]] bool is_postgresql() const;
  // Without a password, for people and logs.
  [[nodiscard]] std::string shown() const;
};
// Throws Error (kConfiguration) that says which forms there are, and repeats nothing of an address
// of PostgreSQL, which may have a password in it.
[[nodiscard]] Address address(const std::string& url);

struct OpenOptions {
  // How long a database that is away is waited for, from the first failure, before an operation
  // gives up with Error (kTemporary); growing pauses between tries. 0: not at all.
  double patience_seconds = 0.0;
  // SQLite: how long another process's write transaction is waited for within one try.
  double busy_seconds = 60.0;
  // What `Database::on_wait` is from the start, so that opening, too, can say that it waits.
  std::function<void(const std::string& reason)> on_wait = {};
};

// What a transaction of PostgreSQL sees of others. kSerializable: nothing, as if they came one
// after the other, at the price of beginning again when they do not fit. kLocking (READ COMMITTED):
// each statement what is committed by then, so that transactions which all begin with an UPDATE of
// the same row wait for their turn there, and never begin again for each other's sake. SQLite's are
// the former.
enum class Isolation { kSerializable, kLocking };

// One connection. SQL is one statement that both SQLite and PostgreSQL understand: parameters are
// written :p1, :p2, … in order, columns are declared bigint, double precision and text. Numbers
// come back bit by bit as they were given, but a negative zero as zero. SQLite runs in WAL mode
// with synchronous=NORMAL and foreign keys on. Not thread-safe, and not to be used after a fork.
//
// Throws Error with the database's words and never a password: kTemporary when the database cannot
// be reached, is held by others for too long, or is full; kConfiguration when it refuses the user
// or has no such database; kArtifact when a file is no SQLite database or cannot be opened or
// written; kFailure for anything else, as for a parameter that is no finite number, or a text that
// is not UTF-8 or holds a zero byte. Waiting ends with `check_interrupt`. A connection that turns
// out to be lost is made anew once, at once, whatever the patience.
class Database {
 public:
  [[nodiscard]] static Database open(const Address& address, const OpenOptions& options = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  [[nodiscard]] bool is_postgresql() const;
  [[nodiscard]] const Address& address() const;

  // All rows of a query. bigint columns give whole numbers, double precision real ones, text texts;
  // so must an expression be cast. Inside `transaction` part of it, outside one of its own, which
  // may run twice: what changes something belongs into `transaction`.
  std::vector<Row> query(std::string_view sql, std::span<const Value> parameters = {});
  std::vector<Row> query(std::string_view sql, std::initializer_list<Value> parameters);
  // How many rows a statement changed. Outside `transaction` it runs in one.
  std::int64_t execute(std::string_view sql, std::span<const Value> parameters = {});
  std::int64_t execute(std::string_view sql, std::initializer_list<Value> parameters);

  // Runs `work` in one transaction that writes (SQLite: BEGIN IMMEDIATE). Begins again when it
  // could not be serialised with another (a hundred times, then kTemporary), and after reconnecting
  // when the connection was lost, within the patience: `work` may run several times, and, after a
  // connection lost during COMMIT, once more although it took effect. What `work` itself throws
  // rolls back and is thrown. A statement that failed ends the transaction, also when `work`
  // catches what it threw. Within another transaction, `work` is part of that one.
  void transaction(const std::function<void()>& work,
                   Isolation isolation = Isolation::kSerializable);

  // OpenOptions::patience_seconds from now on.
  void set_patience(double seconds);
  [[nodiscard]] double patience_seconds() const;

  // Called before each pause of a wait for a database that is away, with the reason; may throw to
  // end the wait. Optional; OpenOptions gives the first.
  std::function<void(const std::string& reason)> on_wait;

  // Seconds since 1970 on the database's clock: PostgreSQL's server, SQLite's host.
  [[nodiscard]] double now();

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::db
