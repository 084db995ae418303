#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/expansion.hpp>
#include <tcrops/data/record.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::data {

// Why a record cannot be encoded, or not decoded again: a letter outside the alphabet, a text
// longer than its group, a clone_id that is not a number.
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
  // Why decode() of this row does not give back the features that were encoded, for the first
  // column of which that is so; empty when it does.
  [[nodiscard]] virtual std::optional<EncodeFault> why_not_invertible(const EncodedRows& rows,
                                                                      std::size_t row) const = 0;
  // What the codes and numbers of its rows mean to a network.
  [[nodiscard]] virtual const Expansion& expansion() const = 0;
  // Columns the encoder reads, in order.
  [[nodiscard]] virtual const std::vector<Column>& features() const = 0;
  // Everything needed to make it again; canonical.
  [[nodiscard]] virtual Json to_json() const = 0;

  [[nodiscard]] std::size_t feature_width() const { return expansion().feature_width(); }
  // As data::expand with its own expansion.
  void expand(const EncodedRows& rows, std::size_t begin, std::size_t end,
              std::span<float> out) const {
    data::expand(expansion(), rows, begin, end, out);
  }
};

// Where the gaps of a sequence that is shorter than its group's longest one go: behind it, or into
// its middle (the first half, with the odd letter, from the left end and the other from the right).
enum class Padding { kEnd, kCentre };

struct EncoderOptions {
  std::string name = "scalar";  // of encoder_names()
  Padding padding = Padding::kEnd;
  std::vector<Column> features;
};

// scalar: the paper's, see fit_scalar_encoder. The others see an amino acid as
//   onehot      one of 20 ones,
//   blosum      its row of BLOSUM62 (Henikoff and Henikoff, PNAS 89:10915, 1992) over 4,
//   blosum_mds  a point in 20 dimensions; the squared distance of two is 4 - BLOSUM62, at most 4;
//               all lie 2 from the origin, which is a gap,
//   learned     its number, from 1, for a network that has an embedding of its own,
// a gap as zeros, and a gene or MHC name as one of as many ones as the fit saw names (learned: its
// number), zeros when it is missing or was not among them.
[[nodiscard]] const std::vector<std::string>& encoder_names();
// "end", "centre".
[[nodiscard]] const std::vector<std::string>& padding_names();
// Throws Error (kConfiguration) for another name.
[[nodiscard]] Padding padding_named(const std::string& name);

// Fits an encoder. Sequences (CDR3s, epitope, loops) are padded to the longest of their group
// {CDR3_alpha, CDR3_beta}, {Epitope}, {CDR1_alpha, …, CDR2_beta}; a missing one is all gaps.
// Features are laid out in column order. Throws Error (kConfiguration) for an unknown name, no
// features, and clone_id as a feature of any other than scalar; (kInputData) with the row's line
// for a letter that is no amino acid, and for a column with more than 254 different names.
[[nodiscard]] std::unique_ptr<Encoder> fit_encoder(const EncoderOptions& options,
                                                   std::span<const Record> records);

// Fits the paper's `scalar` encoder (Felbrich 2025, section 5): the unique characters of all text
// features, sorted, become k/n for k = 1..n; zeros pad each of the groups {CDR3_alpha, CDR3_beta},
// {Epitope}, {V_alpha, V_beta, J_alpha, J_beta, MHC}, and the loops, which the paper does not have,
// to the group's longest entry, names always at the end; clone_id is min-max scaled. Features are
// laid out in column order. A missing text is all padding. Values outside the fitted clone_id range
// encode outside [0, 1]. Throws Error (kInputData) with the row's line for a character that is not
// printable ASCII, a text over 255 characters, or a clone_id that is not a number or that decode
// could not give back to the letter; (kConfiguration) for no features.
[[nodiscard]] std::unique_ptr<Encoder> fit_scalar_encoder(std::span<const Record> records,
                                                          const std::vector<Column>& features,
                                                          Padding padding = Padding::kEnd);

// The encoder that `to_json` described. Throws Error (kArtifact) for anything inconsistent.
[[nodiscard]] std::unique_ptr<Encoder> encoder_from_json(const Json& description);

}  // namespace tcrops::data
