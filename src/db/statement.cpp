#include "statement.hpp"

#include <fmt/format.h>

namespace tcrops::db {

Statement::Statement(soci::session& session, std::string_view sql,
                     std::span<const Value> parameters)
    : statement_(session) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    bind(parameters[i], fmt::format("p{}", i + 1));
  }
  statement_.alloc();
  // One round trip to a server, where a prepared statement takes three.
  statement_.prepare(std::string(sql), soci::details::st_one_time_query);
  statement_.define_and_bind();
}

void Statement::bind(const Value& value, const std::string& name) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    statement_.exchange(soci::use(integers_.emplace_back(*number), given_, name));
  } else if (const auto* const fraction = std::get_if<double>(&value)) {
    // SQLite has no negative zero; the sum is a positive one.
    statement_.exchange(soci::use(reals_.emplace_back(*fraction + 0.0), given_, name));
  } else if (const auto* const words = std::get_if<std::string>(&value)) {
    statement_.exchange(soci::use(*words, given_, name));
  } else {
    statement_.exchange(soci::use(nothing_, null_, name));
  }
}

}  // namespace tcrops::db
