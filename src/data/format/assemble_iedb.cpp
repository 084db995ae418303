#include "row_view.hpp"

#include <tcrops/core/text.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace tcrops::data {
namespace {

// The names of the columns of one of the two chains.
struct ChainNames {
  std::string_view type;
  std::array<std::string_view, 2> cdr3;  // calculated, curated
  std::array<std::string_view, 2> cdr1;
  std::array<std::string_view, 2> cdr2;
  std::array<std::string_view, 2> v;
  std::array<std::string_view, 2> j;
  std::array<std::string_view, 3> organism;  // the first that says something counts
};
constexpr std::array kChains = {
    ChainNames{"Chain 1|Type",
               {"Chain 1|CDR3 Calculated", "Chain 1|CDR3 Curated"},
               {"Chain 1|CDR1 Calculated", "Chain 1|CDR1 Curated"},
               {"Chain 1|CDR2 Calculated", "Chain 1|CDR2 Curated"},
               {"Chain 1|Calculated V Gene", "Chain 1|Curated V Gene"},
               {"Chain 1|Calculated J Gene", "Chain 1|Curated J Gene"},
               {"Chain 1|Organism IRI", "Chain 1|Species", "Chain 1|Organism"}},
    ChainNames{"Chain 2|Type",
               {"Chain 2|CDR3 Calculated", "Chain 2|CDR3 Curated"},
               {"Chain 2|CDR1 Calculated", "Chain 2|CDR1 Curated"},
               {"Chain 2|CDR2 Calculated", "Chain 2|CDR2 Curated"},
               {"Chain 2|Calculated V Gene", "Chain 2|Curated V Gene"},
               {"Chain 2|Calculated J Gene", "Chain 2|Curated J Gene"},
               {"Chain 2|Organism IRI", "Chain 2|Species", "Chain 2|Organism"}}};

// What IEDB calculated itself goes before what a curator typed.
RawValue calculated_or_curated(const RowView& view, const std::array<std::string_view, 2>& names) {
  const RawValue value = view.named(names[0]);
  return is_missing(value.text) ? view.named(names[1]) : value;
}

RawChain iedb_chain(const RowView& view, const ChainNames& names) {
  RawChain chain;
  chain.cdr3 = view.named(names.cdr3[0]);
  chain.form = Cdr3Form::kTrimmed;
  if (is_missing(chain.cdr3.text)) {
    chain.cdr3 = view.named(names.cdr3[1]);
    chain.form = Cdr3Form::kEither;
  }
  chain.cdr1 = calculated_or_curated(view, names.cdr1);
  chain.cdr2 = calculated_or_curated(view, names.cdr2);
  chain.v = calculated_or_curated(view, names.v);
  chain.j = calculated_or_curated(view, names.j);
  return chain;
}

// Organisms are named by NCBI Taxonomy, as ".../NCBITaxon_9606".
bool is_human(const RowView& view, const ChainNames& names) {
  for (const std::string_view column : names.organism) {
    const std::string text = to_lower(view.named(column).text);
    if (is_missing(text)) continue;
    return text.ends_with("_9606") || text == "9606" || text.find("homo sapiens") == 0 ||
           text.find("human") == 0;
  }
  return true;
}

// Reads the chains of one row.
class IedbAssembler {
 public:
  IedbAssembler(const Header& header, const RowText& row)
      : header_(header), row_(row), view_(header, row) {}

  Assembled run() {
    Assembled result;
    RawRecord& raw = result.record.emplace();
    raw.line = row_.line;
    raw.take_pair_values(view_);
    bool has_alpha = false;
    bool has_beta = false;
    for (const ChainNames& names : kChains) {
      const RawValue type = view_.named(names.type);
      if (is_missing(type.text)) continue;
      const auto kind = chain_named(type.text);
      if (!kind) return refused(type.field, "other-chain", "neither an alpha nor a beta chain");
      if (!is_human(view_, names)) {
        return refused(names.organism[0], "species",
                       "not a human receptor, and tcrops knows human genes only");
      }
      bool& has = *kind == Chain::kAlpha ? has_alpha : has_beta;
      if (has) {
        notes_.push_back({row_.line, Action::kChanged, std::string(type.field), "further-chain",
                          "a second chain of the same kind; the first counts"});
        continue;
      }
      has = true;
      (*kind == Chain::kAlpha ? raw.alpha : raw.beta) = iedb_chain(view_, names);
    }
    if (!has_alpha && !has_beta) {
      return refused("Chain 1|Type", "other-chain", "neither chain says which it is");
    }
    const std::array<const RowText*, 1> rows = {&row_};
    std::vector<Note> more = raw.take_extra(header_, rows);
    std::move(more.begin(), more.end(), std::back_inserter(notes_));
    result.notes = std::move(notes_);
    return result;
  }

 private:
  [[nodiscard]] Assembled refused(std::string_view field, std::string code,
                                  std::string reason) const {
    return {
        std::nullopt,
        {{row_.line, Action::kRefused, std::string(field), std::move(code), std::move(reason)}}};
  }

  const Header& header_;
  const RowText& row_;
  RowView view_;
  std::vector<Note> notes_;
};

}  // namespace

Assembled assemble_iedb(const Header& header, const RowText& row) {
  return IedbAssembler(header, row).run();
}

}  // namespace tcrops::data
