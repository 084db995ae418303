#include "complete.hpp"

#include "session.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/stages/pipeline.hpp>
#include <tcrops/store/registry.hpp>
#include <tcrops/store/store.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

namespace tcrops::cli {
namespace {

using Candidates = std::vector<Candidate>;

// Where the typed words lead to.
struct Place {
  const CommandInfo* command = nullptr;
  const OptionInfo* waiting = nullptr;  // for the value of this option
  std::map<const OptionInfo*, std::string> given;
  std::size_t arguments = 0;
  bool options_ended = false;  // by --
};

const OptionInfo* find_option(const CommandInfo& command, std::string_view name) {
  for (const OptionInfo& option : command.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
      return &option;
  }
  return nullptr;
}

// "--config=x" and "-cx" carry their value; "-qv" are flags.
void take_option(Place& place, const std::string& word) {
  const bool is_long = word.starts_with("--");
  const std::size_t name_ends = is_long ? word.find('=') : 2;
  const OptionInfo* option = find_option(*place.command, word.substr(0, name_ends));
  if (option == nullptr) return;
  place.given.emplace(option, "");
  if (option->type.empty()) return;
  if (name_ends == std::string::npos || name_ends == word.size()) {
    place.waiting = option;
  } else {
    place.given[option] = word.substr(is_long ? name_ends + 1 : name_ends);
  }
}

// Empty where the words so far make no sense.
std::optional<Place> place_of(const CommandInfo& program, const std::vector<std::string>& words) {
  Place place;
  place.command = &program;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.waiting != nullptr) {
      place.given[place.waiting] = word;
      place.waiting = nullptr;
    } else if (!place.options_ended && word == "--") {
      place.options_ended = true;
    } else if (!place.options_ended && word.size() > 1 && word[0] == '-') {
      take_option(place, word);
    } else {
      const auto& subs = place.command->commands;
      const auto sub = std::find_if(subs.begin(), subs.end(),
                                    [&](const auto& each) { return each.name == word; });
      if (sub != subs.end()) {
        place.command = &*sub;
        place.given.clear();
      } else if (place.command->needs_command) {
        return std::nullopt;
      } else {
        ++place.arguments;
      }
    }
  }
  return place;
}

// The store that the command line, the environment or else the default names.
std::string store_of(const Place& place) {
  std::string path = kDefaultStore;
  if (const OptionInfo* option = find_option(*place.command, "--store"); option != nullptr) {
    if (!option->default_value.empty()) path = option->default_value;
    const char* set = std::getenv(option->variable.c_str());
    if (set != nullptr && *set != '\0') path = set;
    if (const auto given = place.given.find(option); given != place.given.end())
      path = given->second;
  }
  const char* home = std::getenv("HOME");
  // The shell has not expanded the words it hands over.
  if (path.starts_with("~/") && home != nullptr) path = home + path.substr(1);
  return path;
}

// Registered models' aliases, and their versions once the model stands there.
Candidates versions(const store::Store& store, const std::string& typed) {
  Candidates found;
  const store::Registry registry(store);
  for (const store::RegisteredModel& model : registry.all()) {
    const std::string& name = model.name;
    if (!name.starts_with(typed.substr(0, typed.find('@')))) continue;
    for (const auto& [alias, number] : model.aliases)
      found.push_back({fmt::format("{}@{}", name, alias), fmt::format("version {}", number)});
    if (typed.find('@') == std::string::npos) continue;
    for (const auto& version : model.versions)
      found.push_back({fmt::format("{}@v{}", name, version.number), version.source});
  }
  return found;
}

Candidates registered_models(const Place& place, const std::string& typed) {
  const auto store = store::Store::open_existing(store_of(place));
  Candidates found;
  for (const std::string& name : store::Registry(store).names())
    found.push_back({name, "registered model"});
  for (Candidate& each : versions(store, typed)) found.push_back(std::move(each));
  return found;
}

// Names, versions of registered models, and the beginning of an id once some digits of one are
// typed.
Candidates artifacts(const Place& place, const std::string& typed, bool only_models) {
  Candidates found;
  const auto add = [&](const store::Store& store, const std::string& text,
                       const std::string& reference) {
    try {
      const auto artifact = store.at(reference);
      const bool model = artifact.manifest.kind == store::Kind::kModel;
      if (only_models && !model) return;
      found.push_back({text, fmt::format("{} {} by {}", store::kind_name(artifact.manifest.kind),
                                         artifact.short_id(), artifact.manifest.stage)});
    } catch (const Error&) {
      if (!only_models) found.push_back({text, "damaged"});
    }
  };
  const auto store = store::Store::open_existing(store_of(place));
  for (const auto& [name, id] : store.names()) {
    if (name.starts_with(typed)) add(store, name, id);
  }
  for (Candidate& each : versions(store, typed)) {
    if (each.text.starts_with(typed)) found.push_back(std::move(each));
  }
  if (!found.empty() || typed.empty()) return found;
  const std::size_t digits = std::max<std::size_t>(12, typed.size());
  for (const std::string& id : store.list()) {
    if (id.starts_with(typed)) add(store, id.substr(0, digits), id);
  }
  return found;
}

std::string field_help(const Field& field) {
  return field.unit.empty() ? field.help : fmt::format("{} [{}]", field.help, field.unit);
}

Candidates field_values(const Field& field, const std::string& typed) {
  const std::string key = field.path() + "=";
  Candidates found;
  if (field.type == "boolean") return {{key + "true", ""}, {key + "false", ""}};
  // A list is completed item by item.
  const std::size_t comma = field.type == "array" ? typed.rfind(',') : std::string::npos;
  const std::string before = comma == std::string::npos ? "" : typed.substr(0, comma + 1);
  const auto used = split(before, ',');
  for (const std::string& choice : field.choices) {
    if (before.empty() || std::find(used.begin(), used.end(), choice) == used.end())
      found.push_back({key + before + choice, ""});
  }
  if (!field.choices.empty()) return found;
  const Json& value = field.default_value;
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (!text.empty()) found.push_back({key + text, "default"});
  return found;
}

Candidates assignments(const FieldTable& fields, const std::string& typed) {
  Candidates found;
  const std::size_t equals = typed.find('=');
  for (const Field& field : fields.fields()) {
    if (equals == std::string::npos) {
      found.push_back({field.path() + "=", field_help(field)});
    } else if (typed.substr(0, equals) == field.path()) {
      return field_values(field, typed.substr(equals + 1));
    }
  }
  return found;
}

Candidates texts(const std::vector<std::string>& values) {
  Candidates found;
  for (const std::string& value : values) found.push_back({value, ""});
  return found;
}

std::vector<std::string> kinds() {
  std::vector<std::string> names;
  for (const auto kind :
       {store::Kind::kRaw, store::Kind::kDataset, store::Kind::kStudy, store::Kind::kModel,
        store::Kind::kEvaluation, store::Kind::kCheck, store::Kind::kPredictions}) {
    names.push_back(store::kind_name(kind));
  }
  return names;
}

std::vector<std::string> stage_names() {
  std::vector<std::string> names;
  for (const auto stage : stages::all_stages()) names.push_back(stages::stage_name(stage));
  return names;
}

// The one place that knows what a type_name stands for.
Candidates values(const OptionInfo& option, const Place& place, const FieldTable& fields,
                  const std::string& typed) {
  if (!option.choices.empty()) return texts(option.choices);
  if (option.type == kFileType) return {{kCompleteFile, ""}};
  if (option.type == kFolderType) return {{kCompleteFolder, ""}};
  if (option.type == kArtifactType || option.type == kNameType)
    return artifacts(place, typed, false);
  if (option.type == kModelType) return artifacts(place, typed, true);
  if (option.type == kRegisteredType) return registered_models(place, typed);
  if (option.type == kAssignmentType) return assignments(fields, typed);
  if (option.type == kDeviceType) return texts({"auto", "cpu", "cuda"});
  if (option.type == kStageType) return texts(stage_names());
  if (option.type == kKindType) return texts(kinds());
  return {};
}

Candidates option_names(const Place& place, const std::string& typed) {
  Candidates found;
  for (const OptionInfo& option : place.command->options) {
    if (option.positional || (place.given.contains(&option) && !option.repeatable)) continue;
    const bool short_one = typed.size() == 2 && typed[1] != '-';
    found.push_back({short_one ? option.names.front() : option.long_name(), option.help});
  }
  return found;
}

Candidates arguments(const Place& place, const FieldTable& fields, const std::string& typed) {
  Candidates found;
  for (const CommandInfo& command : place.command->commands)
    found.push_back({command.name, command.summary});
  std::size_t before = place.arguments;
  bool wanted = false;
  for (const OptionInfo& option : place.command->options) {
    if (!option.positional || (before > 0 && !option.repeatable && before-- > 0)) continue;
    wanted = true;
    const Candidates more = values(option, place, fields, typed);
    found.insert(found.end(), more.begin(), more.end());
    break;
  }
  // Nothing but options can follow.
  if (found.empty() && !wanted && typed.empty()) return option_names(place, typed);
  return found;
}

Candidates unfiltered(const Place& place, const FieldTable& fields, const std::string& typed) {
  if (place.waiting != nullptr) return values(*place.waiting, place, fields, typed);
  if (place.options_ended || !typed.starts_with('-')) return arguments(place, fields, typed);
  const std::size_t equals = typed.find('=');
  if (equals == std::string::npos) return option_names(place, typed);
  const OptionInfo* option = find_option(*place.command, typed.substr(0, equals));
  if (option == nullptr || option->type.empty()) return {};
  Candidates found = values(*option, place, fields, typed.substr(equals + 1));
  for (Candidate& candidate : found) {
    if (!candidate.text.starts_with(':'))
      candidate.text = typed.substr(0, equals + 1) + candidate.text;
  }
  return found;
}

}  // namespace

std::vector<Candidate> complete(const CommandInfo& program, const FieldTable& fields,
                                const std::vector<std::string>& words) {
  const std::string typed = words.empty() ? "" : words.back();
  const auto place = place_of(program, words);
  if (!place) return {};
  Candidates found;
  try {
    found = unfiltered(*place, fields, typed);
  } catch (const std::exception&) {  // no store, or one that cannot be read
    return {};
  }
  std::erase_if(found, [&](const Candidate& candidate) {
    return !candidate.text.starts_with(typed) && !candidate.text.starts_with(':');
  });
  return found;
}

TypedLine read_line(const std::string& line) {
  TypedLine typed;
  std::string word;
  bool inside = false;  // a word, perhaps an empty one in quotes
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      inside = true;
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
      inside = true;
    } else if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      if (inside) typed.words.push_back(word);
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  typed.words.push_back(word);
  typed.in_quotes = quote != '\0';
  return typed;
}

}  // namespace tcrops::cli
