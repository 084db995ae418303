#include "model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr const char* kModelFormat = "tcrops.model/1";
constexpr std::size_t kGoldenRows = 16;
constexpr std::size_t kExampleRows = 10;

std::vector<std::string> column_names(const std::vector<data::Column>& columns) {
  std::vector<std::string> names;
  for (const data::Column column : columns) {
    names.emplace_back(data::column_name(column));
  }
  return names;
}

Json tensor_table(const std::vector<nn::Tensor>& tensors) {
  Json table = Json::array();
  for (const nn::Tensor& tensor : tensors) {
    table.push_back(
        {{"name", tensor.name}, {"dtype", nn::dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return table;
}

Json golden_json(const Fitted& fitted, const Dataset& dataset, std::uint64_t seed) {
  const auto records = sample_rows(dataset, data::Side::kValidation, kGoldenRows, seed);
  data::EncodedRows rows;
  for (const data::Record& record : records) {
    if (dataset.encoder->encode(record, rows)) {
      throw Error(ExitCode::kFailure, "a row of the dataset cannot be encoded by its own encoder");
    }
  }
  const auto logits = fitted.network->logits(rows);
  Json golden = Json::array();
  for (std::size_t i = 0; i < records.size(); ++i) {
    golden.push_back({{"row", records[i].values}, {"logit", logits[i]}});
  }
  return golden;
}

std::string examples_csv(const Dataset& dataset, std::uint64_t seed) {
  return data::format_table_csv(sample_rows(dataset, data::Side::kTest, kExampleRows, seed));
}

}  // namespace

std::vector<data::Record> sample_rows(const Dataset& dataset, data::Side side, std::size_t count,
                                      std::uint64_t seed) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    if (dataset.sides[row] == side) rows.push_back(row);
  }
  Rng rng(seed, "model.sample", static_cast<std::uint64_t>(side));
  rng.shuffle(rows);
  rows.resize(std::min(count, rows.size()));
  std::sort(rows.begin(), rows.end());
  std::vector<data::Record> records;
  for (const std::size_t row : rows) records.push_back(dataset.records[row]);
  return records;
}

void write_model(const Fitted& fitted, const FitParameters& parameters, const Dataset& dataset,
                 const std::string& profile, std::uint64_t seed, const store::Draft& draft) {
  const auto weights = fitted.network->weights();
  const Json description = {
      {"format", kModelFormat},
      {"network", nn::to_json(fitted.network->spec())},
      {"parameters", to_json(parameters)},
      {"trained_numbers", fitted.network->spec().parameters()},
      {"threshold", fitted.threshold},
      {"seed", seed},
      {"signature",
       {{"columns", column_names(dataset.encoder->features())},
        {"optional", column_names(dataset.optional)},
        {"output", "probability that the TCR recognises the epitope, not calibrated"}}},
      {"tensors", tensor_table(weights)}};
  draft.add("model.json", canonical_json(description));
  draft.add("weights.safetensors", nn::write_safetensors(weights));
  draft.add("encoder.json", canonical_json(dataset.encoder->to_json()));
  draft.add("golden.json", canonical_json(golden_json(fitted, dataset, seed)));
  draft.add("examples.csv", examples_csv(dataset, seed));
  draft.add("history.json", canonical_json(fitted.history));
  draft.add("profile.json", profile);
}

Model load_model(const store::Store& store, const store::Artifact& artifact,
                 const nn::Device& device) {
  if (artifact.manifest.kind != store::Kind::kModel) {
    throw Error(ExitCode::kArtifact,
                fmt::format("{} is of kind {}, not a model", artifact.short_id(),
                            store::kind_name(artifact.manifest.kind)));
  }
  Model model;
  model.artifact = artifact;
  const std::string name = artifact.file("model.json").string();
  model.description = parse_json(store.read(artifact, "model.json"), name);
  const std::string weights = store.read(artifact, "weights.safetensors");
  const std::string encoder = store.read(artifact, "encoder.json");
  try {
    if (const auto format = model.description.at("format").get<std::string>();
        format != kModelFormat) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: format {} is not {}", name, format, kModelFormat));
    }
    const nn::ModelSpec spec = nn::spec_from_json(model.description.at("network"));
    model.threshold = model.description.at("threshold").get<double>();
    for (const Json& each : model.description.at("signature").value("optional", Json::array())) {
      const auto column = data::column_named(each.get<std::string>());
      if (!column) {
        throw Error(ExitCode::kArtifact, fmt::format("{}: unknown column {}", name, each.dump()));
      }
      model.optional.push_back(*column);
    }
    const auto tensors =
        nn::read_safetensors(weights, artifact.file("weights.safetensors").string());
    if (tensor_table(tensors) != model.description.at("tensors")) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: names, types or shapes differ from model.json",
                              artifact.file("weights.safetensors").string()));
    }
    model.encoder =
        data::encoder_from_json(parse_json(encoder, artifact.file("encoder.json").string()));
    if (static_cast<std::int64_t>(model.encoder->feature_width()) != spec.widths.front()) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: the encoder gives {} numbers but the network takes {}", name,
                              model.encoder->feature_width(), spec.widths.front()));
    }
    model.network = nn::core().load(spec, model.encoder->expansion(), tensors, device);
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: {}", name, e.what()));
  }
  return model;
}

Golden read_golden(const store::Store& store, const store::Artifact& artifact) {
  Golden golden;
  const std::string name = artifact.file("golden.json").string();
  try {
    for (const Json& entry : parse_json(store.read(artifact, "golden.json"), name)) {
      data::Record record;
      // Models of before the loops were columns have nine values.
      const auto row = entry.at("row").get<std::vector<std::string>>();
      if (row.size() > data::kColumnCount) {
        throw Error(ExitCode::kArtifact, fmt::format("{}: a row has {} values", name, row.size()));
      }
      std::copy(row.begin(), row.end(), record.values.begin());
      golden.records.push_back(std::move(record));
      golden.logits.push_back(entry.at("logit").get<float>());
    }
  } catch (const Json::exception& e) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: {}", name, e.what()));
  }
  return golden;
}

std::vector<data::Record> read_examples(const store::Store& store,
                                        const store::Artifact& artifact) {
  std::istringstream in(store.read(artifact, "examples.csv"));
  return data::read_table(in, artifact.file("examples.csv").string(), {},
                          data::LabelRule::kRequired)
      .records;
}

Answer answer_of(const Model& model, float logit) {
  const double probability = probabilities(std::span<const float>(&logit, 1)).front();
  return {fmt::format("{:.7g}", probability), probability >= model.threshold};
}

std::vector<Scored> score(const Model& model, std::span<const data::Record> records) {
  std::vector<Scored> results(records.size());
  std::vector<std::size_t> usable;
  data::EncodedRows rows;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (const auto fault = model.encoder->encode(records[i], rows)) {
      results[i].problem = fmt::format("{}: {}", data::column_name(fault->column), fault->reason);
    } else {
      usable.push_back(i);
    }
  }
  const auto logits = model.network->logits(rows);
  for (std::size_t k = 0; k < usable.size(); ++k) results[usable[k]].logit = logits[k];
  return results;
}

}  // namespace tcrops::stages
