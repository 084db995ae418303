#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::data {

// Many encoded rows in compact form, as they are stored. A row has `code_width` small integers
// (letters, 0 = padding) and `number_width` floats; the encoder knows which column is which.
struct EncodedRows {
  std::size_t rows = 0;
  std::size_t code_width = 0;
  std::size_t number_width = 0;
  std::vector<std::uint8_t> codes;  // [rows, code_width], row-major
  std::vector<float> numbers;       // [rows, number_width], row-major
};

// Why a record cannot be encoded: a letter outside the alphabet, a text longer than its group, a
// clone_id that is not a number.
struct EncodeFault {
  Column column;
  std::string reason;
};

// Turns records into feature vectors and back. Immutable after fitting; thread-safe.
class Encoder {
 public:
  virtual ~Encoder() = default;

  // Appends the record to `out`, or returns the fault and leaves `out` as it was.
  // An `out` without rows takes the encoder's widths.
  virtual std::optional<EncodeFault> encode(const Record& record, EncodedRows& out) const = 0;
  // The inverse: columns that are not features come back empty; label and line are not set.
  [[nodiscard]] virtual Record decode(const EncodedRows& rows, std::size_t row) const = 0;
  // Length of the vector that a network sees.
  [[nodiscard]] virtual std::size_t feature_width() const = 0;
  // Writes rows [begin, end) as [end - begin, feature_width()] floats, row-major.
  virtual void expand(const EncodedRows& rows, std::size_t begin, std::size_t end,
                      std::span<float> out) const = 0;
  // Columns the encoder reads, in order.
  [[nodiscard]] virtual const std::vector<Column>& features() const = 0;
  // Everything needed to make it again; canonical.
  [[nodiscard]] virtual Json to_json() const = 0;
};

// Fits the paper's `scalar` encoder (Felbrich 2025, section 5): the unique characters of all text
// features, sorted, become k/n for k = 1..n; zero pads at the end of each of the groups
// {CDR3_alpha, CDR3_beta}, {Epitope}, {V_alpha, V_beta, J_alpha, J_beta, MHC} to the group's
// longest entry; clone_id is min-max scaled. `features` is a subset of the nine columns; they are
// laid out in column order. A missing text is all padding. Values outside the fitted clone_id range
// encode outside [0, 1]. Throws Error (kInputData) with the row's line for a character that is not
// printable ASCII, a text over 255 characters, or a clone_id that is not a number or that decode
// could not give back to the letter; (kConfiguration) for no features.
[[nodiscard]] std::unique_ptr<Encoder> fit_scalar_encoder(std::span<const Record> records,
                                                          const std::vector<Column>& features);

// The encoder that `to_json` described. Throws Error (kArtifact) for anything inconsistent.
[[nodiscard]] std::unique_ptr<Encoder> encoder_from_json(const Json& description);

}  // namespace tcrops::data
