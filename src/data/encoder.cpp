#include "scalar_encoder.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/encoder.hpp>

namespace tcrops::data {

std::unique_ptr<Encoder> encoder_from_json(const Json& description) {
  if (!description.is_object() || !description.contains("kind")) {
    throw Error(ExitCode::kArtifact, "encoder: must be an object with the key \"kind\"");
  }
  if (description["kind"] == "scalar") return scalar_encoder_from_json(description);
  throw Error(ExitCode::kArtifact,
              "encoder: kind " + description["kind"].dump() +
                  " is unknown to this version; use the tcrops that made the artifact");
}

}  // namespace tcrops::data
