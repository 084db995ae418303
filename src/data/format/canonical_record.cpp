#include "../clone_id_scale.hpp"
#include "../letters.hpp"
#include "raw_record.hpp"

#include <tcrops/core/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::data {
namespace {

bool contains(const std::vector<Column>& columns, Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

bool is_human(std::string_view species) {
  std::string plain;
  for (const char c : to_lower(species)) {
    if (c >= 'a' && c <= 'z') plain += c;
  }
  return plain == "human" || plain == "homosapiens" || plain == "hs" || plain == "hsapiens" ||
         plain.starts_with("homosapienshuman");
}

Finding bad_text() { return {"bad-text", "not printable ASCII, or over 255 characters; left out"}; }

class Canoniser {
 public:
  Canoniser(const RawRecord& raw, const FormatSpec& format, const ReadOptions& options)
      : raw_(raw), format_(format), options_(options) {}

  ReadResult run() {
    record_.line = raw_.line;
    check_species();
    if (refused_) return std::move(result_);  // its genes would only be taken for human ones
    take_chain(raw_.alpha, Chain::kAlpha);
    take_chain(raw_.beta, Chain::kBeta);
    take_epitope();
    take_mhc();
    take_clone_id();
    take_label();
    take_fold();
    record_.extra = raw_.extra;
    require();
    if (!refused_) result_.record = std::move(record_);
    return std::move(result_);
  }

 private:
  void note(const RawValue& value, Action action, const Finding& finding) {
    result_.notes.push_back({value.line == 0 ? raw_.line : value.line, action, value.field,
                             std::string(finding.code), finding.reason});
    refused_ = refused_ || action == Action::kRefused;
  }

  // Takes over a value that was made canonical. What the reader has no use for cannot cost the
  // record.
  void take(Column column, const RawValue& raw, Canonical canonical) {
    if (canonical.refusal) {
      if (contains(options_.used, column)) {
        note(raw, Action::kRefused, *canonical.refusal);
      } else {
        note(raw, Action::kChanged,
             {canonical.refusal->code, canonical.refusal->reason + "; left out"});
      }
      return;
    }
    for (const Finding& change : canonical.changes) note(raw, Action::kChanged, change);
    for (const Finding& notice : canonical.notices) note(raw, Action::kNoticed, notice);
    record_[column] = std::move(canonical.value);
  }

  void check_species() {
    if (is_missing(raw_.species.text) || is_human(raw_.species.text)) return;
    note(raw_.species, Action::kRefused,
         {"species", "not a human receptor, and tcrops knows human genes only"});
  }

  void take_chain(const RawChain& chain, Chain which) {
    const bool is_alpha = which == Chain::kAlpha;
    const auto pick = [is_alpha](Column alpha, Column beta) { return is_alpha ? alpha : beta; };
    take(pick(Column::kVAlpha, Column::kVBeta), chain.v,
         canonical_gene(chain.v.text, which, Segment::kV));
    const Column j = pick(Column::kJAlpha, Column::kJBeta);
    take(j, chain.j, canonical_gene(chain.j.text, which, Segment::kJ));
    take(pick(Column::kCdr3Alpha, Column::kCdr3Beta), chain.cdr3,
         canonical_cdr3(chain.cdr3.text, which, chain.form, record_[j]));
    take(pick(Column::kCdr1Alpha, Column::kCdr1Beta), chain.cdr1, canonical_loop(chain.cdr1.text));
    take(pick(Column::kCdr2Alpha, Column::kCdr2Beta), chain.cdr2, canonical_loop(chain.cdr2.text));
    add_loops(which);
  }

  // CDR1 and CDR2 follow from the V gene where the file does not say them.
  void add_loops(Chain which) {
    const bool is_alpha = which == Chain::kAlpha;
    std::string& cdr1 = record_[is_alpha ? Column::kCdr1Alpha : Column::kCdr1Beta];
    std::string& cdr2 = record_[is_alpha ? Column::kCdr2Alpha : Column::kCdr2Beta];
    const std::string& v = record_[is_alpha ? Column::kVAlpha : Column::kVBeta];
    if (v.empty()) return;
    if (auto loops = loops_of(v)) {
      if (cdr1.empty()) cdr1 = std::move(loops->cdr1);
      if (cdr2.empty()) cdr2 = std::move(loops->cdr2);
    }
  }

  // Some tables write the epitope with its allele: "NLVPMVATV_HLA-A*02:01".
  void take_epitope() {
    RawValue epitope = raw_.epitope;
    const std::size_t end = epitope.text.find("_HLA-");
    if (end != std::string::npos) {
      allele_of_epitope_ = epitope.text.substr(end + 1);
      epitope.text.resize(end);
    }
    if (is_missing(epitope.text)) epitope.text = options_.epitope;
    take(Column::kEpitope, epitope, canonical_epitope(epitope.text));
  }

  void take_mhc() {
    RawValue mhc = raw_.mhc;
    if (is_missing(mhc.text)) mhc.text = allele_of_epitope_;
    if (is_missing(mhc.text)) mhc.text = options_.mhc;
    const std::string_view second = trim(raw_.mhc_second.text);
    if (!is_missing(mhc.text) && !is_missing(second) && to_upper(second) != "B2M") {
      mhc.text = fmt::format("{}/{}", mhc.text, second);
    }
    take(Column::kMhc, mhc, canonical_mhc(mhc.text));
  }

  void take_clone_id() {
    if (is_missing(raw_.clone_id.text)) return;
    const std::string& text = raw_.clone_id.text;
    const bool matters = contains(options_.used, Column::kCloneId);
    if (matters && contains(options_.required, Column::kCloneId) && !clone_number(text)) {
      note(raw_.clone_id, Action::kRefused, {"not-a-number", "is not a number"});
      return;
    }
    if (is_plain(text)) {
      record_[Column::kCloneId] = text;
    } else {
      note(raw_.clone_id, matters ? Action::kRefused : Action::kChanged, bad_text());
    }
  }

  [[nodiscard]] static bool is_plain(std::string_view text) {
    return text.size() <= kLongestText && std::all_of(text.begin(), text.end(), is_printable);
  }

  void take_fold() {
    std::string_view text = trim(raw_.fold.text);
    if (is_missing(text)) return;
    // pandas writes whole numbers as "2.0" where some are missing.
    const bool is_number = text.find_first_not_of("0123456789.") == std::string_view::npos;
    if (is_number && text.size() > 2 && text.ends_with(".0")) text.remove_suffix(2);
    if (is_plain(text)) {
      record_.fold = text;
    } else {
      note(raw_.fold, Action::kChanged, bad_text());
    }
  }

  void take_label() {
    const Canonical label = canonical_label(raw_.label.text);
    if (label.refusal && options_.label_rule == LabelRule::kRequired) {
      return note(raw_.label, Action::kRefused, *label.refusal);
    }
    if (label.refusal) {
      note(raw_.label, Action::kChanged,
           {label.refusal->code, label.refusal->reason + "; left out"});
    }
    if (!label.value.empty()) {
      record_.label = label.value == "1";
    } else if (is_missing(raw_.label.text) && raw_.label.field.empty() &&
               format_.label == ImpliedLabel::kPositive && !is_missing(raw_.epitope.text)) {
      record_.label = true;
    } else if (options_.label_rule == LabelRule::kRequired) {
      note({"", raw_.line, std::string(raw_.label.field.empty() ? kLabelColumn : raw_.label.field)},
           Action::kRefused, {"missing", "the value is missing"});
    }
    take_origin();
  }

  void take_origin() {
    if (!record_.label || *record_.label) return;
    const std::string text = to_lower(trim(raw_.origin.text));
    if (const auto origin = origin_named(text); origin && *origin != Origin::kNone) {
      record_.origin = *origin;
    } else if (text.find("swap") != std::string::npos ||
               text.find("shuffle") != std::string::npos) {
      record_.origin = Origin::kSwapped;
    } else if (text.find("control") != std::string::npos) {
      record_.origin = Origin::kBackground;
    } else {
      record_.origin = format_.origin;
    }
  }

  [[nodiscard]] const RawValue& raw_of(Column column) const {
    switch (column) {
      case Column::kCdr3Alpha:
        return raw_.alpha.cdr3;
      case Column::kCdr3Beta:
        return raw_.beta.cdr3;
      case Column::kVAlpha:
        return raw_.alpha.v;
      case Column::kVBeta:
        return raw_.beta.v;
      case Column::kJAlpha:
        return raw_.alpha.j;
      case Column::kJBeta:
        return raw_.beta.j;
      case Column::kEpitope:
        return raw_.epitope;
      case Column::kCloneId:
        return raw_.clone_id;
      case Column::kMhc:
        return raw_.mhc;
      case Column::kCdr1Alpha:
        return raw_.alpha.cdr1;
      case Column::kCdr2Alpha:
        return raw_.alpha.cdr2;
      case Column::kCdr1Beta:
        return raw_.beta.cdr1;
      default:
        return raw_.beta.cdr2;
    }
  }

  void require() {
    if (refused_) return;
    for (const Column column : options_.required) {
      if (!record_[column].empty()) continue;
      const RawValue& raw = raw_of(column);
      note({"", raw.line, raw.field.empty() ? std::string(column_name(column)) : raw.field},
           Action::kRefused, {"missing", "the value is missing"});
      return;
    }
    if (record_[Column::kCdr3Alpha].empty() && record_[Column::kCdr3Beta].empty()) {
      note({"", raw_.line, raw_.beta.cdr3.field}, Action::kRefused,
           {"no-cdr3", "neither chain has a CDR3"});
    }
  }

  const RawRecord& raw_;
  const FormatSpec& format_;
  const ReadOptions& options_;
  Record record_;
  ReadResult result_;
  std::string allele_of_epitope_;
  bool refused_ = false;
};

}  // namespace

ReadResult make_canonical(const RawRecord& raw, const FormatSpec& format,
                          const ReadOptions& options) {
  return Canoniser(raw, format, options).run();
}

}  // namespace tcrops::data
