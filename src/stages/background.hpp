#pragma once

#include <tcrops/data/record.hpp>
#include <tcrops/stages/model_use_configuration.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tcrops::stages {

// TCRs among which a score has its percentile; each with the epitopes it is known to bind.
struct BackgroundTcr {
  data::Record record;  // without epitope, MHC and label
  std::set<std::string> binds;
};
using Background = std::vector<BackgroundTcr>;

// Up to config.tcrs distinct TCRs of these training rows, chosen by the seed, in the order of their
// keys; of "controls" only those of rows that came from the control file. Throws Error
// (kConfiguration) when there are none of these.
[[nodiscard]] Background choose_background(const BackgroundConfig& config,
                                           std::span<const data::Record> training,
                                           std::uint64_t seed);

// background.csv: as format_table_csv, with a column Binds (";" between epitopes). Reading throws
// Error (kArtifact).
[[nodiscard]] std::string format_background(const Background& background);
[[nodiscard]] Background parse_background(const std::string& text, const std::string& name);

// What share of the background, in per cent, has a logit at least as high as the row's when it
// stands in the row's place, before the same epitope and MHC; TCRs that bind the epitope are left
// out. Low is rare. The background's logits are computed once for each epitope and MHC, and
// forgotten when they are many. One thread at a time.
class Percentiles {
 public:
  using Score = std::function<std::vector<std::optional<float>>(std::span<const data::Record>)>;
  // A model that does not see the MHC has no say in it.
  Percentiles(Background background, bool sees_mhc, Score score);
  // Empty when no TCR of the background can be scored there.
  [[nodiscard]] std::optional<double> of(const data::Record& record, float logit);

 private:
  [[nodiscard]] std::vector<float> logits_before(const std::string& epitope,
                                                 const std::string& mhc) const;

  Background background_;
  bool sees_mhc_;
  Score score_;
  std::unordered_map<std::string, std::vector<float>> known_;  // ascending
  std::size_t remembered_ = 0;
  std::string key_;  // of the row asked for
};

}  // namespace tcrops::stages
