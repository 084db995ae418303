// Promotion and rollback for those whose token has the role.
#include "api.hpp"
#include "request_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/stages/promotion.hpp>
#include <tcrops/store/registry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tcrops::serve {
namespace {

constexpr std::size_t kLongestReason = 1000;

std::string reason_of_move(const Json& body) {
  const Json reason = body.is_object() ? body.value("reason", Json()) : Json();
  if (!reason.is_string() || reason.get<std::string>().empty())
    throw HttpError(400, "the body needs a \"reason\", which goes into the model's log");
  auto text = reason.get<std::string>();
  const bool is_one_line = std::none_of(
      text.begin(), text.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)); });
  if (!is_one_line || text.size() > kLongestReason)
    throw HttpError(400, fmt::format("\"reason\" is one line of at most {} bytes", kLongestReason));
  return text;
}

store::Move move_of(const Request& request, const Json& body) {
  return {.by = fmt::format("{} (by the server)", request.caller.name),
          .reason = reason_of_move(body)};
}

Json gates_json(const stages::Judgement& judgement) {
  Json gates = Json::array();
  for (const stages::GateResult& gate : judgement.gates) {
    gates.push_back({{"name", gate.name},
                     {"passed", gate.passed},
                     {"found", gate.found},
                     {"wanted", gate.wanted}});
  }
  return gates;
}

std::int64_t champion_of(const store::RegisteredModel& model) {
  const auto at = model.aliases.find(store::kChampion);
  return at == model.aliases.end() ? 0 : at->second;
}

Response refused(const std::string& name, std::int64_t version, const stages::Judgement& judgement,
                 const std::string& id) {
  std::string why;
  for (const stages::GateResult& gate : judgement.gates) {
    if (gate.passed) continue;
    why += fmt::format("; {}: {}, but wanted is {}", gate.name, gate.found, gate.wanted);
  }
  Response response =
      json_response({{"error", fmt::format("{}@v{} was not promoted{}", name, version, why)},
                     {"request_id", id},
                     {"gates", gates_json(judgement)}});
  response.status = 409;
  return response;
}

// What the registry refuses is a conflict with what is there, and nobody's mistake in asking.
store::RegisteredModel moved(const std::function<store::RegisteredModel()>& move) {
  try {
    return move();
  } catch (const Error& e) {
    throw HttpError(409, e.what());
  }
}

Response promote(const Api& api, const Request& request, const std::string& name) {
  const Json body = parse_body(request.body);
  store::Move move = move_of(request, body);
  const Json number = body.value("version", Json());
  const store::Registry registry(api.store);
  const auto before = registered_model(api, name);
  const store::ModelVersion* version =
      number.is_number_integer() ? before.find(number.get<std::int64_t>()) : nullptr;
  if (version == nullptr)
    throw HttpError(400, fmt::format("\"version\" must be one of 1 to {}", before.versions.size()));
  const std::int64_t champion = champion_of(before);
  if (champion == version->number)
    throw HttpError(409, fmt::format("{}@v{} is the champion already", name, version->number));
  const stages::Judgement judgement = stages::judge(api.store, api.pipeline, before, *version);
  if (!judgement.passed()) return refused(name, version->number, judgement, request.id);
  move.evidence = judgement.evidence;
  const auto after = moved([&] {
    return registry.promote(name, version->number, move, [&](const auto& now) {
      if (champion_of(now) != champion)
        throw Error(ExitCode::kTemporary, "the champion changed meanwhile; promote again");
    });
  });
  log_info(fmt::format("{} promoted {}@v{}: {}", request.caller.name, name, version->number,
                       move.reason));
  return json_response({{"name", name},
                        {"version", version->number},
                        {"aliases", after.aliases},
                        {"gates", gates_json(judgement)}});
}

Response roll_back(const Api& api, const Request& request, const std::string& name) {
  const store::Move move = move_of(request, parse_body(request.body));
  const store::Registry registry(api.store);
  static_cast<void>(registered_model(api, name));
  const auto after = moved([&] { return registry.rollback(name, move); });
  log_info(fmt::format("{} rolled {} back: {}", request.caller.name, name, move.reason));
  return json_response(
      {{"name", name}, {"version", champion_of(after)}, {"aliases", after.aliases}});
}

}  // namespace

void add_move_routes(Router& router, const Api& api) {
  router.add({"POST", "/v1/models/{name}/promote",
              [&api](const Request& request, const PathValues& values) {
                return promote(api, request, values[0]);
              },
              Role::kPromote});
  router.add({"POST", "/v1/models/{name}/rollback",
              [&api](const Request& request, const PathValues& values) {
                return roll_back(api, request, values[0]);
              },
              Role::kPromote});
}

}  // namespace tcrops::serve
