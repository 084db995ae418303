#include "foundation.hpp"

#include <tcrops/core/rng.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace tcrops::stages {
namespace {

std::string codes_of(const data::EncodedRows& rows, std::size_t row) {
  const auto* first = rows.codes.data() + row * rows.code_width;
  return {reinterpret_cast<const char*>(first), rows.code_width};
}

// A row of each epitope that has a binder.
std::map<std::string, std::size_t> bound_epitopes(const SideData& train) {
  std::map<std::string, std::size_t> row_of;
  for (std::size_t row = 0; row < train.labels.size(); ++row) {
    if (train.labels[row] == 1) row_of.try_emplace(train.records[row][data::Column::kEpitope], row);
  }
  row_of.erase("");
  return row_of;
}

// Rows to choose anchors from: each binding pair, then each TCR of which nothing is known to bind.
std::vector<std::vector<std::size_t>> candidates(const SideData& train) {
  std::vector<std::size_t> binding;
  std::set<std::string> seen;
  std::set<std::string> binders;
  for (std::size_t row = 0; row < train.labels.size(); ++row) {
    if (train.labels[row] != 1) continue;
    binders.insert(data::tcr_key(train.records[row]));
    if (seen.insert(codes_of(train.rows, row)).second) binding.push_back(row);
  }
  std::vector<std::size_t> others;
  for (std::size_t row = 0; row < train.labels.size(); ++row) {
    if (binders.insert(data::tcr_key(train.records[row])).second) others.push_back(row);
  }
  return {std::move(binding), std::move(others)};
}

std::vector<std::size_t> anchor_rows(const SideData& train, std::size_t most, std::uint64_t seed) {
  std::vector<std::size_t> rows;
  for (std::vector<std::size_t>& some : candidates(train)) {
    const std::size_t room = most - rows.size();
    if (some.size() > room) {
      Rng rng(seed, "anchors");
      rng.shuffle(some);
      some.resize(room);
      std::sort(some.begin(), some.end());
    }
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

// Heads are what tells epitopes apart: a TCR that is not known to bind stands for none of them.
void forget_epitope(const data::Expansion& expansion, data::EncodedRows& rows) {
  for (const data::Expansion::Block& block : expansion.blocks) {
    const bool of_the_epitope =
        block.column == data::Column::kEpitope || block.column == data::Column::kMhc;
    if (!of_the_epitope || !block.segment.table) continue;
    const std::size_t first = (rows.rows - 1) * rows.code_width + block.segment.first;
    std::fill_n(rows.codes.begin() + static_cast<std::ptrdiff_t>(first), block.segment.count,
                std::uint8_t{0});
  }
}

}  // namespace

Blueprint blueprint(const nn::NetworkOptions& options, const data::Expansion& expansion,
                    const SideData& train, std::uint64_t seed) {
  Blueprint made;
  std::vector<std::string> epitopes;
  for (const auto& [epitope, row] : bound_epitopes(train)) {
    epitopes.push_back(epitope);
    if (options.head != "pan") data::append_row(train.rows, row, made.foundation.epitopes);
  }
  if (options.architecture == "kernel_mlp") {
    const auto most = static_cast<std::size_t>(options.anchors);
    for (const std::size_t row : anchor_rows(train, most, seed)) {
      data::append_row(train.rows, row, made.foundation.anchors);
      if (options.head != "pan" && train.labels[row] == 0)
        forget_epitope(expansion, made.foundation.anchors);
    }
  }
  made.spec = nn::make_spec(options, expansion, epitopes,
                            static_cast<std::int64_t>(made.foundation.anchors.rows));
  return made;
}

}  // namespace tcrops::stages
