// What a canonical value says of itself, in a form that is easy to compare.
#pragma once

#include <tcrops/data/canonical.hpp>

#include <string>
#include <vector>

namespace tcrops::data {

// "value", then "+code" for each change, "?code" for each notice; "!code" for a refusal.
inline std::string told(const Canonical& result) {
  std::string out = result.value;
  for (const Finding& change : result.changes) out.append(" +").append(change.code);
  for (const Finding& notice : result.notices) out.append(" ?").append(notice.code);
  if (result.refusal) out.append("!").append(result.refusal->code);
  return out;
}

inline std::string alpha_v(std::string_view text) {
  return told(canonical_gene(text, Chain::kAlpha, Segment::kV));
}
inline std::string beta_v(std::string_view text) {
  return told(canonical_gene(text, Chain::kBeta, Segment::kV));
}
inline std::string alpha_j(std::string_view text) {
  return told(canonical_gene(text, Chain::kAlpha, Segment::kJ));
}
inline std::string beta_j(std::string_view text) {
  return told(canonical_gene(text, Chain::kBeta, Segment::kJ));
}

}  // namespace tcrops::data
