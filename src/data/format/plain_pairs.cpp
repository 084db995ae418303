#include "plain_pairs.hpp"

#include "../canonical_quick.hpp"
#include "../clone_id_scale.hpp"
#include "../letters.hpp"

#include <algorithm>
#include <limits>

namespace tcrops::data {
namespace {

bool contains(const std::vector<Column>& columns, Column column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

// Whether rows of such a table can be pairs and no more.
bool are_pairs(const Header& header, const ReadOptions& options) {
  constexpr std::array kFurther = {Role::kOrigin, Role::kFold, Role::kSpecies, Role::kMhcSecond};
  const FormatSpec& format = *header.format;
  const bool labels_are_said =
      header.at(Role::kLabel) ||
      (options.label_rule == LabelRule::kOptional && format.label == ImpliedLabel::kNone);
  return format.layout == Layout::kPairs && format.cdr3 == Cdr3Form::kWhole && labels_are_said &&
         std::none_of(kFurther.begin(), kFurther.end(),
                      [&](Role role) { return header.at(role).has_value(); });
}

struct ChainColumns {
  Column cdr3, v, j, cdr1, cdr2;
};
constexpr ChainColumns kAlpha = {Column::kCdr3Alpha, Column::kVAlpha, Column::kJAlpha,
                                 Column::kCdr1Alpha, Column::kCdr2Alpha};
constexpr ChainColumns kBeta = {Column::kCdr3Beta, Column::kVBeta, Column::kJBeta,
                                Column::kCdr1Beta, Column::kCdr2Beta};

Role role_of(Column column) { return static_cast<Role>(column); }

}  // namespace

PlainPairs::PlainPairs(const Header& header, const ReadOptions& options)
    : header_(header),
      options_(options),
      applies_(are_pairs(header, options)),
      clone_id_is_number_(contains(options.used, Column::kCloneId) &&
                          contains(options.required, Column::kCloneId)) {
  constexpr auto kNowhere = std::numeric_limits<std::size_t>::max();
  for (std::size_t role = 0; role < kRoleCount; ++role)
    position_[role] = header.position[role].value_or(kNowhere);
}

bool PlainPairs::take(const RowText& row, Record& record) const {
  if (!applies_ || row.fields.size() != header_.names.size()) return false;
  record.line = row.line;
  return take_chain(row, Chain::kAlpha, record) && take_chain(row, Chain::kBeta, record) &&
         take_epitope_and_mhc(row, record) && take_clone_id(row, record) &&
         take_label(row, record) && take_extra(row, record) && is_complete(record);
}

bool PlainPairs::take_chain(const RowText& row, Chain chain, Record& record) const {
  const ChainColumns& columns = chain == Chain::kAlpha ? kAlpha : kBeta;
  const auto take = [&](Column column, auto is_canonical) {
    const std::string_view value = text(row, role_of(column));
    if (value.empty()) return true;
    if (!is_canonical(value)) return false;
    record[column] = value;
    return true;
  };
  const Loops* loops = nullptr;
  const auto is_gene = [&](Segment segment) {
    return [&loops, chain, segment](std::string_view value) {
      const KnownAllele* const known = known_allele(value);
      if (known == nullptr || known->chain != chain || known->segment != segment) return false;
      if (known->loops != nullptr) loops = known->loops;
      return true;
    };
  };
  if (!take(columns.cdr3, is_canonical_cdr3) || !take(columns.v, is_gene(Segment::kV)) ||
      !take(columns.j, is_gene(Segment::kJ)) || !take(columns.cdr1, is_canonical_loop) ||
      !take(columns.cdr2, is_canonical_loop))
    return false;
  if (loops != nullptr && record[columns.cdr1].empty()) record[columns.cdr1] = loops->cdr1;
  if (loops != nullptr && record[columns.cdr2].empty()) record[columns.cdr2] = loops->cdr2;
  return true;
}

bool PlainPairs::take_epitope_and_mhc(const RowText& row, Record& record) const {
  const std::string_view epitope = text(row, Role::kEpitope);
  const std::string_view mhc = text(row, Role::kMhc);
  if (epitope.empty() ? !options_.epitope.empty() : !is_canonical_epitope(epitope)) return false;
  if (mhc.empty() ? !options_.mhc.empty() : !is_canonical_mhc(mhc)) return false;
  record[Column::kEpitope] = epitope;
  record[Column::kMhc] = mhc;
  return true;
}

bool PlainPairs::take_clone_id(const RowText& row, Record& record) const {
  const std::string_view id = text(row, Role::kCloneId);
  if (is_missing(id)) return true;
  if (clone_id_is_number_ && !clone_number(id)) return false;
  if (id.size() > kLongestText || !std::all_of(id.begin(), id.end(), is_printable)) return false;
  record[Column::kCloneId] = id;
  return true;
}

bool PlainPairs::take_label(const RowText& row, Record& record) const {
  if (!header_.at(Role::kLabel)) return true;
  const std::string_view label = text(row, Role::kLabel);
  if (label.empty()) return options_.label_rule == LabelRule::kOptional;
  if (label != "0" && label != "1") return false;
  record.label = label == "1";
  if (label == "0") record.origin = header_.format->origin;
  return true;
}

// Whether text beyond ASCII is UTF-8 is for others to say.
bool PlainPairs::take_extra(const RowText& row, Record& record) const {
  record.extra.reserve(header_.extra.size());
  for (const std::size_t column : header_.extra) {
    const std::string_view value = row.fields[column];
    if (std::any_of(value.begin(), value.end(), [](char c) { return (c & 0x80) != 0; }))
      return false;
    record.extra.emplace_back(value);
  }
  return true;
}

bool PlainPairs::is_complete(const Record& record) const {
  if (record[Column::kCdr3Alpha].empty() && record[Column::kCdr3Beta].empty()) return false;
  return std::none_of(options_.required.begin(), options_.required.end(),
                      [&](Column column) { return record[column].empty(); });
}

}  // namespace tcrops::data
