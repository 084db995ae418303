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
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr std::size_t kChunkRows = 8192;
constexpr std::size_t kChunkBytes = std::size_t{16} << 20U;

namespace fs = std::filesystem;

// What a chain of links leads to, even where that does not exist yet; a file is replaced there, so
// that the links stay.
fs::path behind_links(fs::path path) {
  std::error_code fault;
  while (fs::is_symlink(path, fault)) {
    const fs::path next = fs::read_symlink(path, fault);
    if (fault) throw system_error("cannot read the link", path, fault.value());
    path = path.parent_path() / next;
  }
  return path;
}

// Where result lines go: a file that appears whole; or stdout, a pipe or a device, line by line.
class Output {
 public:
  explicit Output(const std::string& path) : name_(path == "-" ? "stdout" : path) {
    if (path == "-") {
      stream_ = stdout;
      return;
    }
    std::error_code fault;
    switch (fs::status(path, fault).type()) {
      case fs::file_type::none:
        throw system_error("cannot create", path, fault.value());
      case fs::file_type::directory:
        throw Error(ExitCode::kFailure,
                    fmt::format("{}: a folder; name the file to write with --output", path));
      case fs::file_type::regular:
      case fs::file_type::not_found:
        file_ = std::make_unique<AtomicFile>(behind_links(path));
        return;
      default:
        open_stream(path);
    }
  }
  [[nodiscard]] bool is_stream() const { return stream_ != nullptr; }
  void write(const std::string& text) {
    if (file_) {
      file_->write(text);
    } else if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size()) {
      fail("cannot write");
    }
  }
  void commit() {
    if (file_) {
      file_->commit();
    } else if (std::fflush(stream_) != 0) {
      fail("cannot write");
    }
  }

 private:
  struct Close {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };

  void open_stream(const std::string& path) {
    owned_.reset(std::fopen(path.c_str(), "wb"));  // of a pipe: waits for its reader
    if (!owned_) fail("cannot open");
    stream_ = owned_.get();
  }
  // A signal ends a wait for the other side of a pipe: then it is the reason.
  [[noreturn]] void fail(const std::string& action) const {
    const int reason = errno;
    check_interrupt();
    throw system_error(action, name_, reason);
  }

  std::string name_;
  std::unique_ptr<AtomicFile> file_;
  std::unique_ptr<std::FILE, Close> owned_;
  std::FILE* stream_ = nullptr;
};

// One input row on its way through.
struct Row {
  std::vector<std::string> fields;
  data::RowResult parsed;
  std::size_t line = 0;
};

std::string free_name(const std::vector<std::string>& header, const std::string& name) {
  std::string free = name;
  while (std::find(header.begin(), header.end(), free) != header.end()) free = "tcrops_" + free;
  return free;
}

// An input after its header record.
struct Input {
  std::unique_ptr<std::istream> owned;
  std::unique_ptr<data::CsvReader> reader;
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
    data::append_csv(text, header, input.reader->separator());
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
    std::vector<std::string> fields;
    for (std::size_t bytes = 0; rows.size() < kChunkRows && bytes < kChunkBytes;) {
      if (!input.reader->next(fields)) return false;
      // A row of nothing but separators takes memory too.
      for (const std::string& field : fields) bytes += field.size() + sizeof(field);
      Row& row = rows.emplace_back();
      row.parsed = data::parse_row(fields, input.columns, input.header.size(), required_,
                                   data::LabelRule::kOptional, input.reader->line());
      row.fields = std::move(fields);
    }
    return true;
  }

  // Uses the rows up.
  void append_scores(std::vector<Row>& rows, const Input& input, std::string& text) {
    std::vector<data::Record> records;
    for (Row& row : rows) {
      row.line = row.parsed.record.line;
      if (!row.parsed.refusal) records.push_back(std::move(row.parsed.record));
    }
    const auto scored = score(model_, records);
    std::size_t next = 0;
    for (Row& row : rows) {
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

  void append_row(Row& row, std::optional<float> logit, const std::string& problem,
                  const Input& input, std::string& text) {
    ++result_.rows;
    std::vector<std::string> fields = std::move(row.fields);
    fields.resize(input.header.size());  // a ragged row keeps its place in the table
    if (logit) {
      const Answer answer = answer_of(model_, *logit);
      result_.called += answer.call ? 1U : 0U;
      fields.insert(fields.end(), {answer.score, answer.call ? "1" : "0", ""});
    } else {
      note_unusable(row.line, problem);
      fields.insert(fields.end(), {"", "", problem});
    }
    data::append_csv(text, fields, input.reader->separator());
  }

  void note_unusable(std::size_t line, const std::string& problem) {
    if (options_.strict) {
      throw Error(
          ExitCode::kInputData,
          fmt::format("{}:{}: {}; {}mend the row, or leave out --strict to get the other rows "
                      "scored",
                      options_.input, line, problem,
                      output_.is_stream() ? "" : "nothing was written; "));
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

Input open_input(const BatchPredictOptions& options, const std::vector<data::Column>& required) {
  Input input;
  const std::string name = options.input == "-" ? "stdin" : options.input;
  if (options.input == "-") {
    input.owned = std::make_unique<std::istream>(std::cin.rdbuf());
  } else {
    std::error_code fault;  // one that matters shows again when the file is opened
    if (fs::is_directory(options.input, fault)) {
      throw Error(ExitCode::kInputData, fmt::format("{}: a folder, not a file", name));
    }
    input.owned = std::make_unique<std::ifstream>(options.input, std::ios::binary);
    if (!*input.owned)
      throw system_error("cannot read", options.input, errno, ExitCode::kInputData);
  }
  input.reader = std::make_unique<data::CsvReader>(*input.owned, name, data::kDetectSeparator);
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
