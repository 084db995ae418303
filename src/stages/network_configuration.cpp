#include "network_configuration.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/nn/model_spec.hpp>
#include <tcrops/nn/train_options.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

// "own" before the names.
std::vector<std::string> or_own(const std::vector<std::string>& names) {
  std::vector<std::string> all = {"own"};
  for (const std::string& name : names) all.push_back(name);
  return all;
}

bool is_tried(const PipelineConfig& config, const std::string& architecture) {
  const auto& models = config.tune.models;
  if (config.train.model == architecture) return true;
  if (config.tune.space.empty()) {
    return std::find(models.begin(), models.end(), architecture) != models.end();
  }
  return std::any_of(
      config.tune.space.begin(), config.tune.space.end(), [&](const Json& parameter) {
        const Json options = parameter.value("options", Json::array());
        return parameter.at("name") == "train.model" &&
               std::find(options.begin(), options.end(), architecture) != options.end();
      });
}

// Whether trials have values of their own, and are judged one by one.
bool is_searched(const PipelineConfig& config, const std::string& path) {
  return std::any_of(config.tune.space.begin(), config.tune.space.end(),
                     [&](const Json& parameter) { return parameter.at("name") == path; });
}

Problems attention_problems(const FieldTable& table, const PipelineConfig& config) {
  const nn::NetworkOptions& network = config.network;
  if (!is_tried(config, "attention") || network.width % network.attention_heads == 0) return {};
  const bool by_trial =
      is_searched(config, "network.width") || is_searched(config, "network.attention_heads");
  if (by_trial && config.train.model != "attention") return {};
  return table.joint_problem({"network.width", "network.attention_heads"},
                             fmt::format("attention divides its width {} among {} heads, which "
                                         "leaves a rest; change one",
                                         network.width, network.attention_heads));
}

Problems softmax_problems(const FieldTable& table, const PipelineConfig& config) {
  const TrainConfig& train = config.train;
  if (train.loss.name != "softmax") return {};
  if (config.network.head == "competing" && train.sampling == "each_row") return {};
  return table.joint_problem({"train.loss", "train.sampling", "network.head"},
                             "the loss softmax needs network.head \"competing\" and train.sampling "
                             "\"each_row\"; set them, or take another loss");
}

Problems weights_problems(const FieldTable& table, const PipelineConfig& config) {
  const TrainConfig& train = config.train;
  const bool twice = train.loss.name == "weighted_bce" && train.sampling == "equal_classes" &&
                     train.loss.positive_weight == 0.0;
  if (!twice) return {};
  return table.joint_problem({"train.loss", "train.sampling", "train.positive_weight"},
                             "equal_classes draws as many positives as negatives, and weighted_bce "
                             "would make up for their numbers once more; take train.sampling "
                             "\"each_row\", the loss bce, or a positive_weight of yours");
}

Problems refit_problems(const FieldTable& table, const PipelineConfig& config) {
  if (!config.train.refit || config.ensemble.from != "study") return {};
  return table.joint_problem({"train.refit", "ensemble.from"},
                             "an ensemble of a study keeps its models as they are; set train.refit "
                             "false, or make the ensemble from seeds, folds or variants");
}

Problems missing_pairs_problems(const FieldTable& table, const PipelineConfig& config) {
  const TrainConfig& train = config.train;
  if (train.missing_pairs == 0.0) return {};
  if (config.network.head != "pan" && train.sampling == "each_row" && train.loss.name != "softmax")
    return {};
  return table.joint_problem(
      {"train.missing_pairs", "train.sampling", "train.loss", "network.head"},
      "missing pairs count with heads (network.head), train.sampling "
      "\"each_row\" and another loss than softmax; set them, or "
      "train.missing_pairs 0");
}

Problems kernel_problems(const FieldTable& table, const PipelineConfig& config) {
  const nn::NetworkOptions& network = config.network;
  Problems problems;
  for (const std::string& text : network.kernels) {
    try {
      static_cast<void>(nn::kernel_part(text));
    } catch (const Error& error) {
      append(problems, table.joint_problem({"network.kernels"}, error.what()));
    }
  }
  if (network.cdr3_trim.size() != 2) {
    append(problems, table.joint_problem({"network.cdr3_trim"},
                                         "takes two numbers: letters at the beginning and at the "
                                         "end"));
  }
  return problems;
}

}  // namespace

void add_network(FieldTable& table, nn::NetworkOptions& o) {
  table.begin_section("network",
                      "what networks are made of; an architecture ignores what it does "
                      "not have");
  table.add("head", o.head,
            "pan: the network sees epitope and MHC, and takes any; per_epitope: an output for each "
            "epitope that has a binder in training; competing: likewise, and a TCR binds one of "
            "them or none (softmax)",
            {.choices = nn::head_names()});
  table.add("hidden", o.hidden,
            "widths of the hidden layers of the feed-forward part; empty: the architecture's own",
            {.minimum = 1, .maximum = 100'000, .examples = {"64,32"}});
  table.add("activation", o.activation, "activation; own: the architecture's",
            {.choices = or_own(nn::activation_names())});
  table.add("norm", o.norm, "normalisation between layers; own: the architecture's",
            {.choices = or_own(nn::norm_names())});
  table.add("dropout", o.dropout, "share of values that are dropped behind each activation",
            {.minimum = 0, .maximum = 0.95});
  table.add("embedding", o.embedding, "numbers per letter or name with the encoder learned",
            {.minimum = 1, .maximum = 1024});
  table.add("filters", o.filters, "cnn: filters of each kernel width",
            {.minimum = 1, .maximum = 10'000});
  table.add("kernel_widths", o.kernel_widths, "cnn: letters that a filter sees at once",
            {.minimum = 1, .maximum = 99, .unit = "letters", .not_empty = true});
  table.add("width", o.width, "attention: numbers per token; two_tower: numbers per tower",
            {.minimum = 1, .maximum = 10'000});
  table.add("blocks", o.blocks, "attention: transformer blocks", {.minimum = 1, .maximum = 100});
  table.add("attention_heads", o.attention_heads, "attention: heads; they divide the width",
            {.minimum = 1, .maximum = 100});
  table.add("anchors", o.anchors,
            "kernel_mlp: TCRs of the training rows to compare with, at most, binders first",
            {.minimum = 2, .maximum = 200'000});
  table.add("anchor_kind", o.anchor_kind,
            "kernel_mlp: fixed: anchors stay; trained: they move with training",
            {.choices = nn::anchor_kinds()});
  table.add("kernels", o.kernels,
            "kernel_mlp: similarities exp(-distance/scale) that are summed, as CHAINS:SCALE or "
            "CHAINS:SCALE:SHARE; chains: both, alpha, beta",
            {.not_empty = true, .examples = {"both:60", "alpha:20:0.5,beta:20:0.5"}});
  table.add("loop_weights", o.loop_weights,
            "kernel_mlp: what columns weigh in the distance, as COLUMN=WEIGHT; others: 3 for a "
            "CDR3, 4 for a gene, 1 for a loop",
            {.examples = {"CDR3_alpha=2,CDR3_beta=3"}});
  table.add("cdr3_trim", o.cdr3_trim,
            "kernel_mlp: places at the beginning and at the end of CDR3s that do not count",
            {.minimum = 0, .maximum = 100, .unit = "letters"});
  table.add("readout", o.readout,
            "kernel_mlp: linear: a feed-forward part on the similarities; density: log ratio of "
            "the densities of an epitope's binders and of all anchors",
            {.choices = nn::readout_names()});
}

void add_training(FieldTable& table, TrainConfig& c) {
  table.add("refit", c.refit,
            "train once more, on training and validation rows together, after the validation rows "
            "have given the number of epochs, threshold and calibration");
  table.add("sampling", c.sampling,
            "rows of an epoch: equal_classes: drawn so that half of them bind; each_row: each once",
            {.choices = nn::sampling_names()});
  table.add("missing_pairs", c.missing_pairs,
            "each_row with heads: weight, as a negative, of a training TCR and an epitope that the "
            "data have no row of, beside a row's 1",
            {.minimum = 0, .maximum = 1});
  table.add("loss", c.loss.name,
            "what is minimised; weighted_bce makes both classes as heavy (of each head); softmax "
            "is for competing heads",
            {.choices = nn::loss_names()});
  table.add("label_smoothing", c.loss.label_smoothing, "share by which targets move to one half",
            {.minimum = 0, .maximum = 0.9});
  table.add("focal_gamma", c.loss.focal_gamma, "focal: how much less sure rows count",
            {.minimum = 0, .maximum = 10});
  table.add("positive_weight", c.loss.positive_weight,
            "weighted_bce: what a positive weighs; 0: as the classes' sizes say",
            {.minimum = 0, .maximum = 1e6});
  table.add("optimiser", c.optimiser.name, "how weights are moved",
            {.choices = nn::optimiser_names()});
  table.add("weight_decay", c.optimiser.weight_decay,
            "how much weights are pulled to 0; adamw: apart from the gradient",
            {.minimum = 0, .maximum = 10});
  table.add("momentum", c.optimiser.momentum, "sgd and rmsprop: share of the last step kept",
            {.minimum = 0, .maximum = 0.999});
  table.add("schedule", c.optimiser.schedule, "how the learning rate falls over the epochs",
            {.choices = nn::schedule_names()});
  table.add("warmup_epochs", c.optimiser.warmup_epochs,
            "epochs in which the learning rate rises first", {.minimum = 0, .maximum = 100'000});
  table.add("clip_norm", c.optimiser.clip_norm, "largest Euclidean norm of the gradients; 0: any",
            {.minimum = 0});
}

Problems network_problems(const FieldTable& table, const PipelineConfig& config) {
  Problems problems = attention_problems(table, config);
  append(problems, softmax_problems(table, config));
  append(problems, weights_problems(table, config));
  append(problems, missing_pairs_problems(table, config));
  append(problems, refit_problems(table, config));
  append(problems, kernel_problems(table, config));
  return problems;
}

}  // namespace tcrops::stages
