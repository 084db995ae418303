#include "gene_name.hpp"

#include <tcrops/eval/baselines.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace tcrops::eval {
namespace {

constexpr std::array<data::Column, 2> kVGenes = {data::Column::kVAlpha, data::Column::kVBeta};

struct Counts {
  double positives = 0.0;
  double negatives = 0.0;

  void add(bool positive) { (positive ? positives : negatives) += 1.0; }
};

// What training says of the V genes of one chain and one epitope.
struct GeneCounts {
  Counts all;
  std::unordered_map<std::string, Counts> of_gene;
};

struct EpitopeCounts {
  Counts rows;
  std::array<GeneCounts, kVGenes.size()> chains;
};

double log_odds(const GeneCounts& chain, const std::string& gene, double genes) {
  const auto found = chain.of_gene.find(gene);
  const Counts here = found == chain.of_gene.end() ? Counts{} : found->second;
  return std::log((here.positives + 1.0) / (chain.all.positives + genes)) -
         std::log((here.negatives + 1.0) / (chain.all.negatives + genes));
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

std::vector<double> v_gene_scores(std::span<const data::Record> train,
                                  std::span<const data::Record> test) {
  std::unordered_map<std::string, EpitopeCounts> by_epitope;
  std::array<std::unordered_map<std::string, bool>, kVGenes.size()> known;
  for (const data::Record& record : train) {
    if (!record.label) continue;
    EpitopeCounts& counts = by_epitope[record[data::Column::kEpitope]];
    counts.rows.add(*record.label);
    for (std::size_t c = 0; c < kVGenes.size(); ++c) {
      const std::string gene = gene_name(record[kVGenes[c]]);
      if (gene.empty()) continue;
      known[c][gene] = true;
      counts.chains[c].all.add(*record.label);
      counts.chains[c].of_gene[gene].add(*record.label);
    }
  }
  std::vector<double> scores;
  scores.reserve(test.size());
  for (const data::Record& record : test) {
    const auto found = by_epitope.find(record[data::Column::kEpitope]);
    if (found == by_epitope.end() || found->second.rows.positives == 0.0 ||
        found->second.rows.negatives == 0.0) {
      scores.push_back(0.0);
      continue;
    }
    double sum = 0.0;
    for (std::size_t c = 0; c < kVGenes.size(); ++c) {
      const std::string gene = gene_name(record[kVGenes[c]]);
      if (gene.empty()) continue;
      const double genes = static_cast<double>(known[c].size()) + 1.0;
      sum += log_odds(found->second.chains[c], gene, genes);
    }
    scores.push_back(sigmoid(sum));
  }
  return scores;
}

std::vector<double> tcr_frequency_scores(std::span<const data::Record> train,
                                         std::span<const data::Record> test) {
  std::unordered_map<std::string, Counts> by_tcr;
  Counts all;
  for (const data::Record& record : train) {
    if (!record.label) continue;
    all.add(*record.label);
    by_tcr[data::tcr_key(record)].add(*record.label);
  }
  const double rows = all.positives + all.negatives;
  const double share = rows > 0.0 ? all.positives / rows : 0.5;
  std::vector<double> scores;
  scores.reserve(test.size());
  for (const data::Record& record : test) {
    const auto found = by_tcr.find(data::tcr_key(record));
    const Counts here = found == by_tcr.end() ? Counts{} : found->second;
    scores.push_back((here.positives + share) / (here.positives + here.negatives + 1.0));
  }
  return scores;
}

}  // namespace tcrops::eval
