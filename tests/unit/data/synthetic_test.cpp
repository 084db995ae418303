#include "fixtures.hpp"

#include <tcrops/core/sha256.hpp>
#include <tcrops/data/encoder.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>

#include <catch_all.hpp>
#include <map>
#include <set>
#include <sstream>

namespace tcrops::data {
namespace {

std::string generate(const SyntheticOptions& options, std::uint64_t seed) {
  std::string text;
  generate_synthetic(options, seed, [&](std::string_view piece) { text += piece; });
  return text;
}

Table read(const std::string& text) {
  std::istringstream in(text);
  return read_table(in, "synthetic", all_columns(), LabelRule::kRequired);
}

}  // namespace

TEST_CASE("the same seed gives the same bytes, another seed other ones") {
  const SyntheticOptions options{300, 5, 0.8};
  CHECK(sha256_hex(generate(options, 1)) == sha256_hex(generate(options, 1)));
  CHECK(sha256_hex(generate(options, 1)) != sha256_hex(generate(options, 2)));
}

TEST_CASE("a synthetic table is a proper pair table") {
  const std::string text = generate({600, 6, 0.9}, 3);
  const Table table = read(text);
  CHECK(table.refusals.empty());
  REQUIRE(table.records.size() == 3600);
  CHECK(format_table_csv(table.records) == text);
  std::map<std::string, std::size_t> binders;
  std::set<std::string> tcrs;
  for (const Record& record : table.records) {
    tcrs.insert(tcr_key(record));
    binders[record[Column::kEpitope]] += *record.label ? 1 : 0;
    CHECK(record[Column::kEpitope].size() == 9);
    for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
      const std::string& cdr3 = record[column];
      const bool good = cdr3.size() >= 9 && cdr3.size() <= 19 && cdr3.front() == 'C' &&
                        (cdr3.back() == 'F' || cdr3.back() == 'W');
      CHECK(good);
    }
  }
  CHECK(tcrs.size() == 600);
  CHECK(binders.size() == 6);
  for (const auto& [epitope, count] : binders) CHECK(count == 100);
  const auto encoder = fit_scalar_encoder(table.records, all_columns());
  CHECK(encoder->feature_width() > 100);
}

TEST_CASE("binders carry their motif as often as asked") {
  const auto share_of_commonest = [](double strength) {
    const Table table = read(generate({1000, 2, strength}, 5));
    std::map<std::string, std::map<std::string, std::size_t>> motifs;
    for (const Record& record : table.records) {
      if (*record.label) {
        ++motifs[record[Column::kEpitope]][record[Column::kCdr3Beta].substr(4, 4)];
      }
    }
    std::size_t most = 0;
    for (const auto& [epitope, counts] : motifs) {
      for (const auto& [motif, count] : counts) most = std::max(most, count);
    }
    return static_cast<double>(most) / 500.0;
  };
  CHECK(share_of_commonest(1.0) == Approx(1.0));
  CHECK(share_of_commonest(0.6) == Approx(0.6).margin(0.08));
  CHECK(share_of_commonest(0.0) < 0.1);
}

TEST_CASE("impossible options are refused") {
  const auto fails = [](const SyntheticOptions& options, const std::string& part) {
    return fails_with(ExitCode::kConfiguration, part, [&] { (void)generate(options, 1); });
  };
  CHECK(fails({0, 6, 0.9}, "tcrs is 0"));
  CHECK(fails({10, 0, 0.9}, "epitopes is 0"));
  CHECK(fails({10, 6, 1.5}, "motif_strength is 1.5"));
  CHECK(read(generate({1, 1, 1.0}, 1)).records.size() == 1);
  CHECK(read(generate({50, 40, 1.0}, 1)).records.size() == 2000);
}

}  // namespace tcrops::data
