#pragma once

#include <tcrops/db/database.hpp>

#include <string>

namespace tcrops::db {

// The path of an address of SQLite.
[[nodiscard]] std::string sqlite_path(const Address& address);

// The address of PostgreSQL with a value for every key that it does not give itself: ("key=value").
[[nodiscard]] std::string with_defaults(const Address& address,
                                        std::initializer_list<std::string_view> settings);

// A text without any password of the address, in either spelling.
[[nodiscard]] std::string without_passwords(const Address& address, std::string text);

}  // namespace tcrops::db
