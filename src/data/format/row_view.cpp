#include "row_view.hpp"

#include "encoding.hpp"

#include <tcrops/core/text.hpp>

#include <algorithm>

namespace tcrops::data {

void RawRecord::take_pair_values(const RowView& row) {
  const auto take = [&](RawValue& value, Role role) {
    if (is_missing(value.text)) value = row.value(role);
  };
  take(epitope, Role::kEpitope);
  take(mhc, Role::kMhc);
  take(mhc_second, Role::kMhcSecond);
  take(clone_id, Role::kCloneId);
  take(label, Role::kLabel);
  take(origin, Role::kOrigin);
  take(fold, Role::kFold);
  take(species, Role::kSpecies);
  // Chains of two species are no receptor of either.
  const std::string_view other = row.text(Role::kSpecies);
  if (!is_missing(other) && other != species.text)
    both_species.assign(species.text).append("|").append(other);
}

std::vector<Note> RawRecord::take_extra(const Header& header,
                                        std::span<const RowText* const> rows) {
  std::vector<Note> notes;
  extra.reserve(header.extra.size());
  for (const std::size_t column : header.extra) {
    const auto same = [&](const RowText* row) {
      return row->fields[column] == rows.front()->fields[column];
    };
    std::string text(rows.front()->fields[column]);
    if (!std::all_of(rows.begin(), rows.end(), same)) {
      for (const RowText* row : rows.subspan(1)) (text += kBetweenChains) += row->fields[column];
    }
    if (std::string unicode = as_utf8(text); unicode != text) {
      notes.push_back({rows.front()->line, Action::kChanged, header.names[column], "not-utf8",
                       "not UTF-8; taken for Windows-1252"});
      text = std::move(unicode);
    }
    extra.push_back(std::move(text));
  }
  return notes;
}

std::optional<Chain> chain_named(std::string_view text) {
  const std::string upper = to_upper(trim(text));
  if (upper.starts_with("TRA") || upper == "ALPHA") return Chain::kAlpha;
  if (upper.starts_with("TRB") || upper == "BETA") return Chain::kBeta;
  return std::nullopt;
}

}  // namespace tcrops::data
