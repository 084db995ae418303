#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/lineage.hpp>

#include <string>

namespace tcrops::cli {

// Kind of a node that stands for a logged request; what is known of it is in its run record, by
// this key.
inline constexpr const char* kQueryKind = "query";

// One line per artifact and more for what people look for in it; one that is met again is named and
// not repeated. `down`: what was made from the root.
[[nodiscard]] std::string lineage_tree(const store::Lineage& lineage, bool down);
// A graph for Graphviz, arrows from an input to what was made from it.
[[nodiscard]] std::string lineage_dot(const store::Lineage& lineage);
[[nodiscard]] Json lineage_json(const store::Lineage& lineage);

}  // namespace tcrops::cli
