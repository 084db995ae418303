#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/model_spec.hpp>

#include <fmt/format.h>

namespace tcrops::nn {
namespace {

constexpr std::int64_t kMinimumInputs = 4;
// Far above any net of ours; keeps a damaged file from asking for all memory.
constexpr std::size_t kMaximumLayers = 1000;
constexpr std::int64_t kMaximumWidth = 1'000'000;
constexpr std::int64_t kMaximumParameters = 1'000'000'000;

// `blocks` linear layers, each `step` narrower than the one before, the last to 1.
std::vector<std::int64_t> falling_widths(std::int64_t inputs, std::int64_t blocks,
                                         std::int64_t step) {
  const bool fits = inputs - (blocks - 1) * step >= 1;
  std::vector<std::int64_t> widths;
  for (std::int64_t i = 0; i < blocks; ++i) {
    widths.push_back(inputs - (fits ? i * step : i * (inputs - 1) / blocks));
  }
  widths.push_back(1);
  return widths;
}

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ExitCode::kArtifact,
              fmt::format("model specification: {}; the model is damaged or from another version",
                          problem));
}

const Json& member(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) refuse(fmt::format("\"{}\" is missing", key));
  return *found;
}

std::string text_member(const Json& json, const char* key) {
  const Json& value = member(json, key);
  if (!value.is_string()) refuse(fmt::format("\"{}\" is not a text", key));
  return value.get<std::string>();
}

std::vector<std::int64_t> widths_member(const Json& json) {
  const Json& value = member(json, "widths");
  if (!value.is_array()) refuse("\"widths\" is not a list");
  if (value.size() < 2 || value.size() > kMaximumLayers) {
    refuse(fmt::format("\"widths\" has {} numbers, 2 to {} are possible", value.size(),
                       kMaximumLayers));
  }
  std::vector<std::int64_t> widths;
  for (const Json& item : value) {
    const bool valid = item.is_number_integer() && item.get<double>() >= 1.0 &&
                       item.get<double>() <= static_cast<double>(kMaximumWidth);
    if (!valid)
      refuse(fmt::format("\"widths\" holds a value that is not an integer from 1 to {}",
                         kMaximumWidth));
    widths.push_back(item.get<std::int64_t>());
  }
  if (widths.back() != 1) refuse(fmt::format("\"widths\" ends with {}, not with 1", widths.back()));
  return widths;
}

}  // namespace

std::int64_t ModelSpec::parameters() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    sum += widths[i] * widths[i + 1] + widths[i + 1];
    if (batch_norm && i + 2 < widths.size()) sum += 2 * widths[i + 1];
  }
  return sum;
}

const std::vector<std::string>& architecture_names() {
  static const std::vector<std::string> names = {"mlp_small", "mlp_medium", "mlp_large"};
  return names;
}

ModelSpec make_spec(const std::string& architecture, std::int64_t inputs) {
  const bool possible = inputs >= kMinimumInputs && inputs <= kMaximumWidth;
  ModelSpec spec;
  spec.architecture = architecture;
  if (architecture == "mlp_small") {
    spec.widths = {inputs, inputs / 2, inputs / 4, 1};
    spec.activation = "relu";
  } else if (architecture == "mlp_medium" || architecture == "mlp_large") {
    const bool large = architecture == "mlp_large";
    if (possible) spec.widths = falling_widths(inputs, large ? 24 : 12, large ? 5 : 10);
    spec.activation = "elu";
    spec.batch_norm = true;
  } else {
    throw Error(ExitCode::kConfiguration,
                fmt::format("architecture \"{}\" is not known{}; valid are {}", architecture,
                            suggestion(architecture, architecture_names()),
                            fmt::join(architecture_names(), ", ")));
  }
  if (!possible) {
    throw Error(ExitCode::kConfiguration,
                fmt::format("architecture \"{}\" needs {} to {} inputs, the encoder gives {}; "
                            "choose another encoder",
                            architecture, kMinimumInputs, kMaximumWidth, inputs));
  }
  return spec;
}

Json to_json(const ModelSpec& spec) {
  return {{"architecture", spec.architecture},
          {"widths", spec.widths},
          {"activation", spec.activation},
          {"batch_norm", spec.batch_norm}};
}

ModelSpec spec_from_json(const Json& json) {
  if (!json.is_object()) refuse("not an object");
  ModelSpec spec;
  spec.architecture = text_member(json, "architecture");
  spec.widths = widths_member(json);
  spec.activation = text_member(json, "activation");
  if (spec.activation != "relu" && spec.activation != "elu") {
    refuse(fmt::format("\"activation\" is \"{}\", known are relu and elu", spec.activation));
  }
  const Json& batch_norm = member(json, "batch_norm");
  if (!batch_norm.is_boolean()) refuse("\"batch_norm\" is not true or false");
  spec.batch_norm = batch_norm.get<bool>();
  if (spec.parameters() > kMaximumParameters) {
    refuse(fmt::format("{} parameters, more than {}", spec.parameters(), kMaximumParameters));
  }
  return spec;
}

}  // namespace tcrops::nn
