#pragma once

#include "text_layout.hpp"

#include <tcrops/data/encoder.hpp>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace tcrops::data {

// What onehot, blosum, blosum_mds and learned learn from a table.
struct ResidueFit {
  std::string name;
  std::vector<Column> features;  // in column order
  Padding padding = Padding::kEnd;
  GroupWidths widths{};
  std::map<Column, std::vector<std::string>> names;  // of genes and MHC: those seen, ascending
  Expansion::Table letters;                          // gap, then the amino acids
};

// Sequences as letters of the 20, genes and MHC as one code each: 0 missing, 1 not seen in the fit,
// from 2 on the names.
class ResidueEncoder final : public Encoder {
 public:
  explicit ResidueEncoder(ResidueFit fit);

  std::optional<EncodeFault> encode(const Record& record, EncodedRows& out) const override;
  // A name that was not seen in the fit comes back empty.
  [[nodiscard]] Record decode(const EncodedRows& rows, std::size_t row) const override;
  [[nodiscard]] std::optional<EncodeFault> why_not_invertible(const EncodedRows& rows,
                                                              std::size_t row) const override;
  [[nodiscard]] const Expansion& expansion() const override { return expansion_; }
  [[nodiscard]] const std::vector<Column>& features() const override { return fit_.features; }
  [[nodiscard]] Json to_json() const override;

 private:
  // Number of codes of a column.
  [[nodiscard]] std::size_t width_of(Column column) const;
  [[nodiscard]] std::optional<EncodeFault> fault_of(const Record& record, Column column) const;
  // Into places that hold zeros; false when fault_of has something to say.
  [[nodiscard]] bool write(const std::string& text, Column column,
                           std::span<std::uint8_t> places) const;
  void add_to_expansion(Column column);

  ResidueFit fit_;
  LetterCodes code_of_{};  // byte -> position in kAminoAcids + 1
  Expansion expansion_;
};

// Throws as fit_encoder.
[[nodiscard]] std::unique_ptr<Encoder> fit_residue_encoder(const EncoderOptions& options,
                                                           std::span<const Record> records);
// Throws Error (kArtifact).
[[nodiscard]] std::unique_ptr<Encoder> residue_encoder_from_json(const Json& description);

}  // namespace tcrops::data
