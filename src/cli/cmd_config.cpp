#include "commands.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

int show(Session& session) {
  session.load_config();
  const FieldTable& fields = session.config.fields();
  const Json origins = fields.origins();
  std::vector<std::vector<std::string>> rows;
  for (const Field& field : fields.fields()) {
    rows.push_back({field.path(), field.get().dump(-1, ' ', false, Json::error_handler_t::replace),
                    origins.at(field.path()).get<std::string>(), field.help});
  }
  print_result(
      session,
      {{"schema", "tcrops.config/1"}, {"configuration", fields.resolved()}, {"origins", origins}},
      format_table({"key", "value", "from", "meaning"}, rows));
  return 0;
}

int validate(Session& session) {
  session.load_config();
  print_result(session, {{"schema", "tcrops.config_validate/1"}, {"valid", true}},
               fmt::format("{}: valid\n", session.config_path));
  return 0;
}

int schema(const Session& session) {
  const Json json = session.config.fields().schema();
  print_result(session, json, json.dump(2) + "\n");
  return 0;
}

}  // namespace

void add_config(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  CLI::App* shown =
      app.add_subcommand("show", "every value, where it comes from and what it means");
  shown->group("Commands");
  add_config_options(*shown, session, false);
  add_output_options(*shown, session);
  shown->callback([&session] { session.action = [&session] { return show(session); }; });
  CLI::App* validated =
      app.add_subcommand("validate", "check a pipeline file; exit status 3 when it is wrong");
  validated->group("Commands");
  add_config_options(*validated, session, true);
  add_output_options(*validated, session);
  validated->callback([&session] { session.action = [&session] { return validate(session); }; });
  CLI::App* described = app.add_subcommand("schema", "JSON Schema of pipeline files");
  described->group("Commands");
  add_output_options(*described, session);
  described->callback([&session] { session.action = [&session] { return schema(session); }; });
}

}  // namespace tcrops::cli
