#pragma once

#include <tcrops/data/cleaning.hpp>
#include <tcrops/stages/explain.hpp>
#include <tcrops/stages/table_source.hpp>
#include <tcrops/store/store.hpp>

#include <cstdint>
#include <string>

namespace tcrops::stages {

struct BatchPredictOptions {
  TableSource input;
  // A file, replaced whole at the end (of a link: what it leads to); a pipe or device, written as
  // rows are scored; or "-" for stdout.
  std::string output = "-";
  std::string device = "auto";
  bool plain = false;  // only score, call and problem
  ExplainOptions explain;
  bool strict = false;  // a row that cannot be scored ends the command; no file is written
};

struct BatchPredictResult {
  std::string format;          // of the input
  std::uint64_t rows = 0;      // of the input
  std::uint64_t called = 0;    // rows predicted to bind
  std::uint64_t unusable = 0;  // rows without a score
  std::uint64_t unseen_epitope = 0;
  std::uint64_t far_from_training = 0;
  std::string background;  // among which percentiles are: "training", "controls" or "none"
  ExplainResult explained;
  std::string first_problems;  // up to three, as "line N: …"
  data::CleaningCounts cleaning;
};

// Scores a file of any size and format in bounded memory: at a time at most 8,192 records, and no
// more once their fields take about 16 MiB (one row may have 1 MiB of text); where several rows are
// one record, rows that wait for each other wait on disk. The output has the input's rows in order
// and its columns as they are, then `score`, `probability`, `percentile`, `spread` (of ensembles),
// `nearest_tcr`, `nearest_epitope`, `flags`, `call` (1 or 0 at the model's threshold;
// data/README.md says what each is) and `problem` (why there is no score); names that the input
// already has get the prefix "tcrops_". Rows that are one record have its score; chains left out
// have none. Throws Error: kInputData for an unreadable or empty file, wrong columns, or when no
// row at all can be scored; kArtifact for a damaged model.
[[nodiscard]] BatchPredictResult batch_predict(const store::Store& store,
                                               const store::Artifact& model,
                                               const BatchPredictOptions& options);

}  // namespace tcrops::stages
