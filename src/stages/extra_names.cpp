#include "extra_names.hpp"

#include <tcrops/data/record.hpp>

#include <fmt/format.h>

#include <set>

namespace tcrops::stages {
namespace {

bool is_ours(const std::string& name) {
  return data::column_named(name) || name == data::kLabelColumn || name == data::kOriginColumn ||
         name == data::kFoldColumn;
}

}  // namespace

std::vector<std::size_t> ExtraNames::places_of(const std::vector<std::string>& names) {
  std::vector<std::size_t> places;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    std::string free = is_ours(name) ? "input_" + name : name;
    for (int number = 2; !taken.insert(free).second; ++number) {
      free = fmt::format("{}_{}", name, number);
    }
    const auto [at, is_new] = place_.try_emplace(free, names_.size());
    if (is_new) names_.push_back(free);
    places.push_back(at->second);
  }
  return places;
}

}  // namespace tcrops::stages
