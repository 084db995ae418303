#pragma once

#include <tcrops/core/field_table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::test {

// One field of every type and limit.
struct Settings {
  std::int64_t seed = 1;
  std::int64_t epochs = 20;
  std::int64_t retries = 3;
  double rate = 0.01;
  double dropout = 0.0;
  bool balanced = true;
  std::string model = "medium";
  std::string label = "a";
  std::vector<std::string> models = {"small", "medium"};
  std::vector<std::string> notes;
  FieldTable table;

  Settings() {
    table.begin_section("train", "the model");
    table.add("epochs", epochs, "passes over the data", {.minimum = 1, .maximum = 100});
    table.add("rate", rate, "step size",
              {.minimum = 0.0, .maximum = 1.0, .minimum_excluded = true, .unit = "1/step"});
    table.add("dropout", dropout, "share left out", {.minimum = 0.0});
    table.add("balanced", balanced, "as many of each");
    table.add("model", model, "which", {.choices = {"small", "medium", "large"}});
    table.add("label", label, "its name", {.plain = true, .examples = {"a-1"}});
    table.begin_section("serve_check", "gates");
    table.add("models", models, "which",
              {.choices = {"small", "medium", "large"}, .not_empty = true});
    table.add("notes", notes, "anything");
    table.add("retries", retries, "attempts", {.shapes_result = false});
    table.begin_section("", "");
    table.add("seed", seed, "of everything");
  }

  // What is wrong, one line each; empty when nothing is.
  std::string read(const std::string& text) { return lines(table.read_text(text, "c.json")); }
  std::string set(const std::string& assignment) { return lines(table.assign(assignment)); }
  std::string environment(const std::string& name, const std::string& value) {
    return lines(table.read_environment({{name, value}}, {"TCROPS_STORE", "TCROPS_CI_"}));
  }

  static std::string lines(const Problems& problems) {
    std::string text;
    for (const Problem& problem : problems) {
      if (!text.empty()) text += '\n';
      text += problem.text();
    }
    return text;
  }
};

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace tcrops::test
