#include "answered_rows.hpp"
#include "answers.hpp"
#include "golden.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/nn/device.hpp>
#include <tcrops/stages/loaded_model.hpp>

#include <fmt/format.h>

namespace tcrops::stages {

std::vector<data::Record> example_rows(const store::Store& store, const store::Artifact& model) {
  return read_examples(store, model);
}

struct LoadedModel::State {
  State(const store::Store& store, const store::Artifact& artifact, const nn::Device& device)
      : model(load_model(store, artifact, device)),
        needs(needs_of(model)),
        answers(store, model, /*plain=*/false) {
    needs.columns = answers.columns();
  }

  Model model;
  TableNeeds needs;
  Answers answers;
  bool bit_equal = false;
};

LoadedModel::LoadedModel(const store::Store& store, const store::Artifact& artifact,
                         const std::string& device) {
  const nn::Device resolved = nn::resolve_device(device);
  state_ = std::make_unique<State>(store, artifact, resolved);
  const GoldenCheck golden = check_golden(store, state_->model, resolved);
  if (!golden.problem.empty()) {
    throw Error(ExitCode::kCheckFailed,
                fmt::format("model {} does not compute what it was trained to: {}; `tcrops "
                            "serve-check --model {}` says more",
                            artifact.short_id(), golden.problem, artifact.short_id()));
  }
  state_->bit_equal = golden.bit_equal;
  static_cast<void>(of(read_golden(store, artifact).records));
}

LoadedModel::~LoadedModel() = default;
LoadedModel::LoadedModel(LoadedModel&&) noexcept = default;

std::vector<Answer> LoadedModel::of(std::span<const data::Record> records) {
  return state_->answers.of(records);
}

const store::Artifact& LoadedModel::artifact() const { return state_->model.artifact; }
const TableNeeds& LoadedModel::needs() const { return state_->needs; }
bool LoadedModel::golden_bit_equal() const { return state_->bit_equal; }

Json LoadedModel::describe() const {
  const auto names = [](const std::vector<data::Column>& columns) {
    Json list = Json::array();
    for (const data::Column column : columns) list.push_back(data::column_name(column));
    return list;
  };
  const Model& model = state_->model;
  return {{"features", names(model.encoder->features())},
          {"optional", names(model.optional)},
          {"threshold", model.threshold},
          {"epitopes", model.epitopes},
          {"networks", model.network->size()},
          {"background", state_->answers.background()}};
}

}  // namespace tcrops::stages
