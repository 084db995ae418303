#pragma once

#include <tcrops/core/json.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tcrops {

// Where a value came from, lowest priority first.
enum class Origin { kDefault, kFile, kEnvironment, kCommandLine };

// One setting, bound to the member that holds it. The list of all fields is the single declaration
// that reads files, makes --set and TCROPS_* work, prints help and JSON Schema, and writes the
// resolved configuration.
struct Field {
  std::string section;  // "" for the top level
  std::string name;
  std::string help;
  std::string unit;
  std::string type;  // JSON Schema type: "boolean", "integer", "number", "string", "array"
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_excluded = false;
  std::vector<std::string> choices;
  // False for what cannot change a result (retries, number of jobs): left out of reuse keys.
  bool shapes_result = true;
  Json default_value;
  std::function<Json()> get;
  std::function<void(const Json&)> set;  // the value has been checked
  Origin origin = Origin::kDefault;

  [[nodiscard]] std::string path() const { return section.empty() ? name : section + "." + name; }
};

// What a field may add to its declaration.
struct FieldLimits {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_excluded = false;
  std::vector<std::string> choices{};
  std::string unit{};
  bool shapes_result = true;
};

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
  void add(std::string name, std::vector<std::string>& member, std::string help,
           FieldLimits limits = {});

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] const std::map<std::string, std::string>& sections() const { return sections_; }

  // All of these throw Error (kConfiguration) that names the key, its place and what would be
  // valid.
  void read_text(const std::string& text, const std::string& name);
  void read_file(const std::string& path);
  // TCROPS_<SECTION>_<KEY>, for example TCROPS_TRAIN_EPOCHS, or TCROPS_<KEY> for the top level. Any
  // other TCROPS_* is an error, but for the names in `reserved` (one ending in _ is a beginning).
  void read_environment(const std::map<std::string, std::string>& environment,
                        const std::vector<std::string>& reserved = {});
  // "section.key=value"; a value that is not JSON is taken as text, and a list may be written as
  // "a,b". kUsage when there is no "=".
  void assign(const std::string& assignment);

  // Every value of a section (all sections when empty) as {"key": value}; with `only_result`
  // without those that cannot change a result.
  [[nodiscard]] Json resolved(const std::string& section, bool only_result) const;
  [[nodiscard]] Json resolved() const;
  [[nodiscard]] Json origins() const;
  // JSON Schema, draft 2020-12.
  [[nodiscard]] Json schema() const;

 private:
  Field& push(std::string name, std::string type, std::string help, FieldLimits limits);
  void set_checked(Field& field, const Json& value, Origin origin, const std::string& where);
  [[nodiscard]] std::vector<std::string> names(const std::string& section) const;
  Field* find(const std::string& section, const std::string& name);
  Field& field_of_variable(const std::string& name, const std::string& where);

  std::vector<Field> fields_;
  std::map<std::string, std::string> sections_;
  std::string section_;
};

}  // namespace tcrops
