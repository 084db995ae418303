#pragma once

#include "clone_id_scale.hpp"

#include <tcrops/data/encoder.hpp>

#include <array>
#include <optional>

namespace tcrops::data {

// Columns that are padded to one common length.
enum class TextGroup : std::size_t { kCdr3 = 0, kEpitope, kGene };
inline constexpr std::size_t kTextGroupCount = 3;
// The group of a text column.
[[nodiscard]] TextGroup group_of(Column column);

// What a scalar encoder learns from a table.
struct ScalarFit {
  std::vector<Column> features;  // in column order
  std::string alphabet;          // printable ASCII, ascending
  std::array<std::size_t, kTextGroupCount> widths{};
  std::optional<CloneIdScale> clone_id;  // there exactly when it is a feature
};

class ScalarEncoder final : public Encoder {
 public:
  explicit ScalarEncoder(ScalarFit fit);

  std::optional<EncodeFault> encode(const Record& record, EncodedRows& out) const override;
  [[nodiscard]] Record decode(const EncodedRows& rows, std::size_t row) const override;
  [[nodiscard]] std::size_t feature_width() const override;
  void expand(const EncodedRows& rows, std::size_t begin, std::size_t end,
              std::span<float> out) const override;
  [[nodiscard]] const std::vector<Column>& features() const override { return fit_.features; }
  [[nodiscard]] Json to_json() const override;

 private:
  [[nodiscard]] std::size_t width_of(Column column) const;
  [[nodiscard]] std::optional<EncodeFault> text_fault(const Record& record, Column column) const;
  void check_widths(const EncodedRows& rows) const;

  ScalarFit fit_;
  std::size_t code_width_ = 0;
  std::array<std::uint8_t, 128> code_of_{};  // ASCII letter -> k, 0 when it is not in the alphabet
  std::array<float, 256> value_of_{};        // k -> k/n
};

// Throws Error (kArtifact).
[[nodiscard]] std::unique_ptr<Encoder> scalar_encoder_from_json(const Json& description);

}  // namespace tcrops::data
