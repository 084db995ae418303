#pragma once

#include <tcrops/stages/small_table.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace tcrops::serve::test {

// A table of one column, CDR3_beta, that needs it.
inline stages::SmallTable table_of_betas(const std::vector<std::string>& values) {
  std::string text = "CDR3_beta\n";
  for (const std::string& value : values) text += value + "\n";
  std::istringstream bytes(text);
  stages::TableSource source;
  source.path = "input";
  return {bytes,
          source,
          {{data::Column::kCdr3Beta}, {data::Column::kCdr3Beta}, {stages::AnswerColumn::kScore}},
          10'000};
}

inline stages::Answer scored(double score, bool call = false) {
  stages::Answer answer;
  answer.score = score;
  answer.call = call;
  return answer;
}

inline stages::Answer refused(const std::string& problem) {
  stages::Answer answer;
  answer.problem = problem;
  return answer;
}

}  // namespace tcrops::serve::test
