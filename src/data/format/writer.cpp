#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/genes.hpp>
#include <tcrops/data/writer.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tcrops::data {
namespace {

// Of the AIRR schema: the required columns, then those that hold what tcrops knows.
constexpr std::array<std::string_view, 25> kAirrColumns = {"sequence_id",
                                                           "sequence",
                                                           "rev_comp",
                                                           "productive",
                                                           "v_call",
                                                           "d_call",
                                                           "j_call",
                                                           "sequence_alignment",
                                                           "germline_alignment",
                                                           "junction",
                                                           "junction_aa",
                                                           "v_cigar",
                                                           "d_cigar",
                                                           "j_cigar",
                                                           "locus",
                                                           "cdr1_aa",
                                                           "cdr2_aa",
                                                           "cdr3_aa",
                                                           "clone_id",
                                                           "epitope",
                                                           "mhc",
                                                           "label",
                                                           "negative_origin",
                                                           "fold",
                                                           "tcrops_record"};
// Those among them that an extra column may fill.
constexpr std::array<std::string_view, 11> kOpenColumns = {
    "sequence_id",        "sequence", "rev_comp", "productive", "d_call", "sequence_alignment",
    "germline_alignment", "junction", "v_cigar",  "d_cigar",    "j_cigar"};

template <class List>
bool contains(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::vector<std::string> own_names(bool is_airr) {
  if (is_airr) return {kAirrColumns.begin(), kAirrColumns.end()};
  std::vector<std::string> names(kColumnNames.begin(),
                                 kColumnNames.begin() + kBenchmarkColumnCount);
  names.emplace_back(kLabelColumn);
  names.insert(names.end(), kColumnNames.begin() + kBenchmarkColumnCount, kColumnNames.end());
  names.emplace_back(kOriginColumn);
  names.emplace_back(kFoldColumn);
  return names;
}

std::string label_text(const Record& record) {
  if (!record.label) return {};
  return *record.label ? "1" : "0";
}

// Without the conserved first and last letter.
std::string trimmed(const std::string& cdr3) {
  return cdr3.size() > 2 ? cdr3.substr(1, cdr3.size() - 2) : std::string();
}

// AIRR has no way to write these within a value.
std::string tsv_value(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

// Of a value that stands for all chains of a record the part of one of them.
std::string part_of(const std::string& text, std::size_t chain, std::size_t chains) {
  if (chains < 2) return shown_extra(text);
  const std::vector<std::string> parts = split(text, kBetweenChains);
  return parts.size() == chains ? parts[chain] : shown_extra(text);
}

}  // namespace

const std::vector<std::string>& writable_formats() {
  static const std::vector<std::string> names = {"airr", "benchmark"};
  return names;
}

RecordWriter::RecordWriter(std::string_view format, const std::vector<std::string>& extra_names)
    : is_airr_(format == "airr"), names_(own_names(is_airr_)) {
  if (!contains(writable_formats(), format)) {
    throw Error(ExitCode::kUsage, fmt::format("cannot write the format \"{}\"{}; known are {}",
                                              format, suggestion(format, writable_formats()),
                                              fmt::join(writable_formats(), ", ")));
  }
  for (const std::string& name : extra_names) {
    if (is_airr_ && contains(kOpenColumns, name)) {
      const auto at = std::find(names_.begin(), names_.end(), name);
      extra_at_.push_back(static_cast<std::size_t>(at - names_.begin()));
      continue;
    }
    std::string free = tsv_value(name);
    // Readers of AIRR may take a quote for the beginning of a quoted name.
    if (is_airr_) std::replace(free.begin(), free.end(), '"', '\'');
    while (contains(names_, free)) free = "input_" + free;
    extra_at_.push_back(names_.size());
    names_.push_back(std::move(free));
  }
}

std::string RecordWriter::header() const {
  std::string text;
  if (!is_airr_) {
    append_csv(text, names_);
    return text;
  }
  return fmt::format("{}\n", fmt::join(names_, "\t"));
}

std::string RecordWriter::lines(const Record& record) {
  ++records_;
  if (is_airr_) return airr_lines(record);
  std::vector<std::string> fields(record.values.begin(),
                                  record.values.begin() + kBenchmarkColumnCount);
  fields.push_back(label_text(record));
  fields.insert(fields.end(), record.values.begin() + kBenchmarkColumnCount, record.values.end());
  fields.emplace_back(origin_name(record.origin));
  fields.push_back(record.fold);
  fields.resize(names_.size());
  for (std::size_t i = 0; i < std::min(extra_at_.size(), record.extra.size()); ++i) {
    fields[extra_at_[i]] = shown_extra(record.extra[i]);
  }
  std::string text;
  append_csv(text, fields);
  return text;
}

std::string RecordWriter::airr_lines(const Record& record) {
  struct ChainColumns {
    std::string_view locus;
    Column cdr3, v, j, cdr1, cdr2;
  };
  constexpr std::array kChains = {
      ChainColumns{"TRA", Column::kCdr3Alpha, Column::kVAlpha, Column::kJAlpha, Column::kCdr1Alpha,
                   Column::kCdr2Alpha},
      ChainColumns{"TRB", Column::kCdr3Beta, Column::kVBeta, Column::kJBeta, Column::kCdr1Beta,
                   Column::kCdr2Beta}};
  // Also a chain of which only the genes are known.
  const auto is_there = [&record](const ChainColumns& chain) {
    return !(record[chain.cdr3].empty() && record[chain.v].empty() && record[chain.j].empty());
  };
  const auto chains = static_cast<std::size_t>(std::count_if(
      kChains.begin(), kChains.end(), [&](const ChainColumns& chain) { return is_there(chain); }));
  std::string text;
  std::size_t written = 0;
  for (const ChainColumns& chain : kChains) {
    if (!is_there(chain)) continue;
    std::vector<std::string> fields = {fmt::format("r{}_{}", records_, chain.locus),
                                       "",
                                       "F",
                                       "T",
                                       record[chain.v],
                                       "",
                                       record[chain.j],
                                       "",
                                       "",
                                       "",
                                       record[chain.cdr3],
                                       "",
                                       "",
                                       "",
                                       std::string(chain.locus),
                                       record[chain.cdr1],
                                       record[chain.cdr2],
                                       trimmed(record[chain.cdr3]),
                                       record[Column::kCloneId],
                                       record[Column::kEpitope],
                                       record[Column::kMhc],
                                       label_text(record),
                                       std::string(origin_name(record.origin)),
                                       tsv_value(record.fold),
                                       fmt::format("r{}", records_)};
    fields.resize(names_.size());
    for (std::size_t i = 0; i < std::min(extra_at_.size(), record.extra.size()); ++i) {
      const std::string part = part_of(record.extra[i], written, chains);
      if (!part.empty()) fields[extra_at_[i]] = tsv_value(part);
    }
    ++written;
    text += fmt::format("{}\n", fmt::join(fields, "\t"));
  }
  return text;
}

}  // namespace tcrops::data
