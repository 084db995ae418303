#pragma once

#include "problem.hpp"

#include <algorithm>

// Made-up TCRs with planted motifs, as an encoder would lay them out: two CDR3s in the middle of
// their places, a V gene, an epitope, an MHC and a number. Each TCR stands with every epitope.
struct TcrProblem {
  static constexpr std::size_t kTcrs = 80;
  static constexpr std::size_t kHeads = 3;
  static constexpr std::size_t kAlpha = 7;  // places
  static constexpr std::size_t kBeta = 8;
  static constexpr std::size_t kEpitope = 5;

  tcrops::data::Expansion expansion;
  tcrops::data::EncodedRows rows;
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes = {"AAA", "CCC", "DDD"};
  tcrops::nn::Foundation foundation;

  // `learned`: letters and names are numbers for an embedding. `seed` draws the TCRs.
  explicit TcrProblem(bool learned = false, std::uint64_t seed = 1) {
    lay_out(learned);
    tcrops::Rng rng(seed, "tcrs");
    for (std::size_t tcr = 0; tcr < kTcrs; ++tcr) add_tcr(rng, tcr);
    for (std::size_t head = 0; head < kHeads; ++head)
      tcrops::data::append_row(rows, head, foundation.epitopes);
    for (std::size_t row = 0; row < rows.rows && foundation.anchors.rows < 20; ++row) {
      if (labels[row] == 1) tcrops::data::append_row(rows, row, foundation.anchors);
    }
  }

  [[nodiscard]] tcrops::nn::Examples examples() const { return {&rows, labels}; }
  [[nodiscard]] tcrops::nn::ModelSpec spec(const tcrops::nn::NetworkOptions& options) const {
    return tcrops::nn::make_spec(options, expansion, epitopes,
                                 static_cast<std::int64_t>(foundation.anchors.rows));
  }
  // A fresh network; what it is not founded on is left out.
  [[nodiscard]] std::unique_ptr<tcrops::nn::Network> network(
      const tcrops::nn::NetworkOptions& options, std::uint64_t seed = 1) const {
    const tcrops::nn::ModelSpec made = spec(options);
    tcrops::nn::Foundation used = foundation;
    if (made.anchors == 0) used.anchors = {};
    if (made.is_pan()) used.epitopes = {};
    return tcrops::nn::core().create(made, expansion, used, seed, tcrops::nn::Device{});
  }
  // The first place of a block's codes.
  [[nodiscard]] std::size_t first_of(tcrops::data::Column column) const {
    return block_of(column).segment.first;
  }
  // The rows without anything of a column.
  [[nodiscard]] tcrops::data::EncodedRows without(tcrops::data::Column column) const {
    tcrops::data::EncodedRows masked = rows;
    const auto& segment = block_of(column).segment;
    for (std::size_t row = 0; row < masked.rows; ++row)
      std::fill_n(masked.codes.begin() +
                      static_cast<std::ptrdiff_t>(row * masked.code_width + segment.first),
                  segment.count, std::uint8_t{0});
    return masked;
  }

 private:
  [[nodiscard]] const tcrops::data::Expansion::Block& block_of(tcrops::data::Column column) const {
    return *std::find_if(expansion.blocks.begin(), expansion.blocks.end(),
                         [&](const auto& block) { return block.column == column; });
  }

  void lay_out(bool learned) {
    using tcrops::data::Column;
    constexpr std::size_t kLetters = 20;
    constexpr std::size_t kDims = 4;
    constexpr std::size_t kNames = 3;
    tcrops::Rng rng(3, "letters");
    tcrops::data::Expansion::Table letters{.dims = learned ? 1 : kDims, .values = {}};
    for (std::size_t code = 0; code <= kLetters; ++code) {
      for (std::size_t i = 0; i < letters.dims; ++i) {
        const double value = learned ? static_cast<double>(code) : rng.normal();
        letters.values.push_back(code == 0 ? 0.0F : static_cast<float>(value));
      }
    }
    tcrops::data::Expansion::Table names{.dims = learned ? 1 : kNames, .values = {}};
    for (std::size_t code = 0; code <= kNames; ++code) {
      for (std::size_t i = 0; i < names.dims; ++i)
        names.values.push_back(learned ? static_cast<float>(code) : (code == i + 1 ? 1.0F : 0.0F));
    }
    letters.numbered = learned;
    names.numbered = learned;
    expansion.tables = {letters, names};
    expansion.add_codes(Column::kCdr3Alpha, kAlpha, 0);
    expansion.add_codes(Column::kCdr3Beta, kBeta, 0);
    expansion.add_codes(Column::kVBeta, 1, 1);
    expansion.add_codes(Column::kEpitope, kEpitope, 0);
    expansion.add_numbers(Column::kCloneId, 1);
    expansion.add_codes(Column::kMhc, 1, 1);
  }

  // With gaps in the middle; the motif of `head` (3 letters) after the first one, if any.
  static std::vector<std::uint8_t> sequence(tcrops::Rng& rng, std::size_t places,
                                            std::size_t head) {
    std::vector<std::uint8_t> letters(places, 0);
    const std::size_t length = places - rng.below(3);
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t at = i < (length + 1) / 2 ? i : places - length + i;
      letters[at] = static_cast<std::uint8_t>(1 + rng.below(20));
    }
    if (head < kHeads) {
      for (std::size_t i = 0; i < 3; ++i) letters[i] = static_cast<std::uint8_t>(1 + 5 * head + i);
    }
    return letters;
  }

  void add_tcr(tcrops::Rng& rng, std::size_t tcr) {
    const std::size_t binds = tcr % (kHeads + 1);  // the last: nothing
    const auto alpha = sequence(rng, kAlpha, kHeads);
    const auto beta = sequence(rng, kBeta, binds);
    const auto gene = static_cast<std::uint8_t>(1 + rng.below(3));
    const auto number = static_cast<float>(rng.uniform());
    rows.code_width = expansion.code_width;
    rows.number_width = expansion.number_width;
    for (std::size_t head = 0; head < kHeads; ++head) {
      rows.codes.insert(rows.codes.end(), alpha.begin(), alpha.end());
      rows.codes.insert(rows.codes.end(), beta.begin(), beta.end());
      rows.codes.push_back(gene);
      for (std::size_t i = 0; i < kEpitope; ++i)
        rows.codes.push_back(static_cast<std::uint8_t>(1 + 4 * head + i));
      rows.codes.push_back(static_cast<std::uint8_t>(1 + head));
      rows.numbers.push_back(number);
      labels.push_back(head == binds ? 1 : 0);
      ++rows.rows;
    }
  }
};

// A network to try.
struct Variant {
  std::string name;
  bool learned = false;
  tcrops::nn::NetworkOptions options;
};

// Every architecture with every head, every readout and kind of anchors, and the learned encoder;
// small.
inline std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const bool learned : {false, true}) {
    for (const std::string& architecture : tcrops::nn::architecture_names()) {
      for (const std::string& head : tcrops::nn::head_names()) {
        tcrops::nn::NetworkOptions options;
        options.architecture = architecture;
        options.head = head;
        options.embedding = 3;
        options.filters = 3;
        options.kernel_widths = {1, 3, 4};
        options.width = 8;
        options.attention_heads = 2;
        options.kernels = {"both:20"};
        all.push_back({architecture + " " + head + (learned ? " learned" : ""), learned, options});
        if (architecture != "kernel_mlp") continue;
        const auto add = [&](const std::string& what, auto&& change) {
          all.push_back(all.back());
          all.back().options = options;
          change(all.back().options);
          all.back().name = architecture + " " + head + " " + what + (learned ? " learned" : "");
        };
        add("trained hidden", [](auto& o) {
          o.anchor_kind = "trained";
          o.hidden = {6};
        });
        add("three kernels", [](auto& o) {
          o.kernels = {"both:20", "alpha:10:0.5", "beta:10:0.5"};
          o.cdr3_trim = {1, 1};
        });
        if (head == "pan") continue;
        add("density", [](auto& o) {
          o.readout = "density";
          o.kernels = {"both:20", "beta:10"};
        });
      }
    }
  }
  return all;
}
