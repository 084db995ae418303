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
  // 0: no limit.
  double max_p50_ms = 0.0;
  double max_p99_ms = 0.0;
  double max_memory_mib = 0.0;
};

struct ServeCheckReport {
  std::vector<CheckResult> checks;
  // Null when an earlier check said that a server would not get so far.
  Json latency;  // {"median_ms", "p99_ms", "requests"}
  Json memory;   // {"resident_bytes"}

  [[nodiscard]] bool passed() const;
  [[nodiscard]] Json checks_json() const;
};

// Loads a model as a server would and asks it questions with known answers: hashes; shapes and
// types; the signature beside the encoder; golden predictions (bit for bit on the backend class
// that made them, else to 1e-5); examples through decode and encode; malformed rows. Then, in the
// way a server answers a table: rows that lack a value, byte parity with `predict`, malformed
// tables, latency of single rows, memory. Never throws for a fault of the model: that is a check
// that did not pass.
[[nodiscard]] ServeCheckReport serve_check(const store::Store& store, const store::Artifact& model,
                                           const ServeCheckOptions& options);

}  // namespace tcrops::stages
