#pragma once

#include "clone_id_scale.hpp"
#include "text_layout.hpp"

#include <tcrops/data/encoder.hpp>

#include <optional>
#include <vector>

namespace tcrops::data {

// What a scalar encoder learns from a table.
struct ScalarFit {
  std::vector<Column> features;  // in column order
  std::string alphabet;          // printable ASCII, ascending
  GroupWidths widths{};
  Padding padding = Padding::kEnd;       // of sequences; names are padded at the end
  std::optional<CloneIdScale> clone_id;  // there exactly when it is a feature
};

class ScalarEncoder final : public Encoder {
 public:
  explicit ScalarEncoder(ScalarFit fit);

  std::optional<EncodeFault> encode(const Record& record, EncodedRows& out) const override;
  [[nodiscard]] Record decode(const EncodedRows& rows, std::size_t row) const override;
  // Always empty: what it cannot give back it does not encode.
  [[nodiscard]] std::optional<EncodeFault> why_not_invertible(const EncodedRows& rows,
                                                              std::size_t row) const override;
  [[nodiscard]] const Expansion& expansion() const override { return expansion_; }
  [[nodiscard]] const std::vector<Column>& features() const override { return fit_.features; }
  [[nodiscard]] Json to_json() const override;

 private:
  // Where a column goes.
  struct Place {
    Column column;
    std::size_t width;  // of clone_id 0
    Padding padding;
  };

  [[nodiscard]] std::size_t width_of(Column column) const;
  [[nodiscard]] std::optional<EncodeFault> text_fault(const Record& record, Column column) const;
  std::optional<EncodeFault> write(const Record& record, std::span<std::uint8_t> places,
                                   std::span<float> numbers) const;

  ScalarFit fit_;
  LetterCodes code_of_{};      // ASCII letter -> k
  std::vector<Place> places_;  // of the features
  Expansion expansion_;
};

// Throws Error (kArtifact).
[[nodiscard]] std::unique_ptr<Encoder> scalar_encoder_from_json(const Json& description);

}  // namespace tcrops::data
