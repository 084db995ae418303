#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/store/store.hpp>

#include <string>
#include <vector>

namespace tcrops::stages {

struct CheckResult {
  std::string name;
  bool passed = false;
  std::string problem;  // empty when passed
};

struct ServeCheckOptions {
  std::string device = "auto";
  std::int64_t latency_requests = 200;
  double max_p99_ms = 0.0;  // 0: no limit
};

struct ServeCheckReport {
  std::vector<CheckResult> checks;
  Json latency;  // {"median_ms", "p99_ms", "requests"}; null when the model could not be loaded

  [[nodiscard]] bool passed() const;
  [[nodiscard]] Json checks_json() const;
};

// Loads a model as a server would and asks it questions with known answers: hashes, shapes, golden
// predictions (bit for bit on the backend class that made them, else to 1e-5), examples through
// decode and encode, malformed rows, latency of single rows. Never throws for a fault of the model:
// that is a check that did not pass.
[[nodiscard]] ServeCheckReport serve_check(const store::Store& store, const store::Artifact& model,
                                           const ServeCheckOptions& options);

}  // namespace tcrops::stages
