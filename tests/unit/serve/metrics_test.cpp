#include "metrics.hpp"

#include "small_tables.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <sstream>
#include <thread>

using namespace tcrops::serve;
using namespace tcrops::serve::test;

namespace {

// Values by name and labels, without those of the process.
std::map<std::string, double> values_of(Metrics& metrics) {
  std::map<std::string, double> values;
  std::istringstream lines(metrics.text(0, 0));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#' || line.starts_with("process_")) continue;
    const auto blank = line.rfind(' ');
    values[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
  }
  values.erase("tcrops_model_age_seconds");  // no number
  return values;
}

const Metrics::Version kThird{"viral", "3", "a111", 0.0};
const Metrics::Version kFourth{"viral", "4", "b222", 0.0};

}  // namespace

TEST_CASE("requests are counted by route and status, from many threads") {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 500; ++i) {
        metrics.count_request({"/v1/predict", i % 5 == 0 ? 400 : 200, 0.003});
        metrics.count_request({"/v2", 200, 0.3});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto values = values_of(metrics);
  CHECK(values.at("tcrops_requests_total{code=\"200\",route=\"/v1/predict\"}") == 1600.0);
  CHECK(values.at("tcrops_requests_total{code=\"400\",route=\"/v1/predict\"}") == 400.0);
  CHECK(values.at("tcrops_requests_total{code=\"200\",route=\"/v2\"}") == 2000.0);
  CHECK(values.at("tcrops_request_duration_seconds_count{route=\"/v1/predict\"}") == 2000.0);
  CHECK(values.at("tcrops_request_duration_seconds_bucket{route=\"/v2\",le=\"0.25\"}") == 0.0);
  CHECK(values.at("tcrops_request_duration_seconds_bucket{route=\"/v2\",le=\"0.5\"}") == 2000.0);
  CHECK_FALSE(values.contains("tcrops_requests_total{code=\"400\",route=\"/v2\"}"));
}

TEST_CASE("rows of one request count as so many requests of one row") {
  // Also at the edges of buckets.
  const std::vector<double> scores = {0.05, 0.1, 0.10001, 0.95, 1.0, 1.5, -1.0};
  std::vector<std::string> betas;
  std::vector<tcrops::stages::Answer> answers;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    betas.push_back("CASS" + std::string(i + 1, 'G') + "F");
    answers.push_back(scored(scores[i]));
    answers.back().unseen_epitope = i % 2 == 0;
    answers.back().far_from_training = i == 1;
  }
  Metrics together;
  const auto table = table_of_betas(betas);
  REQUIRE(table.records().size() == scores.size());
  together.count_rows(kThird, table, answers);
  Metrics apart;
  for (std::size_t i = 0; i < scores.size(); ++i)
    apart.count_rows(kThird, table_of_betas({betas[i]}), {&answers[i], 1});
  const auto values = values_of(together);
  CHECK(values == values_of(apart));
  CHECK(values.at("tcrops_score_count") == 7.0);
  CHECK(values.at("tcrops_score_sum") == Approx(2.70001));
  CHECK(values.at("tcrops_score_bucket{le=\"0.1\"}") == 3.0);
  CHECK(values.at("tcrops_score_bucket{le=\"1\"}") == 6.0);
  CHECK(values.at("tcrops_unseen_epitope_total") == 4.0);
  CHECK(values.at("tcrops_far_from_training_total") == 1.0);
}

TEST_CASE("rows are counted by model, version and what became of them") {
  Metrics metrics;
  const auto table = table_of_betas({"CASSGF", "CASSGGF", "CASSQ1F"});
  const std::vector<tcrops::stages::Answer> answers = {scored(0.5),
                                                       refused("Epitope: no such letter")};
  for (int i = 0; i < 2; ++i) {
    metrics.count_rows(kThird, table, answers);
    metrics.count_rows(kFourth, table_of_betas({"CASSGF"}), {answers.data(), 1});
  }
  metrics.count_rows(kThird, table_of_betas({"CASSGF"}), {&answers[1], 1});
  const auto values = values_of(metrics);
  const auto rows = [&](const std::string& version, const std::string& outcome) {
    return values.at("tcrops_sequences_total{model=\"viral\",outcome=\"" + outcome +
                     "\",version=\"" + version + "\"}");
  };
  CHECK(rows("3", "scored") == 2.0);
  CHECK(rows("3", "rejected") == 5.0);
  CHECK(rows("4", "scored") == 2.0);
  CHECK(rows("4", "rejected") == 0.0);
  CHECK(values.at("tcrops_rejected_sequences_total{reason=\"CDR3_beta\"}") == 2.0);
  CHECK(values.at("tcrops_rejected_sequences_total{reason=\"Epitope\"}") == 3.0);
}
