#include "checkpoint.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/sha256.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

constexpr const char* kFormat = "tcrops.checkpoint/1";
constexpr const char* kAbout = "about";
constexpr const char* kDigest = "sha256";
constexpr int kPauseFactor = 20;

nn::Tensor text_tensor(const std::string& name, std::string_view text) {
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  return nn::make_u8(name, {static_cast<std::int64_t>(bytes.size())}, bytes);
}

std::string text_of(const nn::Tensor& tensor) {
  const std::vector<std::uint8_t> bytes = nn::as_u8(tensor);
  return {bytes.begin(), bytes.end()};
}

// Removes the last tensor, which must have that name, and gives its text.
std::string take_text(std::vector<nn::Tensor>& tensors, const std::string& tensor_name) {
  if (tensors.empty() || tensors.back().name != tensor_name) {
    throw Error(ExitCode::kArtifact,
                fmt::format("it does not end with a tensor \"{}\"", tensor_name));
  }
  const std::string text = text_of(tensors.back());
  tensors.pop_back();
  return text;
}

Checkpoint parse(std::string_view bytes, const Json& belongs_to) {
  Checkpoint checkpoint;
  std::vector<nn::Tensor>& tensors = checkpoint.state.tensors;
  tensors = nn::read_safetensors(bytes, "its tensors");
  // Weights have no wrong values, so nothing but the digest tells that one was changed.
  const std::string digest = take_text(tensors, kDigest);
  if (digest != sha256_hex(nn::write_safetensors(tensors)))
    throw Error(ExitCode::kArtifact, "its bytes are not those that were written");
  const Json about = parse_json(take_text(tensors, kAbout), "its description");
  if (const auto format = about.at("format").get<std::string>(); format != kFormat)
    throw Error(ExitCode::kArtifact, fmt::format("its format is {}, not {}", format, kFormat));
  if (about.at("belongs_to") != belongs_to)
    throw Error(ExitCode::kArtifact, "it belongs to another training");
  checkpoint.state.epoch = about.at("epoch").get<std::int64_t>();
  checkpoint.history = about.at("history");
  if (!checkpoint.history.is_array() ||
      static_cast<std::int64_t>(checkpoint.history.size()) != checkpoint.state.epoch) {
    throw Error(ExitCode::kArtifact, "its history does not have one entry per epoch");
  }
  return checkpoint;
}

}  // namespace

std::string write_checkpoint(const Checkpoint& checkpoint, const Json& belongs_to) {
  std::vector<nn::Tensor> tensors = checkpoint.state.tensors;
  tensors.push_back(text_tensor(kAbout, canonical_json({{"format", kFormat},
                                                        {"epoch", checkpoint.state.epoch},
                                                        {"history", checkpoint.history},
                                                        {"belongs_to", belongs_to}})));
  tensors.push_back(text_tensor(kDigest, sha256_hex(nn::write_safetensors(tensors))));
  return nn::write_safetensors(tensors);
}

Checkpoint read_checkpoint(std::string_view bytes, const Json& belongs_to,
                           const std::string& name) {
  try {
    return parse(bytes, belongs_to);
  } catch (const Error& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: {}", name, e.what()));
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: {}", name, e.what()));
  }
}

bool WritePace::due() const { return Clock::now() >= next_; }

void WritePace::measure(const std::function<void()>& write) {
  const auto begin = Clock::now();
  write();
  const auto end = Clock::now();
  next_ = end + kPauseFactor * (end - begin);
}

}  // namespace tcrops::stages
