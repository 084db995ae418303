#include "commands.hpp"

#include "build_info.hpp"
#include "cmd_completion.hpp"
#include "manual.hpp"

#include <tcrops/cli/commands.hpp>
#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <sstream>

namespace tcrops::cli {
namespace {

constexpr std::string_view kPipeline = "Pipeline";
constexpr std::string_view kUse = "Use";
constexpr std::string_view kOperate = "Operate";
constexpr std::string_view kStore = "Store and help";

constexpr std::array<Command, 19> kCommands = {{
    {"run", kPipeline, "run every stage of a pipeline file; what is unchanged is not run again",
     "tcrops run --config configs/quickstart.json", add_run},
    {"fetch", kPipeline, "get the raw data, verified", "tcrops fetch --config configs/viral.json",
     add_stage},
    {"preprocess", kPipeline, "clean, encode and split the raw data",
     "tcrops preprocess --config configs/viral.json", add_stage},
    {"tune", kPipeline, "search hyper-parameters and keep the best models",
     "tcrops tune --config configs/viral.json --jobs 2", add_tune},
    {"train", kPipeline, "train the model to keep", "tcrops train --config configs/viral.json",
     add_stage},
    {"evaluate", kPipeline, "judge the model on the test rows, beside baselines",
     "tcrops evaluate --config configs/viral.json", add_evaluate},
    {"serve-check", kPipeline, "check that a model may be served; exit status 6 when not",
     "tcrops serve-check --model viral.model", add_serve_check},
    {"predict", kUse, "score the pairs of a file with a model",
     "tcrops predict --model viral.model --input pairs.csv --output scored.csv", add_predict},
    {"serve", kUse, "answer requests over HTTP with a model, and follow its promotions",
     "tcrops serve --model viral@champion --listen 127.0.0.1:8080", add_serve},
    {"convert", kUse, "read a table of any format, clean it and write it as AIRR or benchmark CSV",
     "tcrops convert vdjdb.txt.gz --to airr --output clean.tsv --report report.csv", add_convert},
    {"models", kOperate, "registered models: versions, champion, promotion and the way back",
     "tcrops models promote viral --config configs/viral.json", add_models},
    {"queries", kOperate, "what servers were asked and answered: list, show, purge",
     "tcrops queries list --search viral", add_queries},
    {"study", kOperate, "what a search has found: list, show, export to Optuna, replay",
     "tcrops study show viral.study", add_study},
    {"reproduce", kOperate,
     "make an artifact again from its manifest and compare byte by byte; exit status 6 when it "
     "differs",
     "tcrops reproduce viral.model", add_reproduce},
    {"artifacts", kStore,
     "what is in the store: list, show, verify, trace, compare, carry and remove",
     "tcrops artifacts ls", add_artifacts},
    {"config", kStore, "start, show, validate or describe a pipeline file",
     "tcrops config show --config configs/viral.json", add_config},
    {"completion", kStore, "print the script by which a shell completes command lines of tcrops",
     "tcrops completion bash >> ~/.bashrc", add_completion},
    {"man", kStore, "print the manual page", "tcrops man | man -l -", add_man},
    {"doctor", kStore, "examine this machine and the store; exit status 6 when something is broken",
     "tcrops doctor", add_doctor},
}};

void add_commands(CLI::App& app, Session& session) {
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->group(std::string(command.group));
    sub->footer(kExampleMark + std::string(command.example));
    command.add(*sub, session);
  }
}

bool is_command(std::string_view word) {
  return std::any_of(kCommands.begin(), kCommands.end(),
                     [&](const Command& command) { return command.name == word; });
}

// CLI11 reports an unknown command as an unexpected argument; name the likely one instead.
std::string usage_problem(int argc, char** argv, const CLI::ParseError& e) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  if (argc > 1 && argv[1][0] != '-' && !is_command(argv[1])) {
    return fmt::format("unknown command \"{}\"{}", argv[1], suggestion(argv[1], names));
  }
  return e.what();
}

}  // namespace

int run(int argc, char** argv) {
  Session session;
  session.program = argv[0];
  CLI::App app(
      "tcrops: from TCR-epitope data to a checked, versioned model, and predictions with it",
      "tcrops");
  app.set_version_flag("--version", [&app] {
    return app.count("--json") > 0 ? shown_json(build_json()) : build_text() + "\n";
  });
  app.add_flag("--json", session.json, "with --version: print the build as JSON");
  app.require_subcommand(1);
  app.footer(exit_status_lines() + ".");
  add_commands(app, session);
  if (answer_shell(app, session, argc - 1, argv + 1)) return 0;
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    const bool version = app.count("--version") > 0;
    std::ostringstream help;
    const int status = app.exit(e, help, help);
    write_stdout(version ? e.what() : help.str());
    return status;
  } catch (const CLI::ParseError& e) {
    const bool bare = argc == 1;
    if (bare) std::cerr << app.help() << "\n";
    throw Error(
        ExitCode::kUsage,
        fmt::format("{}; see `{}{} --help`",
                    bare ? "no command given" : usage_problem(argc, argv, e), session.program,
                    bare || !is_command(argv[1]) ? std::string() : std::string(" ") + argv[1]));
  }
  set_verbosity(session.quiet     ? Verbosity::kQuiet
                : session.verbose ? Verbosity::kVerbose
                                  : Verbosity::kNormal);
  return session.action();
}

}  // namespace tcrops::cli
