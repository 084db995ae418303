#pragma once

#include "background.hpp"
#include "calibration.hpp"
#include "dataset.hpp"
#include "ensemble.hpp"
#include "fitting.hpp"
#include "reference_tcrs.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/data/encoder.hpp>
#include <tcrops/nn/core.hpp>
#include <tcrops/store/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// A model as it is used: everything a prediction needs, nothing of the pipeline. What only some
// predictions need (the background and training TCRs) is read by Answers.
struct Model {
  store::Artifact artifact;
  Json description;  // model.json
  std::unique_ptr<data::Encoder> encoder;
  std::unique_ptr<Networks> network;  // one or more
  double threshold = 0.5;
  std::vector<data::Column> optional;  // features that a record may lack
  std::optional<Calibration> calibration;
  std::vector<std::string> epitopes;  // with a binder in training, sorted; empty: not known
};

// Rows whose logits are known, to recognise a model that computes something else.
struct Golden {
  std::vector<data::Record> records;
  std::vector<float> logits;
};

// All that is kept of a training.
struct ModelContents {
  Networks networks;
  FitParameters parameters;
  std::uint64_t seed = 0;
  double threshold = 0.5;
  Json history;
  // {"from", "members": [{"seed", …}]} of an ensemble, else null.
  Json ensemble = nullptr;
  std::optional<Calibration> calibration;
  std::string background_from = "none";
  Background background;
  ReferenceTcrs trained_on;  // empty: not kept
  Json nearest = nullptr;    // describe_reference()
};

// The files of a model artifact: model.json, weights.safetensors, encoder.json, golden.json,
// examples.csv (test rows), history.json and the dataset's profile.json; and, where there are any,
// background.csv and training_tcrs.csv.
void write_model(const ModelContents& contents, const Dataset& dataset, const std::string& profile,
                 const store::Draft& draft);
// A network and no more, as a study keeps them.
void write_model(const Fitted& fitted, const FitParameters& parameters, const Dataset& dataset,
                 const std::string& profile, std::uint64_t seed, const store::Draft& draft);

// Names, types and shapes, as model.json lists them.
[[nodiscard]] Json tensor_table(const std::vector<nn::Tensor>& tensors);

// Loads a model the way a server would: every hash, shape and type is checked. Throws Error
// (kArtifact) with the first difference.
[[nodiscard]] Model load_model(const store::Store& store, const store::Artifact& artifact,
                               const nn::Device& device);
[[nodiscard]] Golden read_golden(const store::Store& store, const store::Artifact& artifact);
[[nodiscard]] std::vector<data::Record> read_examples(const store::Store& store,
                                                      const store::Artifact& artifact);

// What the networks make of one record: a logit, or why there is none.
struct Scored {
  std::optional<float> logit;
  std::optional<float> spread;  // of an ensemble
  std::string problem;          // "CDR3_beta: letter 'X' is not in the model's alphabet"
};
[[nodiscard]] std::vector<Scored> score(const Model& model, std::span<const data::Record> records);

// `count` rows of a side, chosen by the seed, in table order.
[[nodiscard]] std::vector<data::Record> sample_rows(
    const Dataset& dataset, data::Side side, std::size_t count, std::uint64_t seed,
    const std::function<bool(const data::Record&)>& wanted = {});

}  // namespace tcrops::stages
