// A canonical value is its own canonical form, and never comes with a refusal.
#include "fuzz.hpp"

#include <tcrops/data/canonical.hpp>

#include <array>
#include <functional>

namespace {

using tcrops::data::Canonical;
using tcrops::data::Cdr3Form;
using tcrops::data::Chain;
using tcrops::data::Segment;
using tcrops::fuzz::require;

using Function = std::function<Canonical(const std::string&)>;

void check(const std::string& text, const Function& canonical, const Function& again) {
  const Canonical first = canonical(text);
  if (tcrops::data::is_missing(text)) {
    require(first.value.empty() && !first.refusal, "a missing text is a missing value");
  }
  require(!first.refusal || first.value.empty(), "a refused text has no value");
  require(first.value.size() <= text.size() + 40, "a value is hardly longer than its text");
  for (const char c : first.value) require(c > ' ' && c <= '~', "a value is printable");
  if (first.value.empty()) return;
  const Canonical second = again(first.value);
  require(!second.refusal, "a canonical value is not refused");
  require(second.value == first.value, "a canonical value stays");
  require(second.changes.empty(), "a canonical value is not changed");
}

void check(const std::string& text, const Function& canonical) {
  check(text, canonical, canonical);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcrops::fuzz::Bytes bytes(data, size);
  const std::size_t kind = bytes.below(6);
  const Chain chain = bytes.below(2) == 0 ? Chain::kAlpha : Chain::kBeta;
  const Segment segment = bytes.below(2) == 0 ? Segment::kV : Segment::kJ;
  const auto form = static_cast<Cdr3Form>(bytes.below(3));
  const std::string text = bytes.rest();
  if (kind == 0) {
    const std::string j_gene(chain == Chain::kBeta    ? "TRBJ2-7*01"
                             : segment == Segment::kV ? "TRAJ33*01"
                                                      : "TRAJ35*01");
    check(
        text, [&](const std::string& t) { return canonical_cdr3(t, chain, form, j_gene); },
        [&](const std::string& t) { return canonical_cdr3(t, chain, Cdr3Form::kWhole, j_gene); });
  } else if (kind == 1) {
    check(text, tcrops::data::canonical_loop);
  } else if (kind == 2) {
    check(text, tcrops::data::canonical_epitope);
  } else if (kind == 3) {
    check(text, tcrops::data::canonical_mhc);
  } else if (kind == 4) {
    check(text, [&](const std::string& t) { return canonical_gene(t, chain, segment); });
  } else {
    check(text, tcrops::data::canonical_label);
  }
  return 0;
}

std::vector<std::string> tcrops::fuzz::seeds(const std::vector<std::string>& tables) {
  constexpr std::array kTexts = {"CASSIRSSYEQYF",
                                 "ASSIRSSYEQY",
                                 "YFCASSIRSSYEQYFGPG",
                                 "cassf",
                                 "TGTGCCAGCAGTATAAGG",
                                 "NA",
                                 "SV..FSS",
                                 "GILGFVFTL",
                                 "NLVPMVATV + SCM(K5)",
                                 "AAA/BBB",
                                 "HLA-A*02:01:48",
                                 "A2",
                                 "DQ8",
                                 "HLA-DRA*01:01/HLA-DRB1*04:01",
                                 "HLA-DQA1*05:01/DQB1*02:01",
                                 "H2-Kb",
                                 "HLA-B*27:05, HLA-A*02",
                                 "B2M",
                                 "TRBV19",
                                 "trav29dv5*01",
                                 "TCRBV06-05*00",
                                 "TRBV6-2/6-3",
                                 "TRBV12-3/TRBV12-4",
                                 "TRBV20",
                                 "Homsap TRBV19*01 F",
                                 "TRAJ5-01",
                                 "TRBJ2S7",
                                 "TRBV6S4",
                                 "TRAV12*2-01",
                                 "1.0",
                                 "yes"};
  std::vector<std::string> all;
  for (char kind = 0; kind < 6; ++kind) {
    for (const char choice : {'\0', '\1', '\2'}) {
      const std::string first{kind, choice, static_cast<char>(choice >> 1), choice};
      for (const std::string text : kTexts) all.push_back(first + text);
    }
  }
  (void)tables;  // single values are enough
  return all;
}
