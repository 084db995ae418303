#include "commands.hpp"
#include "manual.hpp"

#include <fmt/format.h>

namespace tcrops::cli {
namespace {

int print_manual(const CLI::App& program, const Session& session, const std::string& table) {
  const CommandInfo described = describe(program);
  const FieldTable& fields = session.config.fields();
  if (session.json) {
    print_result(session, manual_json(described, fields), "");
    return 0;
  }
  write_stdout(table.empty() ? manual_page(described, fields) : markdown_table(table, described));
  return 0;
}

}  // namespace

void add_man(CLI::App& app, Session& session) {
  auto table = std::make_shared<std::string>();
  app.add_option("--markdown", *table, "print this table of it as Markdown instead")
      ->type_name("TABLE")
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(kMarkdownTables), std::end(kMarkdownTables))));
  add_output_options(app, session);
  app.callback([&app, &session, table] {
    session.action = [&app, &session, table] {
      return print_manual(*app.get_parent(), session, *table);
    };
  });
}

}  // namespace tcrops::cli
