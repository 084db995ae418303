#include "table_source.hpp"

#include <algorithm>
#include <vector>

namespace tcrops::stages {
namespace {

constexpr std::size_t kShortestEpitope = 8;
constexpr std::size_t kLongestEpitope = 15;

bool is_peptide(std::string_view part) {
  return part.size() >= kShortestEpitope && part.size() <= kLongestEpitope &&
         part.find_first_not_of("ACDEFGHIKLMNPQRSTVWY") == std::string_view::npos;
}

}  // namespace

std::string epitope_in_name(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  std::string found;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find_first_of("_.-", begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    if (is_peptide(part)) {
      if (!found.empty() && found != part) return {};
      found = part;
    }
    begin = end + 1;
  }
  return found;
}

std::filesystem::path spill_folder(const std::string& output) {
  if (output.empty() || output == "-") return {};
  std::error_code fault;
  const auto status = std::filesystem::status(output, fault);
  const bool is_file = status.type() == std::filesystem::file_type::regular ||
                       status.type() == std::filesystem::file_type::not_found;
  if (!is_file) return {};
  const auto folder = std::filesystem::path(output).parent_path();
  return folder.empty() ? "." : folder;
}

data::ReadOptions read_options(const TableSource& source, const std::string& output) {
  data::ReadOptions read;
  read.format = source.format;
  read.map = source.map;
  read.epitope = source.epitope;
  read.epitope_in_name = epitope_in_name(source.path);
  read.mhc = source.mhc;
  read.means = source.means;
  read.spill_folder = spill_folder(output);
  return read;
}

}  // namespace tcrops::stages
