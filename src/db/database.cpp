#include "driver.hpp"
#include "retry.hpp"
#include "value.hpp"

#include <exception>
#include <utility>

namespace tcrops::db {

struct Database::State {
  Address address;
  OpenOptions options;
  std::unique_ptr<Driver> driver;
  bool is_inside = false;      // a transaction is open
  std::exception_ptr failure;  // of a statement in it

  // One statement of the transaction that is open.
  Outcome run_inside(std::string_view sql, std::span<const Value> parameters) {
    if (failure) std::rethrow_exception(failure);
    try {
      check_parameters(parameters);
      return driver->run(sql, parameters);
    } catch (...) {
      failure = std::current_exception();
      throw;
    }
  }

  // One try of a whole transaction.
  void attempt(const std::function<void()>& work, Isolation isolation) {
    driver->begin(isolation);
    is_inside = true;
    failure = nullptr;
    try {
      work();
      if (failure) std::rethrow_exception(failure);
      driver->commit();
      is_inside = false;
    } catch (...) {
      is_inside = false;
      driver->rollback();
      rethrow_the_cause();
    }
  }

  // In a handler: a failure of the database that `work` made another one of is still worth a retry.
  [[noreturn]] void rethrow_the_cause() {
    if (const std::exception_ptr cause = std::exchange(failure, nullptr)) {
      try {
        std::rethrow_exception(cause);
      } catch (const Away&) {
        throw;
      } catch (const Conflict&) {
        throw;
      } catch (...) {
        // what `work` threw stands
      }
    }
    throw;
  }

  // Runs `once` with a connection until it succeeds or the patience ends.
  template <class Once>
  void persist(const std::function<void(const std::string&)>& on_wait, const Once& once) {
    Retry retry(options.patience_seconds, on_wait);
    for (;;) {
      const bool was_connected = driver->is_connected();
      try {
        driver->connect();
        once();
        return;
      } catch (const Away& away) {
        retry.after(away, was_connected && !driver->is_connected());
      } catch (const Conflict& conflict) {
        retry.after(conflict);
      }
    }
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Database Database::open(const Address& address, const OpenOptions& options) {
  auto state = std::make_unique<State>();
  state->address = address;
  state->options = options;
  state->driver = address.is_postgresql() ? make_postgresql(address)
                                          : make_sqlite(address, options.busy_seconds);
  Database result(std::move(state));
  result.on_wait = options.on_wait;
  result.state_->persist(result.on_wait, [] {});
  return result;
}

bool Database::is_postgresql() const { return state_->address.is_postgresql(); }
const Address& Database::address() const { return state_->address; }

std::vector<Row> Database::query(std::string_view sql, std::span<const Value> parameters) {
  if (state_->is_inside) return state_->run_inside(sql, parameters).rows;
  check_parameters(parameters);
  std::vector<Row> rows;
  state_->persist(on_wait, [&] { rows = state_->driver->run(sql, parameters).rows; });
  return rows;
}

std::vector<Row> Database::query(std::string_view sql, std::initializer_list<Value> parameters) {
  return query(sql, std::span<const Value>(parameters.begin(), parameters.size()));
}

std::int64_t Database::execute(std::string_view sql, std::span<const Value> parameters) {
  std::int64_t changed = 0;
  transaction([&] { changed = state_->run_inside(sql, parameters).changed; });
  return changed;
}

std::int64_t Database::execute(std::string_view sql, std::initializer_list<Value> parameters) {
  return execute(sql, std::span<const Value>(parameters.begin(), parameters.size()));
}

void Database::transaction(const std::function<void()>& work, Isolation isolation) {
  if (state_->is_inside) {
    work();
  } else {
    state_->persist(on_wait, [&] { state_->attempt(work, isolation); });
  }
}

void Database::set_patience(double seconds) { state_->options.patience_seconds = seconds; }
double Database::patience_seconds() const { return state_->options.patience_seconds; }

double Database::now() {
  double seconds = 0.0;
  if (state_->is_inside) return state_->driver->now();
  state_->persist(on_wait, [&] { seconds = state_->driver->now(); });
  return seconds;
}

}  // namespace tcrops::db
