// That neither MHC nor missing columns tell negatives, and that what is known outside all parts
// rules pairs out.
#include "negatives_support.hpp"

#include <algorithm>
#include <catch_all.hpp>
#include <map>
#include <tuple>

namespace tcrops::data {
namespace {

// What stands for a TCR's missing columns in the tests below.
bool lacks_alpha(const Record& record) { return record[Column::kCdr3Alpha].empty(); }

void remove_alpha(Record& record) {
  for (const Column column : {Column::kCdr3Alpha, Column::kVAlpha, Column::kJAlpha}) {
    record[column] = "";
  }
}

// Two parts whose epitopes have their MHCs and their TCRs without alpha in shares of their own.
struct Mixed {
  std::vector<Record> records;
  std::vector<std::size_t> parts;
};
Mixed mixed_table() {
  Mixed table;
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::size_t e = i % 8;
    const std::size_t part = i / 1000;
    const std::string beta = std::string("CAS") + letters[i / 400] + letters[i / 400] +
                             letters[i / 20 % 20] + letters[i / 20 % 20] + letters[i % 20] +
                             letters[i % 20] + "F";
    table.records.push_back(make_record(beta, kEpitopes[e], true));
    const std::size_t nth = i / 8;
    table.records.back()[Column::kMhc] = kMhcs[nth % (2 + e) % 3 == part ? 0 : 1 + nth % 2];
    if (nth % 10 <= e) remove_alpha(table.records.back());
    table.parts.push_back(part);
  }
  return table;
}

using Group = std::tuple<std::size_t, std::string, bool>;  // part, epitope, lacks alpha
using MhcCounts = std::map<std::string, std::size_t>;

std::map<Group, MhcCounts> mhc_counts(const std::vector<Record>& records,
                                      const std::vector<std::size_t>& parts) {
  std::map<Group, MhcCounts> counts;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const Record& record = records[i];
    if (parts[i] == kNoPart || record[Column::kEpitope].empty()) continue;
    ++counts[{parts[i], record[Column::kEpitope], lacks_alpha(record)}][record[Column::kMhc]];
  }
  return counts;
}

std::size_t total(const MhcCounts& counts) {
  std::size_t sum = 0;
  for (const auto& [mhc, count] : counts) sum += count;
  return sum;
}

// Every MHC of the binders was dealt equally often, up to one unfinished turn.
void check_mhcs(const std::map<Group, MhcCounts>& binders, const Negatives& negatives) {
  for (const auto& [group, drawn] : mhc_counts(negatives.records, negatives.parts)) {
    MhcCounts bound = binders.at(group);
    const std::size_t turns = total(drawn) / total(bound);
    const std::size_t unfinished = total(drawn) % total(bound) == 0 ? 0 : 1;
    for (const auto& [mhc, count] : drawn) CHECK(bound.contains(mhc));
    for (const auto& [mhc, count] : bound) {
      const auto at = drawn.find(mhc);
      const std::size_t times = at == drawn.end() ? 0 : at->second;
      CHECK(times >= turns * count);
      CHECK(times <= (turns + unfinished) * count);
    }
  }
}

}  // namespace

TEST_CASE("swapped negatives have the MHCs and the missing columns of the binders") {
  Mixed table = mixed_table();
  const auto binders = mhc_counts(table.records, table.parts);
  // What has no part has no say in it.
  Record outside = make_record("CWWWWWWWWF", kEpitopes[0], true);
  outside[Column::kMhc] = "HLA-C*07:02";
  table.records.push_back(outside);
  table.parts.push_back(kNoPart);
  const Negatives negatives = swapped_negatives(table.records, table.parts, {2, 3});
  CHECK(negatives.shortage == 0);
  CHECK(negatives.unmatched == 0);
  check_mhcs(binders, negatives);
  const auto drawn = mhc_counts(negatives.records, negatives.parts);
  for (const auto& [group, bound] : binders) {
    CHECK(static_cast<double>(total(drawn.at(group))) / static_cast<double>(total(bound)) ==
          Catch::Detail::Approx(2.0).epsilon(0.45));
  }
  // Who gets which MHC is a matter of the seed.
  const auto other = swapped_negatives(table.records, table.parts, {2, 4});
  CHECK((listing(other) != listing(negatives)));
  check_mhcs(binders, other);
  // A model that does not see the alpha chain need not mind who has one.
  const std::vector<Column> beta = {Column::kCdr3Beta};
  const Negatives blind = swapped_negatives(table.records, table.parts, {2, 3}, beta);
  std::size_t without = 0;
  for (const Record& record : blind.records) {
    without += record[Column::kEpitope] == kEpitopes[0] && lacks_alpha(record) ? 1 : 0;
  }
  std::size_t matched = 0;
  for (std::size_t part = 0; part < 2; ++part)
    matched += total(drawn.at({part, kEpitopes[0], true}));
  CHECK(without > 2 * matched);
}

TEST_CASE("background negatives have the MHCs and the missing columns of the binders") {
  Mixed table = mixed_table();
  const auto binders = mhc_counts(table.records, table.parts);
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 400; ++i) {
    Record control = make_record(std::string("CAWYG") + letters[i / 20] + letters[i / 20] +
                                     letters[i % 20] + letters[i % 20] + "GYWF",
                                 "", false);
    control[Column::kMhc] = "HLA-C*07:02";
    if (i % 4 == 0) remove_alpha(control);
    table.records.push_back(control);
    table.parts.push_back(i / 4 % 2);
  }
  const Negatives negatives = background_negatives(table.records, table.parts, {1, 3});
  check_mhcs(binders, negatives);
  // Of each epitope as many without alpha as it has binders without, as far as there are controls.
  std::size_t missing = 0;
  const auto drawn = mhc_counts(negatives.records, negatives.parts);
  for (const auto& [group, bound] : binders) {
    const std::size_t controls = std::get<2>(group) ? 50 : 150;
    const std::size_t got = std::min(controls, total(bound));
    CHECK(total(drawn.at(group)) == got);
    missing += total(bound) - got;
  }
  CHECK(missing > 0);
  CHECK(negatives.shortage == missing);
  CHECK(negatives.unmatched == 0);
}

TEST_CASE("what is due to positives whose missing columns nobody else has is counted apart") {
  std::vector<Record> records = {
      make_record("CASSAAF", "GILGFVFTL", true), make_record("CASSWWWWF", "NLVPMVATV", true),
      make_record("CASSKKKKKKF", "KCYGVSPTK", true), make_record("CAWYGGGGGGGGYF", "", false)};
  remove_alpha(records[2]);
  const std::vector<std::size_t> parts(4, 0);
  const Negatives swapped = swapped_negatives(records, parts, {3, 1});
  CHECK(swapped.records.size() == 2);
  CHECK(swapped.shortage == 7);
  CHECK(swapped.unmatched == 3);
  const Negatives background = background_negatives(records, parts, {1, 1});
  CHECK(background.records.size() == 2);
  CHECK(background.shortage == 1);
  CHECK(background.unmatched == 1);
  const std::vector<Column> beta = {Column::kCdr3Beta, Column::kVBeta};
  CHECK(swapped_negatives(records, parts, {2, 1}, beta).shortage == 0);
  CHECK(background_negatives(records, parts, {1, 1}, beta).shortage == 0);
}

TEST_CASE("what is known outside all parts rules pairs out, also of TCRs that only stand there") {
  // Sixty TCRs bind the first epitope; that they also bind the second, only rows without part say:
  // of the TCR itself, of a near duplicate, or of its beta chain, by turns.
  std::vector<Record> records;
  std::vector<std::size_t> parts;
  const auto add = [&](const Record& record, std::size_t part) {
    records.push_back(record);
    parts.push_back(part);
  };
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  const auto beta_of = [&](const std::string& start, std::size_t i) {
    return start + letters[i / 20] + letters[i / 20] + letters[i % 20] + letters[i % 20] + "F";
  };
  for (std::size_t i = 0; i < 60; ++i) {
    add(make_record(beta_of("CASSGG", i), "GILGFVFTL", true), 0);
    add(make_record(beta_of("CWKNVVVVPPP", i), "NLVPMVATV", true), 0);
    add(make_record(beta_of("CHHHHTTTTDDDEEEEE", i), "", false), 0);  // a control
  }
  const auto with_nlv = [](const Negatives& negatives, const std::string& start) {
    return std::count_if(negatives.records.begin(), negatives.records.end(),
                         [&](const Record& record) {
                           return record[Column::kEpitope] == "NLVPMVATV" &&
                                  record[Column::kCdr3Beta].starts_with(start);
                         });
  };
  CHECK(with_nlv(swapped_negatives(records, parts, {1, 1}), "CASS") == 60);
  CHECK(with_nlv(background_negatives(records, parts, {1, 1}), "CHHH") == 60);
  for (std::size_t i = 0; i < 60; ++i) {
    for (const char* start : {"CASSGG", "CHHHHTTTTDDDEEEEE"}) {
      Record known = make_record(beta_of(start, i), "NLVPMVATV", true);
      if (i % 3 == 1) known[Column::kCdr3Beta].insert(5, "G");
      if (i % 3 == 2) known = Record{};
      known[Column::kEpitope] = "NLVPMVATV";
      known.label = true;
      if (i % 3 == 2) known[Column::kCdr3Beta] = beta_of(start, i);
      add(known, kNoPart);
    }
  }
  const Negatives swapped = swapped_negatives(records, parts, {1, 1});
  CHECK(with_nlv(swapped, "CASS") == 0);
  CHECK(swapped.records.size() == 60);  // of the binders of the second with the first
  const Negatives background = background_negatives(records, parts, {1, 1});
  CHECK(with_nlv(background, "CHHH") == 0);
  // A third of the controls bind something now, so they are none; the others do for the first.
  CHECK(background.records.size() == 40);
  check_negatives(records, swapped);
  check_negatives(records, background);
}

}  // namespace tcrops::data
