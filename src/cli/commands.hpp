#pragma once

#include "session.hpp"

#include <string_view>

namespace tcrops::cli {

// One command: a row of the table in commands.cpp. `add` declares the options of `app` and sets
// session.action when the command is chosen.
struct Command {
  std::string_view name;
  std::string_view group;
  std::string_view summary;
  std::string_view example;
  void (*add)(CLI::App& app, Session& session);
};

void add_run(CLI::App& app, Session& session);
void add_stage(CLI::App& app, Session& session);  // the stage is the app's name
void add_tune(CLI::App& app, Session& session);
void add_study(CLI::App& app, Session& session);
void add_convert(CLI::App& app, Session& session);
void add_predict(CLI::App& app, Session& session);
void add_serve(CLI::App& app, Session& session);
void add_serve_check(CLI::App& app, Session& session);
void add_evaluate(CLI::App& app, Session& session);
void add_artifacts(CLI::App& app, Session& session);
void add_models(CLI::App& app, Session& session);
void add_queries(CLI::App& app, Session& session);
void add_reproduce(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);
void add_man(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);

}  // namespace tcrops::cli
