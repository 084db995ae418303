#include "features.hpp"

#include <fmt/format.h>

namespace tcrops::nn {
namespace {

template <class Wanted>
std::vector<std::size_t> numbers_of(const std::vector<FeatureColumn>& columns, Wanted&& wanted) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (wanted(columns[i])) numbers.push_back(i);
  }
  return numbers;
}

}  // namespace

std::int64_t Features::rows() const { return flat.defined() ? flat.size(0) : values[0].size(0); }

at::Tensor Features::side_by_side(const std::vector<std::size_t>& columns) const {
  std::vector<at::Tensor> parts;
  for (const std::size_t column : columns) parts.push_back(values[column].flatten(1));
  return parts.size() == 1 ? parts.front() : at::cat(parts, 1);
}

FeatureReader::FeatureReader(torch::nn::Module& owner, const ModelSpec& spec,
                             const data::Expansion& expansion)
    : flat_(spec.is_mlp() && spec.is_pan() && spec.embedding == 0) {
  if (flat_) return;
  std::vector<std::int64_t> embedding_of(expansion.tables.size(), -1);
  if (spec.embedding > 0) {
    std::int64_t next = 0;
    for (std::size_t i = 0; i < expansion.tables.size(); ++i) {
      if (expansion.tables[i].numbered) embedding_of[i] = next++;
    }
    add_embeddings(owner, expansion, spec.embedding);
  }
  for (const data::Expansion::Block& block : expansion.blocks) {
    FeatureColumn column{.column = block.column, .segment = block.segment};
    if (column.is_of_the_epitope() && !spec.is_pan()) continue;
    if (block.segment.table) {
      column.embedding = embedding_of[*block.segment.table];
      column.dims = column.embedding >= 0
                        ? spec.embedding
                        : static_cast<std::int64_t>(expansion.tables[*block.segment.table].dims);
    }
    columns_.push_back(column);
  }
}

void FeatureReader::add_embeddings(torch::nn::Module& owner, const data::Expansion& expansion,
                                   std::int64_t dims) {
  for (const data::Expansion::Table& table : expansion.tables) {
    if (!table.numbered) continue;
    embeddings_.push_back(
        owner.register_parameter(fmt::format("embedding{}", embeddings_.size()),
                                 at::zeros({static_cast<std::int64_t>(table.codes()), dims})));
  }
}

std::vector<std::size_t> FeatureReader::sequence_columns() const {
  return numbers_of(columns_, [](const auto& column) { return column.is_sequence(); });
}
std::vector<std::size_t> FeatureReader::other_columns() const {
  return numbers_of(columns_, [](const auto& column) { return !column.is_sequence(); });
}
std::vector<std::size_t> FeatureReader::tcr_columns() const {
  return numbers_of(columns_, [](const auto& column) { return !column.is_of_the_epitope(); });
}
std::vector<std::size_t> FeatureReader::epitope_columns() const {
  return numbers_of(columns_, [](const auto& column) { return column.is_of_the_epitope(); });
}

std::int64_t FeatureReader::width_of(const std::vector<std::size_t>& columns) const {
  std::int64_t width = 0;
  for (const std::size_t i : columns) width += columns_[i].positions() * columns_[i].dims;
  return width;
}

Features FeatureReader::read(const DeviceExpansion& expansion, const DeviceRows& rows) const {
  Features features;
  if (flat_) {
    features.flat = expansion.features(rows);
    return features;
  }
  const std::int64_t count = rows.codes.size(0);
  for (const FeatureColumn& column : columns_) {
    const auto first = static_cast<std::int64_t>(column.segment.first);
    const std::int64_t positions = column.positions();
    if (!column.segment.table) {
      features.values.push_back(rows.numbers.narrow(1, first, positions).unsqueeze(2));
      features.present.push_back(at::ones({count, positions}, rows.numbers.options()));
      continue;
    }
    const at::Tensor codes = rows.codes.narrow(1, first, positions);
    const at::Tensor present = codes.ne(0).to(at::kFloat);
    at::Tensor values;
    if (column.embedding >= 0) {
      const at::Tensor& table = embeddings_[static_cast<std::size_t>(column.embedding)];
      values = at::embedding(table, codes.to(at::kLong)) * present.unsqueeze(2);
    } else {
      values = expansion.values(rows, column.segment);
    }
    features.values.push_back(std::move(values));
    features.present.push_back(present);
  }
  return features;
}

}  // namespace tcrops::nn
