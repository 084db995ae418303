#include "row_view.hpp"

#include <tcrops/core/text.hpp>

namespace tcrops::data {
namespace {

// What IEDB calculated itself goes before what a curator typed.
RawValue calculated_or_curated(const RowView& view, const std::string& chain,
                               const std::string& calculated, const std::string& curated) {
  RawValue value = view.named(chain + calculated);
  return is_missing(value.text) ? view.named(chain + curated) : value;
}

RawChain iedb_chain(const RowView& view, const std::string& prefix) {
  RawChain chain;
  chain.cdr3 = view.named(prefix + "CDR3 Calculated");
  chain.form = Cdr3Form::kTrimmed;
  if (is_missing(chain.cdr3.text)) {
    chain.cdr3 = view.named(prefix + "CDR3 Curated");
    chain.form = Cdr3Form::kEither;
  }
  chain.cdr1 = calculated_or_curated(view, prefix, "CDR1 Calculated", "CDR1 Curated");
  chain.cdr2 = calculated_or_curated(view, prefix, "CDR2 Calculated", "CDR2 Curated");
  chain.v = calculated_or_curated(view, prefix, "Calculated V Gene", "Curated V Gene");
  chain.j = calculated_or_curated(view, prefix, "Calculated J Gene", "Curated J Gene");
  return chain;
}

// Organisms are named by NCBI Taxonomy, as ".../NCBITaxon_9606".
bool is_human(const RowView& view, const std::string& prefix) {
  for (const char* column : {"Organism IRI", "Species", "Organism"}) {
    const std::string text = to_lower(view.named(prefix + column).text);
    if (is_missing(text)) continue;
    return text.ends_with("_9606") || text == "9606" || text.find("homo sapiens") == 0 ||
           text.find("human") == 0;
  }
  return true;
}

// Reads the chains of one row.
class IedbAssembler {
 public:
  IedbAssembler(const Header& header, const SourceRow& row)
      : header_(header), row_(row), view_(header, row) {}

  Assembled run() {
    RawRecord raw = single(header_, row_);
    bool has_alpha = false;
    bool has_beta = false;
    for (const std::string prefix : {"Chain 1|", "Chain 2|"}) {
      const RawValue type = view_.named(prefix + "Type");
      if (is_missing(type.text)) continue;
      const auto kind = chain_named(type.text);
      if (!kind) return refused(type.field, "other-chain", "neither an alpha nor a beta chain");
      if (!is_human(view_, prefix)) {
        return refused(prefix + "Organism IRI", "species",
                       "not a human receptor, and tcrops knows human genes only");
      }
      bool& has = *kind == Chain::kAlpha ? has_alpha : has_beta;
      if (has) {
        notes_.push_back({row_.line, Action::kChanged, type.field, "further-chain",
                          "a second chain of the same kind; the first counts"});
        continue;
      }
      has = true;
      (*kind == Chain::kAlpha ? raw.alpha : raw.beta) = iedb_chain(view_, prefix);
    }
    if (!has_alpha && !has_beta) {
      return refused("Chain 1|Type", "other-chain", "neither chain says which it is");
    }
    Assembled whole = with_extra(std::move(raw), header_, {&row_});
    notes_.insert(notes_.end(), whole.notes.begin(), whole.notes.end());
    return {std::move(whole.record), std::move(notes_)};
  }

 private:
  [[nodiscard]] Assembled refused(const std::string& field, std::string code,
                                  std::string reason) const {
    return {std::nullopt,
            {{row_.line, Action::kRefused, field, std::move(code), std::move(reason)}}};
  }

  const Header& header_;
  const SourceRow& row_;
  RowView view_;
  std::vector<Note> notes_;
};

}  // namespace

Assembled assemble_iedb(const Header& header, const SourceRow& row) {
  return IedbAssembler(header, row).run();
}

}  // namespace tcrops::data
