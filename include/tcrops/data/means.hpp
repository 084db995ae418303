#pragma once

namespace tcrops::data {

// With what whoever reads a message about a table can say more of it.
enum class Means {
  kOptions,  // of a command: --map, --format
  kQuery,    // of a request: ?format=, ?epitope=, ?mhc=
  kNames,    // nothing but the names of the table's own columns
};

}  // namespace tcrops::data
