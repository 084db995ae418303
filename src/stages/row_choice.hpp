// Which of the rows that could be read become rows of the dataset.
#pragma once

#include <tcrops/data/cleaning.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/stages/configuration.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tcrops::stages {

// A record with the name that its file has in the raw artifact.
struct Taken {
  data::Record record;
  std::string file;
};

// Rows by what their file is for.
struct TakenRows {
  std::vector<Taken> pairs;
  std::vector<Taken> controls;
  std::vector<Taken> measured;
  std::vector<Taken> tests;  // of a table of its own to test on
};

struct NotedRow {
  data::Note note;
  std::string file;
};

struct RowChoice {
  TakenRows rows;
  std::vector<NotedRow> notes;
  std::size_t repeated = 0;       // pairs that repeat one before
  std::size_t contradicting = 0;  // pairs that have the other label of one before
  std::size_t near_test = 0;      // rows left out because their TCR is near one of `tests`
};

// Leaves out, in this order:
// - repeats and contradicted negatives, each table by itself, unless preprocess.repeats keeps them;
// - with a table to test on, each row of another table, whatever its epitope, whose TCR is one of
//   its TCRs or a near duplicate (tcrops/data/similarity.hpp, over the columns the model sees);
// - pairs and measured pairs of epitopes with fewer binders than preprocess.minimum_binders.
// Rows to test on are only ever left out as repeats. Throws Error (kInputData) when no pair is
// left; `main_name` is what the user calls their file.
[[nodiscard]] RowChoice choose_rows(TakenRows rows, const PreprocessConfig& config,
                                    const std::string& main_name);

}  // namespace tcrops::stages
