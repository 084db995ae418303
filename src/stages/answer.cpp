#include <tcrops/core/number_text.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/answer.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace tcrops::stages {
namespace {

constexpr int kFewDigits = 4;
constexpr int kSimilarityDecimals = 3;

constexpr std::array<std::string_view, 8> kNames = {"score",  "probability", "percentile",
                                                    "spread", "nearest_tcr", "nearest_epitope",
                                                    "flags",  "call"};

void append_number(std::string& to, std::optional<double> value, int digits) {
  if (value) append_general(to, *value, digits);
}

// A column that holds numbers.
void append_number(std::string& to, const Answer& answer, AnswerColumn column) {
  switch (column) {
    case AnswerColumn::kScore:
      return append_general(to, answer.score, kScoreDigits);
    case AnswerColumn::kProbability:
      return append_number(to, answer.probability, kScoreDigits);
    case AnswerColumn::kPercentile:
      return append_number(to, answer.percentile, kFewDigits);
    case AnswerColumn::kSpread:
      if (answer.spread) to += fmt::format("{:.{}g}", *answer.spread, kFewDigits);
      return;
    case AnswerColumn::kNearestTcr:
      if (answer.nearest_tcr) append_fixed(to, *answer.nearest_tcr, kSimilarityDecimals);
      return;
    default:
      if (!answer.nearest_epitope) return;
      const fmt::format_int edits(*answer.nearest_epitope);
      to.append(edits.data(), edits.size());
  }
}

// Each flag between quotes, or not.
void append_flags(std::string& to, const Answer& answer, std::string_view quote,
                  std::string_view between) {
  if (answer.unseen_epitope) ((to += quote) += kUnseenEpitope) += quote;
  if (answer.unseen_epitope && answer.far_from_training) to += between;
  if (answer.far_from_training) ((to += quote) += kFarFromTraining) += quote;
}

bool begins_as_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

}  // namespace

std::string_view column_name(AnswerColumn column) {
  return kNames.at(static_cast<std::size_t>(column));
}

void append_text(std::string& to, const Answer& answer, AnswerColumn column) {
  if (column == AnswerColumn::kFlags) {
    append_flags(to, answer, "", ";");
  } else if (column == AnswerColumn::kCall) {
    to += answer.call ? '1' : '0';
  } else {
    append_number(to, answer, column);
  }
}

void append_json(std::string& to, const Answer& answer, AnswerColumn column) {
  if (column == AnswerColumn::kFlags) {
    append_flags(to += '[', answer, "\"", ",");
    to += ']';
  } else if (column == AnswerColumn::kCall) {
    to += answer.call ? "true" : "false";
  } else {
    const std::size_t begin = to.size();
    append_number(to, answer, column);
    if (!begins_as_number(std::string_view(to).substr(begin))) to.replace(begin, to.npos, "null");
  }
}

double with_written_digits(double score) {
  std::string text;
  append_general(text, score, kScoreDigits);
  return parse_number(text).value_or(score);
}

}  // namespace tcrops::stages
