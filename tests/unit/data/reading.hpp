// Reads a table from text in tests, whole.
#pragma once

#include <tcrops/data/reader.hpp>

#include <algorithm>
#include <catch_all.hpp>
#include <error_of.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace tcrops::data {

struct ReadTable {
  std::string format;
  std::vector<std::string> extra_names;
  std::vector<ReadResult> results;

  [[nodiscard]] std::vector<Record> records() const {
    std::vector<Record> records;
    for (const ReadResult& result : results) {
      if (result.record) records.push_back(*result.record);
    }
    return records;
  }
  // "line action field code", in the order of the results.
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    for (const ReadResult& result : results) {
      for (const Note& note : result.notes) {
        notes.push_back(std::to_string(note.line) + " " + std::string(action_name(note.action)) +
                        " " + note.field + " " + note.code);
      }
    }
    return notes;
  }
  // Line numbers of all rows, sorted.
  [[nodiscard]] std::vector<std::size_t> lines() const {
    std::vector<std::size_t> lines;
    for (const ReadResult& result : results) {
      for (const SourceRow& row : result.rows) lines.push_back(row.line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

// All values matter, unless `options` says otherwise.
inline ReadTable read_all(const std::string& text, ReadOptions options = {}) {
  if (options.used.empty()) options.used = value_columns();
  std::istringstream in(text);
  TableReader reader(in, "t.csv", std::move(options));
  ReadTable table{std::string(reader.format()), reader.extra_names(), {}};
  while (auto result = reader.next()) table.results.push_back(std::move(*result));
  return table;
}

inline test::Thrown reading(const std::string& text, const ReadOptions& options = {}) {
  return test::error_of([&] { (void)read_all(text, options); });
}

// The record of a table that has one.
inline Record only_record(const std::string& text, const ReadOptions& options = {}) {
  const auto records = read_all(text, options).records();
  REQUIRE(records.size() == 1);
  return records.front();
}

inline bool same_record(const Record& a, const Record& b) {
  return a.values == b.values && a.label == b.label && a.origin == b.origin && a.fold == b.fold &&
         a.extra == b.extra;
}

}  // namespace tcrops::data
