#pragma once

#include "session.hpp"

namespace tcrops::cli {

// `config init`: writes a pipeline file with every key, and the JSON Schema beside it.
void add_config_init(CLI::App& config, Session& session);

// The bytes of the schema, as `config schema` prints them and as they stand beside a pipeline file.
[[nodiscard]] std::string schema_text(const FieldTable& fields);

}  // namespace tcrops::cli
