#include "commands.hpp"
#include "config_init.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

int show(Session& session) {
  session.load_config();
  const FieldTable& fields = session.config.fields();
  std::vector<std::vector<std::string>> rows;
  for (const Field& field : fields.fields()) {
    rows.push_back({field.path(),
                    field.shown().dump(-1, ' ', false, Json::error_handler_t::replace),
                    field.place.text(), field.help});
  }
  print_result(session,
               {{"schema", "tcrops.config/1"},
                {"configuration", fields.shown()},
                {"origins", fields.origins()}},
               format_table({"key", "value", "from", "meaning"}, rows));
  return 0;
}

Json problem_json(const Problem& problem) {
  const auto number = [](std::size_t value) { return value == 0 ? Json(nullptr) : Json(value); };
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  const bool in_file = problem.place.origin == Origin::kFile;
  return {{"file", in_file ? Json(problem.place.name) : Json(nullptr)},
          {"line", number(problem.place.line)},
          {"column", number(problem.place.column)},
          {"key", text(problem.key)},
          {"message", in_file || problem.place.origin == Origin::kDefault
                          ? problem.message
                          : fmt::format("{}: {}", problem.place.text(), problem.message)}};
}

// A file that cannot be read is a problem like others here.
Problems problems_of(Session& session) {
  try {
    return session.read_config();
  } catch (const Error& e) {
    if (e.code() != ExitCode::kConfiguration) throw;
    const Place file = {.origin = Origin::kFile, .name = session.config_path};
    return {{file, "", e.what()}};
  }
}

int validate(Session& session) {
  // Read once: the file may be a pipe.
  const Problems problems = session.json ? problems_of(session) : session.read_config();
  if (!session.json) require_none(problems);
  Json list = Json::array();
  for (const Problem& problem : problems) list.push_back(problem_json(problem));
  print_result(session,
               {{"schema", "tcrops.config_validate/1"},
                {"valid", problems.empty()},
                {"file", session.config_path},
                {"problems", std::move(list)}},
               fmt::format("{}: valid\n", session.config_path));
  if (problems.empty()) return 0;
  throw Error(ExitCode::kConfiguration,
              fmt::format("{}: not valid; the result says why", session.config_path));
}

int schema(const Session& session) {
  print_result(session, session.config.fields().schema(), schema_text(session.config.fields()));
  return 0;
}

}  // namespace

void add_config(CLI::App& app, Session& session) {
  app.require_subcommand(1);
  add_config_init(app, session);
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
