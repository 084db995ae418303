#include "row_view.hpp"

#include "encoding.hpp"

#include <tcrops/core/text.hpp>

#include <algorithm>

namespace tcrops::data {

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
  // Chains of two species are no receptor of either.
  const std::string_view species = row.text(Role::kSpecies);
  if (!is_missing(species) && species != raw.species.text)
    raw.species.text.append("|").append(species);
  return raw;
}

namespace {

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
      for (std::size_t i = 1; i < rows.size(); ++i)
        text += kBetweenChains + rows[i]->fields[column];
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

}  // namespace

RawRecord single(const Header& header, const SourceRow& row) {
  RawRecord raw;
  raw.line = row.line;
  return with_pair_values(std::move(raw), {header, row});
}

Assembled with_extra(RawRecord raw, const Header& header,
                     const std::vector<const SourceRow*>& rows) {
  Extra extra = joined_extra(header, rows);
  raw.extra = std::move(extra.values);
  return {std::move(raw), std::move(extra.notes)};
}

std::optional<Chain> chain_named(std::string_view text) {
  const std::string upper = to_upper(trim(text));
  if (upper.starts_with("TRA") || upper == "ALPHA") return Chain::kAlpha;
  if (upper.starts_with("TRB") || upper == "BETA") return Chain::kBeta;
  return std::nullopt;
}

}  // namespace tcrops::data
