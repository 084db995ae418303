// What may be asked about models: the registry, and which of them answers.
#include "api.hpp"
#include "model_details.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/version.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::serve {
namespace {

Json version_json(const store::RegisteredModel& model, const store::ModelVersion& version,
                  const ServedModel& served) {
  const ModelIdentity& identity = served.identity();
  return {{"version", version.number},
          {"artifact", version.artifact},
          {"registered", version.time},
          {"source", version.source},
          {"aliases", model.aliases_of(version.number)},
          {"serving",
           identity.name == model.name && identity.version == std::to_string(version.number)}};
}

Json model_json(const store::RegisteredModel& model, const ServedModel& served) {
  Json versions = Json::array();
  for (const auto& version : model.versions)
    versions.push_back(version_json(model, version, served));
  return {{"name", model.name},
          {"aliases", model.aliases},
          {"problems", model.problems},
          {"versions", versions}};
}

Json serving_json(const CurrentModel& current) {
  Json serving = current.get()->facts();
  const std::string problem = current.problem();
  serving["problem"] = problem.empty() ? Json() : Json(problem);
  return serving;
}

// How far the shadow model is from the one that is served; null when there is none.
Json shadow_json(const Api& api) {
  if (!api.shadow) return nullptr;
  Json shadow = serving_json(api.shadow->model());
  shadow["report"] = to_json(api.shadow->report());
  return shadow;
}

Response all_models(const Api& api) {
  const auto served = api.current.get();
  Json models = Json::array();
  for (const auto& model : store::Registry(api.store).all())
    models.push_back(model_json(model, *served));
  return json_response({{"schema", "tcrops.served_models/1"},
                        {"serving", serving_json(api.current)},
                        {"shadow", shadow_json(api)},
                        {"models", models}});
}

Response one_version(const Api& api, const std::string& name, const std::string& number) {
  const auto model = registered_model(api, name);
  const auto served = api.current.get();
  const auto at = std::find_if(model.versions.begin(), model.versions.end(), [&](const auto& each) {
    return std::to_string(each.number) == number;
  });
  if (at == model.versions.end()) {
    throw HttpError(404, fmt::format("model {} has no version {}; it has {} of them", name,
                                     valid_utf8(number), model.versions.size()));
  }
  Json body = version_json(model, *at, *served);
  body["name"] = name;
  body.update(model_details(api.store, model, *at));
  return json_response(body);
}

}  // namespace

store::RegisteredModel registered_model(const Api& api, const std::string& name) {
  try {
    return store::Registry(api.store).read(name);
  } catch (const Error& e) {
    throw HttpError(404, fmt::format("no registered model \"{}\"; GET /v1/models lists them",
                                     valid_utf8(name)));
  }
}

void add_caller_route(Router& router, const Api& api) {
  router.add({"GET", "/v1/me",
              [&api](const Request& request, const PathValues&) {
                return json_response({{"token_needed", api.tokens_are_needed},
                                      {"name", request.caller.name},
                                      {"roles", request.caller.roles.names()},
                                      {"version", version()}});
              },
              kAnybody});
}

void add_model_routes(Router& router, const Api& api) {
  router.add(
      {"GET", "/v1/models", [&api](const Request&, const PathValues&) { return all_models(api); }});
  router.add({"GET", "/v1/models/{name}", [&api](const Request&, const PathValues& values) {
                return json_response(
                    model_json(registered_model(api, values[0]), *api.current.get()));
              }});
  router.add({"GET", "/v1/models/{name}/versions/{version}",
              [&api](const Request&, const PathValues& values) {
                return one_version(api, values[0], values[1]);
              }});
  router.add({"GET", "/v1/shadow", [&api](const Request&, const PathValues&) {
                Json shadow = shadow_json(api);
                if (shadow.is_null())
                  throw HttpError(404, "no model is a shadow here; start the server with --shadow");
                return json_response(shadow);
              }});
}

}  // namespace tcrops::serve
