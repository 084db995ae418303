// Moves and comparisons that rest on test rows.
#include "cmd_artifacts.hpp"
#include "cmd_models.hpp"
#include "models_report.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace tcrops::cli {
namespace {

struct CompareOptions {
  std::string a;
  std::string b;
  std::string dataset;
};

int compare(Session& session, const CompareOptions& options) {
  session.load_config();
  static_cast<void>(session.open_existing_store());  // comparing makes no store
  const auto store = session.open_store();
  const auto a = store.get(options.a);
  const auto b = store.get(options.b);
  const auto dataset =
      options.dataset.empty() ? stages::dataset_of(store, a) : store.get(options.dataset);
  const auto comparison = stages::compare_models(store, session.config, a, b, dataset);
  print_result(session, comparison_json(comparison),
               comparison_text(comparison, options.a, options.b));
  return 0;
}

struct PromoteOptions {
  std::string reference;
  bool skip_gates = false;
  store::Move move;
};

// "viral" means its candidate.
store::ModelVersion version_to_promote(const store::Registry& registry,
                                       const std::string& reference) {
  if (reference.find('@') != std::string::npos) return registry.resolve(reference);
  const auto model = registry.read(reference);
  if (model.aliases.contains(store::kCandidate))
    return registry.resolve(fmt::format("{}@{}", reference, store::kCandidate));
  throw Error(ExitCode::kUsage,
              fmt::format("model {} has no candidate; name the version: {}@v1 to {}@v{}", reference,
                          reference, reference, model.versions.size()));
}

// 0 when there is none.
std::int64_t champion_of(const store::RegisteredModel& model) {
  const auto champion = model.aliases.find(store::kChampion);
  return champion == model.aliases.end() ? 0 : champion->second;
}

void refuse(const stages::Judgement& judgement, const std::string& name) {
  std::vector<std::string> failed;
  for (const auto& gate : judgement.gates) {
    if (!gate.passed)
      failed.push_back(fmt::format("{}: {}, but wanted is {}", gate.name, gate.found, gate.wanted));
  }
  throw Error(ExitCode::kCheckFailed,
              fmt::format("{} was not promoted:\n  {}", name, fmt::join(failed, "\n  ")));
}

int promote(Session& session, PromoteOptions& options) {
  session.load_config();
  if (options.skip_gates && options.move.reason.empty()) {
    throw Error(ExitCode::kUsage, "--skip-gates needs a --reason, for the log");
  }
  static_cast<void>(session.open_existing_store());  // promoting makes no store
  const auto store = session.open_store();
  const store::Registry registry(store);
  const std::string name = options.reference.substr(0, options.reference.find('@'));
  const store::ModelVersion version = version_to_promote(registry, options.reference);
  const auto before = registry.read(name);
  const std::int64_t champion = champion_of(before);
  const std::string shown = version_name(name, version.number);
  if (champion == version.number) {
    throw Error(ExitCode::kUsage, fmt::format("{} is the champion already", shown));
  }
  stages::Judgement judgement;
  judgement.evidence = {{"gates", "skipped"}};
  static_cast<void>(store.at(version.artifact));
  if (!options.skip_gates) judgement = stages::judge(store, session.config, before, version);
  const bool passed = judgement.passed();
  if (passed) {
    options.move.evidence = judgement.evidence;
    static_cast<void>(registry.promote(name, version.number, options.move, [&](const auto& now) {
      if (options.skip_gates || champion_of(now) == champion) return;
      throw Error(ExitCode::kTemporary,
                  fmt::format("the champion of {} changed while {} was judged against the one "
                              "before; run the same command again",
                              name, shown));
    }));
  }
  std::string text = judgement.gates.empty() ? "" : gates_text(judgement.gates) + "\n";
  if (passed) {
    text += fmt::format("{} is the champion{}\n", shown,
                        champion == 0 ? "" : "; it was " + version_name(name, champion));
  }
  print_result(session,
               {{"schema", "tcrops.promotion/1"},
                {"name", name},
                {"version", version.number},
                {"promoted", passed},
                {"champion_before", champion == 0 ? Json() : Json(champion)},
                {"evidence", judgement.evidence}},
               text);
  if (!passed) refuse(judgement, shown);
  return 0;
}

}  // namespace

void add_models_compare(CLI::App& app, Session& session) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App& sub =
      add_store_command(app, session, "compare",
                        "two models on the same test rows, with the interval of the difference");
  sub.add_option("a", options->a, "a model: viral@candidate, viral.model or an id")
      ->type_name(kModelType)
      ->required();
  sub.add_option("b", options->b, "the model to compare it with")
      ->type_name(kModelType)
      ->required();
  sub.add_option("--dataset", options->dataset,
                 "whose test rows; default: those of a's own dataset")
      ->type_name(kArtifactType);
  add_field_flag(sub, session, "--resamples", "gates.resamples");
  add_config_options(sub, session, false);
  sub.callback([&session, options] {
    session.action = [&session, options] { return compare(session, *options); };
  });
}

void add_models_promote(CLI::App& app, Session& session) {
  auto options = std::make_shared<PromoteOptions>();
  CLI::App& sub = add_store_command(
      app, session, "promote",
      "make a version the champion if it passes the gates; exit status 6 when not");
  sub.add_option("model", options->reference,
                 "registered model (its candidate is meant) or a version: viral@v3")
      ->type_name(kRegisteredType)
      ->required();
  add_config_options(sub, session, false);
  sub.add_flag("--skip-gates", options->skip_gates, "promote without judging; needs --reason");
  add_move_options(sub, options->move);
  sub.callback([&session, options] {
    session.action = [&session, options] { return promote(session, *options); };
  });
}

}  // namespace tcrops::cli
