#include "session.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>

namespace tcrops::cli {
namespace {

// TCROPS_* that are not settings: the store, and what scripts and tests of this repository use.
const std::vector<std::string> kOtherVariables = {
    "TCROPS_STORE", "TCROPS_TEST_",      "TCROPS_BIN",      "TCROPS_CI_",
    "TCROPS_JOBS",  "TCROPS_SKIP_SETUP", "TCROPS_NODE_DIR", "TCROPS_SOURCE_DIR"};

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (const auto equals = text.find('='); equals != std::string::npos) {
      variables[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  return variables;
}

}  // namespace

Problems Session::read_config() {
  Problems problems;
  if (!config_path.empty()) problems = config.fields().read_file(config_path);
  append(problems, config.fields().read_environment(environment(), kOtherVariables));
  for (const std::string& assignment : assignments) {
    append(problems, config.fields().assign(assignment));
  }
  append(problems, config.check());
  return problems;
}

store::Store Session::open_claiming_store() const {
  const bool writable = ::access(store_path.c_str(), W_OK) == 0;
  return store_exists() && writable ? open_store() : open_existing_store();
}

bool Session::store_exists() const {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::path(store_path) / "FORMAT", ignored);
}

void Session::load_config() { require_none(read_config()); }

void add_store_option(CLI::App& app, Session& session) {
  app.add_option("--store", session.store_path, "folder of all artifacts")
      ->type_name(kFolderType)
      ->envname("TCROPS_STORE")
      ->default_str(kDefaultStore);
}

void add_output_options(CLI::App& app, Session& session) {
  app.add_flag("--json", session.json, "print the result as JSON");
  app.add_flag("-q,--quiet", session.quiet, "warnings and errors only on stderr");
  app.add_flag("-v,--verbose", session.verbose, "more on stderr");
}

void add_config_options(CLI::App& app, Session& session, bool required) {
  auto* option = app.add_option("-c,--config", session.config_path,
                                "pipeline file; configs/ holds some to start from")
                     ->type_name(kFileType);
  if (required) option->required();
  // Flags that stand for a field add to the same list, so it is not set but added to.
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&session](const std::vector<std::string>& given) {
           session.assignments.insert(session.assignments.end(), given.begin(), given.end());
         },
         "change one value, for example --set train.epochs=30")
      ->type_name(kAssignmentType)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_field_flag(CLI::App& app, Session& session, const std::string& flag,
                    const std::string& field, const std::string& type_name) {
  const std::string help = session.config.fields().at(field).help;
  app.add_option_function<std::string>(
         flag,
         [&session, field](const std::string& value) {
           session.assignments.push_back(field + "=" + value);
         },
         help)
      ->type_name(type_name);
}

void add_field_switch(CLI::App& app, Session& session, const std::string& flag,
                      const std::string& field) {
  app.add_flag_callback(
      flag, [&session, field] { session.assignments.push_back(field + "=true"); },
      session.config.fields().at(field).help);
}

void assign_if_given(const CLI::App& app, Session& session, const std::string& flag,
                     const std::string& field) {
  const CLI::Option* const option = app.get_option(flag);
  if (option->count() > 0) session.assignments.push_back(field + "=" + option->as<std::string>());
}

// A path may hold bytes that are not UTF-8; they must not keep a result from its reader.
std::string shown_json(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_stdout(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return;
  if (errno == EPIPE) throw Error(ExitCode::kReaderGone, "the reader of stdout went away");
  throw Error(ExitCode::kFailure, "cannot write the result to stdout");
}

void print_result(const Session& session, const Json& json, const std::string& text) {
  write_stdout(session.json ? shown_json(json) : text);
}

}  // namespace tcrops::cli
