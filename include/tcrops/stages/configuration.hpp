#pragma once

#include <tcrops/core/field_table.hpp>
#include <tcrops/core/json.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/nn/train_options.hpp>
#include <tcrops/stages/evaluate_configuration.hpp>
#include <tcrops/stages/model_use_configuration.hpp>
#include <tcrops/stages/serve_configuration.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::stages {

// One struct per section of a pipeline file. Defaults stand here and nowhere else; help, ranges and
// choices stand in configuration.cpp.

struct FetchConfig {
  std::string source = "synthetic";
  std::string file;
  std::string format = "auto";
  std::vector<std::string> map;
  std::string epitope;
  std::string mhc;
  std::string control_file;
  std::string measured_file;
  std::string test_source = "none";
  std::string test_file;
  std::string release = "2025-07-30";
  std::string sha256;
  std::string mirror;
  std::int64_t retries = 5;
  double stall_seconds = 30.0;
};

struct SyntheticConfig {
  std::int64_t tcrs = 1200;
  std::int64_t epitopes = 6;
  double motif_strength = 0.9;
  double noise = 0.0;
};

struct PreprocessConfig {
  std::string encoder = "scalar";
  std::string padding = "end";
  std::vector<std::string> features = {"CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta",
                                       "J_alpha",    "J_beta",    "Epitope", "MHC"};
  std::vector<std::string> optional;
  std::string repeats = "drop";
  std::int64_t minimum_confidence = 0;
  std::int64_t minimum_binders = 0;
  std::vector<std::string> negatives = {"given"};
  std::int64_t negative_ratio = 5;
  std::string split = "clustered";
  double validation_fraction = 0.1;
  double test_fraction = 0.1;
  std::int64_t split_seed = 42;
  std::int64_t folds = 0;
  std::int64_t test_fold = 0;
  std::int64_t validation_fold = 1;
  bool strict = false;
  bool require_leak_free = false;
};

struct TuneConfig {
  std::string sampler = "tpe";
  std::string preset = "optuna-5.0";
  std::int64_t trials = 20;
  std::int64_t startup_trials = 0;
  std::int64_t window = 2;
  std::int64_t jobs = 0;
  std::string objective = "average_precision";
  std::string select_on = "validation";
  double minimum_positive_share = 0.5;
  double maximum_positive_share = 2.0;
  std::int64_t keep = 3;
  std::int64_t keep_seeds = 3;
  std::int64_t seeds = 1;
  std::int64_t inner_folds = 0;
  std::string pruner = "none";
  double pruner_percentile = 50.0;
  std::int64_t pruner_startup_trials = 5;
  std::int64_t pruner_warmup_epochs = 0;
  std::int64_t pruner_interval_epochs = 1;
  std::int64_t pruner_minimum_epochs = 1;
  std::int64_t pruner_maximum_epochs = 0;
  std::int64_t pruner_reduction_factor = 0;
  std::int64_t pruner_early_stopping_rate = 0;
  std::int64_t attempts = 5;
  double lease_seconds = 60.0;
  double patience_seconds = 600.0;
  std::string storage;
  std::string warm_start = "none";
  std::int64_t warm_start_trials = 5;
  double warm_start_distance = 0.2;
  Json space = Json::array();
  std::vector<std::string> models = {"mlp_small", "mlp_medium", "mlp_large"};
  double learning_rate_min = 0.001;
  double learning_rate_max = 0.1;
  std::int64_t epochs_min = 5;
  std::int64_t epochs_max = 25;
};

struct TrainConfig {
  std::string from = "study";
  std::string model = "mlp_medium";
  double learning_rate = 0.01;
  std::int64_t epochs = 15;
  std::int64_t batch_size = 2048;
  std::int64_t early_stopping_patience = 0;
  std::string threshold = "best_f1";
  bool refit = false;
  std::string sampling = "equal_classes";
  double missing_pairs = 0.0;
  nn::LossOptions loss;
  nn::OptimiserOptions optimiser;
  std::string device = "auto";
};

struct PredictConfig {
  std::int64_t examples = 10;
};

struct ServeCheckConfig {
  std::int64_t latency_requests = 200;
  double max_p50_ms = 0.0;
  double max_p99_ms = 0.0;
  double max_memory_mib = 0.0;
};

struct GatesConfig {
  std::string metric = "macro_average_precision";
  double minimum = 0.0;
  std::int64_t minimum_positives = 20;
  bool beat_nearest_neighbour = false;
  std::string champion = "not_worse";
  bool fair_test = true;
  bool serve_check = true;
  std::int64_t resamples = 2000;
};

// The whole pipeline file. Neither copied nor moved: the field table refers to its members.
class PipelineConfig {
 public:
  PipelineConfig();
  PipelineConfig(const PipelineConfig&) = delete;
  PipelineConfig& operator=(const PipelineConfig&) = delete;

  std::string name = "quickstart";
  std::int64_t seed = 42;
  FetchConfig fetch;
  SyntheticConfig synthetic;
  PreprocessConfig preprocess;
  TuneConfig tune;
  nn::NetworkOptions network;  // but for its architecture, which train and tune say
  TrainConfig train;
  EvaluateConfig evaluate;
  EnsembleConfig ensemble;
  CalibrationConfig calibration;
  BackgroundConfig background;
  PredictConfig predict;
  ServeCheckConfig serve_check;
  ServeConfig serve;
  GatesConfig gates;

  [[nodiscard]] FieldTable& fields() { return fields_; }
  [[nodiscard]] const FieldTable& fields() const { return fields_; }
  // What no single field can check: ranges that cross, fractions that leave no training rows.
  [[nodiscard]] Problems check() const;

 private:
  FieldTable fields_;
};

}  // namespace tcrops::stages
