#include "residue_encoder.hpp"
#include "scalar_encoder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/encoder.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tcrops::data {
namespace {

void require_known(const std::string& what, const std::string& name,
                   const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  throw Error(ExitCode::kConfiguration,
              fmt::format("{} \"{}\" is not known{}; valid are {}", what, name,
                          suggestion(name, names), fmt::join(names, ", ")));
}

}  // namespace

const std::vector<std::string>& encoder_names() {
  static const std::vector<std::string> names = {"scalar", "onehot", "blosum", "blosum_mds",
                                                 "learned"};
  return names;
}

const std::vector<std::string>& padding_names() {
  static const std::vector<std::string> names = {"end", "centre"};
  return names;
}

Padding padding_named(const std::string& name) {
  require_known("padding", name, padding_names());
  return name == "end" ? Padding::kEnd : Padding::kCentre;
}

std::unique_ptr<Encoder> fit_encoder(const EncoderOptions& options,
                                     std::span<const Record> records) {
  require_known("encoder", options.name, encoder_names());
  if (options.name == "scalar") {
    return fit_scalar_encoder(records, options.features, options.padding);
  }
  return fit_residue_encoder(options, records);
}

std::unique_ptr<Encoder> encoder_from_json(const Json& description) {
  if (!description.is_object() || !description.contains("kind")) {
    throw Error(ExitCode::kArtifact, "encoder: must be an object with the key \"kind\"");
  }
  const Json& kind = description["kind"];
  const auto& names = encoder_names();
  if (std::find(names.begin(), names.end(), kind) == names.end()) {
    throw Error(ExitCode::kArtifact,
                "encoder: kind " + kind.dump() +
                    " is unknown to this version; use the tcrops that made the artifact");
  }
  if (kind == "scalar") return scalar_encoder_from_json(description);
  return residue_encoder_from_json(description);
}

}  // namespace tcrops::data
