#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/stages/configuration.hpp>
#include <tcrops/store/store.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tcrops::cli {

inline constexpr const char* kDefaultStore = "tcrops-store";

// What every command may need from the command line, and what is made from it.
struct Session {
  std::string program;  // as it was typed, for the commands that a report suggests
  std::string store_path = kDefaultStore;
  std::string config_path;
  std::vector<std::string> assignments;  // --set and the flags that stand for a field
  bool json = false;
  bool quiet = false;
  bool verbose = false;

  // Set by the command that was chosen; returns the exit status.
  std::function<int()> action;

  stages::PipelineConfig config;

  // Reads file, environment and assignments into `config` and returns everything that is wrong with
  // them. Throws Error when the file cannot be read or an assignment is none.
  [[nodiscard]] Problems read_config();
  // The same, and throws Error (kConfiguration) with all problems.
  void load_config();
  [[nodiscard]] store::Store open_store() const { return store::Store::open(store_path); }
  [[nodiscard]] bool store_exists() const;
  // The same for commands that read for long: where one may write, what they use is claimed.
  [[nodiscard]] store::Store open_claiming_store() const;
  [[nodiscard]] store::Store open_existing_store() const {
    return store::Store::open_existing(store_path);
  }
};

// What an option or argument takes is said by its type_name, which help shows and completion goes
// by (complete.cpp).
inline constexpr const char* kArtifactType = "ARTIFACT";
inline constexpr const char* kNameType = "NAME";    // of an artifact
inline constexpr const char* kModelType = "MODEL";  // an artifact that is a model
inline constexpr const char* kRegisteredType =
    "REGISTERED";  // a registered model, or a version of it
inline constexpr const char* kStageType = "STAGE";
inline constexpr const char* kKindType = "KIND";
inline constexpr const char* kDeviceType = "DEVICE";
inline constexpr const char* kFileType = "FILE";
inline constexpr const char* kFolderType = "FOLDER";
inline constexpr const char* kAssignmentType = "SECTION.KEY=VALUE";

// Options shared by commands.
void add_store_option(CLI::App& app, Session& session);
void add_output_options(CLI::App& app, Session& session);
void add_config_options(CLI::App& app, Session& session, bool required);
// A flag that stands for --set FIELD=…, with the field's own help.
void add_field_flag(CLI::App& app, Session& session, const std::string& flag,
                    const std::string& field, const std::string& type_name = "VALUE");

// A flag without a value, for a field that is true or false.
void add_field_switch(CLI::App& app, Session& session, const std::string& flag,
                      const std::string& field);

// The same for a flag that also works without a configuration: what was given becomes --set
// FIELD=….
void assign_if_given(const CLI::App& app, Session& session, const std::string& flag,
                     const std::string& field);

// kReaderGone when nobody reads stdout any more, kFailure when it cannot be written otherwise.
void write_stdout(const std::string& text);
[[nodiscard]] std::string shown_json(const Json& json);

// The result of a command: one JSON document, or text for people. stdout only.
void print_result(const Session& session, const Json& json, const std::string& text);

}  // namespace tcrops::cli
