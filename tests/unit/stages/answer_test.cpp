// What is said of a record, as texts.
#include <tcrops/stages/answer.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <string>
#include <string_view>

namespace tcrops::stages {
namespace {

constexpr std::array kAll = {AnswerColumn::kScore,      AnswerColumn::kProbability,
                             AnswerColumn::kPercentile, AnswerColumn::kSpread,
                             AnswerColumn::kNearestTcr, AnswerColumn::kNearestEpitope,
                             AnswerColumn::kFlags,      AnswerColumn::kCall};

using Append = void (*)(std::string&, const Answer&, AnswerColumn);

// All columns, with blanks between.
std::string shown(const Answer& answer, Append append) {
  std::string text;
  for (const AnswerColumn column : kAll) {
    if (column != kAll.front()) text += ' ';
    append(text, answer, column);
  }
  return text;
}

TEST_CASE("columns have the names that a table has") {
  std::string names;
  for (const AnswerColumn column : kAll) (names += column_name(column)) += ' ';
  CHECK(names == "score probability percentile spread nearest_tcr nearest_epitope flags call ");
}

TEST_CASE("an answer is written with the digits that each column has") {
  Answer answer;
  answer.score = 0.123456789;
  answer.probability = 2.0 / 3.0;
  answer.percentile = 33.33333;
  answer.spread = 1.23456F;
  answer.nearest_tcr = 0.9996;
  answer.nearest_epitope = 12;
  answer.unseen_epitope = true;
  answer.far_from_training = true;
  answer.call = true;
  CHECK(shown(answer, append_text) ==
        "0.1234568 0.6666667 33.33 1.235 1.000 12 unseen_epitope;far_from_training 1");
  CHECK(shown(answer, append_json) ==
        "0.1234568 0.6666667 33.33 1.235 1.000 12 [\"unseen_epitope\",\"far_from_training\"] true");
  CHECK(with_written_digits(answer.score) == 0.1234568);
  answer.unseen_epitope = false;
  CHECK(shown(answer, append_text).ends_with(" far_from_training 1"));
  answer.score = 1e-05;
  CHECK(shown(answer, append_json).starts_with("1e-05 "));
}

TEST_CASE("what is not known is empty, and null in JSON") {
  const Answer nothing;
  CHECK(shown(nothing, append_text) == "0       0");
  CHECK(shown(nothing, append_json) == "0 null null null null null [] false");
  Answer odd;
  odd.score = std::nan("");
  odd.percentile = -INFINITY;
  CHECK(shown(odd, append_json) == "null null null null null null [] false");
}

}  // namespace
}  // namespace tcrops::stages
