#pragma once

#include "nearest_tcr.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/data/record.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tcrops::stages {

// What a model was trained on, as far as it tells how far a question is from it: distinct CDR3
// pairs, of the chains the model sees, each with the epitopes that it binds. Sorted.
struct ReferenceTcr {
  data::Cdr3s cdr3s;
  std::set<std::string> binds;
};
using ReferenceTcrs = std::vector<ReferenceTcr>;

[[nodiscard]] ReferenceTcrs reference_tcrs(std::span<const data::Record> records,
                                           std::span<const data::Column> features);

// training_tcrs.csv: CDR3_alpha, CDR3_beta, Epitopes (with ";" between them).
[[nodiscard]] std::string format_reference_tcrs(const ReferenceTcrs& tcrs);
// Throws Error (kArtifact).
[[nodiscard]] ReferenceTcrs parse_reference_tcrs(const std::string& text, const std::string& name);

// The chains whose CDR3s are among the features; both when neither is.
struct SeenChains {
  explicit SeenChains(std::span<const data::Column> features);
  bool alpha;
  bool beta;
};
// The CDR3s of a record that are seen.
[[nodiscard]] data::Cdr3s seen_cdr3s(const data::Record& record,
                                     std::span<const data::Column> features);

// Below which similarity a TCR counts as far from training: the 5th percentile of the similarity of
// distinct validation TCRs to the nearest training TCR. {"far_below", "chosen", "tcrs",
// "epitopes"}; far_below is null without validation TCRs.
[[nodiscard]] Json describe_reference(const ReferenceTcrs& tcrs, const ReferenceTcrs& trained,
                                      const ReferenceTcrs& validation);

// Letters to replace, put in or take out to make one text of the other (Levenshtein).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// Answers of distance; those of TCRs are remembered for rows that ask the same. One thread at a
// time.
class Distances {
 public:
  Distances(const ReferenceTcrs& tcrs, std::span<const data::Column> features);
  // Similarity of the row's TCR to the nearest training TCR.
  [[nodiscard]] double nearest_tcr(const data::Record& record);
  // Edits from the row's epitope to the nearest one with a binder in training; there must be one.
  [[nodiscard]] std::size_t nearest_epitope(const std::string& epitope) const;
  // Epitopes with a binder in training.
  [[nodiscard]] const std::set<std::string>& epitopes() const { return epitopes_; }

 private:
  SeenChains seen_;
  std::set<std::string> epitopes_;
  std::unique_ptr<NearestTcr> nearest_;
  std::unordered_map<std::string, double> tcr_answers_;
  std::string key_;  // of the TCR asked for
};

}  // namespace tcrops::stages
