// How the server did lately, from the query log.
#include "clock.hpp"
#include "queries_api.hpp"
#include "query_parameters.hpp"

namespace tcrops::serve {
namespace {

constexpr double kUsualHours = 24.0;
constexpr double kMostHours = 24.0 * 366.0 * 10.0;

Response monitor(const QueryLog* log, const Request& request) {
  const QueryParameters given(request, {"hours"});
  const double hours = given.number("hours", 1.0 / 60.0, kMostHours).value_or(kUsualHours);
  const double now = now_seconds();
  const Monitor monitor = log == nullptr ? empty_monitor(now, hours) : read_log([&] {
    return QueryReader(log->options().file).monitor(now, hours);
  });
  Json body = to_json(monitor);
  body["logging"] = logging_json(log);
  return json_response(body);
}

}  // namespace

void add_monitor_route(Router& router, const QueryLog* log) {
  router.add({"GET", "/v1/monitor",
              [log](const Request& request, const PathValues&) { return monitor(log, request); }});
}

}  // namespace tcrops::serve
