#pragma once

#include <tcrops/store/store.hpp>

#include <cstdint>
#include <string>

namespace tcrops::stages {

struct BatchPredictOptions {
  std::string input;  // CSV or TSV file, or "-" for stdin
  // A file, replaced whole at the end (of a link: what it leads to); a pipe or device, written as
  // rows are scored; or "-" for stdout.
  std::string output = "-";
  std::string device = "auto";
  bool strict = false;  // a row that cannot be scored ends the command; no file is written
};

struct BatchPredictResult {
  std::uint64_t rows = 0;
  std::uint64_t called = 0;    // predicted to bind
  std::uint64_t unusable = 0;  // rows without a score
  std::string first_problems;  // up to three, as "line N: …"
};

// Scores a file of any size in bounded memory: at a time at most 8,192 rows, and no more once their
// fields take about 16 MiB (one row may have 1 MiB of text). The output has the input's rows in
// order and its columns as they are, then `score` (probability), `call` (1 or 0 at the model's
// threshold) and `problem` (why there is no score); names that the input already has get the prefix
// "tcrops_". Throws Error: kInputData for an unreadable or empty file, wrong columns, or when no
// row at all can be scored; kArtifact for a damaged model.
[[nodiscard]] BatchPredictResult batch_predict(const store::Store& store,
                                               const store::Artifact& model,
                                               const BatchPredictOptions& options);

}  // namespace tcrops::stages
