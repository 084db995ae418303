#include "explain.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/data/csv.hpp>

#include <fmt/format.h>

#include <cmath>

namespace tcrops::stages {
namespace {

constexpr std::size_t kBlockRows = 64;

// The mean over a model's networks.
struct Explained {
  std::vector<double> values;  // [rows, code_width + number_width]
  std::vector<double> baselines;
};

void add_to(std::vector<double>& sums, const std::vector<float>& values, double share) {
  sums.resize(values.size(), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) sums[i] += share * static_cast<double>(values[i]);
}

Explained explain(const Networks& networks, const data::EncodedRows& rows, std::int64_t steps) {
  Explained mean;
  const double share = 1.0 / static_cast<double>(networks.size());
  for (std::size_t i = 0; i < networks.size(); ++i) {
    check_interrupt();
    const nn::Attributions own = networks.member(i).attributions(rows, steps);
    add_to(mean.values, own.values, share);
    add_to(mean.baselines, own.baselines, share);
  }
  return mean;
}

bool sees_epitope(const Networks& networks) {
  for (std::size_t i = 0; i < networks.size(); ++i) {
    if (networks.member(i).spec().is_pan()) return true;
  }
  return false;
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

}  // namespace

Explainer::Explainer(const Model& model, const ExplainOptions& options)
    : model_(model), options_(options), output_(options.file) {
  output_.write("line,column,position,residue,attribution\n");
}

void Explainer::add(std::uint64_t line, const data::Record& record) {
  if (model_.encoder->encode(record, encoded_)) return;
  lines_.push_back(line);
  records_.push_back(record);
  ++result_.rows;
  if (records_.size() == kBlockRows) flush();
}

void Explainer::flush() {
  if (records_.empty()) return;
  const Explained explained = explain(*model_.network, encoded_, options_.steps);
  const std::vector<float> logits = model_.network->logits(encoded_);
  const std::size_t width = encoded_.code_width + encoded_.number_width;
  std::string csv;
  for (std::size_t row = 0; row < records_.size(); ++row) {
    const auto own = std::span(explained.values).subspan(row * width, width);
    double sum = 0.0;
    for (const double value : own) sum += value;
    const double error =
        std::abs(sum - (static_cast<double>(logits[row]) - explained.baselines[row]));
    errors_ += error;
    if (error >= result_.largest_error) {
      result_.largest_error = error;
      result_.line_of_largest = lines_[row];
    }
    append_row(row, own, csv);
  }
  output_.write(csv);
  lines_.clear();
  records_.clear();
  encoded_ = {};
}

void Explainer::append_row(std::size_t row, std::span<const double> attributed,
                           std::string& csv) const {
  const bool epitope_is_seen = sees_epitope(*model_.network);
  const auto write = [&](const data::Expansion::Block& block, const std::string& position,
                         std::string residue, double value) {
    const std::vector<std::string> fields = {std::to_string(lines_[row]),
                                             std::string(data::column_name(block.column)), position,
                                             std::move(residue), number_text(value)};
    data::append_csv(csv, fields);
  };
  for (const data::Expansion::Block& block : model_.encoder->expansion().blocks) {
    const bool chooses_head =
        block.column == data::Column::kEpitope || block.column == data::Column::kMhc;
    const std::string& text = records_[row][block.column];
    if (text.empty() || (chooses_head && !epitope_is_seen)) continue;
    const std::size_t first = block.segment.first;
    if (!block.segment.table || !data::is_sequence(block.column)) {
      const std::size_t at = block.segment.table ? first : encoded_.code_width + first;
      double sum = 0.0;
      for (std::size_t i = 0; i < block.segment.count; ++i) sum += attributed[at + i];
      write(block, "", text, sum);
      continue;
    }
    // Letters keep their order, wherever the gaps are.
    std::size_t position = 0;
    for (std::size_t i = 0; i < block.segment.count; ++i) {
      if (encoded_.codes[row * encoded_.code_width + first + i] == 0) continue;
      write(block, std::to_string(position + 1), std::string(1, text.at(position)),
            attributed[first + i]);
      ++position;
    }
  }
}

ExplainResult Explainer::finish() {
  flush();
  output_.commit();
  if (result_.rows > 0) result_.mean_error = errors_ / static_cast<double>(result_.rows);
  return result_;
}

}  // namespace tcrops::stages
