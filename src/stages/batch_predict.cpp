#include "model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/batch_predict.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr std::size_t kChunkRows = 8192;

// Where result lines go: a file that appears whole, or stdout.
class Output {
 public:
  explicit Output(const std::string& path) {
    if (path == "-") return;
    if (std::filesystem::is_directory(path)) {
      throw Error(ExitCode::kFailure,
                  fmt::format("{}: a folder; name the file to write with --output", path));
    }
    file_ = std::make_unique<AtomicFile>(path);
  }
  void write(const std::string& text) {
    if (file_) {
      file_->write(text);
    } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
      throw system_error("cannot write", "stdout", errno);
    }
  }
  void commit() {
    if (file_) file_->commit();
    if (!file_ && std::fflush(stdout) != 0) throw system_error("cannot write", "stdout", errno);
  }

 private:
  std::unique_ptr<AtomicFile> file_;
};

// One input row on its way through.
struct Row {
  std::vector<std::string> fields;
  data::RowResult parsed;
};

std::string free_name(const std::vector<std::string>& header, const std::string& name) {
  std::string free = name;
  while (std::find(header.begin(), header.end(), free) != header.end()) free = "tcrops_" + free;
  return free;
}

// The header record; comma or tab is taken from whichever the first line has more of.
struct Input {
  std::unique_ptr<std::istream> owned;
  std::unique_ptr<data::CsvReader> reader;
  char separator = ',';
  std::vector<std::string> header;
  data::HeaderMap columns;
};

class Predictor {
 public:
  Predictor(const Model& model, const BatchPredictOptions& options)
      : model_(model),
        options_(options),
        required_(model.encoder->features()),
        output_(options.output) {}

  BatchPredictResult run(Input input) {
    Progress progress("predict", 0, "rows");
    std::string text;
    std::vector<std::string> header = input.header;
    for (const char* name : {"score", "call", "problem"})
      header.push_back(free_name(input.header, name));
    data::append_csv(text, header, input.separator);
    std::vector<Row> rows;
    for (bool more = true; more;) {
      check_interrupt();
      more = fill(input, rows);
      append_scores(rows, input, text);
      output_.write(text);
      text.clear();
      progress.update(result_.rows);
    }
    finish(input);
    return result_;
  }

 private:
  bool fill(Input& input, std::vector<Row>& rows) {
    rows.clear();
    Row row;
    while (rows.size() < kChunkRows) {
      if (!input.reader->next(row.fields)) return false;
      row.parsed = data::parse_row(row.fields, input.columns, input.header.size(), required_,
                                   data::LabelRule::kOptional, input.reader->line());
      rows.push_back(row);
    }
    return true;
  }

  void append_scores(const std::vector<Row>& rows, const Input& input, std::string& text) {
    std::vector<data::Record> records;
    for (const Row& row : rows) {
      if (!row.parsed.refusal) records.push_back(row.parsed.record);
    }
    const auto scored = score(model_, records);
    std::size_t next = 0;
    for (const Row& row : rows) {
      std::string problem;
      std::optional<float> logit;
      if (row.parsed.refusal) {
        problem = row.parsed.refusal->field + ": " + row.parsed.refusal->reason;
      } else {
        problem = scored[next].problem;
        logit = scored[next++].logit;
      }
      append_row(row, logit, problem, input, text);
    }
  }

  void append_row(const Row& row, std::optional<float> logit, const std::string& problem,
                  const Input& input, std::string& text) {
    ++result_.rows;
    std::vector<std::string> fields = row.fields;
    fields.resize(input.header.size());  // a ragged row keeps its place in the table
    if (logit) {
      const double probability = probabilities(std::span<const float>(&*logit, 1)).front();
      const bool call = probability >= model_.threshold;
      result_.called += call ? 1U : 0U;
      fields.insert(fields.end(), {fmt::format("{:.7g}", probability), call ? "1" : "0", ""});
    } else {
      const std::size_t line =
          row.parsed.refusal ? row.parsed.refusal->line : row.parsed.record.line;
      note_unusable(line, problem);
      fields.insert(fields.end(), {"", "", problem});
    }
    data::append_csv(text, fields, input.separator);
  }

  void note_unusable(std::size_t line, const std::string& problem) {
    if (options_.strict) {
      throw Error(
          ExitCode::kInputData,
          fmt::format("{}:{}: {}; {}mend the row, or leave out --strict to get the other rows "
                      "scored",
                      options_.input, line, problem,
                      options_.output == "-" ? "" : "nothing was written; "));
    }
    if (result_.unusable++ < 3)
      result_.first_problems += fmt::format("\n  line {}: {}", line, problem);
  }

  void finish(const Input& input) {
    if (result_.rows == 0) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: only a header, no rows to score", input.reader->name()));
    }
    if (result_.unusable == result_.rows) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: none of the {} rows can be scored:{}", input.reader->name(),
                              result_.rows, result_.first_problems));
    }
    output_.commit();
  }

  const Model& model_;
  const BatchPredictOptions& options_;
  std::vector<data::Column> required_;
  Output output_;
  BatchPredictResult result_;
};

char separator_of(std::istream& in) {
  std::string start;
  while (start.size() < 65536 && in.peek() != EOF) {
    const char c = static_cast<char>(in.get());
    start += c;
    if (c == '\n') break;
  }
  for (auto c = start.rbegin(); c != start.rend(); ++c) in.putback(*c);
  return std::count(start.begin(), start.end(), '\t') > std::count(start.begin(), start.end(), ',')
             ? '\t'
             : ',';
}

Input open_input(const BatchPredictOptions& options, const std::vector<data::Column>& required) {
  Input input;
  const std::string name = options.input == "-" ? "stdin" : options.input;
  if (options.input == "-") {
    input.owned = std::make_unique<std::istream>(std::cin.rdbuf());
  } else {
    if (std::filesystem::is_directory(options.input)) {
      throw Error(ExitCode::kInputData, fmt::format("{}: a folder, not a file", name));
    }
    input.owned = std::make_unique<std::ifstream>(options.input, std::ios::binary);
    if (!*input.owned)
      throw system_error("cannot read", options.input, errno, ExitCode::kInputData);
  }
  input.separator = separator_of(*input.owned);
  input.reader = std::make_unique<data::CsvReader>(*input.owned, name, input.separator);
  if (!input.reader->next(input.header)) {
    throw Error(
        ExitCode::kInputData,
        fmt::format("{}: the file is empty; it needs a header line with the model's columns",
                    name));
  }
  input.columns = data::match_header(input.header, required, data::LabelRule::kOptional, name,
                                     input.reader->line());
  return input;
}

}  // namespace

BatchPredictResult batch_predict(const store::Store& store, const store::Artifact& artifact,
                                 const BatchPredictOptions& options) {
  const Model model = load_model(store, artifact, nn::resolve_device(options.device));
  Input input = open_input(options, model.encoder->features());
  return Predictor(model, options).run(std::move(input));
}

}  // namespace tcrops::stages
