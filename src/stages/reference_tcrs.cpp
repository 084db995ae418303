#include "reference_tcrs.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/csv.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <sstream>
#include <tuple>

namespace tcrops::stages {
namespace {

constexpr double kFarQuantile = 0.05;
constexpr std::size_t kMostRemembered = 100'000;
const std::vector<std::string> kHeader = {"CDR3_alpha", "CDR3_beta", "Epitopes"};

bool has(std::span<const data::Column> columns, data::Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::vector<data::Cdr3s> cdr3s_of(const ReferenceTcrs& tcrs) {
  std::vector<data::Cdr3s> all;
  all.reserve(tcrs.size());
  for (const ReferenceTcr& tcr : tcrs) all.push_back(tcr.cdr3s);
  return all;
}

std::set<std::string> epitopes_of(const ReferenceTcrs& tcrs) {
  std::set<std::string> epitopes;
  for (const ReferenceTcr& tcr : tcrs) epitopes.insert(tcr.binds.begin(), tcr.binds.end());
  return epitopes;
}

}  // namespace

SeenChains::SeenChains(std::span<const data::Column> features)
    : alpha(has(features, data::Column::kCdr3Alpha)), beta(has(features, data::Column::kCdr3Beta)) {
  if (!alpha && !beta) alpha = beta = true;
}

data::Cdr3s seen_cdr3s(const data::Record& record, std::span<const data::Column> features) {
  const SeenChains chains(features);
  data::Cdr3s seen;
  if (chains.alpha) seen.alpha = record[data::Column::kCdr3Alpha];
  if (chains.beta) seen.beta = record[data::Column::kCdr3Beta];
  return seen;
}

ReferenceTcrs reference_tcrs(std::span<const data::Record> records,
                             std::span<const data::Column> features) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> found;
  for (const data::Record& record : records) {
    data::Cdr3s seen = seen_cdr3s(record, features);
    auto& binds = found[{std::move(seen.alpha), std::move(seen.beta)}];
    const std::string& epitope = record[data::Column::kEpitope];
    if (record.label.value_or(false) && !epitope.empty()) binds.insert(epitope);
  }
  ReferenceTcrs tcrs;
  tcrs.reserve(found.size());
  for (auto& [pair, binds] : found) tcrs.push_back({{pair.first, pair.second}, std::move(binds)});
  return tcrs;
}

std::string format_reference_tcrs(const ReferenceTcrs& tcrs) {
  std::string csv;
  data::append_csv(csv, kHeader);
  for (const ReferenceTcr& tcr : tcrs) {
    data::append_csv(
        csv, {tcr.cdr3s.alpha, tcr.cdr3s.beta, fmt::format("{}", fmt::join(tcr.binds, ";"))});
  }
  return csv;
}

ReferenceTcrs parse_reference_tcrs(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  data::CsvReader reader(in, name, ',');
  std::vector<std::string> fields;
  try {
    if (!reader.next(fields) || fields != kHeader) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: its header is not {}", name, fmt::join(kHeader, ",")));
    }
    ReferenceTcrs tcrs;
    while (reader.next(fields)) {
      if (fields.size() != kHeader.size()) {
        throw Error(ExitCode::kArtifact, fmt::format("{}:{}: {} fields instead of {}", name,
                                                     reader.line(), fields.size(), kHeader.size()));
      }
      ReferenceTcr tcr{{fields[0], fields[1]}, {}};
      for (const std::string& epitope : split(fields[2], ';')) {
        if (!epitope.empty()) tcr.binds.insert(epitope);
      }
      tcrs.push_back(std::move(tcr));
    }
    return tcrs;
  } catch (const Error& e) {
    throw Error(ExitCode::kArtifact, e.what());
  }
}

Json describe_reference(const ReferenceTcrs& tcrs, const ReferenceTcrs& trained,
                        const ReferenceTcrs& validation) {
  NearestTcr nearest(cdr3s_of(trained));
  std::vector<double> similarities;
  for (const ReferenceTcr& tcr : validation) {
    check_interrupt();
    similarities.push_back(nearest.similarity(tcr.cdr3s));
  }
  std::sort(similarities.begin(), similarities.end());
  Json far;
  if (!similarities.empty()) {
    far = similarities[static_cast<std::size_t>(kFarQuantile *
                                                static_cast<double>(similarities.size() - 1))];
  }
  return {{"far_below", far},
          {"chosen", fmt::format("5th percentile of the similarity of {} validation TCRs to the "
                                 "nearest of {} training TCRs",
                                 validation.size(), trained.size())},
          {"tcrs", tcrs.size()},
          {"epitopes", epitopes_of(tcrs).size()}};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

Distances::Distances(const ReferenceTcrs& tcrs, std::span<const data::Column> features)
    : seen_(features),
      epitopes_(epitopes_of(tcrs)),
      nearest_(std::make_unique<NearestTcr>(cdr3s_of(tcrs))) {}

double Distances::nearest_tcr(const data::Record& record) {
  key_.clear();
  if (seen_.alpha) key_ += record[data::Column::kCdr3Alpha];
  const std::size_t alpha_ends = key_.size();
  key_ += ' ';
  if (seen_.beta) key_ += record[data::Column::kCdr3Beta];
  if (const auto known = tcr_answers_.find(key_); known != tcr_answers_.end()) return known->second;
  if (tcr_answers_.size() >= kMostRemembered) tcr_answers_.clear();
  const double answer =
      nearest_->similarity({key_.substr(0, alpha_ends), key_.substr(alpha_ends + 1)});
  tcr_answers_.emplace(key_, answer);
  return answer;
}

std::size_t Distances::nearest_epitope(const std::string& epitope) const {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  if (epitopes_.contains(epitope)) least = 0;
  for (auto each = epitopes_.begin(); least > 0 && each != epitopes_.end(); ++each) {
    least = std::min(least, edit_distance(epitope, *each));
  }
  return least;
}

}  // namespace tcrops::stages
