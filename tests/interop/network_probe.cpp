// usage: network_probe DIR
// Writes for every architecture, head and readout, with changing losses, optimisers and schedules,
// DIR/<number>.json (what it is, how it is trained, what training said) and
// DIR/<number>.safetensors (weights before and after two epochs of one batch each, and logits
// before), and DIR/rows<learned> the rows. network_parity.py computes the same with PyTorch.
// DIR/machine.* are kernel machines that were trained to the end, for scikit-learn.

#include "tcr_problem.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/file.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

using namespace tcrops;
using namespace tcrops::nn;

namespace {

using std::filesystem::path;

Json expansion_json(const data::Expansion& expansion) {
  Json json = {{"blocks", Json::array()}, {"tables", Json::array()}};
  for (const auto& block : expansion.blocks) {
    const auto& segment = block.segment;
    json["blocks"].push_back({{"column", data::column_name(block.column)},
                              {"first", segment.first},
                              {"count", segment.count},
                              {"table", segment.table ? Json(*segment.table) : Json(nullptr)}});
  }
  for (const auto& table : expansion.tables) {
    json["tables"].push_back(
        {{"dims", table.dims}, {"numbered", table.numbered}, {"values", table.values}});
  }
  return json;
}

void write_rows(const path& folder, bool learned) {
  const TcrProblem problem(learned);
  const auto rows = static_cast<std::int64_t>(problem.rows.rows);
  const auto codes = static_cast<std::int64_t>(problem.rows.code_width);
  const auto numbers = static_cast<std::int64_t>(problem.rows.number_width);
  const std::vector<Tensor> tensors = {make_u8("codes", {rows, codes}, problem.rows.codes),
                                       make_f32("numbers", {rows, numbers}, problem.rows.numbers),
                                       make_u8("labels", {rows}, problem.labels)};
  const std::string name = learned ? "rows1" : "rows0";
  write_file(folder / (name + ".safetensors"), write_safetensors(tensors));
  write_file(folder / (name + ".json"), canonical_json(expansion_json(problem.expansion)));
}

// Every loss, optimiser and schedule several times; all rows in one batch.
TrainOptions training(std::size_t number, const Variant& variant) {
  TrainOptions options{.learning_rate = 0.003, .epochs = 2, .batch_size = 100'000, .seed = 4};
  options.sampling = "each_row";
  options.loss = {.name = loss_names()[number % loss_names().size()],
                  .label_smoothing = number % 4 < 2 ? 0.1 : 0.0,
                  .focal_gamma = number % 2 == 0 ? 2.0 : 1.5,
                  .positive_weight = number % 4 == 0 ? 3.0 : 0.0};
  if (options.loss.name == "softmax" && variant.options.head != "competing")
    options.loss.name = "weighted_bce";
  options.optimiser = {.name = optimiser_names()[number / 2 % optimiser_names().size()],
                       .weight_decay = number % 3 == 0 ? 0.0 : 0.05,
                       .momentum = number % 4 == 1 ? 0.0 : 0.9,
                       .schedule = schedule_names()[number % schedule_names().size()],
                       .warmup_epochs = static_cast<std::int64_t>(number % 2),
                       .clip_norm = number % 2 == 0 ? 0.0 : 0.1};
  // Its first steps are ten times the learning rate.
  if (options.optimiser.name == "rmsprop") options.learning_rate = 0.0003;
  return options;
}

Json to_json(const TrainOptions& options) {
  return {{"learning_rate", options.learning_rate},
          {"epochs", options.epochs},
          {"loss",
           {{"name", options.loss.name},
            {"label_smoothing", options.loss.label_smoothing},
            {"focal_gamma", options.loss.focal_gamma},
            {"positive_weight", options.loss.positive_weight}}},
          {"optimiser",
           {{"name", options.optimiser.name},
            {"weight_decay", options.optimiser.weight_decay},
            {"momentum", options.optimiser.momentum},
            {"schedule", options.optimiser.schedule},
            {"warmup_epochs", options.optimiser.warmup_epochs},
            {"clip_norm", options.optimiser.clip_norm}}}};
}

std::vector<Tensor> renamed(std::vector<Tensor> tensors, const std::string& prefix) {
  for (Tensor& tensor : tensors) tensor.name.insert(0, prefix);
  return tensors;
}

void probe(const Variant& variant, const std::string& name, const path& folder,
           const TrainOptions& options) {
  const TcrProblem problem(variant.learned);
  const auto network = problem.network(variant.options);
  std::vector<Tensor> tensors = renamed(network->weights(), "before.");
  const auto logits = network->logits(problem.rows);
  tensors.push_back(make_f32("logits", {std::ssize(logits)}, logits));
  std::vector<double> losses;
  network->fit(problem.examples(), {}, options, [&](const EpochReport& report) {
    losses.push_back(report.train_loss);
    return EpochDecision{};
  });
  for (Tensor& tensor : renamed(network->weights(), "after.")) tensors.push_back(std::move(tensor));
  const auto end = network->logits(problem.rows);
  tensors.push_back(make_f32("trained_logits", {std::ssize(end)}, end));
  write_file(folder / (name + ".safetensors"), write_safetensors(tensors));
  write_file(folder / (name + ".json"), canonical_json({{"name", variant.name},
                                                        {"learned", variant.learned},
                                                        {"spec", nn::to_json(network->spec())},
                                                        {"training", to_json(options)},
                                                        {"losses", losses}}));
}

// All weights are decayed, the bias too: ridge regression and logistic regression in the kernel.
void probe_machines(const path& folder) {
  Variant variant{.name = "kernel machine", .learned = false, .options = {}};
  variant.options.architecture = "kernel_mlp";
  variant.options.kernels = {"both:20"};
  for (const char* loss : {"squared", "bce"}) {
    TrainOptions options{.learning_rate = 0.2, .epochs = 4000, .batch_size = 100'000, .seed = 1};
    options.sampling = "each_row";
    options.loss.name = loss;
    options.optimiser = {.name = "sgd", .weight_decay = 0.01, .momentum = 0.9};
    probe(variant, fmt::format("machine.{}", loss), folder, options);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: network_probe DIR\n", stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    const path folder = argv[1];
    write_rows(folder, false);
    write_rows(folder, true);
    std::size_t number = 0;
    for (const Variant& variant : variants()) {
      probe(variant, std::to_string(number), folder, training(number, variant));
      ++number;
    }
    probe_machines(folder);
  } catch (const Error& error) {
    std::fprintf(stderr, "network_probe: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
