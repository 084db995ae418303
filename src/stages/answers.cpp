#include "answers.hpp"

#include <tcrops/core/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

bool sees(const Model& model, data::Column column) {
  const auto& features = model.encoder->features();
  return std::find(features.begin(), features.end(), column) != features.end();
}

std::vector<std::optional<float>> logits_of(const Model& model,
                                            std::span<const data::Record> records) {
  std::vector<std::optional<float>> logits;
  for (const Scored& scored : score(model, records)) logits.push_back(scored.logit);
  return logits;
}

}  // namespace

Answers::Answers(const store::Store& store, const Model& model, bool plain)
    : model_(model),
      plain_(plain),
      epitopes_(sees(model, data::Column::kMhc),
                [this](const auto& epitope, const auto& mhc) { return find_facts(epitope, mhc); }) {
  columns_ = {AnswerColumn::kScore};
  if (!plain) {
    columns_.insert(columns_.end(), {AnswerColumn::kProbability, AnswerColumn::kPercentile});
    if (model.network->size() > 1) columns_.push_back(AnswerColumn::kSpread);
    columns_.insert(columns_.end(), {AnswerColumn::kNearestTcr, AnswerColumn::kNearestEpitope,
                                     AnswerColumn::kFlags});
  }
  columns_.push_back(AnswerColumn::kCall);
  if (plain) return;
  try {
    read_background(store);
    read_reference_tcrs(store);
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: {}", model.artifact.file("model.json").string(), e.what()));
  }
}

void Answers::read_background(const store::Store& store) {
  if (!model_.description.contains("background")) return;
  const store::Artifact& artifact = model_.artifact;
  background_ = model_.description.at("background").at("from").get<std::string>();
  background_tcrs_ = parse_background(store.read(artifact, "background.csv"),
                                      artifact.file("background.csv").string());
}

void Answers::read_reference_tcrs(const store::Store& store) {
  if (!model_.description.contains("nearest")) return;
  const store::Artifact& artifact = model_.artifact;
  distances_.emplace(parse_reference_tcrs(store.read(artifact, "training_tcrs.csv"),
                                          artifact.file("training_tcrs.csv").string()),
                     model_.encoder->features());
  const Json& far = model_.description.at("nearest").at("far_below");
  if (!far.is_null()) far_below_ = far.get<double>();
}

EpitopeFacts Answers::find_facts(const std::string& epitope, const std::string& mhc) const {
  EpitopeFacts facts;
  if (model_.calibration) facts.curve = &model_.calibration->curve_of(epitope);
  facts.background = Ranks(logits_before(
      background_tcrs_, epitope, mhc, [this](auto records) { return logits_of(model_, records); }));
  if (distances_ && !epitope.empty() && !distances_->epitopes().empty())
    facts.nearest_epitope = distances_->nearest_epitope(epitope);
  return facts;
}

void Answers::add_columns(const data::Record& record, const Scored& scored, Answer& answer) {
  const float logit = *scored.logit;
  const EpitopeFacts& epitope = epitopes_.of(record);
  if (epitope.curve != nullptr) answer.probability = epitope.curve->at(logit);
  answer.percentile = epitope.percentile(logit);
  if (model_.network->size() > 1) answer.spread = scored.spread.value_or(0.0F);
  if (distances_) {
    answer.nearest_tcr = distances_->nearest_tcr(record);
    answer.far_from_training = far_below_ && *answer.nearest_tcr < *far_below_;
  }
  answer.nearest_epitope = epitope.nearest_epitope;
  answer.unseen_epitope = epitope.nearest_epitope.value_or(0) > 0;
}

std::vector<Answer> Answers::of(std::span<const data::Record> records) {
  std::vector<Scored> scored = score(model_, records);
  std::vector<Answer> answers(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    Answer& answer = answers[i];
    if (!scored[i].logit) {
      answer.problem = std::move(scored[i].problem);
      continue;
    }
    answer.score = probability_of(*scored[i].logit);
    answer.call = answer.score >= model_.threshold;
    if (!plain_) add_columns(records[i], scored[i], answer);
  }
  return answers;
}

}  // namespace tcrops::stages
