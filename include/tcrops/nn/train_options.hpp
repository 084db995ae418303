#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tcrops::nn {

// What is minimised. All are means over the rows of a batch of functions of a row's logit.
//   bce          binary cross-entropy
//   weighted_bce the same, positives and negatives weighing as much as if they were equally many:
//                a class of m of n rows weighs n / (2 m), counted per head with per-epitope heads;
//                with positive_weight > 0 a positive weighs that and a negative 1
//   focal        bce times (1 - p)^focal_gamma, p the probability given to the true label (Lin et
//                al., ICCV 2017)
//   squared      squared distance of logit and target: with one linear layer, ridge regression
//   softmax      competing heads and each_row only: per TCR, cross-entropy of the heads' shares
//   with
//                equal shares of the epitopes that it binds, or all for "none of them"
// label_smoothing s moves targets to s/2 and 1 - s/2; with softmax a share p of k to p (1 - s) +
// s/k.
struct LossOptions {
  std::string name = "bce";  // of loss_names()
  double label_smoothing = 0.0;
  double focal_gamma = 2.0;
  double positive_weight = 0.0;
};

// adam (Kingma & Ba 2015), adamw (Loshchilov & Hutter 2019), sgd, rmsprop, all as PyTorch computes
// them. Schedules multiply the learning rate with a function of the share t of the training that is
// done: constant; cosine: (1 + cos(pi t)) / 2; linear: 1 - t; step: 1, from a half on 0.1, from
// three quarters on 0.01. During the first warmup_epochs it rises linearly to that.
struct OptimiserOptions {
  std::string name = "adam";  // of optimiser_names()
  double weight_decay = 0.0;
  double momentum = 0.9;              // sgd, rmsprop
  std::string schedule = "constant";  // of schedule_names()
  std::int64_t warmup_epochs = 0;
  double clip_norm = 0.0;  // the gradients' Euclidean norm is at most this; 0: any
};

struct TrainOptions {
  double learning_rate = 0.01;
  std::int64_t epochs = 15;
  std::int64_t schedule_epochs = 0;  // what the schedule is laid out for; 0: epochs
  std::int64_t batch_size = 2048;    // rows
  std::uint64_t seed = 0;
  // Which rows an epoch takes: equal_classes: as many as there are, with replacement, either class
  // with probability 1/2; each_row: each once, shuffled; with per-epitope heads the rows of one TCR
  // together, so that the network sees it once.
  std::string sampling = "equal_classes";  // of sampling_names()
  // each_row with heads: what a pair of training TCR and head without any row weighs, as a
  // negative, beside a row's 1. To the mean over the rows is added this times the sum over the
  // missing pairs divided by the number of rows.
  double missing_pairs = 0.0;
  LossOptions loss = {};
  OptimiserOptions optimiser = {};
};

[[nodiscard]] const std::vector<std::string>& loss_names();
[[nodiscard]] const std::vector<std::string>& optimiser_names();
[[nodiscard]] const std::vector<std::string>& schedule_names();
[[nodiscard]] const std::vector<std::string>& sampling_names();

// By how much the learning rate is multiplied `done` epochs (with the part of the present one)
// after the start.
[[nodiscard]] double learning_rate_factor(const OptimiserOptions& options, double done,
                                          std::int64_t epochs);

}  // namespace tcrops::nn
