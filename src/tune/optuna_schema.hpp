#pragma once

#include <tcrops/db/database.hpp>

namespace tcrops::tune {

// The tables of Optuna 3.1's RDBStorage (optuna/storages/_rdb/models.py), as SQLAlchemy declares
// them for either kind of database. Makes them where there are none. To be called within a
// transaction. Throws Error (kConfiguration) where there are others under these names, or those of
// a version with other columns.
void prepare_optuna_tables(db::Database& database);

}  // namespace tcrops::tune
