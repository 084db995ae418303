// Stage predict: the prediction that ends a run, on test rows taken back from their encoded form.
#include "answers.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

namespace tcrops::stages {
namespace {

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.configuration = context.config.fields().resolved("predict", true);
  key.seed = context.config.seed;
  key.backend_class = context.input(Stage::kTrain).manifest.backend_class;
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  const Dataset dataset = read_dataset(context.store, context.input(Stage::kPreprocess));
  const Model model = load_model(context.store, context.input(Stage::kTrain),
                                 nn::resolve_device(context.config.train.device));
  const auto records = sample_rows(dataset, data::Side::kTest,
                                   static_cast<std::size_t>(context.config.predict.examples),
                                   static_cast<std::uint64_t>(context.config.seed));
  Answers answers(context.store, model, false);
  std::vector<std::string> header(data::kColumnNames.begin(),
                                  data::kColumnNames.begin() + data::kBenchmarkColumnCount);
  header.emplace_back(data::kLabelColumn);
  for (const AnswerColumn column : answers.columns()) header.emplace_back(column_name(column));
  std::string csv;
  data::append_csv(csv, header);
  std::int64_t called = 0;
  const std::vector<Answer> given = answers.of(records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!given[i].problem.empty()) {
      throw Error(
          ExitCode::kArtifact,
          fmt::format("the model cannot score a row of its own dataset: {}", given[i].problem));
    }
    called += given[i].call ? 1 : 0;
    std::vector<std::string> fields(records[i].values.begin(),
                                    records[i].values.begin() + data::kBenchmarkColumnCount);
    fields.emplace_back(records[i].label.value_or(false) ? "1" : "0");
    for (const AnswerColumn column : answers.columns())
      append_text(fields.emplace_back(), given[i], column);
    data::append_csv(csv, fields);
  }
  store::Manifest manifest = manifest_for(store::Kind::kPredictions, key);
  manifest.facts = {{"rows", records.size()}, {"called", called}};
  store::Draft draft = context.store.begin_draft();
  draft.add("predictions.csv", csv);
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition predict_stage() {
  return {.stage = Stage::kPredict,
          .kind = store::Kind::kPredictions,
          .version = 2,
          .upstream =
              [](const PipelineConfig&) {
                return std::vector<Stage>{Stage::kPreprocess, Stage::kTrain};
              },
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                return Json{{"predict", c}};
              },
          .reusable = true};
}

}  // namespace tcrops::stages
