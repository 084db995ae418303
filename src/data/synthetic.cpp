#include "germline.hpp"
#include "letters.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/data/synthetic.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <set>
#include <vector>

namespace tcrops::data {
namespace {

constexpr std::int64_t kMaximumEpitopes = 10'000;
constexpr std::size_t kBetaMotif = 4;
constexpr std::size_t kAlphaMotif = 3;
constexpr std::size_t kMaximumTrim = 3;
constexpr std::size_t kShortestEnd = 4;
// How often a binder with the motif also uses the V genes of its epitope.
constexpr double kGeneLoyalty = 0.9;
constexpr std::size_t kPieceBytes = std::size_t{1} << 16U;

// Draws an entry of a table of weights.
template <class Table>
const auto& pick(Rng& rng, const Table& table) {
  const double total =
      std::accumulate(table.begin(), table.end(), 0.0,
                      [](double sum, const auto& entry) { return sum + entry.weight; });
  double left = rng.uniform() * total;
  for (const auto& entry : table) {
    left -= entry.weight;
    if (left < 0) return entry;
  }
  return table.back();
}

char any_letter(Rng& rng, std::string_view letters) {
  return letters[static_cast<std::size_t>(rng.below(letters.size()))];
}

// An epitope and what its binders have in common.
struct Target {
  std::string epitope;
  std::string mhc;
  const Germline* alpha_v;
  const Germline* beta_v;
  std::string alpha_motif;
  std::string beta_motif;
  std::size_t beta_length;
};

// A 9-mer with the anchors of its HLA allele.
std::string make_epitope(Rng& rng, const HlaAnchors& hla) {
  std::string epitope;
  for (std::size_t i = 0; i < 9; ++i) epitope += any_letter(rng, kAminoAcids);
  epitope[1] = any_letter(rng, hla.second);
  epitope[8] = any_letter(rng, hla.last);
  return epitope;
}

// One letter per target, spread over the alphabet so that two targets rarely share one.
std::string spread_letters(Rng& rng, std::size_t count) {
  std::string letters;
  for (std::size_t i = 0; i < count; ++i) {
    letters += kAminoAcids[count <= kAminoAcids.size() ? i * kAminoAcids.size() / count
                                                       : i % kAminoAcids.size()];
  }
  rng.shuffle(letters);
  return letters;
}

// Genes in random order: targets take them in turn and share none while there are enough.
template <class Table>
std::vector<const Germline*> gene_order(Rng& rng, const Table& table) {
  std::vector<const Germline*> order;
  for (const Germline& gene : table) order.push_back(&gene);
  rng.shuffle(order);
  return order;
}

std::vector<Target> make_targets(std::size_t count, std::uint64_t seed) {
  Rng rng(seed, "synthetic targets");
  const auto alpha_genes = gene_order(rng, kAlphaV);
  const auto beta_genes = gene_order(rng, kBetaV);
  std::vector<Target> targets(count);
  std::set<std::string> taken;
  for (std::size_t t = 0; t < count; ++t) {
    Target& target = targets[t];
    const HlaAnchors& hla = kHlaAnchors[static_cast<std::size_t>(rng.below(kHlaAnchors.size()))];
    target.mhc = hla.mhc;
    do {
      target.epitope = make_epitope(rng, hla);
    } while (!taken.insert(target.epitope).second);
    target.alpha_v = alpha_genes[t % alpha_genes.size()];
    target.beta_v = beta_genes[t % beta_genes.size()];
    target.beta_length = 13 + t % 4;
  }
  for (std::size_t i = 0; i < kBetaMotif + kAlphaMotif; ++i) {
    const std::string letters = spread_letters(rng, count);
    for (std::size_t t = 0; t < count; ++t) {
      (i < kBetaMotif ? targets[t].beta_motif : targets[t].alpha_motif) += letters[t];
    }
  }
  return targets;
}

// V end, motif (may be empty), random letters, J end with a few residues trimmed: `length` in all.
std::string make_cdr3(Rng& rng, std::string_view v_end, std::string_view motif,
                      std::string_view j_end, std::size_t length) {
  std::string cdr3(v_end);
  cdr3 += motif;
  const std::size_t longest = std::min(j_end.size(), length - cdr3.size());
  const std::size_t trim = std::min(static_cast<std::size_t>(rng.below(kMaximumTrim + 1)),
                                    longest > kShortestEnd ? longest - kShortestEnd : 0);
  const std::string_view tail = j_end.substr(j_end.size() - (longest - trim));
  while (cdr3.size() + tail.size() < length) cdr3 += pick(rng, kInsertLetters).letter;
  cdr3 += tail;
  return cdr3;
}

std::string allele(const Germline& gene) { return std::string(gene.gene) + "*01"; }

// TCR number `index`; everything but Epitope and MHC.
Record make_tcr(Rng& rng, std::uint64_t index, const Target& target, double motif_strength) {
  const bool has_motif = rng.uniform() < motif_strength;
  const bool loyal = has_motif && rng.uniform() < kGeneLoyalty;
  const Germline& alpha_v = loyal ? *target.alpha_v : pick(rng, kAlphaV);
  const Germline& beta_v = loyal ? *target.beta_v : pick(rng, kBetaV);
  const Germline& alpha_j = pick(rng, kAlphaJ);
  const Germline& beta_j = pick(rng, kBetaJ);
  const std::size_t alpha_length = pick(rng, kAlphaLengths).length;
  const std::size_t beta_length = has_motif ? target.beta_length : pick(rng, kBetaLengths).length;
  // A motif needs room for itself and for a J end that still looks like one.
  const std::size_t alpha_least = alpha_v.end.size() + kAlphaMotif + kShortestEnd;

  Record record;
  record[Column::kCdr3Alpha] = make_cdr3(rng, alpha_v.end, has_motif ? target.alpha_motif : "",
                                         alpha_j.end, std::max(alpha_length, alpha_least));
  record[Column::kCdr3Beta] =
      make_cdr3(rng, beta_v.end, has_motif ? target.beta_motif : "", beta_j.end, beta_length);
  record[Column::kVAlpha] = allele(alpha_v);
  record[Column::kVBeta] = allele(beta_v);
  record[Column::kJAlpha] = allele(alpha_j);
  record[Column::kJBeta] = allele(beta_j);
  record[Column::kCloneId] = fmt::format("{}.0", index);
  return record;
}

void check_options(const SyntheticOptions& options) {
  const auto fail = [](const std::string& problem) {
    throw Error(ExitCode::kConfiguration, "synthetic data: " + problem);
  };
  if (options.tcrs < 1) fail(fmt::format("tcrs is {}; must be at least 1", options.tcrs));
  if (options.epitopes < 1 || options.epitopes > kMaximumEpitopes) {
    fail(fmt::format("epitopes is {}; must be from 1 to {}", options.epitopes, kMaximumEpitopes));
  }
  if (!(options.motif_strength >= 0 && options.motif_strength <= 1)) {
    fail(fmt::format("motif_strength is {}; must be from 0 to 1", options.motif_strength));
  }
}

}  // namespace

void generate_synthetic(const SyntheticOptions& options, std::uint64_t seed,
                        const std::function<void(std::string_view)>& write) {
  check_options(options);
  const auto count = static_cast<std::uint64_t>(options.epitopes);
  const std::vector<Target> targets = make_targets(static_cast<std::size_t>(count), seed);
  std::vector<std::string> fields(kColumnNames.begin(),
                                  kColumnNames.begin() + kBenchmarkColumnCount);
  fields.emplace_back(kLabelColumn);
  std::string piece;
  append_csv(piece, fields);
  std::vector<std::size_t> turn(targets.size());
  std::iota(turn.begin(), turn.end(), std::size_t{0});
  for (std::uint64_t index = 0; index < static_cast<std::uint64_t>(options.tcrs); ++index) {
    // Every block of as many TCRs as epitopes has one binder of each, in random order.
    if (index % count == 0) Rng(seed, "synthetic turn", index / count).shuffle(turn);
    const std::size_t own = turn[static_cast<std::size_t>(index % count)];
    Rng rng(seed, "synthetic tcr", index);
    Record record = make_tcr(rng, index, targets[own], options.motif_strength);
    for (std::size_t t = 0; t < targets.size(); ++t) {
      record[Column::kEpitope] = targets[t].epitope;
      record[Column::kMhc] = targets[t].mhc;
      std::copy_n(record.values.begin(), kBenchmarkColumnCount, fields.begin());
      fields.back().assign(1, t == own ? '1' : '0');
      append_csv(piece, fields);
    }
    if (piece.size() < kPieceBytes) continue;
    check_interrupt();
    write(piece);
    piece.clear();
  }
  write(piece);
}

}  // namespace tcrops::data
