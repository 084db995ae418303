// Published tables as records, read in the plainest way: what a test needs of them and no more.
#pragma once

#include <tcrops/core/text.hpp>
#include <tcrops/data/record.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <test_data.hpp>
#include <vector>

namespace tcrops::data {

// Lines of a gzip file, as cells.
inline std::vector<std::vector<std::string>> read_gzip_cells(const std::filesystem::path& path,
                                                             char separator) {
  const std::string command = "gzip -dc '" + path.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::vector<char> buffer(1 << 16);
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), n);
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split(text, '\n')) {
    if (!line.empty()) rows.push_back(split(line, separator));
  }
  return rows;
}

// Human VDJdb, one record per complex, all positive. Empty when the data is not there.
inline std::optional<std::vector<Record>> read_vdjdb() {
  const auto folder = test::find_test_data("vdjdb");
  if (!folder) return std::nullopt;
  const auto rows = read_gzip_cells(*folder / "vdjdb_human.tsv.gz", '\t');
  std::vector<Record> records;
  std::map<std::string, std::size_t> complexes;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string>& cells = rows[i];
    std::size_t at = records.size();
    if (cells.at(0) != "0") at = complexes.try_emplace(cells[0], at).first->second;
    if (at == records.size()) records.emplace_back();
    Record& record = records[at];
    const bool beta = cells.at(1) == "TRB";
    record[beta ? Column::kCdr3Beta : Column::kCdr3Alpha] = cells.at(2);
    record[beta ? Column::kVBeta : Column::kVAlpha] = cells.at(3);
    record[beta ? Column::kJBeta : Column::kJAlpha] = cells.at(4);
    record[Column::kMhc] = cells.at(6);
    record[Column::kEpitope] = cells.at(9);
    record.label = true;
    record.line = i + 1;
  }
  return records;
}

// The training table of IMMREP22 with its own negatives. Empty when the data is not there.
inline std::optional<std::vector<Record>> read_immrep22() {
  const auto folder = test::find_test_data("immrep22_train");
  if (!folder) return std::nullopt;
  const auto rows = read_gzip_cells(*folder / "train.csv.gz", ',');
  std::vector<Record> records;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string>& cells = rows[i];
    Record record;
    record[Column::kVAlpha] = cells.at(1);
    record[Column::kJAlpha] = cells.at(2);
    record[Column::kCdr3Alpha] = cells.at(3);
    record[Column::kVBeta] = cells.at(4);
    record[Column::kJBeta] = cells.at(5);
    record[Column::kCdr3Beta] = cells.at(6);
    record[Column::kEpitope] = cells.at(13);
    record.label = cells.at(0) == "1";
    record.origin = *record.label ? Origin::kNone : Origin::kGiven;
    record.line = i + 1;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace tcrops::data
