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
#include <charconv>
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
constexpr const char* kAllele = "*01";
constexpr std::size_t kPieceBytes = std::size_t{1} << 16U;

template <const auto& table>
constexpr double kTotalWeight = [] {
  double sum = 0;
  for (const auto& entry : table) sum += entry.weight;
  return sum;
}();

// Draws an entry of a table of weights.
template <const auto& table>
const auto& pick(Rng& rng) {
  double left = rng.uniform() * kTotalWeight<table>;
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

// Appends V end, motif (may be empty), random letters, J end with a few residues trimmed: `length`
// letters in all.
void append_cdr3(std::string& out, Rng& rng, std::string_view v_end, std::string_view motif,
                 std::string_view j_end, std::size_t length) {
  const std::size_t end = out.size() + length;
  out += v_end;
  out += motif;
  const std::size_t longest = std::min(j_end.size(), end - out.size());
  const std::size_t trim = std::min(static_cast<std::size_t>(rng.below(kMaximumTrim + 1)),
                                    longest > kShortestEnd ? longest - kShortestEnd : 0);
  const std::string_view tail = j_end.substr(j_end.size() - (longest - trim));
  while (out.size() + tail.size() < end) out += pick<kInsertLetters>(rng).letter;
  out += tail;
}

// Appends the part of a row that is the TCR's, each value with a comma after it. No value here or
// in the rest of a row has a character that CSV would quote.
void append_tcr(std::string& out, Rng& rng, const Target& target, double motif_strength) {
  const bool has_motif = rng.uniform() < motif_strength;
  const bool loyal = has_motif && rng.uniform() < kGeneLoyalty;
  const Germline& alpha_v = loyal ? *target.alpha_v : pick<kAlphaV>(rng);
  const Germline& beta_v = loyal ? *target.beta_v : pick<kBetaV>(rng);
  const Germline& alpha_j = pick<kAlphaJ>(rng);
  const Germline& beta_j = pick<kBetaJ>(rng);
  const std::size_t alpha_length = pick<kAlphaLengths>(rng).length;
  const std::size_t beta_length = has_motif ? target.beta_length : pick<kBetaLengths>(rng).length;
  // A motif needs room for itself and for a J end that still looks like one.
  const std::size_t alpha_least = alpha_v.end.size() + kAlphaMotif + kShortestEnd;
  const std::string_view alpha_motif = has_motif ? target.alpha_motif : std::string_view();
  const std::string_view beta_motif = has_motif ? target.beta_motif : std::string_view();

  append_cdr3(out, rng, alpha_v.end, alpha_motif, alpha_j.end, std::max(alpha_length, alpha_least));
  out += ',';
  append_cdr3(out, rng, beta_v.end, beta_motif, beta_j.end, beta_length);
  for (const Germline* gene : {&alpha_v, &beta_v, &alpha_j, &beta_j}) {
    out += ',';
    out += gene->gene;
    out += kAllele;
  }
  out += ',';
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
  if (!(options.noise >= 0 && options.noise <= 1)) {
    fail(fmt::format("noise is {}; must be from 0 to 1", options.noise));
  }
}

std::string header() {
  std::vector<std::string> names(kColumnNames.begin(),
                                 kColumnNames.begin() + kBenchmarkColumnCount);
  names.emplace_back(kLabelColumn);
  std::string line;
  append_csv(line, names);
  return line;
}

// Appends the rows of one TCR: its own text, then epitope, clone_id, MHC and label.
void append_rows(std::string& out, std::string_view tcr, std::uint64_t index,
                 const std::vector<Target>& targets, const std::vector<char>& labels) {
  std::array<char, 24> digits{};
  const char* const end = std::to_chars(digits.begin(), digits.end(), index).ptr;
  const std::string_view number(digits.data(), static_cast<std::size_t>(end - digits.data()));
  for (std::size_t t = 0; t < targets.size(); ++t) {
    out += tcr;
    out += targets[t].epitope;
    out += ',';
    out += number;
    out += ".0,";
    out += targets[t].mhc;
    out += ',';
    out += labels[t];
    out += '\n';
  }
}

// '1' for the TCR's own epitope, '0' for the others; some of them wrong.
void draw_labels(std::vector<char>& labels, std::size_t own, double noise, std::uint64_t seed,
                 std::uint64_t index) {
  std::fill(labels.begin(), labels.end(), '0');
  labels[own] = '1';
  if (noise == 0) return;
  Rng rng(seed, "synthetic noise", index);
  for (char& label : labels) {
    if (rng.uniform() < noise) label = label == '1' ? '0' : '1';
  }
}

}  // namespace

void generate_synthetic(const SyntheticOptions& options, std::uint64_t seed,
                        const std::function<void(std::string_view)>& write) {
  check_options(options);
  const auto count = static_cast<std::uint64_t>(options.epitopes);
  const std::vector<Target> targets = make_targets(static_cast<std::size_t>(count), seed);
  std::string piece = header();
  std::string tcr;
  std::vector<char> labels(targets.size());
  std::vector<std::size_t> turn(targets.size());
  std::iota(turn.begin(), turn.end(), std::size_t{0});
  for (std::uint64_t index = 0; index < static_cast<std::uint64_t>(options.tcrs); ++index) {
    // Every block of as many TCRs as epitopes has one binder of each, in random order.
    if (index % count == 0) Rng(seed, "synthetic turn", index / count).shuffle(turn);
    const std::size_t own = turn[static_cast<std::size_t>(index % count)];
    Rng rng(seed, "synthetic tcr", index);
    tcr.clear();
    append_tcr(tcr, rng, targets[own], options.motif_strength);
    draw_labels(labels, own, options.noise, seed, index);
    append_rows(piece, tcr, index, targets, labels);
    if (piece.size() < kPieceBytes) continue;
    check_interrupt();
    write(piece);
    piece.clear();
  }
  write(piece);
}

Json synthetic_truth(const SyntheticOptions& options, std::uint64_t seed) {
  check_options(options);
  Json epitopes = Json::array();
  for (const Target& target : make_targets(static_cast<std::size_t>(options.epitopes), seed)) {
    epitopes.push_back(
        {{"epitope", target.epitope},
         {"mhc", target.mhc},
         {"V_alpha", std::string(target.alpha_v->gene) + kAllele},
         {"V_beta", std::string(target.beta_v->gene) + kAllele},
         {"CDR3_alpha",
          {{"motif", target.alpha_motif}, {"position", target.alpha_v->end.size() + 1}}},
         {"CDR3_beta",
          {{"motif", target.beta_motif},
           {"position", target.beta_v->end.size() + 1},
           {"length", target.beta_length}}}});
  }
  return {{"schema", "tcrops.synthetic_truth/1"},
          {"seed", seed},
          {"tcrs", options.tcrs},
          {"rows", options.tcrs * options.epitopes},
          {"motif_strength", options.motif_strength},
          {"gene_loyalty", kGeneLoyalty},
          {"noise", options.noise},
          {"epitopes", std::move(epitopes)}};
}

}  // namespace tcrops::data
