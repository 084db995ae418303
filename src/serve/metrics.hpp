#pragma once

#include "engine.hpp"
#include "exchange.hpp"
#include "query_log.hpp"

#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/stages/small_table.hpp>

#include <memory>
#include <span>
#include <string>

namespace tcrops::serve {

// What Prometheus is told, in its base units. No label has what a user sent: sequences and epitopes
// are nobody else's business and have no bound. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  struct Version {
    std::string model;
    std::string version;
    std::string sha256;         // id of the artifact
    double made_seconds = 0.0;  // when, since 1970; 0: not known
  };

  void count_request(const Served& served);
  void count_batch(const Engine::Batch& batch);
  // Rows of an answered request: those with a score, and why the others have none.
  void count_rows(const Version& version, const stages::SmallTable& table,
                  std::span<const stages::Answer> answers);
  void count_swap(bool succeeded);
  // Of the shadow model's score of a row from the served one.
  void count_shadow_difference(double difference);
  // How the query log stands.
  void set_query_log(const QueryLog::Counts& counts);
  // From now on this one answers.
  void set_model(const Version& version);

  // The text that GET /metrics gives.
  [[nodiscard]] std::string text(std::size_t queued_rows, std::size_t connections);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

// Which kind of problem a row has: the column that a text begins with, or "row". Bounded.
[[nodiscard]] std::string reason_of(const std::string& problem);

}  // namespace tcrops::serve
