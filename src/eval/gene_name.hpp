#pragma once

#include <string>

namespace tcrops::eval {

// "TRBV19" of "TRBV19*01".
[[nodiscard]] inline std::string gene_name(const std::string& call) {
  return call.substr(0, call.find('*'));
}

}  // namespace tcrops::eval
