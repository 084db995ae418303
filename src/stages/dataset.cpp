#include "dataset.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/nn/tensor_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace tcrops::stages {
namespace {

std::vector<std::uint8_t> labels_of(const std::vector<data::Record>& records) {
  std::vector<std::uint8_t> labels;
  labels.reserve(records.size());
  for (const data::Record& record : records) labels.push_back(record.label.value_or(false) ? 1 : 0);
  return labels;
}

std::int64_t size(std::size_t n) { return static_cast<std::int64_t>(n); }

[[noreturn]] void disagree(const store::Artifact& artifact, const std::string& what) {
  throw Error(ExitCode::kArtifact,
              fmt::format("dataset {}: {}; run preprocess again", artifact.short_id(), what));
}

}  // namespace

void write_dataset(const Dataset& dataset, const store::Draft& draft) {
  std::vector<std::uint8_t> sides;
  for (const data::Side side : dataset.sides) sides.push_back(static_cast<std::uint8_t>(side));
  const auto labels = labels_of(dataset.records);
  const data::EncodedRows& rows = dataset.encoded;
  const std::int64_t n = size(rows.rows);
  const std::vector<std::uint8_t> folds(dataset.folds.begin(), dataset.folds.end());
  std::vector<nn::Tensor> tensors = {
      nn::make_u8("codes", {n, size(rows.code_width)}, rows.codes),
      nn::make_f32("numbers", {n, size(rows.number_width)}, rows.numbers),
      nn::make_u8("labels", {n}, labels), nn::make_u8("sides", {n}, sides)};
  if (!folds.empty()) tensors.push_back(nn::make_u8("folds", {n}, folds));
  draft.add("table.csv", data::format_table_csv(dataset.records, dataset.extra_names));
  draft.add("encoder.json", canonical_json(dataset.encoder->to_json()));
  draft.add("rows.safetensors", nn::write_safetensors(tensors));
}

Dataset read_dataset(const store::Store& store, const store::Artifact& artifact) {
  if (artifact.manifest.kind != store::Kind::kDataset) {
    disagree(artifact, "it is a " + store::kind_name(artifact.manifest.kind));
  }
  Dataset dataset;
  std::istringstream table(store.read(artifact, "table.csv"));
  data::Table rows =
      data::read_table(table, artifact.file("table.csv").string(), {}, data::LabelRule::kRequired);
  dataset.records = std::move(rows.records);
  dataset.extra_names = std::move(rows.extra_names);
  for (const Json& name : artifact.manifest.facts.value("optional", Json::array())) {
    const auto column = data::column_named(name.get<std::string>());
    if (!column) disagree(artifact, "unknown column among the optional ones");
    dataset.optional.push_back(*column);
  }
  dataset.encoder = data::encoder_from_json(
      parse_json(store.read(artifact, "encoder.json"), artifact.file("encoder.json").string()));
  const auto tensors = nn::read_safetensors(store.read(artifact, "rows.safetensors"),
                                            artifact.file("rows.safetensors").string());
  const nn::Tensor& codes = nn::find_tensor(tensors, "codes");
  const nn::Tensor& numbers = nn::find_tensor(tensors, "numbers");
  const std::size_t n = dataset.records.size();
  if (codes.shape.size() != 2 || numbers.shape.size() != 2 || codes.shape[0] != size(n) ||
      numbers.shape[0] != size(n)) {
    disagree(artifact, "table.csv and rows.safetensors have different numbers of rows");
  }
  dataset.encoded = {.rows = n,
                     .code_width = static_cast<std::size_t>(codes.shape[1]),
                     .number_width = static_cast<std::size_t>(numbers.shape[1]),
                     .codes = nn::as_u8(codes),
                     .numbers = nn::as_f32(numbers)};
  for (const std::uint8_t side : nn::as_u8(nn::find_tensor(tensors, "sides"))) {
    if (side > static_cast<std::uint8_t>(data::Side::kTest)) disagree(artifact, "unknown side");
    dataset.sides.push_back(static_cast<data::Side>(side));
  }
  const auto folds = std::find_if(tensors.begin(), tensors.end(),
                                  [](const nn::Tensor& tensor) { return tensor.name == "folds"; });
  if (folds != tensors.end()) {
    const std::vector<std::uint8_t> of_row = nn::as_u8(*folds);
    dataset.folds.assign(of_row.begin(), of_row.end());
    if (dataset.folds.size() != n) disagree(artifact, "folds do not match table.csv");
  }
  if (dataset.sides.size() != n ||
      nn::as_u8(nn::find_tensor(tensors, "labels")) != labels_of(dataset.records)) {
    disagree(artifact, "labels or sides do not match table.csv");
  }
  return dataset;
}

std::vector<std::string> SideData::epitopes() const {
  std::vector<std::string> names;
  names.reserve(records.size());
  for (const data::Record& record : records) names.push_back(record[data::Column::kEpitope]);
  return names;
}

std::vector<std::size_t> row_numbers(const Dataset& dataset, const std::vector<data::Side>& sides) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    if (std::find(sides.begin(), sides.end(), dataset.sides[row]) != sides.end())
      rows.push_back(row);
  }
  return rows;
}

SideData rows_of(const Dataset& dataset, const std::vector<std::size_t>& rows) {
  SideData result;
  result.rows.codes.reserve(rows.size() * dataset.encoded.code_width);
  for (const std::size_t row : rows) {
    data::append_row(dataset.encoded, row, result.rows);
    result.records.push_back(dataset.records[row]);
    result.labels.push_back(dataset.records[row].label.value_or(false) ? 1 : 0);
  }
  return result;
}

SideData training_rows(const Dataset& dataset, const std::vector<std::size_t>& rows) {
  SideData result = rows_of(dataset, rows);
  std::vector<bool> is_trained_on(dataset.sides.size());
  for (const std::size_t row : rows) is_trained_on[row] = true;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    if (!is_trained_on[row]) data::append_row(dataset.encoded, row, result.elsewhere);
  }
  return result;
}

SideData side_of(const Dataset& dataset, data::Side side) {
  return rows_of(dataset, row_numbers(dataset, {side}));
}

namespace {

// The TCR columns that the model sees; all when it sees none.
std::vector<data::Column> seen_tcr_columns(const data::Encoder& encoder) {
  std::vector<data::Column> columns;
  for (const data::Column column : data::kTcrColumns) {
    const auto& features = encoder.features();
    if (std::find(features.begin(), features.end(), column) != features.end()) {
      columns.push_back(column);
    }
  }
  if (columns.empty()) columns.assign(data::kTcrColumns.begin(), data::kTcrColumns.end());
  return columns;
}

}  // namespace

std::vector<FoldRows> deal_known_rows(const Dataset& dataset, std::size_t folds,
                                      std::uint64_t seed) {
  const std::vector<std::size_t> rows =
      row_numbers(dataset, {data::Side::kTrain, data::Side::kValidation});
  std::vector<data::Record> records;
  for (const std::size_t row : rows) records.push_back(dataset.records[row]);
  const data::Folds dealt = data::assign_folds(records, folds, data::FoldUnit::kCluster, seed,
                                               seen_tcr_columns(*dataset.encoder));
  std::vector<FoldRows> result(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      (dealt.of_row[i] == fold ? result[fold].inside : result[fold].outside).push_back(rows[i]);
    }
  }
  return result;
}

}  // namespace tcrops::stages
