#pragma once

#include "dataset.hpp"
#include "fitting.hpp"

#include <tcrops/core/json.hpp>
#include <tcrops/data/encoder.hpp>
#include <tcrops/nn/core.hpp>
#include <tcrops/store/store.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcrops::stages {

// A model as it is used: everything a prediction needs, nothing of the pipeline.
struct Model {
  store::Artifact artifact;
  Json description;  // model.json
  std::unique_ptr<data::Encoder> encoder;
  std::unique_ptr<nn::Network> network;
  double threshold = 0.5;
  std::vector<data::Column> optional;  // features that a record may lack
};

// Rows whose logits are known, to recognise a model that computes something else.
struct Golden {
  std::vector<data::Record> records;
  std::vector<float> logits;
};

// The files of a model artifact: model.json, weights.safetensors, encoder.json, golden.json,
// examples.csv (test rows), history.json and the dataset's profile.json.
void write_model(const Fitted& fitted, const FitParameters& parameters, const Dataset& dataset,
                 const std::string& profile, std::uint64_t seed, const store::Draft& draft);

// Loads a model the way a server would: every hash, shape and type is checked. Throws Error
// (kArtifact) with the first difference.
[[nodiscard]] Model load_model(const store::Store& store, const store::Artifact& artifact,
                               const nn::Device& device);
[[nodiscard]] Golden read_golden(const store::Store& store, const store::Artifact& artifact);
[[nodiscard]] std::vector<data::Record> read_examples(const store::Store& store,
                                                      const store::Artifact& artifact);

// One record's answer: a probability, or why there is none.
struct Scored {
  std::optional<float> logit;
  std::string problem;  // "CDR3_beta: letter 'X' is not in the model's alphabet"
};
// How the answer is written everywhere: the probability, and the call at the model's threshold.
struct Answer {
  std::string score;  // seven digits
  bool call = false;
};
[[nodiscard]] Answer answer_of(const Model& model, float logit);
[[nodiscard]] std::vector<Scored> score(const Model& model, std::span<const data::Record> records);

// `count` rows of a side, chosen by the seed, in table order.
[[nodiscard]] std::vector<data::Record> sample_rows(const Dataset& dataset, data::Side side,
                                                    std::size_t count, std::uint64_t seed);

}  // namespace tcrops::stages
