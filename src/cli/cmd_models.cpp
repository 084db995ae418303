// What is registered: list, show, log, and the moves that need no judgement.
#include "cmd_models.hpp"

#include "cmd_artifacts.hpp"
#include "commands.hpp"
#include "models_report.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/stages/configuration.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace tcrops::cli {
namespace {

struct Reference {
  std::string model;
  store::Move move;
};

int list(const Session& session) {
  const auto store = session.open_existing_store();
  const store::Registry registry(store);
  const auto models = registry.all();
  print_result(session, models_json(models), models_text(models));
  return 0;
}

int show(const Session& session, const std::string& reference) {
  const auto store = session.open_existing_store();
  const store::Registry registry(store);
  if (reference.find('@') == std::string::npos) {
    const auto model = registry.read(reference);
    print_result(session, model_json(store, model), model_text(store, model));
    return 0;
  }
  const store::ModelVersion version = registry.resolve(reference);
  const auto model = registry.read(reference.substr(0, reference.find('@')));
  const Json json = version_json(store, model, version);
  print_result(session, json, version_text(json));
  return 0;
}

int log(const Session& session, const std::string& name) {
  const auto store = session.open_existing_store();
  const auto model = store::Registry(store).read(name);
  print_result(session, model_log_json(model), model_log_text(model));
  if (model.problems.empty()) return 0;
  throw Error(ExitCode::kArtifact, fmt::format("the log of model {} was changed: {}", name,
                                               fmt::join(model.problems, "; ")));
}

int register_model(const Session& session, const std::string& reference, const std::string& name,
                   const store::Move& move) {
  if (!is_plain_name(name)) {
    throw Error(ExitCode::kUsage,
                fmt::format("--name \"{}\" may hold letters, digits, - and _ only", name));
  }
  static_cast<void>(session.open_existing_store());  // registering makes no store
  const auto store = session.open_store();           // claims what is registered
  const auto artifact = store.get(reference);
  if (artifact.manifest.kind != store::Kind::kModel) {
    throw Error(ExitCode::kUsage, fmt::format("{} is of kind {}; only a model can be registered",
                                              reference, store::kind_name(artifact.manifest.kind)));
  }
  const auto version = store::Registry(store).add(name, artifact.id, "registered as " + reference,
                                                  store::Registry::Candidate::kYes, move);
  print_result(
      session,
      {{"schema", "tcrops.registered/1"},
       {"name", name},
       {"version", version.number},
       {"artifact", version.artifact}},
      fmt::format("{} is {}\n", version_name(name, version.number), shown_id(version.artifact)));
  return 0;
}

// The champion that comes back must be whole: a rollback is made when something is on fire.
int rollback(const Session& session, const Reference& options) {
  const auto store = session.open_existing_store();
  std::int64_t from = 0;
  const auto after = store::Registry(store).rollback(
      options.model, options.move, [&](const store::RegisteredModel& before) {
        from = before.aliases.at(store::kChampion);
        const auto previous = before.aliases.at(store::kPrevious);
        const auto artifact = store.at(before.find(previous)->artifact);
        for (const auto& [file, entry] : artifact.manifest.files.items()) {
          static_cast<void>(store.read(artifact, file));
        }
      });
  const auto champion = after.aliases.at(store::kChampion);
  print_result(session,
               {{"schema", "tcrops.rollback/1"},
                {"name", options.model},
                {"champion", champion},
                {"from", from}},
               fmt::format("{} is the champion again; it was {}\n",
                           version_name(after.name, champion), version_name(after.name, from)));
  return 0;
}

}  // namespace

std::string version_name(const std::string& model, std::int64_t version) {
  return fmt::format("{}@v{}", model, version);
}

void add_move_options(CLI::App& app, store::Move& move) {
  app.add_option("--reason", move.reason, "why, for the log")->type_name("TEXT");
  app.add_option("--by", move.by, "who, for the log; default: the account and host")
      ->type_name("WHO");
}

void add_models(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  add_store_command(app, session, "list", "all registered models and their aliases")
      .callback([&session] { session.action = [&session] { return list(session); }; });

  const auto add = [&](const char* name, const char* help, const char* type,
                       int (*body)(const Session&, const std::string&)) {
    auto reference = std::make_shared<std::string>();
    CLI::App& sub = add_store_command(app, session, name, help);
    sub.add_option("model", *reference,
                   "registered model, or one version: viral@champion, viral@v3")
        ->type_name(type)
        ->required();
    sub.callback([&session, reference, body] {
      session.action = [&session, reference, body] { return body(session, *reference); };
    });
  };
  add("show", "versions of a model, or all about one version", kRegisteredType, show);
  add_models_compare(app, session);
  add_models_promote(app, session);

  auto back = std::make_shared<Reference>();
  CLI::App& undone = add_store_command(app, session, "rollback",
                                       "go back to the champion before the last promotion");
  undone.add_option("model", back->model, "registered model")
      ->type_name(kRegisteredType)
      ->required();
  add_move_options(undone, back->move);
  undone.callback(
      [&session, back] { session.action = [&session, back] { return rollback(session, *back); }; });

  add_models_quantise(app, session);
  add("log", "every move of a model: who, when, why, on what evidence", kRegisteredType, log);

  auto added = std::make_shared<Reference>();
  auto name = std::make_shared<std::string>();
  CLI::App& registered = add_store_command(
      app, session, "register", "make a model artifact a version, for example an imported one");
  registered.add_option("artifact", added->model, "model to register")
      ->type_name(kModelType)
      ->required();
  registered.add_option("--name", *name, "registered model that gets the version")
      ->type_name("TEXT")
      ->required();
  add_move_options(registered, added->move);
  registered.callback([&session, added, name] {
    session.action = [&session, added, name] {
      return register_model(session, added->model, *name, added->move);
    };
  });
}

}  // namespace tcrops::cli
