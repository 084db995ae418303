#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/nn/model_spec.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>

namespace tcrops::nn {
namespace {

constexpr std::int64_t kMinimumInputs = 4;
constexpr std::int64_t kMaximumInputs = 1'000'000;

[[noreturn]] void refuse(std::string problem) { throw Error(ExitCode::kConfiguration, problem); }

void check_choice(const std::string& what, const std::string& value,
                  const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), value) != names.end()) return;
  refuse(fmt::format("{} \"{}\" is not known{}; valid are {}", what, value,
                     suggestion(value, names), fmt::join(names, ", ")));
}

void check_inputs(const std::string& architecture, std::int64_t inputs) {
  if (inputs >= kMinimumInputs && inputs <= kMaximumInputs) return;
  refuse(
      fmt::format("architecture \"{}\" needs {} to {} inputs, the encoder gives {}; choose "
                  "another encoder",
                  architecture, kMinimumInputs, kMaximumInputs, inputs));
}

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

std::optional<double> positive_number(const std::string& text) {
  std::size_t used = 0;
  try {
    const double number = std::stod(text, &used);
    if (used == text.size() && std::isfinite(number) && number > 0) return number;
  } catch (const std::logic_error&) {
  }
  return std::nullopt;
}

bool is_of_the_epitope(data::Column column) {
  return column == data::Column::kEpitope || column == data::Column::kMhc;
}

// What of the expansion a network reads.
struct Inputs {
  std::int64_t tcr = 0;  // features
  std::int64_t epitope_side = 0;
  std::int64_t sequences = 0;  // columns of letters
  std::int64_t names = 0;      // features of the other columns
};

Inputs inputs_of(const data::Expansion& expansion, const ModelSpec& spec) {
  Inputs inputs;
  for (const data::Expansion::Block& block : expansion.blocks) {
    const bool epitope_side = is_of_the_epitope(block.column);
    if (epitope_side && !spec.is_pan()) continue;
    std::int64_t dims = 1;
    if (block.segment.table) {
      const auto& table = expansion.tables[*block.segment.table];
      dims = table.numbered ? spec.embedding : static_cast<std::int64_t>(table.dims);
    }
    const std::int64_t width = static_cast<std::int64_t>(block.segment.count) * dims;
    (epitope_side ? inputs.epitope_side : inputs.tcr) += width;
    if (data::is_sequence(block.column))
      inputs.sequences += 1;
    else
      inputs.names += width;
  }
  return inputs;
}

void check_columns(const NetworkOptions& options, const data::Expansion& expansion,
                   const ModelSpec& spec, const Inputs& inputs) {
  const auto has = [&](auto&& wanted) {
    return std::any_of(expansion.blocks.begin(), expansion.blocks.end(),
                       [&](const auto& block) { return wanted(block.column); });
  };
  const bool has_epitope = has([](data::Column c) { return c == data::Column::kEpitope; });
  if (options.head != "pan" && !has_epitope) {
    refuse(fmt::format("network.head \"{}\" needs the feature Epitope, which tells the heads apart",
                       options.head));
  }
  if (options.head != "pan" && spec.is_pan()) {
    refuse(fmt::format("network.head \"{}\": no epitope of the training rows has a binder",
                       options.head));
  }
  const auto& name = options.architecture;
  if ((name == "cnn" || name == "attention") && inputs.sequences == 0) {
    refuse(fmt::format("architecture \"{}\" needs a sequence among the features", name));
  }
  if (name == "two_tower" && (inputs.tcr == 0 || (spec.is_pan() && inputs.epitope_side == 0))) {
    refuse("architecture \"two_tower\" needs features of the TCR and of the epitope");
  }
  if (inputs.tcr == 0) refuse("the features hold nothing of the TCR");
}

std::vector<std::int64_t> joined(std::int64_t first, const std::vector<std::int64_t>& hidden,
                                 std::int64_t last) {
  std::vector<std::int64_t> widths = {first};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(last);
  return widths;
}

void add_mlp(const NetworkOptions& options, const Inputs& inputs, ModelSpec& spec) {
  const std::int64_t width = inputs.tcr + inputs.epitope_side;
  if (options.architecture == "mlp") {
    spec.widths =
        joined(width, options.hidden.empty() ? std::vector<std::int64_t>{64, 32} : options.hidden,
               spec.outputs());
    return;
  }
  const ModelSpec paper = make_spec(options.architecture, width);
  spec.widths = paper.widths;
  spec.activation = paper.activation;
  spec.norm = paper.norm;
  if (!options.hidden.empty()) spec.widths = joined(width, options.hidden, 1);
  spec.widths.back() = spec.outputs();
}

double first_weight(data::Column column) {
  constexpr double kCdr3 = 3.0;
  constexpr double kName = 4.0;
  if (!data::is_sequence(column)) return kName;
  const bool cdr3 = column == data::Column::kCdr3Alpha || column == data::Column::kCdr3Beta;
  return cdr3 ? kCdr3 : 1.0;
}

// "CDR3_beta=3" for each.
std::map<data::Column, double> loop_weights(const std::vector<std::string>& texts) {
  std::map<data::Column, double> weights;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const auto column = data::column_named(text.substr(0, equals));
    const auto weight =
        equals == std::string::npos ? std::nullopt : positive_number(text.substr(equals + 1));
    if (!column || !weight) {
      refuse(
          fmt::format("network.loop_weights: \"{}\" is not COLUMN=WEIGHT with a column of ours "
                      "and a positive number",
                      text));
    }
    weights[*column] = *weight;
  }
  return weights;
}

// Each kernel compares something of a TCR, and each CDR3 keeps some of its places.
void check_compared(const data::Expansion& expansion, const ModelSpec& spec) {
  for (const KernelPart& part : spec.kernels) {
    const bool compares_some =
        std::any_of(expansion.blocks.begin(), expansion.blocks.end(), [&](const auto& block) {
          return block.segment.table && !is_of_the_epitope(block.column) &&
                 part.compares(block.column);
        });
    if (compares_some) continue;
    refuse(
        fmt::format("network.kernels: \"{}:{:g}\" has nothing to compare: no column of {} is "
                    "among preprocess.features",
                    part.chains, part.scale,
                    part.chains == "both" ? "a TCR" : fmt::format("the {} chain", part.chains)));
  }
  const std::int64_t trimmed = spec.cdr3_trim[0] + spec.cdr3_trim[1];
  for (const data::Expansion::Block& block : expansion.blocks) {
    const bool is_cdr3 =
        block.column == data::Column::kCdr3Alpha || block.column == data::Column::kCdr3Beta;
    if (!is_cdr3 || trimmed < static_cast<std::int64_t>(block.segment.count)) continue;
    refuse(fmt::format("network.cdr3_trim: {} places are left out of {}, which has {}", trimmed,
                       data::column_name(block.column), block.segment.count));
  }
}

void add_kernel(const NetworkOptions& options, const data::Expansion& expansion, ModelSpec& spec) {
  spec.anchor_kind = options.anchor_kind;
  spec.readout = options.readout;
  spec.cdr3_trim = options.cdr3_trim;
  check_choice("network.anchor_kind", spec.anchor_kind, anchor_kinds());
  check_choice("network.readout", spec.readout, readout_names());
  if (spec.readout == "density" && spec.is_pan()) {
    refuse("network.readout \"density\" needs network.head \"per_epitope\" or \"competing\"");
  }
  if (spec.cdr3_trim.size() != 2) {
    refuse("network.cdr3_trim takes two numbers: letters at the beginning and at the end");
  }
  for (const std::string& text : options.kernels) spec.kernels.push_back(kernel_part(text));
  auto given = loop_weights(options.loop_weights);
  for (const data::Expansion::Block& block : expansion.blocks) {
    if (!block.segment.table || (is_of_the_epitope(block.column) && !spec.is_pan())) continue;
    const auto at = given.find(block.column);
    spec.loop_weights.push_back(at == given.end() ? first_weight(block.column) : at->second);
    if (at != given.end()) given.erase(at);
  }
  if (!given.empty()) {
    refuse(
        fmt::format("network.loop_weights: {} is not compared; it must be one of "
                    "preprocess.features, and of the TCR where there are heads",
                    data::column_name(given.begin()->first)));
  }
  check_compared(expansion, spec);
}

void add_structured(const NetworkOptions& options, const data::Expansion& expansion,
                    const Inputs& inputs, ModelSpec& spec) {
  const auto hidden = [&](std::vector<std::int64_t> own) {
    return options.hidden.empty() ? std::move(own) : options.hidden;
  };
  if (options.architecture == "cnn") {
    spec.filters = options.filters;
    spec.kernel_widths = options.kernel_widths;
    const std::int64_t found = inputs.sequences * options.filters *
                               static_cast<std::int64_t>(options.kernel_widths.size());
    spec.widths = joined(found + inputs.names, hidden({32}), spec.outputs());
  } else if (options.architecture == "attention") {
    spec.width = options.width;
    spec.blocks = options.blocks;
    spec.attention_heads = options.attention_heads;
    spec.widths = joined(options.width, hidden({}), spec.outputs());
  } else if (options.architecture == "two_tower") {
    spec.width = options.width;
    spec.widths = joined(inputs.tcr, hidden({64}), options.width);
  } else {
    add_kernel(options, expansion, spec);
    spec.widths = joined(spec.anchors, hidden({}), spec.outputs());
  }
}

}  // namespace

std::int64_t ModelSpec::parameters() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    sum += widths[i] * widths[i + 1] + widths[i + 1];
    if (norm != "none" && i + 2 < widths.size()) sum += 2 * widths[i + 1];
  }
  return sum;
}

const std::vector<std::string>& architecture_names() {
  static const std::vector<std::string> names = {
      "mlp_small", "mlp_medium", "mlp_large", "mlp", "cnn", "attention", "kernel_mlp", "two_tower"};
  return names;
}
const std::vector<std::string>& head_names() {
  static const std::vector<std::string> names = {"pan", "per_epitope", "competing"};
  return names;
}
const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names = {"relu", "elu", "gelu", "tanh", "sigmoid"};
  return names;
}
const std::vector<std::string>& norm_names() {
  static const std::vector<std::string> names = {"none", "batch", "layer"};
  return names;
}
const std::vector<std::string>& anchor_kinds() {
  static const std::vector<std::string> names = {"fixed", "trained"};
  return names;
}

const std::vector<std::string>& readout_names() {
  static const std::vector<std::string> names = {"linear", "density"};
  return names;
}

bool KernelPart::compares(data::Column column) const {
  using data::Column;
  if (chains == "both" || is_of_the_epitope(column)) return true;
  const bool is_alpha = column == Column::kCdr3Alpha || column == Column::kVAlpha ||
                        column == Column::kJAlpha || column == Column::kCdr1Alpha ||
                        column == Column::kCdr2Alpha;
  return is_alpha == (chains == "alpha");
}

KernelPart kernel_part(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  const auto scale = parts.size() > 1 ? positive_number(parts[1]) : std::nullopt;
  const auto share = parts.size() > 2 ? positive_number(parts[2]) : std::optional(1.0);
  const bool chains = parts[0] == "both" || parts[0] == "alpha" || parts[0] == "beta";
  if (!chains || !scale || !share || parts.size() > 3) {
    refuse(
        fmt::format("network.kernels: \"{}\" is not CHAINS:SCALE or CHAINS:SCALE:SHARE with "
                    "both, alpha or beta and positive numbers",
                    text));
  }
  return {.chains = parts[0], .scale = *scale, .share = *share};
}

ModelSpec make_spec(const std::string& architecture, std::int64_t inputs) {
  ModelSpec spec;
  spec.architecture = architecture;
  spec.inputs = inputs;
  spec.norm = "none";
  check_choice("architecture", architecture, {"mlp_small", "mlp_medium", "mlp_large"});
  check_inputs(architecture, inputs);
  if (architecture == "mlp_small") {
    spec.widths = {inputs, inputs / 2, inputs / 4, 1};
    spec.activation = "relu";
    return spec;
  }
  const bool large = architecture == "mlp_large";
  spec.widths = falling_widths(inputs, large ? 24 : 12, large ? 5 : 10);
  spec.activation = "elu";
  spec.norm = "batch";
  return spec;
}

ModelSpec make_spec(const NetworkOptions& options, const data::Expansion& expansion,
                    const std::vector<std::string>& epitopes, std::int64_t anchors) {
  check_choice("architecture", options.architecture, architecture_names());
  ModelSpec spec;
  spec.architecture = options.architecture;
  spec.inputs = static_cast<std::int64_t>(expansion.feature_width());
  check_inputs(options.architecture, spec.inputs);
  spec.activation = "relu";
  spec.norm = "none";
  check_choice("network.head", options.head, head_names());
  spec.competing = options.head == "competing";
  if (options.head != "pan") spec.epitopes = epitopes;
  const bool numbered = std::any_of(expansion.tables.begin(), expansion.tables.end(),
                                    [](const auto& table) { return table.numbered; });
  if (numbered) spec.embedding = options.embedding;
  const Inputs inputs = inputs_of(expansion, spec);
  check_columns(options, expansion, spec, inputs);
  if (options.architecture == "kernel_mlp") spec.anchors = anchors;
  if (spec.is_mlp())
    add_mlp(options, inputs, spec);
  else
    add_structured(options, expansion, inputs, spec);
  if (options.activation != "own") spec.activation = options.activation;
  if (options.norm != "own") spec.norm = options.norm;
  check_choice("network.activation", spec.activation, activation_names());
  check_choice("network.norm", spec.norm, norm_names());
  spec.dropout = options.dropout;
  return spec;
}

}  // namespace tcrops::nn
