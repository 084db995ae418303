#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/core/problem.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops {

struct PositionedJson;

// By this a schema of ours is recognised.
inline constexpr const char* kSchemaTitle = "tcrops pipeline configuration";

// What a field may add to its declaration.
struct FieldLimits {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_excluded = false;
  std::vector<std::string> choices{};
  std::string unit{};
  // False for what cannot change a result (retries, number of jobs): left out of reuse keys.
  bool shapes_result = true;
  bool not_empty = false;  // a list needs at least one item, a text one letter
  bool plain = false;      // is_plain_name
  std::vector<std::string> examples{};
  // How a text that may hold a secret is shown to people; none: as it is.
  std::function<std::string(const std::string& value)> as_shown{};
};

// A part of a structured value: keys of objects, and for an item of a list its number from 0.
using InnerPath = std::vector<std::string>;
struct InnerProblem {
  InnerPath path;
  std::string message;
};

// What the items of a structured value, a list of objects, may be.
struct Structure {
  std::function<Json()> item_schema;  // JSON Schema of an item; asked for when it is written
  // Everything that is wrong with a list of objects; may be empty: nothing is.
  std::function<std::vector<InnerProblem>(const Json&)> check;
};

// One setting, bound to the member that holds it. The list of all fields is the single declaration
// that reads files, makes --set and TCROPS_* work, prints help and JSON Schema, and writes the
// resolved configuration.
struct Field : FieldLimits {
  std::string section;  // "" for the top level
  std::string name;
  std::string help;
  std::string type;       // JSON Schema type: "boolean", "integer", "number", "string", "array"
  std::string item_type;  // of an array: "string", "integer", "number" or "object"
  Structure structure;    // of objects
  Json default_value;
  std::function<Json()> get;
  std::function<void(const Json&)> set;  // the value has been checked
  Place place;                           // where the value was set
  std::map<InnerPath, Place> inside;     // where parts of a structured value stand in a file
  bool refused = false;                  // a value was given and not taken

  // The value for people and logs, without secrets.
  [[nodiscard]] Json shown() const;
  [[nodiscard]] std::string path() const { return section.empty() ? name : section + "." + name; }
};

// "at least 1 and at most 100 rows"; empty when every number will do.
[[nodiscard]] std::string range_text(const Field& field);

// Letters, digits, - and _, and at least one of them.
[[nodiscard]] bool is_plain_name(std::string_view text);

// The settings of one program, by section. Holds references to the bound structs, which must
// outlive it.
class FieldTable {
 public:
  // Following `add` calls belong to this section.
  void begin_section(std::string name, std::string help);
  void add(std::string name, bool& member, std::string help, FieldLimits limits = {});
  void add(std::string name, std::int64_t& member, std::string help, FieldLimits limits = {});
  void add(std::string name, double& member, std::string help, FieldLimits limits = {});
  void add(std::string name, std::string& member, std::string help, FieldLimits limits = {});
  // Limits are those of each item.
  void add(std::string name, std::vector<std::string>& member, std::string help,
           FieldLimits limits = {});
  void add(std::string name, std::vector<std::int64_t>& member, std::string help,
           FieldLimits limits = {});
  void add(std::string name, std::vector<double>& member, std::string help,
           FieldLimits limits = {});
  // A list of objects.
  void add(std::string name, Json& member, std::string help, Structure structure,
           FieldLimits limits = {});

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] const std::map<std::string, std::string>& sections() const { return sections_; }

  // These take every value that is valid and return what is wrong with the others.

  // JSON with comments; problems in the order of the text, at most some hundred. After bad syntax
  // that is the only problem and no value is taken.
  [[nodiscard]] Problems read_text(const std::string& text, const std::string& name);
  // Throws Error (kConfiguration) when the file cannot be read.
  [[nodiscard]] Problems read_file(const std::string& path);
  // TCROPS_<SECTION>_<KEY>, for example TCROPS_TRAIN_EPOCHS, or TCROPS_<KEY> for the top level. Any
  // other TCROPS_* is a problem, but for the names in `reserved` (one ending in _ is a beginning).
  [[nodiscard]] Problems read_environment(const std::map<std::string, std::string>& environment,
                                          const std::vector<std::string>& reserved = {});
  // "section.key=value"; a value that is not JSON is taken as text, and a list may be written as
  // "a,b", but for one of objects. Throws Error (kUsage) when there is no "=". `option` is what the
  // user typed.
  [[nodiscard]] Problems assign(const std::string& assignment, const std::string& option = "--set");

  [[nodiscard]] const Field& at(const std::string& path) const;
  // For what only several fields together show: a problem about the one that was set with the
  // highest priority, the first of those where they are equal. None where a value of theirs was
  // refused, for then the others say nothing.
  [[nodiscard]] Problems joint_problem(const std::vector<std::string>& involved,
                                       const std::string& message) const;

  // The same for a part of a structured value, with the place of that part or of what holds it.
  [[nodiscard]] Problems inner_problem(const std::string& path, const InnerPath& part,
                                       const std::string& message) const;
  // What would be wrong with a value of this field, and what a text of --set means to it.
  [[nodiscard]] std::vector<std::string> refusals(const std::string& path, const Json& value) const;
  [[nodiscard]] Json meant_by(const std::string& path, const std::string& text) const;

  // Every value of a section (all sections when empty) as {"key": value}; with `only_result`
  // without those that cannot change a result.
  [[nodiscard]] Json resolved(const std::string& section, bool only_result) const;
  [[nodiscard]] Json resolved() const;
  // All of them as they are shown, in the same form.
  [[nodiscard]] Json shown() const;
  [[nodiscard]] Json origins() const;
  // JSON Schema, draft 2020-12.
  [[nodiscard]] Json schema() const;
  // A file with every field at its value, help, units, choices and ranges as comments. `schema` is
  // what its "$schema" names.
  [[nodiscard]] std::string commented_file(const std::string& schema) const;

 private:
  Field& push(std::string name, std::string type, std::string help, FieldLimits limits);
  Field& push_list(std::string name, std::string item_type, std::string help, FieldLimits limits);
  Problems take(Field& field, const Json& value, const Place& place,
                std::map<InnerPath, Place> inside = {});
  Problems read_section(const std::string& section, const Json& values,
                        const PositionedJson& document, const std::string& name);
  Field* find(const std::string& section, const std::string& name);
  Field* find_path(const std::string& path);
  Field* find_variable(const std::string& variable);
  // Texts that begin with "; did you mean", or are empty.
  [[nodiscard]] std::string suggested_key(const std::string& section,
                                          const std::string& word) const;
  [[nodiscard]] std::string suggested_path(const std::string& word) const;
  [[nodiscard]] std::string suggested_variable(const std::string& word) const;

  std::vector<Field> fields_;
  std::map<std::string, std::string> sections_;
  std::string section_;
};

}  // namespace tcrops
