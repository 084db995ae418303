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

// The background's logits, ascending, when its TCRs stand before an epitope and MHC; TCRs that bind
// the epitope are left out, and what cannot be scored.
using ScoreRecords =
    std::function<std::vector<std::optional<float>>(std::span<const data::Record>)>;
[[nodiscard]] std::vector<float> logits_before(const Background& background,
                                               const std::string& epitope, const std::string& mhc,
                                               const ScoreRecords& score);

}  // namespace tcrops::stages
