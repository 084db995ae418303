#pragma once

#include "model.hpp"
#include "output_file.hpp"

#include <tcrops/stages/explain.hpp>

#include <span>
#include <vector>

namespace tcrops::stages {

// Writes for each row of the input the columns `line` (in the input), `column`, `position` (in the
// sequence, from 1; empty for a gene, an MHC or a number), `residue` (or name, or number) and
// `attribution`. Columns that the networks do not see have no lines. The model must outlive it.
class Explainer {
 public:
  // Throws Error (kFailure) when the file cannot be made.
  Explainer(const Model& model, const ExplainOptions& options);

  [[nodiscard]] bool wants_more() const {
    return result_.rows < static_cast<std::uint64_t>(options_.rows);
  }
  // The record of the row at `line`, which has a score; only while wants_more().
  void add(std::uint64_t line, const data::Record& record);
  // Writes what is left and puts the file in its place.
  ExplainResult finish();

 private:
  void flush();
  void append_row(std::size_t row, std::span<const double> attributed, std::string& csv) const;

  const Model& model_;
  ExplainOptions options_;
  OutputFile output_;
  ExplainResult result_;
  double errors_ = 0.0;  // their sum
  // What waits for a block to be full.
  std::vector<std::uint64_t> lines_;
  std::vector<data::Record> records_;
  data::EncodedRows encoded_;
};

}  // namespace tcrops::stages
