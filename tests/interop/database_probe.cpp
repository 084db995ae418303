// A user of a database for database_test.py.
// Usage: database_probe ADDRESS PATIENCE create
//        database_probe ADDRESS PATIENCE add NAME TIMES   prints a line once each is kept
//        database_probe ADDRESS PATIENCE show             prints the sum, then how many are marked
// `add` marks each addition with its name, so that one which is done again after a COMMIT whose
// answer was lost adds nothing. Exit statuses are those of the program; waits are told on stderr.
#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/db/database.hpp>

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace tcrops::db;

void create(Database& database) {
  database.transaction([&] {
    database.execute("create table total (sum bigint)");
    database.execute("create table mark (name text, number bigint, primary key (name, number))");
    database.execute("insert into total values (0)");
  });
}

void add(Database& database, const std::string& name, std::int64_t number) {
  database.transaction([&] {
    const std::vector<Row> marks =
        database.query("select 1 from mark where name = :p1 and number = :p2", {name, number});
    if (!marks.empty()) return;
    const std::int64_t sum = integer(database.query("select sum from total").at(0).at(0));
    database.execute("update total set sum = :p1", {sum + 1});
    database.execute("insert into mark values (:p1, :p2)", {name, number});
  });
}

void show(Database& database) {
  std::cout << integer(database.query("select sum from total").at(0).at(0)) << '\n'
            << integer(database.query("select count(*) from mark").at(0).at(0)) << '\n';
}

void run(const std::vector<std::string>& words) {
  OpenOptions options;
  options.patience_seconds = std::stod(words.at(1));
  options.on_wait = [](const std::string& reason) { std::cerr << "waiting: " << reason << '\n'; };
  Database database = Database::open(address(words.at(0)), options);
  const std::string& command = words.at(2);
  if (command == "create") return create(database);
  if (command == "show") return show(database);
  if (command != "add") throw std::invalid_argument(command);
  for (std::int64_t number = 0; number < std::stoll(words.at(4)); ++number) {
    add(database, words.at(3), number);
    // Outside a transaction.
    if (database.now() <= 0.0 || database.query("select sum from total").size() != 1) {
      throw std::logic_error("a query went wrong");
    }
    std::cout << number << std::endl;
  }
}

}  // namespace

int main(int count, char** words) {
  tcrops::install_interrupt_handlers();
  try {
    run({words + 1, words + count});
    return 0;
  } catch (const tcrops::Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "internal error: " << error.what() << '\n';
    return 99;
  }
}
