#include "viral_facts.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/viral.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace tcrops::data {
namespace {

constexpr std::size_t kEpitopeLength = 9;
constexpr std::size_t kMinimumRows = 5;
constexpr std::size_t kLongestCdr3 = 19;

// Column of a clone table -> column of the pair table.
struct SourceColumn {
  std::string_view name;
  Column column;
};
constexpr std::array kSourceColumns = {
    SourceColumn{"IR_VJ_1_junction_aa", Column::kCdr3Alpha},
    SourceColumn{"IR_VDJ_1_junction_aa", Column::kCdr3Beta},
    SourceColumn{"IR_VJ_1_v_call", Column::kVAlpha},
    SourceColumn{"IR_VDJ_1_v_call", Column::kVBeta},
    SourceColumn{"IR_VJ_1_j_call", Column::kJAlpha},
    SourceColumn{"IR_VDJ_1_j_call", Column::kJBeta},
    SourceColumn{"epitope", Column::kEpitope},
    SourceColumn{"clone_id", Column::kCloneId},
};
constexpr std::array kGeneColumns = {Column::kVAlpha, Column::kVBeta, Column::kJAlpha,
                                     Column::kJBeta};

[[noreturn]] void fail(const CsvReader& reader, const std::string& problem) {
  throw Error(ExitCode::kInputData,
              fmt::format("{}:{}: {}", reader.name(), reader.line(), problem));
}

// The text Python gives a float: `25.0`. The benchmark's table holds it.
std::string python_float(const CsvReader& reader, const std::string& text) {
  const auto value = parse_number(text);
  if (!value || !std::isfinite(*value)) {
    fail(reader, fmt::format("clone_id \"{}\" is not a number", text));
  }
  std::string shortest = fmt::format("{}", *value);
  if (shortest.find_first_of(".e") == std::string::npos) shortest += ".0";
  return shortest;
}

std::string mhc_of(const CsvReader& reader, const std::string& epitope) {
  const auto at = std::find_if(kViralMhc.begin(), kViralMhc.end(),
                               [&](const PeptideMhc& known) { return known.peptide == epitope; });
  if (at == kViralMhc.end()) {
    fail(reader, fmt::format("epitope \"{}\" is not one of the benchmark's; use the table of the "
                             "pinned commit",
                             epitope));
  }
  return "HLA-" + std::string(at->mhc);
}

std::array<std::size_t, kSourceColumns.size()> source_positions(
    const CsvReader& reader, const std::vector<std::string>& header) {
  std::array<std::size_t, kSourceColumns.size()> positions{};
  for (std::size_t i = 0; i < kSourceColumns.size(); ++i) {
    const auto at = std::find(header.begin(), header.end(), kSourceColumns[i].name);
    if (at == header.end()) {
      fail(reader,
           fmt::format("column \"{}\" is missing; fetch the file again", kSourceColumns[i].name));
    }
    positions[i] = static_cast<std::size_t>(at - header.begin());
  }
  return positions;
}

// Rules 1 to 3 for one file: epitope without its HLA, genes with allele, MHC from the peptide.
std::vector<Record> read_clones(std::istream& in, const std::string& name) {
  CsvReader reader(in, name);
  std::vector<std::string> fields;
  if (!reader.next(fields)) {
    throw Error(ExitCode::kInputData, name + ": the file is empty; fetch it again");
  }
  const std::size_t width = fields.size();
  const auto positions = source_positions(reader, fields);
  std::vector<Record> clones;
  while (reader.next(fields)) {
    if (fields.size() != width) {
      fail(reader, fmt::format("{} fields, but the header has {}", fields.size(), width));
    }
    Record clone;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      clone[kSourceColumns[i].column] = fields[positions[i]];
    }
    std::string& epitope = clone[Column::kEpitope];
    epitope.resize(std::min(epitope.find('_'), epitope.size()));
    for (const Column gene : kGeneColumns) {
      if (!clone[gene].empty()) clone[gene] += "*01";
    }
    clone[Column::kMhc] = mhc_of(reader, epitope);
    clone[Column::kCloneId] = python_float(reader, clone[Column::kCloneId]);
    clones.push_back(std::move(clone));
  }
  return clones;
}

using Keep = std::function<bool(const Record&)>;

// Applies one rule and notes how many rows it leaves.
void keep_rows(ViralTable& table, const std::string& rule, const Keep& keep) {
  std::erase_if(table.records, [&](const Record& clone) { return !keep(clone); });
  table.rules.push_back({{"rule", rule}, {"rows", table.records.size()}});
}

Keep short_cdr3(Column column) {
  return [column](const Record& clone) {
    return !clone[column].empty() && clone[column].size() <= kLongestCdr3;
  };
}

void keep_frequent_epitopes(ViralTable& table) {
  std::unordered_map<std::string, std::size_t> rows;
  for (const Record& clone : table.records) ++rows[clone[Column::kEpitope]];
  keep_rows(table, "epitope with at least 5 rows",
            [&](const Record& clone) { return rows[clone[Column::kEpitope]] >= kMinimumRows; });
}

bool has_all_genes(const Record& clone) {
  return std::none_of(kGeneColumns.begin(), kGeneColumns.end(),
                      [&](Column gene) { return clone[gene].empty(); });
}

// What must be equal for a pair to be positive. clone_id alone is no key: the files number
// independently.
std::string pair_key(const Record& record) {
  return tcr_key(record) + record[Column::kEpitope] + '\x1f' + record[Column::kCloneId] + '\x1f' +
         record[Column::kMhc];
}

// Rules 11 and 12: every TCR with every epitope, positive where the clone itself was seen.
std::vector<Record> pair_all(const std::vector<Record>& clones) {
  std::unordered_set<std::string> seen;
  std::vector<const Record*> targets;
  for (const Record& clone : clones) {
    seen.insert(pair_key(clone));
    const bool known = std::any_of(targets.begin(), targets.end(), [&](const Record* target) {
      return (*target)[Column::kEpitope] == clone[Column::kEpitope];
    });
    if (!known) targets.push_back(&clone);
  }
  std::vector<Record> pairs;
  pairs.reserve(clones.size() * targets.size());
  for (const Record* target : targets) {
    for (const Record& clone : clones) {
      Record& pair = pairs.emplace_back(clone);
      pair[Column::kEpitope] = (*target)[Column::kEpitope];
      pair[Column::kMhc] = (*target)[Column::kMhc];
      pair.label = seen.contains(pair_key(pair));
    }
  }
  return pairs;
}

}  // namespace

ViralTable build_viral_table(std::istream& beam, std::istream& dextramer) {
  ViralTable table;
  table.rules = Json::array();
  table.records = read_clones(beam, "01_beam-t_clones.csv");
  std::vector<Record> second = read_clones(dextramer, "02_covid_dextramer_clones.csv");
  std::move(second.begin(), second.end(), std::back_inserter(table.records));

  keep_rows(table, "both clone tables, BEAM-T first", [](const Record&) { return true; });
  keep_rows(table, "epitope of 9 residues",
            [](const Record& clone) { return clone[Column::kEpitope].size() == kEpitopeLength; });
  keep_frequent_epitopes(table);
  keep_rows(table, "CDR3_alpha known, at most 19 residues", short_cdr3(Column::kCdr3Alpha));
  keep_rows(table, "CDR3_beta known, at most 19 residues", short_cdr3(Column::kCdr3Beta));
  keep_rows(table, "CDR3_beta ends in F",
            [](const Record& clone) { return clone[Column::kCdr3Beta].ends_with('F'); });
  keep_rows(table, "CDR3_beta not in public databases with a matching epitope (48 sequences)",
            [](const Record& clone) {
              return std::find(kPublicCdr3Beta.begin(), kPublicCdr3Beta.end(),
                               clone[Column::kCdr3Beta]) == kPublicCdr3Beta.end();
            });
  keep_rows(table, "V and J genes known", has_all_genes);
  if (table.records.empty()) {
    throw Error(ExitCode::kInputData,
                "viral benchmark: no row is left after the rules; fetch both clone tables again");
  }
  table.records = pair_all(table.records);
  keep_rows(table, "every TCR with every epitope", [](const Record&) { return true; });
  return table;
}

}  // namespace tcrops::data
