#include "plain_similarity.hpp"
#include "real_tables.hpp"

#include <tcrops/data/similarity.hpp>

#include <catch_all.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <set>

namespace tcrops::data {
namespace {

Record tcr(const std::string& alpha, const std::string& beta) {
  Record record;
  record[Column::kCdr3Alpha] = alpha;
  record[Column::kCdr3Beta] = beta;
  return record;
}

bool near(const Record& a, const Record& b) { return near_duplicates(cdr3s_of(a), cdr3s_of(b)); }

// Components by repeated relabelling; a TCR without CDR3s is joined to its equals only.
std::vector<std::size_t> plain_clusters(const std::vector<Record>& records) {
  std::vector<std::size_t> label(records.size());
  std::iota(label.begin(), label.end(), std::size_t{0});
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < records.size(); ++i) {
      for (std::size_t j = 0; j < records.size(); ++j) {
        const bool joined =
            plain_near(records[i], records[j]) || tcr_key(records[i]) == tcr_key(records[j]);
        if (!joined || label[i] <= label[j]) continue;
        label[i] = label[j];
        changed = true;
      }
    }
  }
  return label;
}

bool same_partition(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::map<std::size_t, std::size_t> forth;
  std::map<std::size_t, std::size_t> back;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (forth.try_emplace(a[i], b[i]).first->second != b[i]) return false;
    if (back.try_emplace(b[i], a[i]).first->second != a[i]) return false;
  }
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("within_edits is a bounded Levenshtein distance") {
  CHECK(within_edits("", "", 0));
  CHECK(within_edits("", "A", 1));
  CHECK_FALSE(within_edits("", "AC", 1));
  CHECK(within_edits("GILGFVFTL", "GILGFVFT", 1));
  CHECK_FALSE(within_edits("AC", "CA", 1));
  CHECK(within_edits("AC", "CA", 2));
  Rng rng(3, "within_edits");
  for (int i = 0; i < 20000; ++i) {
    std::string a;
    std::string b;
    for (std::size_t n = rng.below(7); n > 0; --n) a += "AC"[rng.below(2)];
    for (std::size_t n = rng.below(7); n > 0; --n) b += "AC"[rng.below(2)];
    REQUIRE(plain_near(a, b) == (plain_distance(a, b) <= 1));
    for (std::size_t limit = 0; limit < 4; ++limit) {
      REQUIRE(within_edits(a, b, limit) == (plain_distance(a, b) <= limit));
    }
  }
}

TEST_CASE("near duplicates differ by one edit in each chain that both have") {
  const Record one = tcr("CAVRDF", "CASSLGF");
  CHECK(near(one, one));
  CHECK(near(one, tcr("CAVRNF", "CASSLGF")));
  CHECK(near(one, tcr("CAVRNF", "CASSLGGF")));
  CHECK_FALSE(near(one, tcr("CAVKNF", "CASSLGF")));
  CHECK_FALSE(near(one, tcr("CAVRDF", "CASSF")));
  CHECK(near(one, tcr("", "CASSLF")));
  CHECK(near(one, tcr("CAVRDDF", "")));
  CHECK_FALSE(near(tcr("CAVRDF", ""), tcr("", "CASSLGF")));
  CHECK_FALSE(near(tcr("", ""), tcr("", "")));
  const std::vector<Column> beta = {Column::kCdr3Beta};
  CHECK(near_duplicates(cdr3s_of(one, beta), cdr3s_of(tcr("CWWWWF", "CASSLGF"), beta)));
}

TEST_CASE("clusters are the connected components of near duplicates") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto records = random_tcrs(20 * seed, seed);
    const Clusters clusters = cluster_tcrs(records);
    CHECK(same_partition(clusters.of_row, plain_clusters(records)));
    std::vector<std::set<std::string>> keys(clusters.count());
    for (std::size_t i = 0; i < records.size(); ++i) {
      keys.at(clusters.of_row[i]).insert(tcr_key(records[i]));
    }
    std::string before;
    for (std::size_t c = 0; c < keys.size(); ++c) {
      CHECK(keys[c].size() == clusters.tcrs[c]);
      CHECK(before < *keys[c].begin());
      before = *keys[c].begin();
    }
  }
}

TEST_CASE("clusters join chains of near duplicates and nothing else") {
  const std::vector<Record> records = {tcr("", "CASSAAAF"),
                                       tcr("", "CASSAADF"),
                                       tcr("", "CASSADDF"),  // a chain of edits
                                       tcr("CAVF", "CASSWWWWWF"),
                                       tcr("CAVF", ""),
                                       tcr("CAAF", "CASSYYYYYYF"),
                                       tcr("", ""),
                                       tcr("", ""),
                                       tcr("CWWWWWF", "CASSAAAF")};
  const auto of_row = cluster_tcrs(records).of_row;
  CHECK(of_row[0] == of_row[2]);
  CHECK(of_row[0] == of_row[8]);
  CHECK(of_row[3] == of_row[5]);  // through the TCR that has an alpha only
  CHECK(of_row[0] != of_row[3]);
  CHECK(of_row[6] == of_row[7]);
  CHECK(of_row[6] != of_row[0]);
  CHECK(cluster_tcrs(records).count() == 3);
  Record gene = records[6];
  gene[Column::kVBeta] = "TRBV2*01";
  CHECK(cluster_tcrs(std::vector<Record>{records[6], gene}).count() == 2);
  CHECK(cluster_tcrs({}).count() == 0);
  const std::vector<Column> genes = {Column::kVBeta};
  CHECK(cluster_tcrs(records, genes).count() == 1);
}

TEST_CASE("the order of the rows does not change the numbers of clusters") {
  auto records = random_tcrs(60, 5);
  auto before = cluster_tcrs(records);
  std::reverse(records.begin(), records.end());
  auto after = cluster_tcrs(records);
  std::reverse(after.of_row.begin(), after.of_row.end());
  CHECK(before.of_row == after.of_row);
  CHECK(before.tcrs == after.tcrs);
}

TEST_CASE("near_duplicate_in finds what a comparison of each with each finds") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto queries = random_tcrs(40, seed);
    const auto references = random_tcrs(4 * seed, seed + 100);
    const auto found = near_duplicate_in(queries, references);
    REQUIRE(found.size() == queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const bool expected = std::any_of(references.begin(), references.end(), [&](const Record& r) {
        return plain_near(queries[i], r) || tcr_key(queries[i]) == tcr_key(r);
      });
      CHECK(found[i] == expected);
    }
  }
  CHECK(near_duplicate_in(random_tcrs(3, 1), {}) == std::vector<bool>(3, false));
}

TEST_CASE("one beta with thousands of alphas is no obstacle") {
  std::vector<Record> records;
  const std::string letters = "ACDEFGHIKLMNPQRSTVWY";
  for (std::size_t i = 0; i < 8000; ++i) {
    // The first two letters apart from the next: alphas are near only when one letter differs.
    const std::string alpha = std::string("CAV") + letters[i / 400] + letters[i / 20 % 20] +
                              letters[i / 400] + letters[i / 20 % 20] + letters[i % 20] + "F";
    records.push_back(tcr(alpha, i % 2 == 0 ? "CASSIRSSYEQYF" : "CASSIRSAYEQYF"));
  }
  const Clusters clusters = cluster_tcrs(records);
  CHECK(clusters.count() == 400);
  CHECK(std::all_of(clusters.tcrs.begin(), clusters.tcrs.end(), [](auto n) { return n == 20; }));
  records.push_back(tcr("", "CASSIRSSYEQYF"));
  CHECK(cluster_tcrs(records).count() == 1);
}

TEST_CASE("VDJdb and IMMREP22 cluster as they do") {
  const auto report = [](const char* name, const std::vector<Record>& records) {
    const auto start = std::chrono::steady_clock::now();
    const Clusters clusters = cluster_tcrs(records);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const auto largest = *std::max_element(clusters.tcrs.begin(), clusters.tcrs.end());
    std::cout << name << ": " << std::accumulate(clusters.tcrs.begin(), clusters.tcrs.end(), 0UL)
              << " TCRs, " << clusters.count() << " clusters, largest " << largest << ", "
              << spent.count() << " s\n";
    return largest;
  };
  if (const auto records = read_vdjdb()) {
    CHECK(records->size() == 58073);
    CHECK(report("VDJdb", *records) > 1000);
    std::vector<Record> paired = *records;
    std::erase_if(paired, [](const Record& r) {
      return r[Column::kCdr3Alpha].empty() || r[Column::kCdr3Beta].empty();
    });
    CHECK(paired.size() == 19807);
    // Single chains glue clusters together; pairs alone fall into small ones.
    CHECK(report("VDJdb, paired", paired) < 1000);
  }
  if (const auto records = read_immrep22()) CHECK(report("IMMREP22", *records) < 100);
}

}  // namespace tcrops::data
