#include <tcrops/stages/model_use_configuration.hpp>

#include <fmt/format.h>

namespace tcrops::stages {

void add_ensemble(FieldTable& table, EnsembleConfig& c) {
  table.begin_section("ensemble", "several networks as one model");
  table.add(
      "from", c.from,
      "none: one network; seeds: the same parameters from different seeds; folds: training "
      "and validation rows dealt into folds by clusters of TCRs, each network validated on "
      "one and trained on the others; study: the best models that the study kept; variants: one "
      "for each of ensemble.variants",
      {.choices = {"none", "seeds", "folds", "study", "variants"}});
  table.add("members", c.members, "number of networks, but for variants",
            {.minimum = 2, .maximum = 100});
  table.add("variants", c.variants,
            "what each network has otherwise than sections network and train say, as "
            "\"section.key=value;section.key=value\"",
            {.examples = {"network.kernels=both:60"}});
}

void add_calibration(FieldTable& table, CalibrationConfig& c) {
  table.begin_section("calibration", "from scores to probabilities");
  table.add("method", c.method,
            "platt: a logistic curve; isotonic: a curve that only rises, for many rows; none. "
            "Fitted on validation rows, or on what the folds of an ensemble left out",
            {.choices = {"platt", "isotonic", "none"}});
  table.add("minimum_positives", c.minimum_positives,
            "fewest positive and negative rows by which an epitope gets a curve of its own; others "
            "have that of all rows",
            {.minimum = 1});
}

void add_background(FieldTable& table, BackgroundConfig& c) {
  table.begin_section("background", "the TCRs among which a score has its percentile");
  table.add("from", c.from,
            "training: TCRs of the training rows; controls: those of fetch.control_file among "
            "them; none",
            {.choices = {"training", "controls", "none"}});
  table.add("tcrs", c.tcrs, "most of them to keep, chosen by the seed",
            {.minimum = 10, .maximum = 100'000});
}

Problems unfit_ensemble(const FieldTable& table, const EnsembleConfig& c,
                        const std::string& train_from, std::int64_t kept) {
  if (c.from != "study") return {};
  if (train_from != "study") {
    return table.joint_problem({"ensemble.from", "train.from"},
                               "an ensemble from a study needs train.from \"study\"");
  }
  if (c.members <= kept) return {};
  return table.joint_problem(
      {"ensemble.members", "tune.keep"},
      fmt::format("{} members are wanted of a study that keeps {} models; raise tune.keep",
                  c.members, kept));
}

}  // namespace tcrops::stages
