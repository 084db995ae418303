// What every request for predictions has in common.
#include "api.hpp"

#include <tcrops/core/text.hpp>

#include <chrono>
#include <cmath>
#include <exception>

namespace tcrops::serve {
namespace {

using Clock = std::chrono::steady_clock;

// Says what came of a request when it goes, also when an exception ends it.
class Noted {
 public:
  Noted(const Api& api, const Request& request, const std::string& route) : api_(api) {
    asked.request = &request;
    asked.route = route;
  }
  ~Noted() {
    if (!api_.note_asked) return;
    const std::chrono::duration<double> spent = Clock::now() - begin_;
    asked.seconds = spent.count();
    api_.note_asked(asked);
  }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;

  Asked asked;

 private:
  const Api& api_;
  Clock::time_point begin_ = Clock::now();
};

std::vector<stages::Answer> answers_to(Api& api, ServedModel& model,
                                       const stages::SmallTable& table) {
  auto answers = model.engine().answers(table.records());
  if (!answers) {
    throw HttpError(503, "too many rows wait already (serve.queue_rows); try again",
                    {{"Retry-After", "1"}});
  }
  api.metrics.count_rows(model.labels(), table, *answers);
  const bool is_served = model.identity().artifact.id == api.current.get()->identity().artifact.id;
  if (api.shadow && is_served)
    api.shadow->offer(model.identity().artifact.id, table.records(), *answers);
  return std::move(*answers);
}

}  // namespace

Response answer_rows(Api& api, const Request& request, const std::string& route,
                     const std::shared_ptr<ServedModel>& model,
                     const std::function<stages::SmallTable()>& read,
                     const std::function<Response(const stages::SmallTable&,
                                                  std::span<const stages::Answer>)>& write) {
  std::optional<stages::SmallTable> table;
  std::vector<stages::Answer> answers;
  Noted noted(api, request, route);  // goes before the two
  noted.asked.model = model;
  try {
    table.emplace(read());
    answers = answers_to(api, *model, *table);
    noted.asked.table = &*table;
    noted.asked.answers = answers;
    Response response = write(*table, answers);
    response.headers = model_headers(*model);
    return response;
  } catch (...) {
    noted.asked.status = status_of_exception();
    throw;
  }
}

Headers model_headers(const ServedModel& model) {
  const ModelIdentity& identity = model.identity();
  return {{"X-Model-Id", identity.artifact.id},
          {"X-Model-Version", identity.version},
          {"X-Data-Version", identity.data_version()}};
}

Json short_facts(const ServedModel& model) {
  const Json& facts = model.facts();
  return {{"name", facts.at("name")},
          {"version", facts.at("version")},
          {"artifact", facts.at("artifact")},
          {"data_version", facts.at("data_version")},
          {"threshold", facts.at("threshold")}};
}

std::string field_as_json(const std::string& column, const std::string& text) {
  if (column == "flags") {
    Json list = Json::array();
    if (!text.empty()) list = split(text, ';');
    return list.dump();
  }
  if (column == "call") return text == "1" ? "true" : "false";
  const auto number = parse_number(text);
  return number && std::isfinite(*number) ? text : "null";
}

}  // namespace tcrops::serve
