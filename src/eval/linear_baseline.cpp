#include "gene_name.hpp"
#include "logistic_fit.hpp"

#include <tcrops/eval/baselines.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tcrops::eval {
namespace {

constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY";
constexpr std::size_t kHalf = 20;  // positions from each end
constexpr std::array<data::Column, 2> kLoops = {data::Column::kCdr3Alpha, data::Column::kCdr3Beta};
constexpr std::array<data::Column, 4> kGenes = {data::Column::kVAlpha, data::Column::kVBeta,
                                                data::Column::kJAlpha, data::Column::kJBeta};
constexpr std::size_t kLoopWidth = 2 * kHalf * kLetters.size();

// Numbers of the features of a TCR; those of the genes follow from training.
class Features {
 public:
  explicit Features(std::span<const data::Record> train) {
    for (const data::Record& record : train) {
      if (!record.label) continue;
      for (std::size_t g = 0; g < kGenes.size(); ++g) {
        const std::string gene = gene_name(record[kGenes[g]]);
        if (!gene.empty()) genes_[g].emplace(gene, 0);
      }
    }
    width_ = kLoops.size() * kLoopWidth;
    for (auto& names : genes_) {
      for (auto& [name, number] : names) number = static_cast<std::uint32_t>(width_++);
    }
  }

  [[nodiscard]] std::size_t width() const { return width_; }

  [[nodiscard]] std::vector<std::uint32_t> of(const data::Record& record) const {
    std::vector<std::uint32_t> features;
    for (std::size_t loop = 0; loop < kLoops.size(); ++loop) {
      add_loop(record[kLoops[loop]], loop * kLoopWidth, features);
    }
    for (std::size_t g = 0; g < kGenes.size(); ++g) {
      const auto found = genes_[g].find(gene_name(record[kGenes[g]]));
      if (found != genes_[g].end()) features.push_back(found->second);
    }
    return features;
  }

 private:
  static void add_loop(std::string_view cdr3, std::size_t begin,
                       std::vector<std::uint32_t>& features) {
    const std::size_t left = (cdr3.size() + 1) / 2;
    for (std::size_t i = 0; i < cdr3.size(); ++i) {
      const std::size_t place = i < left ? i : cdr3.size() - 1 - i;
      const std::size_t letter = kLetters.find(cdr3[i]);
      if (place >= kHalf || letter == std::string_view::npos) continue;
      const std::size_t position = i < left ? place : kHalf + place;
      features.push_back(static_cast<std::uint32_t>(begin + position * kLetters.size() + letter));
    }
  }

  // Sorted, so that the numbers do not depend on the order of the rows.
  std::array<std::map<std::string, std::uint32_t>, kGenes.size()> genes_;
  std::size_t width_ = 0;
};

// The regression of one epitope; empty when training lacks a class of it.
std::optional<LogisticWeights> fit(const std::vector<const data::Record*>& train,
                                   const Features& features) {
  BinaryRows rows;
  rows.width = features.width();
  for (const data::Record* record : train) {
    rows.labels.push_back(*record->label ? 1 : 0);
    rows.features.push_back(features.of(*record));
  }
  const auto positives = std::count(rows.labels.begin(), rows.labels.end(), std::uint8_t{1});
  if (positives == 0 || positives == std::ssize(rows.labels)) return std::nullopt;
  return fit_logistic(rows);
}

}  // namespace

std::vector<double> linear_scores(std::span<const data::Record> train,
                                  std::span<const data::Record> test) {
  const Features features(train);
  std::unordered_map<std::string, std::vector<const data::Record*>> by_epitope;
  for (const data::Record& record : train) {
    if (record.label) by_epitope[record[data::Column::kEpitope]].push_back(&record);
  }
  std::unordered_map<std::string, std::optional<LogisticWeights>> fitted;
  std::vector<double> scores;
  scores.reserve(test.size());
  for (const data::Record& record : test) {
    const std::string& epitope = record[data::Column::kEpitope];
    const auto [place, is_new] = fitted.try_emplace(epitope);
    if (is_new) place->second = fit(by_epitope[epitope], features);
    const auto& weights = place->second;
    scores.push_back(weights ? probability_of(*weights, features.of(record)) : 0.0);
  }
  return scores;
}

}  // namespace tcrops::eval
