#include "commands.hpp"
#include "table_options.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/writer.hpp>
#include <tcrops/stages/convert.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace tcrops::cli {
namespace {

struct Options {
  stages::ConvertOptions convert;
  TableOptions table;
};

std::string summary_text(const stages::ConvertResult& result) {
  std::string text =
      fmt::format("{} rows of format {}: {} records; {} rows refused, {} changed\n", result.rows,
                  result.format, result.records, result.refused_rows, result.changed_rows);
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : result.cleaning.entries()) {
    rows.push_back({std::string(data::action_name(entry.action)), entry.field, entry.code,
                    std::to_string(entry.count), std::to_string(entry.first_line),
                    entry.first_reason});
  }
  if (!rows.empty()) {
    text += format_table({"action", "field", "kind", "count", "first line", "reason there"}, rows);
  }
  return text;
}

Json summary_json(const stages::ConvertResult& result, const std::string& output) {
  return {{"schema", "tcrops.convert/1"},
          {"format", result.format},
          {"rows", result.rows},
          {"records", result.records},
          {"refused_rows", result.refused_rows},
          {"changed_rows", result.changed_rows},
          {"cleaning", result.cleaning.json()},
          {"output", output.empty() ? Json(nullptr) : Json(output)}};
}

// No file may be written twice, or over the input.
void refuse_same_file(const stages::ConvertOptions& options) {
  std::vector<std::string> taken = {options.input.path == "-" ? "" : options.input.path};
  for (const std::string& path : {options.output, options.report, options.profile}) {
    std::error_code ignored;
    const bool is_device = std::filesystem::is_character_file(path, ignored);
    if (path.empty() || is_device) continue;
    const auto is_same = [&path](const std::string& other) {
      std::error_code fault;
      return path == other || std::filesystem::equivalent(path, other, fault);
    };
    if (std::any_of(taken.begin(), taken.end(), is_same)) {
      throw Error(
          ExitCode::kUsage,
          fmt::format("{}: would replace the input or another output; name another file", path));
    }
    taken.push_back(path);
  }
}

int convert(Session& session, Options& options) {
  options.convert.input = options.table.resolved();
  if (session.json && options.convert.output == "-") {
    throw Error(ExitCode::kUsage,
                "--json prints the summary; send the records to a file with --output");
  }
  refuse_same_file(options.convert);
  const auto result = stages::convert(options.convert);
  const std::string text = summary_text(result);
  if (options.convert.output == "-") {
    if (!session.quiet) log_info(text);
  } else {
    print_result(session, summary_json(result, options.convert.output), text);
  }
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  app.add_option("input", options->table.source.path,
                 "table in any supported format, compressed or not; - for stdin")
      ->required()
      ->type_name(kFileType);
  app.add_option("-o,--output", options->convert.output,
                 "file to write, whole or not at all; - for stdout; empty: only the report")
      ->type_name(kFileType)
      ->default_str("-");
  app.add_option("--to", options->convert.to, "format to write")
      ->check(CLI::IsMember(data::writable_formats()))
      ->default_str("benchmark");
  app.add_option("--report", options->convert.report,
                 "CSV file for every refused, changed or odd row: line, field, reason")
      ->type_name(kFileType);
  app.add_option("--profile", options->convert.profile,
                 "JSON file for the distributions of the records: lengths, genes, letters, …")
      ->type_name(kFileType);
  app.add_flag("--strict", options->convert.strict,
               "end with exit status 4 at the first refused or changed row");
  add_table_options(app, options->table);
  add_output_options(app, session);
  app.callback([&session, options] {
    session.action = [&session, options] { return convert(session, *options); };
  });
}

}  // namespace tcrops::cli
