#include "optuna_schema.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace tcrops::tune {
namespace {

constexpr std::string_view kRevision = "v3.0.0.d";
// Of Optuna 3.2 and later: the same with one more index.
constexpr std::string_view kLaterRevision = "v3.2.0.a";
// The version that went with the tables before there were revisions; it no longer changes.
constexpr int kSchemaVersion = 12;
constexpr std::string_view kLibraryVersion = "3.1.0";

struct Table {
  std::string_view name;
  std::string_view columns;
};

// {id} and the other words in braces are types, see `columns_of`.
constexpr std::array<Table, 13> kTables = {{
    {"studies", "study_id {id} NOT NULL, study_name VARCHAR(512) NOT NULL, PRIMARY KEY (study_id)"},
    {"version_info",
     "version_info_id INTEGER NOT NULL, schema_version INTEGER, library_version VARCHAR(256), "
     "PRIMARY KEY (version_info_id), CHECK (version_info_id=1)"},
    {"study_directions",
     "study_direction_id {id} NOT NULL, direction {direction} NOT NULL, study_id INTEGER NOT NULL, "
     "objective INTEGER NOT NULL, PRIMARY KEY (study_direction_id), UNIQUE (study_id, objective), "
     "FOREIGN KEY(study_id) REFERENCES studies (study_id)"},
    {"study_user_attributes",
     "study_user_attribute_id {id} NOT NULL, study_id INTEGER, \"key\" VARCHAR(512), value_json "
     "TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE (study_id, \"key\"), FOREIGN "
     "KEY(study_id) REFERENCES studies (study_id)"},
    {"study_system_attributes",
     "study_system_attribute_id {id} NOT NULL, study_id INTEGER, \"key\" VARCHAR(512), value_json "
     "TEXT, PRIMARY KEY (study_system_attribute_id), UNIQUE (study_id, \"key\"), FOREIGN "
     "KEY(study_id) REFERENCES studies (study_id)"},
    {"trials",
     "trial_id {id} NOT NULL, number INTEGER, study_id INTEGER, state {state} NOT NULL, "
     "datetime_start {time}, datetime_complete {time}, PRIMARY KEY (trial_id), FOREIGN "
     "KEY(study_id) REFERENCES studies (study_id)"},
    {"trial_user_attributes",
     "trial_user_attribute_id {id} NOT NULL, trial_id INTEGER, \"key\" VARCHAR(512), value_json "
     "TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE (trial_id, \"key\"), FOREIGN "
     "KEY(trial_id) REFERENCES trials (trial_id)"},
    {"trial_system_attributes",
     "trial_system_attribute_id {id} NOT NULL, trial_id INTEGER, \"key\" VARCHAR(512), value_json "
     "TEXT, PRIMARY KEY (trial_system_attribute_id), UNIQUE (trial_id, \"key\"), FOREIGN "
     "KEY(trial_id) REFERENCES trials (trial_id)"},
    {"trial_params",
     "param_id {id} NOT NULL, trial_id INTEGER, param_name VARCHAR(512), param_value {real}, "
     "distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE (trial_id, param_name), FOREIGN "
     "KEY(trial_id) REFERENCES trials (trial_id)"},
    {"trial_values",
     "trial_value_id {id} NOT NULL, trial_id INTEGER NOT NULL, objective INTEGER NOT NULL, value "
     "{real}, value_type {value} NOT NULL, PRIMARY KEY (trial_value_id), UNIQUE (trial_id, "
     "objective), FOREIGN KEY(trial_id) REFERENCES trials (trial_id)"},
    {"trial_intermediate_values",
     "trial_intermediate_value_id {id} NOT NULL, trial_id INTEGER NOT NULL, step INTEGER NOT NULL, "
     "intermediate_value {real}, intermediate_value_type {report} NOT NULL, PRIMARY KEY "
     "(trial_intermediate_value_id), UNIQUE (trial_id, step), FOREIGN KEY(trial_id) REFERENCES "
     "trials (trial_id)"},
    {"trial_heartbeats",
     "trial_heartbeat_id {id} NOT NULL, trial_id INTEGER NOT NULL, heartbeat {time} NOT NULL, "
     "PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id), FOREIGN KEY(trial_id) REFERENCES trials "
     "(trial_id)"},
    {"alembic_version",
     "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"},
}};

constexpr std::array<std::string_view, 4> kPostgresqlTypes = {
    "CREATE TYPE studydirection AS ENUM ('NOT_SET', 'MINIMIZE', 'MAXIMIZE')",
    "CREATE TYPE trialstate AS ENUM ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING')",
    "CREATE TYPE trialvaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG')",
    "CREATE TYPE trialintermediatevaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG', 'NAN')",
};

std::string columns_of(const Table& table, bool is_postgresql) {
  const auto either = [&](const char* sqlite, const char* postgresql) {
    return is_postgresql ? postgresql : sqlite;
  };
  return fmt::format(fmt::runtime(table.columns), fmt::arg("id", either("INTEGER", "SERIAL")),
                     fmt::arg("real", either("FLOAT", "FLOAT(53)")),
                     fmt::arg("time", either("DATETIME", "TIMESTAMP WITHOUT TIME ZONE")),
                     fmt::arg("direction", either("VARCHAR(8)", "studydirection")),
                     fmt::arg("state", either("VARCHAR(8)", "trialstate")),
                     fmt::arg("value", either("VARCHAR(7)", "trialvaluetype")),
                     fmt::arg("report", either("VARCHAR(7)", "trialintermediatevaluetype")));
}

bool has_table(db::Database& database, std::string_view name) {
  const char* const sql = database.is_postgresql()
                              ? "select count(*) from information_schema.tables where table_schema "
                                "= any (current_schemas(false)) and table_name = :p1"
                              : "select count(*) from sqlite_master where type = 'table' and "
                                "name = :p1";
  return db::integer(database.query(sql, {std::string(name)}).at(0).at(0)) > 0;
}

void make_tables(db::Database& database) {
  if (database.is_postgresql()) {
    for (const std::string_view type : kPostgresqlTypes) database.execute(type);
  }
  for (const Table& table : kTables) {
    database.execute(fmt::format("CREATE TABLE {} ({})", table.name,
                                 columns_of(table, database.is_postgresql())));
  }
  database.execute("CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)");
  database.execute("insert into version_info values (1, :p1, :p2)",
                   {std::int64_t{kSchemaVersion}, std::string(kLibraryVersion)});
  database.execute("insert into alembic_version values (:p1)", {std::string(kRevision)});
}

[[noreturn]] void refuse(const db::Database& database, const std::string& what) {
  throw Error(ExitCode::kConfiguration, fmt::format("{}: {}; export into another database",
                                                    database.address().shown(), what));
}

}  // namespace

void prepare_optuna_tables(db::Database& database) {
  const auto there = std::find_if(kTables.begin(), kTables.end(), [&](const Table& table) {
    return has_table(database, table.name);
  });
  if (there == kTables.end()) {
    make_tables(database);
    return;
  }
  if (!has_table(database, "alembic_version") || !has_table(database, "version_info")) {
    refuse(database, fmt::format("its table \"{}\" is not Optuna's", there->name));
  }
  const auto rows = database.query("select version_num from alembic_version");
  const std::string found = rows.empty() ? "none" : db::text(rows.at(0).at(0));
  if (found != kRevision && found != kLaterRevision) {
    refuse(database, fmt::format("Optuna's tables in it have the revision {}, not {} or {}", found,
                                 kRevision, kLaterRevision));
  }
}

}  // namespace tcrops::tune
