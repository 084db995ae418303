#include "answered_rows.hpp"
#include "answers.hpp"
#include "explain.hpp"
#include "output_file.hpp"
#include "table_source.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/data/external_sort.hpp>
#include <tcrops/data/input.hpp>
#include <tcrops/data/reader.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/batch_predict.hpp>

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace tcrops::stages {
namespace {

constexpr std::size_t kChunkRecords = 8192;
constexpr std::size_t kChunkBytes = std::size_t{16} << 20U;

data::ReadOptions options_for(const BatchPredictOptions& options, const Model& model) {
  data::ReadOptions read = read_options(options.input, options.output);
  TableNeeds needs = needs_of(model);
  read.required = std::move(needs.required);
  read.used = std::move(needs.used);
  return read;
}

class Predictor {
 public:
  Predictor(const Model& model, Answers& answers, const BatchPredictOptions& options,
            data::TableReader& reader)
      : options_(options),
        reader_(reader),
        answers_(answers),
        written_(reader, answers.columns()),
        output_(options.output) {
    if (!options.explain.file.empty()) explainer_.emplace(model, options.explain);
    if (reader.rows_are_chains()) by_line_.emplace(spill_folder(options.output));
  }

  BatchPredictResult run() {
    Progress progress("predict", 0, "rows");
    output_.write(written_.header());
    std::vector<data::ReadResult> results;
    for (bool more = true; more;) {
      check_interrupt();
      more = fill(results);
      append_scores(results);
      progress.update(result_.rows);
    }
    while (by_line_) {
      const auto entry = by_line_->next();
      if (!entry) break;
      output_.write(entry->value);
    }
    finish();
    return std::move(result_);
  }

 private:
  bool fill(std::vector<data::ReadResult>& results) {
    results.clear();
    for (std::size_t bytes = 0; results.size() < kChunkRecords && bytes < kChunkBytes;) {
      auto next = reader_.next();
      if (!next) return false;
      // A row of nothing but separators takes memory too.
      for (const data::SourceRow& row : next->rows) {
        for (const std::string& field : row.fields) bytes += field.size() + sizeof(field);
      }
      results.push_back(std::move(*next));
    }
    return true;
  }

  // Uses the results up.
  void append_scores(std::vector<data::ReadResult>& results) {
    std::vector<data::Record> records;
    for (data::ReadResult& result : results) {
      if (result.record) records.push_back(*result.record);
    }
    const std::vector<Answer> answers = answers_.of(records);
    std::size_t next = 0;
    std::string text;
    for (data::ReadResult& result : results) {
      for (const data::Note& note : result.notes) result_.cleaning.add(note);
      const Answer* answer = result.record ? &answers[next++] : nullptr;
      explain(result, answer);
      for (data::SourceRow& row : result.rows) {
        std::string line = row_text(row, result, answer);
        if (by_line_) {
          by_line_->add(data::sortable(row.line), line);
        } else {
          text += line;
        }
      }
    }
    output_.write(text);
  }

  void explain(const data::ReadResult& result, const Answer* answer) {
    if (answer == nullptr || !answer->problem.empty() || result.rows.empty()) return;
    if (explainer_ && explainer_->wants_more())
      explainer_->add(result.rows.front().line, *result.record);
  }

  // Uses the row up.
  std::string row_text(data::SourceRow& row, const data::ReadResult& result, const Answer* answer) {
    ++result_.rows;
    AnsweredRows::Line line =
        written_.line(std::move(row.fields), answer, problem_of(result, row.line));
    if (line.problem.empty() && answer != nullptr) {
      result_.called += answer->call ? 1U : 0U;
      result_.unseen_epitope += answer->unseen_epitope ? 1U : 0U;
      result_.far_from_training += answer->far_from_training ? 1U : 0U;
    } else {
      note_unusable(row.line, line.problem);
    }
    return std::move(line.text);
  }

  void note_unusable(std::size_t line, const std::string& problem) {
    if (options_.strict) {
      throw Error(
          ExitCode::kInputData,
          fmt::format("{}:{}: {}; {}mend the row, or leave out --strict to get the other rows "
                      "scored",
                      reader_.name(), line, problem,
                      output_.is_stream() ? "" : "nothing was written; "));
    }
    if (result_.unusable++ < 3)
      result_.first_problems += fmt::format("\n  line {}: {}", line, problem);
  }

  void finish() {
    result_.format = reader_.format();
    result_.background = answers_.background();
    if (result_.rows == 0) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: only a header, no rows to score", reader_.name()));
    }
    if (result_.unusable == result_.rows) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: none of the {} rows can be scored:{}", reader_.name(),
                              result_.rows, result_.first_problems));
    }
    if (explainer_) result_.explained = explainer_->finish();
    output_.commit();
  }

  const BatchPredictOptions& options_;
  data::TableReader& reader_;
  Answers& answers_;
  AnsweredRows written_;
  OutputFile output_;
  std::optional<Explainer> explainer_;
  std::optional<data::ExternalSort> by_line_;  // where rows come together that stand apart
  BatchPredictResult result_;
};

}  // namespace

BatchPredictResult batch_predict(const store::Store& store, const store::Artifact& artifact,
                                 const BatchPredictOptions& options) {
  const Model model = load_model(store, artifact, nn::resolve_device(options.device));
  const data::Input input = data::open_input(options.input.path);
  data::TableReader reader(*input.stream, input.name, options_for(options, model));
  Answers answers(store, model, options.plain);
  return Predictor(model, answers, options, reader).run();
}

}  // namespace tcrops::stages
