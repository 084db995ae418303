#include "output_file.hpp"
#include "repeat_set.hpp"
#include "table_source.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/progress.hpp>
#include <tcrops/data/input.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/data/reader.hpp>
#include <tcrops/data/writer.hpp>
#include <tcrops/stages/convert.hpp>

#include <fmt/format.h>

#include <optional>
#include <set>

namespace tcrops::stages {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 18U;
constexpr std::size_t kReasonsShown = 3;

data::ReadOptions options_for(const ConvertOptions& options) {
  data::ReadOptions read = read_options(options.input, options.output);
  read.used = data::value_columns();
  read.keeps_fields = false;
  return read;
}

// A file that is written only when it was asked for.
class OptionalFile {
 public:
  explicit OptionalFile(const std::string& path) {
    if (!path.empty()) file_.emplace(path);
  }
  void write(std::string_view text) {
    if (file_) file_->write(text);
  }
  void commit() {
    if (file_) file_->commit();
  }
  explicit operator bool() const { return file_.has_value(); }

 private:
  std::optional<OutputFile> file_;
};

class Converter {
 public:
  explicit Converter(const ConvertOptions& options)
      : options_(options),
        input_(data::open_input(options.input.path)),
        reader_(*input_.stream, input_.name, options_for(options)),
        writer_(options.to, reader_.extra_names()),
        output_(options.output),
        report_(options.report),
        profile_file_(options.profile) {}

  ConvertResult run() {
    Progress progress("convert", 0, "rows");
    table_ = writer_.header();
    report_.write(data::kReportHeader);
    while (auto result = reader_.next()) {
      take(*result);
      if (table_.size() < kPieceBytes) continue;
      check_interrupt();
      progress.update(reader_.rows());
      output_.write(table_);
      table_.clear();
    }
    output_.write(table_);
    finish();
    return std::move(result_);
  }

 private:
  void take(const data::ReadResult& result) {
    result_.rows += result.rows.size();
    for (const data::Note& note : result.notes) take(note);
    count_rows(result);
    if (!result.record) return;
    ++result_.records;
    note_repeat(*result.record);
    if (output_) table_ += writer_.lines(*result.record);
    if (profile_file_) profile_.add(*result.record);
  }

  void take(const data::Note& note) {
    result_.cleaning.add(note);
    if (note.action == data::Action::kRefused && first_refusals_.size() < kReasonsShown) {
      first_refusals_.push_back(note);
    }
    if (report_) report_.write(data::report_line(reader_.name(), note));
    if (!options_.strict || note.action == data::Action::kNoticed) return;
    throw Error(ExitCode::kInputData,
                fmt::format("{}:{}: {}{}{} ({}); mend the row, or leave out --strict",
                            reader_.name(), note.line, note.field, note.field.empty() ? "" : ": ",
                            note.reason, data::action_name(note.action)));
  }

  void note_repeat(const data::Record& record) {
    switch (pairs_.add(record)) {
      case RepeatSet::Seen::kRepeat:
        return take({record.line, data::Action::kNoticed, "", "repeat", "repeats a row before it"});
      case RepeatSet::Seen::kContradiction:
        return take({record.line, data::Action::kNoticed, "", "contradiction",
                     "a row before it gives this pair the other label"});
      default:
        return;
    }
  }

  void count_rows(const data::ReadResult& result) {
    std::set<std::size_t> refused;
    std::set<std::size_t> changed;
    for (const data::Note& note : result.notes) {
      if (note.action == data::Action::kRefused) refused.insert(note.line);
      if (note.action == data::Action::kChanged) changed.insert(note.line);
    }
    result_.refused_rows += result.record ? refused.size() : result.rows.size();
    result_.changed_rows += result.record ? changed.size() : 0;
  }

  void finish() {
    result_.format = reader_.format();
    if (result_.rows == 0) {
      throw Error(ExitCode::kInputData,
                  fmt::format("{}: no row follows the column names", reader_.name()));
    }
    if (result_.records == 0) {
      std::string text =
          fmt::format("{}: none of the {} rows can be used", reader_.name(), result_.rows);
      for (const data::Note& note : first_refusals_) {
        text += fmt::format("\n  line {}: {}{}{}", note.line, note.field,
                            note.field.empty() ? "" : ": ", note.reason);
      }
      report_.commit();  // it says the rest
      throw Error(ExitCode::kInputData, text);
    }
    if (profile_file_) profile_file_.write(canonical_json(profile_.json()));
    output_.commit();
    report_.commit();
    profile_file_.commit();
  }

  const ConvertOptions& options_;
  data::Input input_;
  data::TableReader reader_;
  data::RecordWriter writer_;
  OptionalFile output_;
  OptionalFile report_;
  OptionalFile profile_file_;
  RepeatSet pairs_;
  data::ProfileBuilder profile_{data::Counting::kRecords};
  std::string table_;
  std::vector<data::Note> first_refusals_;
  ConvertResult result_;
};

}  // namespace

ConvertResult convert(const ConvertOptions& options) { return Converter(options).run(); }

}  // namespace tcrops::stages
