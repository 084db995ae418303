#include "encoding.hpp"
#include "raw_record.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tcrops::data {
namespace {

// The fields of a row by role.
class RowView {
 public:
  RowView(const Header& header, const SourceRow& row) : header_(header), row_(row) {}

  [[nodiscard]] RawValue value(Role role) const {
    RawValue value{{}, row_.line, {}};
    if (const auto at = header_.at(role)) value.text = row_.fields[*at];
    value.field = header_.field(role);
    return value;
  }
  [[nodiscard]] std::string_view text(Role role) const {
    const auto at = header_.at(role);
    return at ? std::string_view(row_.fields[*at]) : std::string_view();
  }
  [[nodiscard]] RawValue named(const std::string& name) const {
    const auto at = header_.at(name);
    return {at ? row_.fields[*at] : std::string(), row_.line, name};
  }
  [[nodiscard]] std::size_t line() const { return row_.line; }

 private:
  const Header& header_;
  const SourceRow& row_;
};

// Adds what a row says of the pair; of several rows the first that says it counts.
RawRecord with_pair_values(RawRecord raw, const RowView& row) {
  const auto take = [&](RawValue& value, Role role) {
    if (is_missing(value.text)) value = row.value(role);
  };
  take(raw.epitope, Role::kEpitope);
  take(raw.mhc, Role::kMhc);
  take(raw.mhc_second, Role::kMhcSecond);
  take(raw.clone_id, Role::kCloneId);
  take(raw.label, Role::kLabel);
  take(raw.origin, Role::kOrigin);
  take(raw.fold, Role::kFold);
  take(raw.species, Role::kSpecies);
  return raw;
}

struct Extra {
  std::vector<std::string> values;
  std::vector<Note> notes;
};

// A column that differs between the rows of a record holds the values of all, in order.
Extra joined_extra(const Header& header, const std::vector<const SourceRow*>& rows) {
  Extra extra;
  extra.values.reserve(header.extra.size());
  for (const std::size_t column : header.extra) {
    const auto same = [&](const SourceRow* row) {
      return row->fields[column] == rows.front()->fields[column];
    };
    std::string text = rows.front()->fields[column];
    if (!std::all_of(rows.begin(), rows.end(), same)) {
      for (std::size_t i = 1; i < rows.size(); ++i) text += '|' + rows[i]->fields[column];
    }
    if (std::string unicode = as_utf8(text); unicode != text) {
      extra.notes.push_back({rows.front()->line, Action::kChanged, header.names[column], "not-utf8",
                             "not UTF-8; taken for Windows-1252"});
      text = std::move(unicode);
    }
    extra.values.push_back(std::move(text));
  }
  return extra;
}

bool is_true(std::string_view text) {
  const std::string lower = to_lower(trim(text));
  return lower == "t" || lower == "true" || lower == "1" || lower == "yes";
}

std::optional<Chain> chain_named(std::string_view text) {
  const std::string upper = to_upper(trim(text));
  if (upper.starts_with("TRA") || upper == "ALPHA") return Chain::kAlpha;
  if (upper.starts_with("TRB") || upper == "BETA") return Chain::kBeta;
  return std::nullopt;
}

// Puts the rows of one cell or complex together.
class CellAssembler {
 public:
  explicit CellAssembler(const Header& header) : header_(header) {}

  Assembled assemble(const std::vector<SourceRow>& rows) {
    for (const SourceRow& row : rows) consider(row);
    Assembled result;
    if (best_[0].row != nullptr || best_[1].row != nullptr) result.record = record(rows);
    result.notes = std::move(notes_);
    return result;
  }

 private:
  struct Candidate {
    const SourceRow* row = nullptr;
    double umis = 0;
    double reads = 0;
  };

  void refuse(const SourceRow& row, Role role, std::string code, std::string reason) {
    notes_.push_back(
        {row.line, Action::kRefused, header_.field(role), std::move(code), std::move(reason)});
  }

  // True when the row's flags speak against it.
  bool is_out(const RowView& view, const SourceRow& row) {
    const auto says_no = [&](Role role, bool missing_is_no) {
      if (!header_.at(role)) return false;
      const std::string_view text = view.text(role);
      return is_missing(text) ? missing_is_no : !is_true(text);
    };
    const bool is_ten_x = header_.format->name == "10x";
    if (says_no(Role::kIsCell, false)) {
      refuse(row, Role::kIsCell, "no-cell", "the barcode is not a cell");
    } else if (says_no(Role::kHighConfidence, false)) {
      refuse(row, Role::kHighConfidence, "low-confidence", "not called with high confidence");
    } else if (says_no(Role::kProductive, is_ten_x)) {
      refuse(row, Role::kProductive, "not-productive", "not a productive chain");
    } else {
      return false;
    }
    return true;
  }

  [[nodiscard]] std::optional<Chain> chain_of(const RowView& view) const {
    if (!is_missing(view.text(Role::kChain))) return chain_named(view.text(Role::kChain));
    const std::string_view v = view.text(Role::kChainV);
    return chain_named(is_missing(v) ? view.text(Role::kChainJ) : v);
  }

  void consider(const SourceRow& row) {
    const RowView view(header_, row);
    const std::optional<Chain> chain = chain_of(view);
    if (!chain) {
      const bool has_column = header_.at(Role::kChain).has_value();
      return refuse(row, has_column ? Role::kChain : Role::kChainV, "other-chain",
                    "neither an alpha nor a beta chain");
    }
    if (is_out(view, row)) return;
    if (is_missing(view.text(Role::kChainCdr3)) && is_missing(view.text(Role::kChainTrimmed))) {
      return refuse(row, header_.at(Role::kChainCdr3) ? Role::kChainCdr3 : Role::kChainTrimmed,
                    "no-cdr3", "the value is missing");
    }
    const Candidate candidate{&row, parse_number(trim(view.text(Role::kUmis))).value_or(0),
                              parse_number(trim(view.text(Role::kReads))).value_or(0)};
    compete(candidate, best_.at(*chain == Chain::kAlpha ? 0 : 1), *chain);
  }

  void compete(const Candidate& candidate, Candidate& best, Chain chain) {
    if (best.row == nullptr) {
      best = candidate;
      return;
    }
    const bool by_umis = candidate.umis != best.umis;
    const bool wins = by_umis ? candidate.umis > best.umis : candidate.reads > best.reads;
    const Candidate& winner = wins ? candidate : best;
    const Candidate& loser = wins ? best : candidate;
    std::string why = "which stands before it";
    if (by_umis) {
      why = fmt::format("with {} UMIs against {}", winner.umis, loser.umis);
    } else if (winner.reads != loser.reads) {
      why = fmt::format("with {} reads against {}", winner.reads, loser.reads);
    }
    refuse(*loser.row, header_.at(Role::kChain) ? Role::kChain : Role::kChainV, "further-chain",
           fmt::format("the cell has another {} chain, in line {}, {}",
                       chain == Chain::kAlpha ? "alpha" : "beta", winner.row->line, why));
    if (wins) best = candidate;
  }

  [[nodiscard]] RawChain chain(const SourceRow& row) const {
    const RowView view(header_, row);
    RawChain chain{view.value(Role::kChainCdr3), header_.format->cdr3,
                   view.value(Role::kChainCdr1), view.value(Role::kChainCdr2),
                   view.value(Role::kChainV),    view.value(Role::kChainJ)};
    if (is_missing(chain.cdr3.text)) {
      chain.cdr3 = view.value(Role::kChainTrimmed);
      chain.form = Cdr3Form::kTrimmed;
    }
    return chain;
  }

  // Alpha before beta.
  RawRecord record(const std::vector<SourceRow>& rows) {
    RawRecord raw;
    raw.line = rows.front().line;
    std::vector<const SourceRow*> used;
    for (const Candidate& candidate : best_) {
      if (candidate.row != nullptr) used.push_back(candidate.row);
    }
    for (const SourceRow* row : used) raw = with_pair_values(std::move(raw), {header_, *row});
    if (best_[0].row != nullptr) raw.alpha = chain(*best_[0].row);
    if (best_[1].row != nullptr) raw.beta = chain(*best_[1].row);
    Extra extra = joined_extra(header_, used);
    raw.extra = std::move(extra.values);
    notes_.insert(notes_.end(), extra.notes.begin(), extra.notes.end());
    return raw;
  }

  const Header& header_;
  std::array<Candidate, 2> best_;  // alpha, beta
  std::vector<Note> notes_;
};

// A record of one row.
RawRecord single(const Header& header, const SourceRow& row) {
  RawRecord raw;
  raw.line = row.line;
  return with_pair_values(std::move(raw), {header, row});
}

Assembled finished(RawRecord raw, const Header& header, const SourceRow& row) {
  Extra extra = joined_extra(header, {&row});
  raw.extra = std::move(extra.values);
  return {std::move(raw), std::move(extra.notes)};
}

Assembled assemble_pair(const Header& header, const SourceRow& row) {
  const RowView view(header, row);
  RawRecord raw = single(header, row);
  const Cdr3Form form = header.format->cdr3;
  raw.alpha = {view.value(Role::kCdr3Alpha), form,
               view.value(Role::kCdr1Alpha), view.value(Role::kCdr2Alpha),
               view.value(Role::kVAlpha),    view.value(Role::kJAlpha)};
  raw.beta = {view.value(Role::kCdr3Beta), form,
              view.value(Role::kCdr1Beta), view.value(Role::kCdr2Beta),
              view.value(Role::kVBeta),    view.value(Role::kJBeta)};
  return finished(std::move(raw), header, row);
}

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

Assembled assemble_iedb(const Header& header, const SourceRow& row) {
  const RowView view(header, row);
  RawRecord raw = single(header, row);
  bool found = false;
  for (const std::string prefix : {"Chain 1|", "Chain 2|"}) {
    const RawValue type = view.named(prefix + "Type");
    if (is_missing(type.text)) continue;
    const auto kind = chain_named(type.text);
    if (!kind) {
      found = false;
      break;
    }
    (*kind == Chain::kAlpha ? raw.alpha : raw.beta) = iedb_chain(view, prefix);
    found = true;
  }
  if (found) return finished(std::move(raw), header, row);
  return {std::nullopt,
          {{row.line, Action::kRefused, "Chain 1|Type", "other-chain",
            "not a receptor of alpha and beta chains"}}};
}

}  // namespace

Assembled assemble(const Header& header, const std::vector<SourceRow>& rows) {
  switch (header.format->layout) {
    case Layout::kChains:
      return CellAssembler(header).assemble(rows);
    case Layout::kIedb:
      return assemble_iedb(header, rows.front());
    default:
      return assemble_pair(header, rows.front());
  }
}

}  // namespace tcrops::data
