#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace tcrops::stages {

// The columns that the records of several files have beside ours. What a file has none of, others
// may have: one list of names for all records. A name that one of our columns has gets the prefix
// "input_"; a second column of the same name a number.
class ExtraNames {
 public:
  // Places of a file's names in the common list.
  [[nodiscard]] std::vector<std::size_t> places_of(const std::vector<std::string>& names);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::map<std::string, std::size_t> place_;
  std::vector<std::string> names_;
};

}  // namespace tcrops::stages
