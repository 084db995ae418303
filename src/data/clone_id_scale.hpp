#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcrops::data {

// The finite number that a clone_id is; empty when it is none.
[[nodiscard]] std::optional<double> clone_number(std::string_view text);

// clone_id <-> number in [0, 1], min-max scaled and kept as float32. A float32 has 24 bits, so the
// text is recovered by rounding to the grid on which all fitted ids lie: whole numbers, or the last
// digit that was written.
class CloneIdScale {
 public:
  // Throws Error (kInputData) with the line when an id is not a number or would not come back.
  static CloneIdScale fit(std::span<const Record> records);
  // Throws Error (kArtifact).
  static CloneIdScale from_json(const Json& description);

  // Empty when the text is not a finite number.
  [[nodiscard]] std::optional<float> encode(const std::string& text) const;
  [[nodiscard]] std::string decode(float scaled) const;
  [[nodiscard]] Json to_json() const;

 private:
  double minimum_ = 0;
  double maximum_ = 0;
  int decimals_ = 0;   // digits after the point, as written: `25.0` has one
  bool whole_ = true;  // every id is a whole number
};

}  // namespace tcrops::data
