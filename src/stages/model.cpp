#include "model.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/nn/quantise.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr const char* kModelFormat = "tcrops.model/1";     // one network
constexpr const char* kEnsembleFormat = "tcrops.model/2";  // several
constexpr std::size_t kEpitopesNamed = 5;
constexpr std::size_t kGoldenRows = 16;
constexpr std::size_t kExampleRows = 10;

std::vector<std::string> column_names(const std::vector<data::Column>& columns) {
  std::vector<std::string> names;
  for (const data::Column column : columns) {
    names.emplace_back(data::column_name(column));
  }
  return names;
}

Json golden_json(const Networks& networks, const Dataset& dataset, std::uint64_t seed) {
  const auto records = sample_rows(
      dataset, data::Side::kValidation, kGoldenRows, seed,
      [&](const auto& record) { return networks.answers(record[data::Column::kEpitope]); });
  data::EncodedRows rows;
  for (const data::Record& record : records) {
    if (dataset.encoder->encode(record, rows)) {
      throw Error(ExitCode::kFailure, "a row of the dataset cannot be encoded by its own encoder");
    }
  }
  const auto logits = networks.logits(rows);
  Json golden = Json::array();
  for (std::size_t i = 0; i < records.size(); ++i) {
    golden.push_back({{"row", records[i].values}, {"logit", logits[i]}});
  }
  return golden;
}

std::string examples_csv(const Dataset& dataset, std::uint64_t seed) {
  return data::format_table_csv(sample_rows(dataset, data::Side::kTest, kExampleRows, seed));
}

// Of an ensemble the names tell whose they are.
std::string member_prefix(std::size_t members, std::size_t number) {
  return members == 1 ? std::string() : fmt::format("members.{}.", number);
}

std::vector<nn::Tensor> all_weights(const Networks& networks) {
  std::vector<nn::Tensor> all;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    for (nn::Tensor& tensor : networks.member(i).weights()) {
      tensor.name.insert(0, member_prefix(networks.size(), i));
      all.push_back(std::move(tensor));
    }
  }
  return all;
}

Json describe_members(const ModelContents& contents) {
  Json ensemble = contents.ensemble;
  ensemble["combined_by"] = "mean of the logits";
  for (std::size_t i = 0; i < contents.networks.size(); ++i) {
    Json& member = ensemble.at("members").at(i);
    member["network"] = nn::to_json(contents.networks.member(i).spec());
    member["tensors"] = member_prefix(contents.networks.size(), i);
  }
  return ensemble;
}

// A network's own tensors, by the names it knows.
std::vector<nn::Tensor> member_weights(const std::vector<nn::Tensor>& all,
                                       const std::string& prefix) {
  std::vector<nn::Tensor> own;
  for (const nn::Tensor& tensor : all) {
    if (!tensor.name.starts_with(prefix)) continue;
    own.push_back(tensor);
    own.back().name.erase(0, prefix.size());
  }
  return own;
}

// Networks and their tensors as model.json lists them.
void load_networks(Model& model, const std::vector<nn::Tensor>& tensors, const std::string& name,
                   const nn::Device& device) {
  const bool is_single = !model.description.contains("ensemble");
  const Json members =
      is_single ? Json::array({{{"network", model.description.at("network")}, {"tensors", ""}}})
                : model.description.at("ensemble").at("members");
  model.network = std::make_unique<Networks>();
  for (const Json& member : members) {
    const nn::ModelSpec spec = nn::spec_from_json(member.at("network"));
    if (static_cast<std::int64_t>(model.encoder->feature_width()) != spec.inputs) {
      throw Error(ExitCode::kArtifact,
                  fmt::format("{}: the encoder gives {} numbers but the network takes {}", name,
                              model.encoder->feature_width(), spec.inputs));
    }
    model.network->add(
        nn::load_network(spec, model.encoder->expansion(),
                         member_weights(tensors, member.at("tensors").get<std::string>()), device));
  }
  if (model.network->size() == 0) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: an ensemble without members", name));
  }
}

std::vector<std::string> bound_epitopes(const ReferenceTcrs& tcrs) {
  std::set<std::string> epitopes;
  for (const ReferenceTcr& tcr : tcrs) epitopes.insert(tcr.binds.begin(), tcr.binds.end());
  return {epitopes.begin(), epitopes.end()};
}

// Why a row that can be encoded has no number.
std::string no_number(const Model& model, const data::Record& record) {
  if (model.network->answers(record[data::Column::kEpitope]))
    return "the network's output for this row is not a number; the model may be damaged";
  const auto shown = std::min(kEpitopesNamed, model.epitopes.size());
  const auto end = model.epitopes.begin() + static_cast<std::ptrdiff_t>(shown);
  return fmt::format("Epitope: the model was not trained on \"{}\"; it knows {} epitopes: {}{}",
                     record[data::Column::kEpitope], model.epitopes.size(),
                     fmt::join(model.epitopes.begin(), end, ", "),
                     shown < model.epitopes.size() ? ", …" : "");
}

}  // namespace

Json tensor_table(const std::vector<nn::Tensor>& tensors) {
  Json table = Json::array();
  for (const nn::Tensor& tensor : tensors) {
    table.push_back(
        {{"name", tensor.name}, {"dtype", nn::dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return table;
}

std::vector<data::Record> sample_rows(const Dataset& dataset, data::Side side, std::size_t count,
                                      std::uint64_t seed,
                                      const std::function<bool(const data::Record&)>& wanted) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    if (dataset.sides[row] != side) continue;
    if (!wanted || wanted(dataset.records[row])) rows.push_back(row);
  }
  Rng rng(seed, "model.sample", static_cast<std::uint64_t>(side));
  rng.shuffle(rows);
  rows.resize(std::min(count, rows.size()));
  std::sort(rows.begin(), rows.end());
  std::vector<data::Record> records;
  for (const std::size_t row : rows) records.push_back(dataset.records[row]);
  return records;
}

void write_model(const ModelContents& contents, const Dataset& dataset, const std::string& profile,
                 const store::Draft& draft) {
  const Networks& networks = contents.networks;
  const auto weights = all_weights(networks);
  Json description = {
      {"format", networks.size() == 1 ? kModelFormat : kEnsembleFormat},
      {"parameters", to_json(contents.parameters)},
      {"trained_numbers", networks.parameters()},
      {"threshold", contents.threshold},
      {"seed", contents.seed},
      {"signature",
       {{"columns", column_names(dataset.encoder->features())},
        {"optional", column_names(dataset.optional)},
        {"output", "probability that the TCR recognises the epitope, not calibrated"}}},
      {"tensors", tensor_table(weights)}};
  if (networks.size() == 1) {
    description["network"] = nn::to_json(networks.member(0).spec());
  } else {
    description["ensemble"] = describe_members(contents);
  }
  if (contents.calibration) description["calibration"] = to_json(*contents.calibration);
  if (!contents.background.empty()) {
    description["background"] = {{"from", contents.background_from},
                                 {"tcrs", contents.background.size()}};
    draft.add("background.csv", format_background(contents.background));
  }
  if (!contents.trained_on.empty()) {
    description["nearest"] = contents.nearest;
    description["epitopes"] = bound_epitopes(contents.trained_on);
    draft.add("training_tcrs.csv", format_reference_tcrs(contents.trained_on));
  }
  draft.add("model.json", canonical_json(description));
  draft.add("weights.safetensors", nn::write_safetensors(weights));
  draft.add("encoder.json", canonical_json(dataset.encoder->to_json()));
  draft.add("golden.json", canonical_json(golden_json(networks, dataset, contents.seed)));
  draft.add("examples.csv", examples_csv(dataset, contents.seed));
  draft.add("history.json", canonical_json(contents.history));
  draft.add("profile.json", profile);
}

void write_model(const Fitted& fitted, const FitParameters& parameters, const Dataset& dataset,
                 const std::string& profile, std::uint64_t seed, const store::Draft& draft) {
  ModelContents contents;
  // Lent, not given.
  contents.networks.add({std::shared_ptr<void>(), fitted.network.get()});
  contents.parameters = parameters;
  contents.seed = seed;
  contents.threshold = fitted.threshold;
  contents.history = fitted.history;
  write_model(contents, dataset, profile, draft);
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
        format != kModelFormat && format != kEnsembleFormat) {
      throw Error(ExitCode::kArtifact, fmt::format("{}: format {} is neither {} nor {}", name,
                                                   format, kModelFormat, kEnsembleFormat));
    }
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
    load_networks(model, tensors, name, device);
    if (model.description.contains("calibration")) {
      model.calibration = calibration_from_json(model.description.at("calibration"));
    }
    model.epitopes = model.description.value("epitopes", std::vector<std::string>());
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

std::vector<Scored> score(const Model& model, std::span<const data::Record> records) {
  std::vector<Scored> results(records.size());
  std::vector<std::size_t> usable;
  usable.reserve(records.size());
  data::EncodedRows rows;
  rows.codes.reserve(records.size() * model.encoder->expansion().code_width);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (const auto fault = model.encoder->encode(records[i], rows)) {
      results[i].problem = fmt::format("{}: {}", data::column_name(fault->column), fault->reason);
    } else {
      usable.push_back(i);
    }
  }
  const Networks::Scores scores = model.network->scores(rows);
  for (std::size_t k = 0; k < usable.size(); ++k) {
    Scored& result = results[usable[k]];
    if (!std::isfinite(scores.logits[k])) {
      result.problem = no_number(model, records[usable[k]]);
      continue;
    }
    result.logit = scores.logits[k];
    if (!scores.spreads.empty()) result.spread = scores.spreads[k];
  }
  return results;
}

}  // namespace tcrops::stages
