#include "answers.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/number_text.hpp>
#include <tcrops/core/text.hpp>

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
    : model_(model), plain_(plain) {
  columns_ = {"score"};
  if (!plain) {
    columns_.insert(columns_.end(), {"probability", "percentile"});
    if (model.network->size() > 1) columns_.emplace_back("spread");
    columns_.insert(columns_.end(), {"nearest_tcr", "nearest_epitope", "flags"});
  }
  columns_.emplace_back("call");
  if (plain) return;
  const store::Artifact& artifact = model.artifact;
  try {
    if (model.description.contains("background")) {
      background_ = model.description.at("background").at("from").get<std::string>();
      percentiles_.emplace(parse_background(store.read(artifact, "background.csv"),
                                            artifact.file("background.csv").string()),
                           sees(model, data::Column::kMhc),
                           [&model](auto records) { return logits_of(model, records); });
    }
    if (model.description.contains("nearest")) {
      distances_.emplace(parse_reference_tcrs(store.read(artifact, "training_tcrs.csv"),
                                              artifact.file("training_tcrs.csv").string()),
                         model.encoder->features());
      const Json& far = model.description.at("nearest").at("far_below");
      if (!far.is_null()) far_below_ = far.get<double>();
    }
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{}: {}", artifact.file("model.json").string(), e.what()));
  }
}

void Answers::add_distances(const data::Record& record, Answer& answer) {
  std::string similarity;
  std::string edits;
  if (distances_) {
    const double nearest = distances_->nearest_tcr(record);
    similarity = fixed_text(nearest, 3);
    answer.far_from_training = far_below_ && nearest < *far_below_;
    const std::string& epitope = record[data::Column::kEpitope];
    if (!epitope.empty() && !distances_->epitopes().empty()) {
      const std::size_t distance = distances_->nearest_epitope(epitope);
      edits = std::to_string(distance);
      answer.unseen_epitope = distance > 0;
    }
  }
  answer.fields.push_back(std::move(similarity));
  answer.fields.push_back(std::move(edits));
  std::string& flags = answer.fields.emplace_back(answer.unseen_epitope ? kUnseenEpitope : "");
  if (answer.far_from_training) {
    flags += flags.empty() ? "" : ";";
    flags += kFarFromTraining;
  }
}

void Answers::add_columns(const data::Record& record, const Scored& scored, Answer& answer) {
  const float logit = *scored.logit;
  const std::string& epitope = record[data::Column::kEpitope];
  answer.fields.push_back(
      model_.calibration ? general_text(model_.calibration->probability(epitope, logit), 7) : "");
  const auto percentile = percentiles_ ? percentiles_->of(record, logit) : std::nullopt;
  answer.fields.push_back(percentile ? general_text(*percentile, 4) : "");
  if (model_.network->size() > 1) {
    answer.fields.push_back(fmt::format("{:.4g}", scored.spread.value_or(0.0F)));
  }
  add_distances(record, answer);
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
    Call called = call_of(model_, *scored[i].logit);
    answer.call = called.binds;
    answer.score = parse_number(called.score).value_or(0.0);
    answer.fields.reserve(columns_.size());
    answer.fields.push_back(std::move(called.score));
    if (!plain_) add_columns(records[i], scored[i], answer);
    answer.fields.emplace_back(answer.call ? "1" : "0");
  }
  return answers;
}

}  // namespace tcrops::stages
