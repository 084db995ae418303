#include "describe.hpp"

#include <tcrops/core/text.hpp>

namespace tcrops::cli {
namespace {

// CLI11 writes a type and what its validators say as "TEXT:{a,b}" or "INT:INT in [1 - 9]".
void read_type(const std::string& text, OptionInfo& info) {
  const std::size_t colon = text.find(':');
  info.type = text.substr(0, colon);
  if (colon == std::string::npos) return;
  const std::string rest = text.substr(colon + 1);
  if (rest.starts_with('{') && rest.ends_with('}')) {
    info.choices = split(std::string_view(rest).substr(1, rest.size() - 2), ',');
  } else {
    info.limits = rest;
  }
}

OptionInfo describe_option(const CLI::Option& option) {
  OptionInfo info;
  info.positional = !option.nonpositional();
  if (info.positional) {
    info.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  }
  const int most_values = option.get_items_expected_max();
  if (most_values > 0) read_type(option.get_type_name(), info);
  info.help = option.get_description();
  info.default_value = option.get_default_str();
  info.variable = option.get_envname();
  info.required = option.get_required();
  info.repeatable = most_values > 1 || (most_values > 0 && option.get_multi_option_policy() ==
                                                               CLI::MultiOptionPolicy::TakeAll);
  return info;
}

CommandInfo describe_below(const CLI::App& app, const std::string& above,
                           const std::string& parent_footer) {
  CommandInfo info;
  info.name = app.get_name();
  info.path = above.empty() ? info.name : above + " " + info.name;
  info.group = app.get_group();
  info.summary = app.get_description();
  const std::string footer = app.get_footer();
  if (footer != parent_footer && footer.starts_with(kExampleMark)) {
    info.example = footer.substr(std::string(kExampleMark).size());
  }
  info.needs_command = app.get_require_subcommand_min() > 0;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) info.options.push_back(describe_option(*option));
  }
  for (const CLI::App* sub :
       app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); })) {
    const std::string path = app.get_parent() == nullptr ? "" : info.path;
    info.commands.push_back(describe_below(*sub, path, footer));
  }
  return info;
}

}  // namespace

CommandInfo describe(const CLI::App& app) {
  CommandInfo info = describe_below(app, "", "");
  info.path.clear();
  return info;
}

Json to_json(const CommandInfo& command) {
  Json options = Json::array();
  for (const OptionInfo& option : command.options) {
    options.push_back({{"names", option.names},
                       {"type", option.type},
                       {"choices", option.choices},
                       {"limits", option.limits},
                       {"help", option.help},
                       {"default", option.default_value},
                       {"variable", option.variable},
                       {"positional", option.positional},
                       {"required", option.required},
                       {"repeatable", option.repeatable}});
  }
  Json commands = Json::array();
  for (const CommandInfo& sub : command.commands) commands.push_back(to_json(sub));
  return {{"name", command.path},       {"group", command.group}, {"summary", command.summary},
          {"example", command.example}, {"options", options},     {"commands", commands}};
}

}  // namespace tcrops::cli
