#pragma once

#include <tcrops/db/database.hpp>

#include <span>

namespace tcrops::db {

// Throws Error (kFailure) for a parameter that the databases would not both keep as it is.
void check_parameters(std::span<const Value> parameters);

}  // namespace tcrops::db
