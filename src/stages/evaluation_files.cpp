#include "evaluation_files.hpp"

#include <tcrops/data/csv.hpp>

#include <fmt/format.h>

namespace tcrops::stages {

std::string scores_csv(const SideData& test, const ModelScores& model,
                       const std::vector<ScoredRows>& baselines) {
  std::string text;
  std::vector<std::string> fields = {"CDR3_alpha", "CDR3_beta", "Epitope", "Label",
                                     model.rows.name};
  for (const ScoredRows& baseline : baselines) fields.push_back(baseline.name);
  fields.emplace_back(data::kOriginColumn);
  data::append_csv(text, fields);
  for (std::size_t i = 0; i < test.records.size(); ++i) {
    const data::Record& record = test.records[i];
    fields = {record[data::Column::kCdr3Alpha], record[data::Column::kCdr3Beta],
              record[data::Column::kEpitope], fmt::format("{}", test.labels[i]),
              fmt::format("{}", model.rows.scores[i])};
    for (const ScoredRows& each : baselines) fields.push_back(fmt::format("{}", each.scores[i]));
    fields.emplace_back(data::origin_name(record.origin));
    data::append_csv(text, fields);
  }
  return text;
}

std::string epytope_csv(const SideData& test, const ModelScores& model,
                        const std::string& dataset) {
  std::string text;
  std::vector<std::string> fields = {std::string()};
  for (std::size_t c = 0; c < data::kBenchmarkColumnCount; ++c) {
    fields.emplace_back(data::kColumnNames[c]);
  }
  fields.insert(fields.end(), {"dataset", "Label", "Score"});
  data::append_csv(text, fields);
  for (std::size_t i = 0; i < test.records.size(); ++i) {
    fields = {fmt::format("{}", i)};
    const auto& values = test.records[i].values;
    fields.insert(fields.end(), values.begin(), values.begin() + data::kBenchmarkColumnCount);
    fields.push_back(dataset);
    fields.push_back(fmt::format("{}", test.labels[i]));
    fields.push_back(model.unscored[i] ? std::string() : fmt::format("{}", model.rows.scores[i]));
    data::append_csv(text, fields);
  }
  return text;
}

}  // namespace tcrops::stages
