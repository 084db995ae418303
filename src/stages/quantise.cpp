#include "dataset.hpp"
#include "model.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/nn/quantise.hpp>
#include <tcrops/stages/quantise.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tcrops::stages {
namespace {

constexpr const char* kFact = "quantised";
constexpr const char* kWeights = "weights.safetensors";
constexpr std::int64_t kVersion = 1;

store::ReuseKey key_of(const store::Artifact& model) {
  store::ReuseKey key;
  key.stage = kQuantiseStage;
  key.stage_version = kVersion;
  key.configuration = model.manifest.configuration;
  key.configuration["quantise"] = {{"weights", "int8"}};
  key.parents = model.manifest.parents;
  key.parents["model"] = model.id;
  key.seed = model.manifest.seed;
  key.backend_class = nn::backend_class(nn::Device{});
  return key;
}

// Every network of the model with weights of one byte.
Networks quantised_networks(const Model& model) {
  Networks networks;
  for (std::size_t i = 0; i < model.network->size(); ++i) {
    const nn::Network& before = model.network->member(i);
    const nn::QuantisedNetwork after = nn::quantise(before.spec(), before.weights());
    networks.add(
        nn::load_network(after.spec, model.encoder->expansion(), after.tensors, nn::Device{}));
  }
  return networks;
}

// What changes in model.json; `tensors` gets the weights of all networks.
Json description_of(const Model& model, const Networks& networks,
                    std::vector<nn::Tensor>& tensors) {
  Json description = model.description;
  const bool is_single = !description.contains("ensemble");
  for (std::size_t i = 0; i < networks.size(); ++i) {
    Json& owner = is_single ? description : description.at("ensemble").at("members").at(i);
    owner["network"] = nn::to_json(networks.member(i).spec());
    const auto prefix = is_single ? std::string() : owner.at("tensors").get<std::string>();
    for (nn::Tensor& tensor : networks.member(i).weights()) {
      tensor.name.insert(0, prefix);
      tensors.push_back(std::move(tensor));
    }
  }
  description["tensors"] = tensor_table(tensors);
  description[kFact] = "int8";
  return description;
}

Json golden_json(const store::Store& store, const Model& model, const Networks& networks) {
  const Golden golden = read_golden(store, model.artifact);
  data::EncodedRows rows;
  for (const data::Record& record : golden.records) {
    if (model.encoder->encode(record, rows)) {
      throw Error(ExitCode::kArtifact, fmt::format("{}: a row that the model cannot score",
                                                   model.artifact.file("golden.json").string()));
    }
  }
  const auto logits = networks.logits(rows);
  Json json = Json::array();
  for (std::size_t i = 0; i < logits.size(); ++i)
    json.push_back({{"row", golden.records[i].values}, {"logit", logits[i]}});
  return json;
}

// Rows that both classes are in and a score is to be had for.
struct Measured {
  std::string side;
  data::EncodedRows rows;
  std::vector<std::uint8_t> labels;
};

bool has_both(const std::vector<std::uint8_t>& labels) {
  const auto positives = std::count(labels.begin(), labels.end(), std::uint8_t{1});
  return positives > 0 && positives < std::ssize(labels);
}

Measured rows_with_score(const Model& model, const Dataset& dataset, data::Side side,
                         std::string name) {
  const SideData own = side_of(dataset, side);
  Measured measured{.side = std::move(name), .rows = {}, .labels = {}};
  const auto logits = model.network->logits(own.rows);
  for (std::size_t row = 0; row < logits.size(); ++row) {
    if (!std::isfinite(logits[row])) continue;
    data::append_row(own.rows, row, measured.rows);
    measured.labels.push_back(own.labels[row]);
  }
  return measured;
}

Measured rows_to_measure(const Model& model, const Dataset& dataset) {
  Measured test = rows_with_score(model, dataset, data::Side::kTest, "test");
  if (has_both(test.labels)) return test;
  return rows_with_score(model, dataset, data::Side::kValidation, "validation");
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json cost(const Measured& measured, const Networks& before, const Networks& after) {
  const auto old_logits = before.logits(measured.rows);
  const auto new_logits = after.logits(measured.rows);
  double largest = 0.0;
  double sum = 0.0;
  for (std::size_t row = 0; row < old_logits.size(); ++row) {
    const double change =
        std::abs(static_cast<double>(new_logits[row]) - static_cast<double>(old_logits[row]));
    largest = std::max(largest, change);
    sum += change;
  }
  const auto both = [&](auto&& metric) {
    return Json{number_or_null(metric(measured.labels, probabilities(old_logits))),
                number_or_null(metric(measured.labels, probabilities(new_logits)))};
  };
  const auto rows = static_cast<double>(std::max<std::size_t>(old_logits.size(), 1));
  return {
      {"weights", "int8"},
      {"side", measured.side},
      {"rows", measured.labels.size()},
      {"auroc", both([](auto& l, auto p) { return eval::auroc(l, p); })},
      {"average_precision", both([](auto& l, auto p) { return eval::average_precision(l, p); })},
      {"largest_change", largest},
      {"mean_change", sum / rows}};
}

// Of many rows at a time, as a large table is scored.
double rows_per_second(const Networks& networks, const data::EncodedRows& rows) {
  constexpr double kSeconds = 0.3;
  static_cast<void>(networks.logits(rows));  // once untimed
  const auto begin = std::chrono::steady_clock::now();
  std::chrono::duration<double> seconds{};
  std::size_t done = 0;
  do {
    static_cast<void>(networks.logits(rows));
    done += rows.rows;
    seconds = std::chrono::steady_clock::now() - begin;
  } while (seconds.count() < kSeconds);
  return std::round(static_cast<double>(done) / seconds.count());
}

Json speed(const Measured& measured, const Networks& before, const Networks& after) {
  constexpr std::size_t kRows = 4096;
  if (measured.rows.rows == 0) return nullptr;
  data::EncodedRows many;
  for (std::size_t row = 0; row < kRows; ++row)
    data::append_row(measured.rows, row % measured.rows.rows, many);
  return {{"rows_per_second", {rows_per_second(before, many), rows_per_second(after, many)}},
          {"kernel", nn::quantised_kernel()}};
}

void copy_others(const store::Store& store, const store::Artifact& model,
                 const store::Draft& draft) {
  for (const auto& [name, entry] : model.manifest.files.items()) {
    if (name == "model.json" || name == kWeights || name == "golden.json") continue;
    draft.add(name, store.read(model, name));
  }
}

}  // namespace

QuantisedModel quantise_model(const store::Store& store, const store::Artifact& artifact) {
  const store::ReuseKey key = key_of(artifact);
  if (artifact.manifest.facts.contains(kFact)) {
    throw Error(ExitCode::kUsage, fmt::format("{} is quantised; name the model that it was made of",
                                              artifact.short_id()));
  }
  if (const auto found = store.find(key)) return {*found, found->manifest.facts.at(kFact), nullptr};
  RunRecord run;
  const Model model = load_model(store, artifact, nn::Device{});
  const auto dataset_at = artifact.manifest.parents.find("dataset");
  if (dataset_at == artifact.manifest.parents.end()) {
    throw Error(ExitCode::kArtifact,
                fmt::format("model {} does not say what it was trained on", artifact.short_id()));
  }
  const Dataset dataset = read_dataset(store, store.at(dataset_at->second));
  const Networks networks = quantised_networks(model);
  std::vector<nn::Tensor> tensors;
  const Json description = description_of(model, networks, tensors);
  const std::string weights = nn::write_safetensors(tensors);
  const Measured measured = rows_to_measure(model, dataset);

  QuantisedModel result;
  result.facts = cost(measured, *model.network, networks);
  result.facts["bytes"] = {artifact.manifest.files.at(kWeights).at("bytes"), weights.size()};
  result.speed = speed(measured, *model.network, networks);
  run.notes[kFact] = result.speed;
  store::Manifest manifest = manifest_for(store::Kind::kModel, key);
  manifest.facts = artifact.manifest.facts;
  manifest.facts[kFact] = result.facts;
  store::Draft draft = store.begin_draft();
  draft.add("model.json", canonical_json(description));
  draft.add(kWeights, weights);
  draft.add("golden.json", canonical_json(golden_json(store, model, networks)));
  copy_others(store, artifact, draft);
  result.artifact = store.publish(std::move(draft), std::move(manifest), run.finish(), key);
  return result;
}

}  // namespace tcrops::stages
