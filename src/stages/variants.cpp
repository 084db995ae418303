#include "variants.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tcrops::stages {
namespace {

constexpr const char* kField = "ensemble.variants";
constexpr const char* kOfTheWhole[] = {"train.from", "train.refit", "train.threshold",
                                       "train.device"};

// Sets what the variant says; returns what is wrong with it.
std::vector<std::string> apply(const std::string& variant, PipelineConfig& config) {
  std::vector<std::string> wrong;
  for (const std::string& part : split(variant, ';')) {
    const std::string assignment(trim(part));
    if (assignment.empty()) continue;
    if (!assignment.starts_with("network.") && !assignment.starts_with("train.")) {
      wrong.push_back(fmt::format("\"{}\" does not set a field of network or train", assignment));
      continue;
    }
    const std::string key(trim(assignment.substr(0, assignment.find('='))));
    if (std::find(std::begin(kOfTheWhole), std::end(kOfTheWhole), key) != std::end(kOfTheWhole)) {
      wrong.push_back(fmt::format("\"{}\" is the same for all members; set it outside", key));
      continue;
    }
    if (assignment.find('=') == std::string::npos) {
      wrong.push_back(fmt::format("\"{}\": write it as section.key=value", assignment));
      continue;
    }
    for (const Problem& problem : config.fields().assign(assignment, kField))
      wrong.push_back(fmt::format("\"{}\": {}", assignment, problem.message));
  }
  // The whole may not fit together although each part is valid.
  if (wrong.empty()) {
    config.ensemble = {};
    config.tune = {};  // judged with the whole, once
    for (const Problem& problem : config.check())
      wrong.push_back(fmt::format("\"{}\": {}: {}", variant, problem.key, problem.message));
  }
  return wrong;
}

void copy_into(const PipelineConfig& from, PipelineConfig& to) {
  static_cast<void>(to.fields().read_text(from.fields().resolved().dump(), "configuration"));
}

}  // namespace

std::vector<FitParameters> variants_of(const PipelineConfig& config) {
  std::vector<FitParameters> variants;
  for (const std::string& text : config.ensemble.variants) {
    PipelineConfig variant;
    copy_into(config, variant);
    for (const std::string& wrong : apply(text, variant))
      throw Error(ExitCode::kConfiguration, fmt::format("{}: {}", kField, wrong));
    variants.push_back(fit_parameters(variant));
  }
  return variants;
}

Problems variant_problems(const PipelineConfig& config) {
  if (config.ensemble.from != "variants") return {};
  const FieldTable& table = config.fields();
  if (config.ensemble.variants.empty()) {
    return table.joint_problem({"ensemble.from", kField},
                               "from is \"variants\" but ensemble.variants names none");
  }
  if (config.train.from != "configuration") {
    return table.joint_problem({"ensemble.from", "train.from"},
                               "an ensemble of variants needs train.from \"configuration\"");
  }
  Problems problems;
  for (const std::string& text : config.ensemble.variants) {
    PipelineConfig variant;
    copy_into(config, variant);
    for (const std::string& wrong : apply(text, variant))
      append(problems, table.joint_problem({kField}, wrong));
  }
  return problems;
}

}  // namespace tcrops::stages
