#include "cmd_completion.hpp"

#include "commands.hpp"
#include "complete.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tcrops::cli {
namespace {

constexpr const char* kWords = "__complete";
constexpr const char* kLine = "__complete_line";

struct Script {
  std::string_view shell;
  std::string_view text;
};

// Each only hands over what was typed and takes what comes back; what can follow is known to
// complete.cpp alone. Bash breaks words at = : and @, so it gets the line as it is.
constexpr std::array<Script, 3> kScripts = {{
    {"bash", R"sh(# Completion of tcrops for bash: eval "$(tcrops completion bash)"
_tcrops() {
  mapfile -t COMPREPLY < <("${1/#\~\//$HOME/}" __complete_line "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
  case ${COMPREPLY[0]-} in
    :file) COMPREPLY=() && compopt -o default ;;
    :folder) COMPREPLY=() && compopt -o dirnames ;;
    *=) compopt -o nospace ;;
  esac
}
complete -F _tcrops tcrops
)sh"},
    {"zsh", R"sh(#compdef tcrops
# Completion of tcrops for zsh: eval "$(tcrops completion zsh)", or this file as _tcrops in $fpath
_tcrops() {
  local line text program=${${(Q)words[1]}/#\~\//$HOME/}
  local -a lines keys others
  lines=("${(@f)$("$program" __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  case $lines[1] in
    :file) compset -P '--*='; _files; return ;;
    :folder) compset -P '--*='; _files -/; return ;;
  esac
  for line in $lines; do
    text=${line%%$'\t'*}
    line=${text//:/\\:}:${${line#$text}#$'\t'}
    if [[ $text == *= ]]; then keys+=("${line%:}"); else others+=("${line%:}"); fi
  done
  _describe tcrops others -- keys -S ''
}
if [[ $funcstack[1] == _tcrops ]]; then _tcrops "$@"; else compdef _tcrops tcrops; fi
)sh"},
    {"fish", R"sh(# Completion of tcrops for fish: tcrops completion fish | source
function __tcrops_complete
  set -l words (commandline -opc)
  set -l typed (string trim --left --chars '"\'' -- (commandline -ct))
  set -l lines ($words[1] __complete $words[2..] "$typed" 2>/dev/null)
  set -l option (string match -r '^--[^=]+=' -- "$typed")
  set -l path (string replace -r '^--[^=]+=' '' -- "$typed")
  switch "$lines[1]"
    case :file
      printf "$option%s\n" (__fish_complete_path "$path")
    case :folder
      printf "$option%s\n" (__fish_complete_directories "$path" folder)
    case '*'
      printf '%s\n' $lines
  end
end
complete -c tcrops -f -a '(__tcrops_complete)'
)sh"},
}};

std::vector<std::string> shells() {
  std::vector<std::string> names;
  for (const Script& script : kScripts) names.emplace_back(script.shell);
  return names;
}

int print_script(const Session& session, const std::string& shell) {
  for (const Script& script : kScripts) {
    if (script.shell != shell) continue;
    print_result(session,
                 {{"schema", "tcrops.completion/1"}, {"shell", shell}, {"script", script.text}},
                 std::string(script.text));
  }
  return 0;
}

std::string answer_words(const CommandInfo& program, const FieldTable& fields,
                         const std::vector<std::string>& words) {
  std::string out;
  for (const Candidate& candidate : complete(program, fields, words)) {
    out += candidate.text;
    if (!candidate.help.empty()) out += "\t" + candidate.help;
    out += "\n";
  }
  return out;
}

// Where in a word Bash begins to replace: behind a break character, but at an @, which Readline
// keeps with what follows.
std::size_t replaced_from(const std::string& word, const std::string& breaks) {
  std::size_t begin = 0;
  for (const char each : std::string("=:@")) {
    const std::size_t at = word.rfind(each);
    if (at == std::string::npos || breaks.find(each) == std::string::npos) continue;
    begin = std::max(begin, each == '@' ? at : at + 1);
  }
  return begin;
}

std::string answer_line(const CommandInfo& program, const FieldTable& fields,
                        const std::string& line, const std::string& breaks) {
  TypedLine typed = read_line(line);
  const std::size_t begin = typed.in_quotes ? 0 : replaced_from(typed.words.back(), breaks);
  std::string out;
  typed.words.erase(typed.words.begin());  // the program
  for (const Candidate& candidate : complete(program, fields, typed.words)) {
    const bool directive = candidate.text.starts_with(':');
    out += candidate.text.substr(directive ? 0 : begin) + "\n";
  }
  return out;
}

}  // namespace

bool answer_shell(const CLI::App& app, const Session& session, int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + std::max(argc, 0));
  if (args.empty() || (args[0] != kWords && args[0] != kLine)) return false;
  const CommandInfo program = describe(app);
  const FieldTable& fields = session.config.fields();
  std::string out;
  if (args[0] == kWords) {
    out = answer_words(program, fields, {args.begin() + 1, args.end()});
  } else if (args.size() == 3) {
    out = answer_line(program, fields, args[1], args[2]);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);  // a shell that is gone needs no answer
  std::fflush(stdout);
  return true;
}

void add_completion(CLI::App& app, Session& session) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "shell that is to complete command lines of tcrops")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember(shells()));
  add_output_options(app, session);
  app.callback([&session, shell] {
    session.action = [&session, shell] { return print_script(session, *shell); };
  });
}

}  // namespace tcrops::cli
