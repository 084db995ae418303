#pragma once

#include <tcrops/data/means.hpp>

#include <map>
#include <string>

namespace tcrops::stages {

// A table of the user's, and how to read it.
struct TableSource {
  std::string path;  // file, compressed or not, or "-" for stdin
  std::string format = "auto";
  std::map<std::string, std::string> map;  // canonical column -> column of the file
  std::string epitope;                     // for rows without one
  std::string mhc;
  data::Means means = data::Means::kOptions;  // of whoever gave it, for messages
};

// The peptide in a file's name ("GILGFVFTL.txt", "immrep22_GILGFVFTL.txt"): a part of 8 to 15
// amino-acid letters; empty when there is none, or more than one.
[[nodiscard]] std::string epitope_in_name(const std::string& path);

}  // namespace tcrops::stages
