#include "fixtures.hpp"

#include <tcrops/core/sha256.hpp>
#include <tcrops/data/encoder.hpp>
#include <tcrops/data/synthetic.hpp>
#include <tcrops/data/table.hpp>

#include <catch_all.hpp>
#include <cmath>
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

TEST_CASE("the bytes are those of the first release") {
  const auto hash = [](const SyntheticOptions& options, std::uint64_t seed) {
    return sha256_hex(generate(options, seed));
  };
  CHECK(hash({1200, 6, 0.9}, 7) ==
        "68c3b82789e13becccb33a7cc2831836fb31664e229ffb31da6eed12860377d7");
  CHECK(hash({3000, 40, 0.9}, 7) ==
        "35123548ff5f093a960c72c64375f32cbb719a08ddb60e880ee896e74214ddcb");
}

TEST_CASE("noise flips as many labels as asked and changes nothing else") {
  const Table clean = read(generate({2000, 4, 0.9}, 11));
  for (const double noise : {0.0, 0.05, 0.5, 1.0}) {
    const Table noisy = read(generate({2000, 4, 0.9, noise}, 11));
    REQUIRE(noisy.records.size() == clean.records.size());
    std::size_t flipped = 0;
    std::size_t flipped_positives = 0;
    bool same_otherwise = true;
    for (std::size_t i = 0; i < clean.records.size(); ++i) {
      const bool flip = clean.records[i].label != noisy.records[i].label;
      flipped += flip ? 1 : 0;
      flipped_positives += flip && *clean.records[i].label ? 1 : 0;
      same_otherwise = same_otherwise && clean.records[i].values == noisy.records[i].values;
    }
    CHECK(same_otherwise);
    // 8000 and 2000 draws: four standard deviations of 0.5 are 0.023 and 0.045.
    CHECK(static_cast<double>(flipped) / 8000 == Approx(noise).margin(0.023));
    CHECK(static_cast<double>(flipped_positives) / 2000 == Approx(noise).margin(0.045));
    if (noise == 0 || noise == 1) CHECK(flipped == (noise == 0 ? 0 : 8000));
  }
}

TEST_CASE("the truth says what was planted") {
  const SyntheticOptions options{900, 3, 1.0, 0.1};
  const Json truth = synthetic_truth(options, 4);
  CHECK(truth["schema"] == "tcrops.synthetic_truth/1");
  CHECK(truth["rows"] == 2700);
  CHECK(truth["noise"] == 0.1);
  CHECK(truth["motif_strength"] == 1.0);
  REQUIRE(truth["epitopes"].size() == 3);
  // Every binder has the motif where the truth says it is; nine in ten the genes.
  const Table table = read(generate({900, 3, 1.0}, 4));
  for (const Json& target : truth["epitopes"]) {
    std::size_t binders = 0;
    std::size_t motifs = 0;
    std::size_t genes = 0;
    for (const Record& record : table.records) {
      if (record[Column::kEpitope] != target["epitope"] || !*record.label) continue;
      ++binders;
      bool both = true;
      for (const Column column : {Column::kCdr3Alpha, Column::kCdr3Beta}) {
        const Json& planted = target[std::string(column_name(column))];
        const auto motif = planted["motif"].get<std::string>();
        const auto position = planted["position"].get<std::size_t>();
        both = both && record[column].substr(position - 1, motif.size()) == motif;
      }
      motifs += both && record[Column::kCdr3Beta].size() == target["CDR3_beta"]["length"] ? 1 : 0;
      genes +=
          record[Column::kVAlpha] == target["V_alpha"] && record[Column::kVBeta] == target["V_beta"]
              ? 1
              : 0;
      CHECK(record[Column::kMhc] == target["mhc"]);
    }
    CHECK(binders == 300);
    CHECK(motifs == 300);
    CHECK(static_cast<double>(genes) / 300 ==
          Approx(truth["gene_loyalty"].get<double>()).margin(0.08));
  }
  CHECK(fails_with(ExitCode::kConfiguration, "noise is 2", [] {
    (void)synthetic_truth({10, 2, 0.5, 2.0}, 1);
  }));
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
  CHECK(fails({10, 6, 0.5, -0.1}, "noise is -0.1"));
  CHECK(fails({10, 6, 0.5, std::nan("")}, "noise is nan"));
  CHECK(read(generate({1, 1, 1.0}, 1)).records.size() == 1);
  CHECK(read(generate({50, 40, 1.0}, 1)).records.size() == 2000);
}

}  // namespace tcrops::data
