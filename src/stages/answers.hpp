#pragma once

#include "background.hpp"
#include "epitope_facts.hpp"
#include "model.hpp"
#include "reference_tcrs.hpp"

#include <tcrops/data/record.hpp>
#include <tcrops/stages/loaded_model.hpp>
#include <tcrops/store/store.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcrops::stages {

// What a model says of each record. One thread at a time; the model must outlive it.
class Answers {
 public:
  // `plain`: only score and call. Throws Error (kArtifact) for a damaged model.
  Answers(const store::Store& store, const Model& model, bool plain);
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;
  [[nodiscard]] const std::vector<AnswerColumn>& columns() const { return columns_; }
  [[nodiscard]] std::vector<Answer> of(std::span<const data::Record> records);
  // "training", "controls"; "none" when there is no background or it is not used.
  [[nodiscard]] const std::string& background() const { return background_; }

 private:
  void read_background(const store::Store& store);
  void read_reference_tcrs(const store::Store& store);
  [[nodiscard]] EpitopeFacts find_facts(const std::string& epitope, const std::string& mhc) const;
  // All but score and call.
  void add_columns(const data::Record& record, const Scored& scored, Answer& answer);

  const Model& model_;
  bool plain_;
  std::vector<AnswerColumn> columns_;
  std::string background_ = "none";
  Background background_tcrs_;
  std::optional<Distances> distances_;
  KnownEpitopes epitopes_;
  std::optional<double> far_below_;
};

}  // namespace tcrops::stages
