#pragma once

#include <tcrops/core/json.hpp>
#include <tcrops/data/known_headers.hpp>
#include <tcrops/data/record.hpp>
#include <tcrops/stages/answer.hpp>
#include <tcrops/store/store.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tcrops::stages {

// What a model needs of a table, and says of it.
struct TableNeeds {
  std::vector<data::Column> required;  // without these a row has no score
  std::vector<data::Column> used;      // a value here that cannot be read costs the row its score
  std::vector<AnswerColumn> columns;   // of its answers: score, …, call
  // Of tables that were read for it.
  std::shared_ptr<const data::KnownHeaders> headers = std::make_shared<data::KnownHeaders>();
};

// Rows of the test set that a model was made with, decoded: what users are shown as examples.
// Throws Error (kArtifact) for a damaged model.
[[nodiscard]] std::vector<data::Record> example_rows(const store::Store& store,
                                                     const store::Artifact& model);

// A model in memory that has shown that it computes what it was trained to, and answers as
// `predict` does. One thread at a time; load it once per thread.
class LoadedModel {
 public:
  // Checks every hash, shape and type, then scores the golden rows, which also brings everything
  // into memory that an answer needs. Throws Error: kArtifact for a damaged model, kCheckFailed
  // when a golden row gets another logit (other bits on the backend class that made it, more than
  // 1e-5 away on another one).
  LoadedModel(const store::Store& store, const store::Artifact& artifact,
              const std::string& device);
  ~LoadedModel();
  LoadedModel(LoadedModel&&) noexcept;
  LoadedModel& operator=(LoadedModel&&) = delete;

  [[nodiscard]] std::vector<Answer> of(std::span<const data::Record> records);

  [[nodiscard]] const store::Artifact& artifact() const;
  [[nodiscard]] const TableNeeds& needs() const;
  // Whether golden rows got the very bits they had in training.
  [[nodiscard]] bool golden_bit_equal() const;
  // {"features", "optional", "threshold", "epitopes", "networks", "background"}
  [[nodiscard]] Json describe() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tcrops::stages
