#pragma once

#include "calibration.hpp"
#include "ranks.hpp"

#include <tcrops/data/record.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace tcrops::stages {

// What is the same for all rows before one epitope and MHC.
struct EpitopeFacts {
  const CalibrationCurve* curve = nullptr;     // null: the model is not calibrated
  Ranks background;                            // logits of its TCRs there
  std::optional<std::size_t> nearest_epitope;  // edits to the nearest training epitope

  // What share of the background, in per cent, has a logit at least as high. Low is rare. Empty
  // without a background.
  [[nodiscard]] std::optional<double> percentile(float logit) const;
};

// Finds them once for each epitope and MHC, and forgets them when they are many. One thread at a
// time.
class KnownEpitopes {
 public:
  using Find = std::function<EpitopeFacts(const std::string& epitope, const std::string& mhc)>;
  // For a model that does not see the MHC, it is always empty.
  KnownEpitopes(bool sees_mhc, Find find);
  // Those of the record; valid until the next call.
  [[nodiscard]] const EpitopeFacts& of(const data::Record& record);

 private:
  bool sees_mhc_;
  Find find_;
  std::unordered_map<std::string, EpitopeFacts> known_;
  std::size_t remembered_ = 0;  // numbers of all that are known
  std::string key_;             // of the record asked for
};

}  // namespace tcrops::stages
