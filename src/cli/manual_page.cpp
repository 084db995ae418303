// The manual page in the macros of man(7).
#include "manual.hpp"
#include "session.hpp"
#include "shapes.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/version.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tcrops::cli {
namespace {

struct Example {
  std::string_view what;
  std::string_view command;
};

constexpr std::array kExamples = {
    Example{"A whole pipeline on a made-up repertoire, offline:",
            "tcrops run --config configs/quickstart.json"},
    Example{"A model of your own pairs, and what it is worth:",
            "tcrops run --config configs/own.json --set fetch.file=pairs.csv\n"
            "tcrops artifacts show own.evaluation"},
    Example{
        "Scores in a pipe:",
        "zcat pairs.csv.gz | tcrops predict --model own.model --input - | gzip > scored.csv.gz"},
    Example{"Words and options completed by the shell, from now on:",
            "tcrops completion bash >> ~/.bashrc"},
};

// Text as roff takes it; what stands between backticks becomes bold.
std::string roff(std::string_view text) {
  std::string out;
  bool bold = false;
  if (text.starts_with('.') || text.starts_with('\'')) out += "\\&";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '`') {
      bold = !bold;
      out += bold ? "\\fB" : "\\fR";
    } else {
      out += c;
      if (c == '\n' && i + 1 < text.size() && (text[i + 1] == '.' || text[i + 1] == '\''))
        out += "\\&";
    }
  }
  return out;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", roff(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", roff(text)); }

std::string section(std::string_view title, std::string_view text = "") {
  return fmt::format(".SH {}\n{}{}", roff(title), roff(text), text.empty() ? "" : "\n");
}
std::string subsection(std::string_view title) { return fmt::format(".SS {}\n", roff(title)); }
std::string paragraph(std::string_view text) { return fmt::format(".PP\n{}\n", roff(text)); }
std::string item(const std::string& tag, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", tag, roff(text));
}
std::string code(std::string_view text) {
  return fmt::format(".PP\n.RS 4\n.EX\n{}\n.EE\n.RE\n", roff(text));
}

std::string option_item(const OptionInfo& option) {
  std::string tag;
  for (const std::string& name : option.names) {
    tag += (tag.empty() ? "" : ", ") + (option.positional ? italic(name) : bold(name));
  }
  if (!option.type.empty() && !option.positional) tag += " " + italic(option.type);
  std::string text = option.help;
  if (!option.choices.empty()) text += fmt::format("; one of {}", fmt::join(option.choices, ", "));
  if (!option.default_value.empty()) text += fmt::format("; default {}", option.default_value);
  if (!option.variable.empty()) text += fmt::format("; or the variable {}", option.variable);
  if (option.required) text += "; required";
  return item(tag, text);
}

std::vector<const CommandInfo*> leaves(const CommandInfo& command) {
  if (command.commands.empty()) return {&command};
  std::vector<const CommandInfo*> found;
  for (const CommandInfo& sub : command.commands) {
    const auto more = leaves(sub);
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

std::vector<OptionInfo> options_of_all(const CommandInfo& program) {
  const auto all = leaves(program);
  std::vector<OptionInfo> common = all.front()->options;
  std::erase_if(common, [&](const OptionInfo& option) {
    return !std::all_of(all.begin(), all.end(), [&](const CommandInfo* command) {
      return std::find(command->options.begin(), command->options.end(), option) !=
             command->options.end();
    });
  });
  return common;
}

std::string command_text(const CommandInfo& command, const std::vector<OptionInfo>& common) {
  std::string out = subsection("tcrops " + command.path);
  std::string synopsis = bold("tcrops " + command.path);
  if (command.needs_command) synopsis += " " + italic("COMMAND");
  for (const OptionInfo& option : command.options) {
    if (option.positional) synopsis += " " + italic(option.names.front());
  }
  if (!command.needs_command) synopsis += " [" + italic("OPTIONS") + "]";
  out += synopsis + "\n" + paragraph(command.summary);
  for (const OptionInfo& option : command.options) {
    if (std::find(common.begin(), common.end(), option) == common.end()) out += option_item(option);
  }
  if (!command.example.empty()) out += code(command.example);
  for (const CommandInfo& sub : command.commands) out += command_text(sub, common);
  return out;
}

std::string field_text(const Field& field) {
  std::string text = field.help;
  if (const std::string range = range_text(field); !range.empty()) {
    text += "; " + range;
  } else if (!field.unit.empty()) {
    text += "; in " + field.unit;
  }
  if (!field.choices.empty()) {
    text += fmt::format("; {} {}", field.type == "array" ? "of" : "one of",
                        fmt::join(field.choices, ", "));
  }
  return text + fmt::format("; default `{}`", field.default_value.dump());
}

std::string configuration_text(const FieldTable& fields) {
  std::string out = section(
      "CONFIGURATION",
      "A pipeline file is JSON in which // comments are allowed. A value may also be set with "
      "--set `section.key=value` or as a variable. The strongest is --set, then the variable, the "
      "file and the default.");
  std::string current = "top level";
  for (const Field& field : fields.fields()) {
    const std::string title = field.section.empty() ? "top level" : field.section;
    if (&field == &fields.fields().front() || title != current) {
      out += subsection(title);
      if (!field.section.empty()) out += roff(fields.sections().at(field.section)) + "\n";
    }
    current = title;
    out += item(bold(field.path()), field_text(field));
  }
  return out;
}

std::string results_text() {
  std::string out = section(
      "RESULTS AS JSON",
      "With --json a command prints one JSON object; `schema` says which. A schema whose number "
      "stays the same may gain keys, and loses none.");
  for (const Shape& shape : shapes()) {
    out += subsection(shape.schema.empty() ? "JSON Schema" : shape.schema);
    out += roff(shape.command) + "\n";
    for (const Key& key : shape.keys) out += item(bold(key.name), key.meaning);
  }
  return out;
}

std::string files_text() {
  std::string out = section("FILES");
  out += item(italic(kDefaultStore), "the store, where neither --store nor TCROPS_STORE names one");
  out += item(italic("configs/*.json"), "pipeline files to start from");
  out += item(italic("lib/tcrops/libtcrops_nn_torch.so"),
              "beside the folder of the program: the part that computes, loaded when needed");
  return out;
}

}  // namespace

std::string manual_page(const CommandInfo& program, const FieldTable& fields) {
  const auto common = options_of_all(program);
  std::string out = fmt::format(".TH TCROPS 1 {} \"tcrops {}\"\n", revision_date(), version());
  const std::size_t name_ends = program.summary.find(": ");
  out += section("NAME") + "tcrops \\- " + roff(program.summary.substr(name_ends + 2)) + "\n";
  out += section("SYNOPSIS") + bold("tcrops") + " " + italic("COMMAND") + " [" + italic("OPTIONS") +
         "]\n.br\n" + bold("tcrops --help") + "\n.br\n" + bold("tcrops --version") + " [" +
         bold("--json") + "]\n";
  out += section(
      "DESCRIPTION",
      "A T cell recognises an epitope shown on an MHC with its receptor. `tcrops` turns "
      "TCR-epitope pairs into a checked and versioned model that says which pairs bind, and scores "
      "files of any size with it.");
  out += paragraph(
      "Every stage is a command that reads and writes artifacts in a store. What is unchanged is "
      "not run again, and what was interrupted continues. Results go to stdout, everything else to "
      "stderr.");
  out += section("OPTIONS", "Every command takes these:");
  for (const OptionInfo& option : common) out += option_item(option);
  out += section("COMMANDS");
  for (const CommandInfo& command : program.commands) out += command_text(command, common);
  out += configuration_text(fields);
  out += results_text();
  out += section("ENVIRONMENT");
  for (const Variable& variable : environment_variables())
    out += item(bold(variable.name), variable.meaning);
  out += section("EXIT STATUS");
  for (const ExitStatus& status : exit_statuses()) {
    out += item(bold(std::to_string(static_cast<int>(status.code))),
                fmt::format("{}: {}", status.name, status.detail));
  }
  out +=
      files_text() + section("EXAMPLES", "The pipeline files named here are part of the sources.");
  for (const Example& example : kExamples) out += paragraph(example.what) + code(example.command);
  out += section(
      "SEE ALSO",
      "README.md and data/README.md of the sources: first steps, results, formats on disk.");
  return out;
}

}  // namespace tcrops::cli
