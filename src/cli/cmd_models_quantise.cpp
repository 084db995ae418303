#include "cmd_artifacts.hpp"
#include "cmd_models.hpp"

#include <tcrops/stages/quantise.hpp>

#include <fmt/format.h>

#include <memory>

namespace tcrops::cli {
namespace {

struct Request {
  std::string model;
  std::string name;
};

std::string text_of(const stages::QuantisedModel& made) {
  const Json& facts = made.facts;
  std::string text = fmt::format("quantised model {}\n", shown_id(made.artifact.id));
  const auto line = [&](const char* what, const Json& both) {
    text += fmt::format("  {:<20} {} -> {}\n", what, both.at(0).dump(), both.at(1).dump());
  };
  line("bytes of weights", facts.at("bytes"));
  line("AUROC", facts.at("auroc"));
  line("average precision", facts.at("average_precision"));
  text +=
      fmt::format("  {:<20} {:.2g} on average, {:.2g} at most\n", "change of logits",
                  facts.at("mean_change").get<double>(), facts.at("largest_change").get<double>());
  if (!made.speed.is_null()) line("rows per second", made.speed.at("rows_per_second"));
  text += fmt::format("  measured on {} rows of {}\n", facts.at("rows").get<std::int64_t>(),
                      facts.at("side").get<std::string>());
  return text;
}

int quantise(const Session& session, const Request& request) {
  if (!request.name.empty()) require_artifact_name(request.name);
  static_cast<void>(session.open_existing_store());  // quantising makes no store
  const auto store = session.open_store();
  const stages::QuantisedModel made = stages::quantise_model(store, store.get(request.model));
  if (!request.name.empty()) store.set_name(request.name, made.artifact.id);
  print_result(session,
               {{"schema", "tcrops.quantised/1"},
                {"artifact", made.artifact.id},
                {"path", made.artifact.directory.string()},
                {"name", request.name.empty() ? Json(nullptr) : Json(request.name)},
                {"quantised", made.facts},
                {"speed", made.speed}},
               text_of(made));
  return 0;
}

}  // namespace

void add_models_quantise(CLI::App& app, Session& session) {
  auto request = std::make_shared<Request>();
  CLI::App& sub = add_store_command(
      app, session, "quantise",
      "the same model with weights of one byte, what that costs in AUC and gains in speed");
  sub.add_option("model", request->model, "model to quantise")->type_name(kModelType)->required();
  sub.add_option("--as", request->name, "name for the new model, for example viral.model-int8")
      ->type_name(kNameType);
  sub.callback([&session, request] {
    session.action = [&session, request] { return quantise(session, *request); };
  });
}

}  // namespace tcrops::cli
