#include "row_view.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace tcrops::data {
namespace {

bool is_true(std::string_view text) {
  const std::string lower = to_lower(trim(text));
  return lower == "t" || lower == "true" || lower == "1" || lower == "yes";
}

// Puts the rows of one cell or complex together.
class CellAssembler {
 public:
  explicit CellAssembler(const Header& header)
      : header_(header), is_ours_(header.at("tcrops_record").has_value()) {}

  Assembled assemble(std::span<const RowText> rows) {
    for (const RowText& row : rows) consider(row);
    Assembled result;
    if (best_[0].row != nullptr || best_[1].row != nullptr) fill(result.record.emplace(), rows);
    result.notes = std::move(notes_);
    return result;
  }

 private:
  struct Candidate {
    const RowText* row = nullptr;
    double umis = 0;
    double reads = 0;
  };

  void refuse(const RowText& row, Role role, std::string code, std::string reason) {
    notes_.push_back({row.line, Action::kRefused, std::string(header_.field(role)), std::move(code),
                      std::move(reason)});
  }

  // True when the row's flags speak against it.
  bool is_out(const RowView& view, const RowText& row) {
    const auto says_no = [&](Role role, bool missing_is_no) {
      if (!header_.at(role)) return false;
      const std::string_view text = view.text(role);
      return is_missing(text) ? missing_is_no : !is_true(text);
    };
    if (is_ours_) return false;  // whoever made the records has judged
    const bool unknown_is_no = header_.format->unknown_productive == UnknownProductive::kNo;
    if (says_no(Role::kIsCell, false)) {
      refuse(row, Role::kIsCell, "no-cell", "the barcode is not a cell");
    } else if (says_no(Role::kHighConfidence, false)) {
      refuse(row, Role::kHighConfidence, "low-confidence", "not called with high confidence");
    } else if (says_no(Role::kProductive, unknown_is_no)) {
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

  void consider(const RowText& row) {
    const RowView view(header_, row);
    const std::optional<Chain> chain = chain_of(view);
    if (!header_.format->ungrouped.empty() &&
        view.text(Role::kGroup).find(',') != std::string_view::npos) {
      return refuse(row, Role::kGroup, "merged-record",
                    "several complexes in one row, as in vdjdb.slim.txt; use vdjdb.txt");
    }
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

  [[nodiscard]] RawChain chain(const RowText& row) const {
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
  void fill(RawRecord& raw, std::span<const RowText> rows) {
    raw.line = rows.front().line;
    std::vector<const RowText*> used;
    for (const Candidate& candidate : best_) {
      if (candidate.row != nullptr) used.push_back(candidate.row);
    }
    for (const RowText* row : used) raw.take_pair_values({header_, *row});
    if (best_[0].row != nullptr) raw.alpha = chain(*best_[0].row);
    if (best_[1].row != nullptr) raw.beta = chain(*best_[1].row);
    if (used.size() > 1) note_differences(RowView(header_, *used[0]), RowView(header_, *used[1]));
    std::vector<Note> more = raw.take_extra(header_, used);
    std::move(more.begin(), more.end(), std::back_inserter(notes_));
  }

  // Two chains of one cell cannot see different epitopes.
  void note_differences(const RowView& first, const RowView& second) {
    for (const Role role : {Role::kEpitope, Role::kMhc, Role::kLabel, Role::kFold}) {
      const std::string_view one = trim(first.text(role));
      const std::string_view other = trim(second.text(role));
      if (is_missing(one) || is_missing(other) || one == other) continue;
      notes_.push_back({second.line(), Action::kChanged, std::string(header_.field(role)),
                        "chains-differ",
                        fmt::format("the cell's other chain, in line {}, says otherwise and counts",
                                    first.line())});
    }
  }

  const Header& header_;
  bool is_ours_;                   // rows of records that tcrops wrote
  std::array<Candidate, 2> best_;  // alpha, beta
  std::vector<Note> notes_;
};

Assembled assemble_pair(const Header& header, const RowText& row) {
  const RowView view(header, row);
  Assembled result;
  RawRecord& raw = result.record.emplace();
  raw.line = row.line;
  raw.take_pair_values(view);
  const Cdr3Form form = header.format->cdr3;
  raw.alpha = {view.value(Role::kCdr3Alpha), form,
               view.value(Role::kCdr1Alpha), view.value(Role::kCdr2Alpha),
               view.value(Role::kVAlpha),    view.value(Role::kJAlpha)};
  raw.beta = {view.value(Role::kCdr3Beta), form,
              view.value(Role::kCdr1Beta), view.value(Role::kCdr2Beta),
              view.value(Role::kVBeta),    view.value(Role::kJBeta)};
  const std::array<const RowText*, 1> rows = {&row};
  result.notes = raw.take_extra(header, rows);
  return result;
}

}  // namespace

Assembled assemble(const Header& header, std::span<const RowText> rows) {
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
