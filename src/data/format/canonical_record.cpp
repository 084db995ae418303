#include "../canonical_quick.hpp"
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
  // Uses the raw record up, and fills the result.
  Canoniser(RawRecord& raw, ReadResult& result, const FormatSpec& format,
            const ReadOptions& options)
      : raw_(raw),
        format_(format),
        options_(options),
        result_(result),
        record_(result.record.emplace()) {}

  void run() {
    record_.line = raw_.line;
    check_species();
    if (!refused_) take_values();  // genes of others would only be taken for human ones
    if (refused_) result_.record.reset();
  }

 private:
  void take_values() {
    take_chain(raw_.alpha, Chain::kAlpha);
    take_chain(raw_.beta, Chain::kBeta);
    take_epitope();
    take_mhc();
    take_clone_id();
    take_label();
    take_fold();
    record_.extra = std::move(raw_.extra);
    require();
  }

  void note(const RawValue& value, Action action, Finding finding) {
    refused_ = refused_ || action == Action::kRefused;
    if (action != Action::kRefused && !options_.keeps_notes) return;
    result_.notes.push_back({value.line == 0 ? raw_.line : value.line, action,
                             std::string(value.field), std::string(finding.code),
                             std::move(finding.reason)});
  }

  // Takes over a value that was made canonical. What the reader has no use for cannot cost the
  // record.
  void take(Column column, const RawValue& raw, Canonical canonical) {
    if (canonical.refusal) {
      if (contains(options_.used, column)) {
        note(raw, Action::kRefused, std::move(*canonical.refusal));
      } else {
        note(raw, Action::kChanged,
             {canonical.refusal->code, canonical.refusal->reason + "; left out"});
      }
      return;
    }
    for (Finding& change : canonical.changes) note(raw, Action::kChanged, std::move(change));
    for (Finding& notice : canonical.notices) note(raw, Action::kNoticed, std::move(notice));
    record_[column] = std::move(canonical.value);
  }

  void check_species() {
    const std::string_view species =
        raw_.both_species.empty() ? raw_.species.text : std::string_view(raw_.both_species);
    if (is_missing(species) || is_human(species)) return;
    note(raw_.species, Action::kRefused,
         {"species", "not a human receptor, and tcrops knows human genes only"});
  }

  // Null when the gene is not one that is known by this very text.
  const KnownAllele* take_gene(Column column, const RawValue& raw, Chain chain, Segment segment) {
    const KnownAllele* const known = raw.text.empty() ? nullptr : known_allele(raw.text);
    if (known != nullptr && known->chain == chain && known->segment == segment) {
      record_[column] = raw.text;
      return known;
    }
    take(column, raw, canonical_gene(raw.text, chain, segment));
    return nullptr;
  }

  void take_cdr3(Column column, const RawChain& chain, Chain which, Column j) {
    if (chain.form == Cdr3Form::kWhole && is_canonical_cdr3(chain.cdr3.text)) {
      record_[column] = chain.cdr3.text;
    } else {
      take(column, chain.cdr3, canonical_cdr3(chain.cdr3.text, which, chain.form, record_[j]));
    }
  }

  void take_loop(Column column, const RawValue& raw) {
    if (raw.text.empty()) return;
    if (is_canonical_loop(raw.text)) {
      record_[column] = raw.text;
    } else {
      take(column, raw, canonical_loop(raw.text));
    }
  }

  void take_chain(const RawChain& chain, Chain which) {
    const bool is_alpha = which == Chain::kAlpha;
    const auto pick = [is_alpha](Column alpha, Column beta) { return is_alpha ? alpha : beta; };
    const Column v = pick(Column::kVAlpha, Column::kVBeta);
    const Column j = pick(Column::kJAlpha, Column::kJBeta);
    const Column cdr1 = pick(Column::kCdr1Alpha, Column::kCdr1Beta);
    const Column cdr2 = pick(Column::kCdr2Alpha, Column::kCdr2Beta);
    const KnownAllele* const known = take_gene(v, chain.v, which, Segment::kV);
    take_gene(j, chain.j, which, Segment::kJ);
    take_cdr3(pick(Column::kCdr3Alpha, Column::kCdr3Beta), chain, which, j);
    take_loop(cdr1, chain.cdr1);
    take_loop(cdr2, chain.cdr2);
    if (known != nullptr) {
      if (known->loops != nullptr) add_loops(cdr1, cdr2, *known->loops);
    } else if (!record_[v].empty()) {
      if (const auto loops = loops_of(record_[v])) add_loops(cdr1, cdr2, *loops);
    }
  }

  // CDR1 and CDR2 follow from the V gene where the file does not say them.
  void add_loops(Column cdr1, Column cdr2, const Loops& loops) {
    if (record_[cdr1].empty()) record_[cdr1] = loops.cdr1;
    if (record_[cdr2].empty()) record_[cdr2] = loops.cdr2;
  }

  // Some tables write the epitope with its allele: "NLVPMVATV_HLA-A*02:01".
  void take_epitope() {
    RawValue epitope = raw_.epitope;
    if (is_canonical_epitope(epitope.text)) {
      record_[Column::kEpitope] = epitope.text;
      return;
    }
    const std::size_t end = epitope.text.find("_HLA-");
    if (end != std::string_view::npos) {
      allele_of_epitope_ = epitope.text.substr(end + 1);
      epitope.text = epitope.text.substr(0, end);
    }
    if (is_missing(epitope.text)) epitope.text = options_.epitope;
    take(Column::kEpitope, epitope, canonical_epitope(epitope.text));
  }

  void take_mhc() {
    RawValue mhc = raw_.mhc;
    if (is_missing(mhc.text)) mhc.text = allele_of_epitope_;
    if (is_missing(mhc.text)) mhc.text = options_.mhc;
    const std::string_view second = trim(raw_.mhc_second.text);
    std::string pair;
    if (!is_missing(mhc.text) && !is_missing(second) && to_upper(second) != "B2M") {
      pair = fmt::format("{}/{}", mhc.text, second);
      mhc.text = pair;
    }
    if (is_canonical_mhc(mhc.text)) {
      record_[Column::kMhc] = mhc.text;
    } else {
      take(Column::kMhc, mhc, canonical_mhc(mhc.text));
    }
  }

  void take_clone_id() {
    if (is_missing(raw_.clone_id.text)) return;
    const std::string_view text = raw_.clone_id.text;
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
      note({"", raw_.line, raw_.label.field.empty() ? kLabelColumn : raw_.label.field},
           Action::kRefused, {"missing", "the value is missing"});
    }
    take_origin();
  }

  void take_origin() {
    if (!record_.label || *record_.label) return;
    record_.origin = format_.origin;
    if (raw_.origin.text.empty()) return;
    const std::string text = to_lower(trim(raw_.origin.text));
    if (const auto origin = origin_named(text); origin && *origin != Origin::kNone) {
      record_.origin = *origin;
    } else if (text.find("swap") != std::string::npos ||
               text.find("shuffle") != std::string::npos) {
      record_.origin = Origin::kSwapped;
    } else if (text.find("control") != std::string::npos) {
      record_.origin = Origin::kBackground;
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
      note({"", raw.line, raw.field.empty() ? column_name(column) : raw.field}, Action::kRefused,
           {"missing", "the value is missing"});
      return;
    }
    if (record_[Column::kCdr3Alpha].empty() && record_[Column::kCdr3Beta].empty()) {
      note({"", raw_.line, raw_.beta.cdr3.field}, Action::kRefused,
           {"no-cdr3", "neither chain has a CDR3"});
    }
  }

  RawRecord& raw_;
  const FormatSpec& format_;
  const ReadOptions& options_;
  ReadResult& result_;
  Record& record_;
  std::string_view allele_of_epitope_;
  bool refused_ = false;
};

}  // namespace

ReadResult make_canonical(Assembled&& assembled, const FormatSpec& format,
                          const ReadOptions& options) {
  ReadResult result;
  result.notes = std::move(assembled.notes);
  if (assembled.record) Canoniser(*assembled.record, result, format, options).run();
  return result;
}

}  // namespace tcrops::data
