#pragma once

#include <tcrops/core/error.hpp>
#include <tcrops/db/database.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops::db {

// The database cannot be reached now, or others hold it: worth waiting for.
class Away : public Error {
 public:
  explicit Away(const std::string& message) : Error(ExitCode::kTemporary, message) {}
};

// The transaction could not be serialised with another: worth beginning again.
class Conflict : public Error {
 public:
  explicit Conflict(const std::string& message) : Error(ExitCode::kTemporary, message) {}
};

struct Outcome {
  std::vector<Row> rows;
  std::int64_t changed = 0;
};

// What SQLite and PostgreSQL do differently. Each call is one try; throws Away, Conflict or Error.
class Driver {
 public:
  virtual ~Driver() = default;

  [[nodiscard]] virtual bool is_connected() const = 0;
  virtual void connect() = 0;
  // Outside `begin` and `commit` or `rollback` a statement is a transaction of its own. After Away
  // the connection may be gone.
  virtual Outcome run(std::string_view sql, std::span<const Value> parameters) = 0;
  virtual void begin(Isolation isolation) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  [[nodiscard]] virtual double now() = 0;
};

[[nodiscard]] std::unique_ptr<Driver> make_sqlite(const Address& address, double busy_seconds);
[[nodiscard]] std::unique_ptr<Driver> make_postgresql(const Address& address);

// What is said of a full disk.
inline constexpr std::string_view kFreeSpace =
    "free some space and run the same command again, it continues";

}  // namespace tcrops::db
