#include <tcrops/core/error.hpp>
#include <tcrops/nn/model_spec.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tcrops::nn {
namespace {

// Far above any net of ours; keeps a damaged file from asking for all memory.
constexpr std::size_t kMaximumItems = 100'000;
constexpr std::size_t kMaximumLayers = 1000;
constexpr std::int64_t kMaximumWidth = 1'000'000;
constexpr std::int64_t kMaximumParameters = 1'000'000'000;

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

std::string name_member(const Json& json, const char* key, const std::vector<std::string>& names) {
  std::string name = text_member(json, key);
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    refuse(fmt::format("\"{}\" is \"{}\", known are {}", key, name, fmt::join(names, ", ")));
  }
  return name;
}

std::int64_t size_of(const Json& value, const char* key) {
  const bool valid = value.is_number_integer() && value.get<double>() >= 1.0 &&
                     value.get<double>() <= static_cast<double>(kMaximumWidth);
  if (!valid) {
    refuse(fmt::format("\"{}\" holds a value that is not an integer from 1 to {}", key,
                       kMaximumWidth));
  }
  return value.get<std::int64_t>();
}

std::int64_t size_member(const Json& json, const char* key) {
  return size_of(member(json, key), key);
}

std::vector<std::int64_t> sizes_member(const Json& json, const char* key, std::size_t least) {
  const Json& value = member(json, key);
  if (!value.is_array()) refuse(fmt::format("\"{}\" is not a list", key));
  if (value.size() < least || value.size() > kMaximumLayers) {
    refuse(fmt::format("\"{}\" has {} numbers, {} to {} are possible", key, value.size(), least,
                       kMaximumLayers));
  }
  std::vector<std::int64_t> sizes;
  for (const Json& item : value) sizes.push_back(size_of(item, key));
  return sizes;
}

double positive(const Json& value, const char* key) {
  if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() <= 0) {
    refuse(fmt::format("\"{}\" holds a value that is not a positive number", key));
  }
  return value.get<double>();
}

// Models of before there were other norms have "batch_norm".
std::string norm_member(const Json& json) {
  if (json.contains("norm")) return name_member(json, "norm", norm_names());
  const Json& batch_norm = member(json, "batch_norm");
  if (!batch_norm.is_boolean()) refuse("\"batch_norm\" is not true or false");
  return batch_norm.get<bool>() ? "batch" : "none";
}

std::vector<std::string> epitopes_member(const Json& json) {
  std::vector<std::string> epitopes;
  const auto found = json.find("epitopes");
  if (found == json.end()) return epitopes;
  if (!found->is_array() || found->empty() || found->size() > kMaximumItems) {
    refuse("\"epitopes\" is not a list of texts");
  }
  for (const Json& item : *found) {
    if (!item.is_string()) refuse("\"epitopes\" is not a list of texts");
    epitopes.push_back(item.get<std::string>());
  }
  return epitopes;
}

bool competing_member(const Json& json) {
  const auto found = json.find("competing");
  if (found == json.end()) return false;
  if (!found->is_boolean()) refuse("\"competing\" is not true or false");
  return found->get<bool>();
}

double dropout_member(const Json& json) {
  const auto found = json.find("dropout");
  if (found == json.end()) return 0.0;
  const bool valid = found->is_number() && found->get<double>() >= 0 && found->get<double>() < 1;
  if (!valid) refuse("\"dropout\" is not a number from 0 to below 1");
  return found->get<double>();
}

std::vector<double> positives_member(const Json& json, const char* key) {
  const Json& value = member(json, key);
  if (!value.is_array() || value.empty() || value.size() > kMaximumLayers) {
    refuse(fmt::format("\"{}\" is not a list of numbers", key));
  }
  std::vector<double> numbers;
  for (const Json& item : value) numbers.push_back(positive(item, key));
  return numbers;
}

std::vector<std::int64_t> trim_member(const Json& json) {
  const Json& value = member(json, "cdr3_trim");
  std::vector<std::int64_t> trim;
  for (const Json& item : value) {
    const bool valid = item.is_number_integer() && item.get<double>() >= 0.0 &&
                       item.get<double>() <= static_cast<double>(kMaximumLayers);
    if (!valid) refuse("\"cdr3_trim\" holds a value that is no number of letters");
    trim.push_back(item.get<std::int64_t>());
  }
  if (trim.size() != 2) refuse("\"cdr3_trim\" does not hold two numbers");
  return trim;
}

std::vector<KernelPart> kernels_member(const Json& json) {
  const Json& value = member(json, "kernels");
  if (!value.is_array() || value.empty() || value.size() > kMaximumLayers) {
    refuse("\"kernels\" is not a list");
  }
  std::vector<KernelPart> kernels;
  for (const Json& item : value) {
    kernels.push_back({.chains = name_member(item, "chains", {"both", "alpha", "beta"}),
                       .scale = positive(member(item, "scale"), "scale"),
                       .share = positive(member(item, "share"), "share")});
  }
  return kernels;
}

void read_structure(const Json& json, ModelSpec& spec) {
  if (spec.architecture == "cnn") {
    spec.filters = size_member(json, "filters");
    spec.kernel_widths = sizes_member(json, "kernel_widths", 1);
  } else if (spec.architecture == "attention") {
    spec.width = size_member(json, "width");
    spec.blocks = size_member(json, "blocks");
    spec.attention_heads = size_member(json, "attention_heads");
    if (spec.width % spec.attention_heads != 0) {
      refuse(fmt::format("\"width\" {} is no multiple of \"attention_heads\" {}", spec.width,
                         spec.attention_heads));
    }
  } else if (spec.architecture == "two_tower") {
    spec.width = size_member(json, "width");
  } else if (spec.architecture == "kernel_mlp") {
    spec.anchors = size_member(json, "anchors");
    spec.anchor_kind = name_member(json, "anchor_kind", anchor_kinds());
    spec.readout = name_member(json, "readout", readout_names());
    spec.cdr3_trim = trim_member(json);
    spec.loop_weights = positives_member(json, "loop_weights");
    spec.kernels = kernels_member(json);
  }
}

void check_ends(const ModelSpec& spec) {
  const std::int64_t last = spec.architecture == "two_tower" ? spec.width : spec.outputs();
  if (spec.widths.back() != last) {
    refuse(fmt::format("\"widths\" ends with {}, not with {}", spec.widths.back(), last));
  }
  if (spec.parameters() > kMaximumParameters) {
    refuse(fmt::format("{} parameters, more than {}", spec.parameters(), kMaximumParameters));
  }
}

}  // namespace

Json to_json(const NetworkOptions& o) {
  return {{"architecture", o.architecture},
          {"head", o.head},
          {"hidden", o.hidden},
          {"activation", o.activation},
          {"norm", o.norm},
          {"dropout", o.dropout},
          {"embedding", o.embedding},
          {"filters", o.filters},
          {"kernel_widths", o.kernel_widths},
          {"width", o.width},
          {"blocks", o.blocks},
          {"attention_heads", o.attention_heads},
          {"anchors", o.anchors},
          {"anchor_kind", o.anchor_kind},
          {"kernels", o.kernels},
          {"loop_weights", o.loop_weights},
          {"cdr3_trim", o.cdr3_trim},
          {"readout", o.readout}};
}

Json to_json(const ModelSpec& spec) {
  Json json = {{"architecture", spec.architecture}, {"widths", spec.widths},
               {"activation", spec.activation},     {"norm", spec.norm},
               {"dropout", spec.dropout},           {"inputs", spec.inputs}};
  if (!spec.is_pan()) {
    json["epitopes"] = spec.epitopes;
    json["competing"] = spec.competing;
  }
  if (spec.embedding > 0) json["embedding"] = spec.embedding;
  if (spec.architecture == "cnn") {
    json["filters"] = spec.filters;
    json["kernel_widths"] = spec.kernel_widths;
  } else if (spec.architecture == "attention") {
    json["width"] = spec.width;
    json["blocks"] = spec.blocks;
    json["attention_heads"] = spec.attention_heads;
  } else if (spec.architecture == "two_tower") {
    json["width"] = spec.width;
  } else if (spec.architecture == "kernel_mlp") {
    json["anchors"] = spec.anchors;
    json["anchor_kind"] = spec.anchor_kind;
    json["readout"] = spec.readout;
    json["cdr3_trim"] = spec.cdr3_trim;
    json["loop_weights"] = spec.loop_weights;
    json["kernels"] = Json::array();
    for (const KernelPart& part : spec.kernels) {
      json["kernels"].push_back(
          {{"chains", part.chains}, {"scale", part.scale}, {"share", part.share}});
    }
  }
  return json;
}

ModelSpec spec_from_json(const Json& json) {
  if (!json.is_object()) refuse("not an object");
  ModelSpec spec;
  spec.architecture = name_member(json, "architecture", architecture_names());
  spec.widths = sizes_member(json, "widths", 2);
  spec.activation = name_member(json, "activation", activation_names());
  spec.norm = norm_member(json);
  spec.dropout = dropout_member(json);
  spec.epitopes = epitopes_member(json);
  spec.competing = competing_member(json);
  // Of before other architectures: those of the feed-forward part.
  spec.inputs = json.contains("inputs") ? size_member(json, "inputs") : spec.widths.front();
  if (json.contains("embedding")) spec.embedding = size_member(json, "embedding");
  read_structure(json, spec);
  check_ends(spec);
  return spec;
}

}  // namespace tcrops::nn
