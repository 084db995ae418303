#include "config_init.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace tcrops::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSchemaName = "tcrops.schema.json";
constexpr const char* kHeader =
    "// A pipeline of tcrops: tcrops run --config FILE. Every key stands here with its meaning; "
    "what\n"
    "// is left out has its default.\n";

struct InitOptions {
  std::string file;  // empty: stdout
  std::string source;
  std::string name;
  bool force = false;
};

// "my data.json" becomes "my-data"; empty when no name is in it.
std::string name_from_file(const fs::path& file) {
  std::string name = file.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_plain_name(std::string_view(&c, 1)); },
      '-');
  return name;
}

std::string pipeline_text(FieldTable& fields, const InitOptions& options) {
  Problems problems;
  std::string name = options.name;
  if (name.empty() && !options.file.empty()) name = name_from_file(options.file);
  if (!name.empty()) append(problems, fields.assign("name=" + name, "--name"));
  if (!options.source.empty()) {
    append(problems, fields.assign("fetch.source=" + options.source, "--source"));
  }
  // Source "file" needs one; this is to be replaced.
  if (options.source == "file") append(problems, fields.assign("fetch.file=pairs.csv", "--source"));
  require_none(problems);
  return kHeader + fields.commented_file(kSchemaName);
}

bool is_there(const fs::path& path) {
  return fs::symlink_status(path).type() != fs::file_type::not_found;
}

bool is_schema_of_ours(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("title", Json()) == kSchemaTitle;
}

void refuse(const fs::path& path, const std::string& why) {
  throw Error(ExitCode::kUsage, fmt::format("{}: {}", path.string(), why));
}

// What is there already and would be lost is not touched.
void check_place(const fs::path& file, bool force) {
  if (fs::is_directory(file)) refuse(file, "a folder, not a file; name a file in it");
  if (is_there(file) && !force) {
    refuse(file, "is there already; choose another name, or replace it with --force");
  }
  if (file.filename() == kSchemaName) {
    refuse(file, "that name is for the JSON Schema beside the pipeline file; choose another");
  }
}

void write_schema(const fs::path& path, const std::string& text) {
  if (is_there(path)) {
    if (fs::is_directory(path)) refuse(path, "a folder where the JSON Schema belongs; move it");
    const std::string before = read_file(path, ExitCode::kFailure);
    if (before == text) return;
    if (!is_schema_of_ours(before)) {
      refuse(path, "is no JSON Schema of tcrops and is not replaced; move it away");
    }
  }
  replace_file(path, text);
}

int init(Session& session, const InitOptions& options) {
  const bool to_stdout = options.file.empty();
  if (to_stdout && session.json) {
    throw Error(ExitCode::kUsage,
                "--json needs a FILE, for without one the pipeline file itself goes to stdout");
  }
  if (to_stdout && options.force) throw Error(ExitCode::kUsage, "--force needs a FILE to replace");
  const fs::path file = options.file;
  if (!to_stdout) check_place(file, options.force);
  FieldTable& fields = session.config.fields();
  const std::string text = pipeline_text(fields, options);
  if (to_stdout) {
    print_result(session, {}, text);
    return 0;
  }
  const fs::path schema = file.parent_path() / kSchemaName;
  write_schema(schema, schema_text(stages::PipelineConfig().fields()));
  replace_file(file, text);
  print_result(session,
               {{"schema", "tcrops.config_init/1"},
                {"file", file.string()},
                {"schema_file", schema.string()}},
               fmt::format("pipeline file: {}\nJSON Schema for editors: {}\n", file.string(),
                           schema.string()));
  return 0;
}

}  // namespace

std::string schema_text(const FieldTable& fields) { return fields.schema().dump(2) + "\n"; }

void add_config_init(CLI::App& config, Session& session) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* app = config.add_subcommand(
      "init", "write a pipeline file with every key, its meaning and its default");
  app->group("Commands");
  app->footer("Example: tcrops config init own.json --source file");
  app->add_option("file", options->file,
                  fmt::format("file to write, with {} beside it; without it, stdout", kSchemaName))
      ->type_name("FILE");
  app->add_option("--source", options->source, session.config.fields().at("fetch.source").help)
      ->type_name("SOURCE");
  app->add_option("--name", options->name, "name of the pipeline; by default that of the file")
      ->type_name("NAME");
  app->add_flag("--force", options->force, "replace the file when it is there already");
  add_output_options(*app, session);
  app->callback([&session, options] {
    if (options->file == "-") options->file.clear();
    session.action = [&session, options] { return init(session, *options); };
  });
}

}  // namespace tcrops::cli
