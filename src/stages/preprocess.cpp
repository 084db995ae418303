// Stage preprocess: raw files -> clean pair table, encoded rows, split and profile.
#include "dataset.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/data/table.hpp>
#include <tcrops/data/viral.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>
#include <unordered_map>

namespace tcrops::stages {
namespace {

// The cleaned rows of a raw artifact and the story of the cleaning.
struct Cleaned {
  std::vector<data::Record> records;
  std::vector<data::Refusal> refusals;
  Json rules = Json::array();
};

// In column order and each once, however the configuration lists them.
std::vector<data::Column> feature_columns(const PreprocessConfig& config) {
  std::vector<data::Column> columns;
  for (const std::string& name : config.features) columns.push_back(*data::column_named(name));
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.configuration = context.config.fields().resolved("preprocess", true);
  Json& features = key.configuration["features"] = Json::array();
  for (const data::Column column : feature_columns(context.config.preprocess)) {
    features.push_back(data::column_name(column));
  }
}

// What makes two TCRs the same to the model: the TCR columns among its features.
std::vector<data::Column> identity_columns(const PreprocessConfig& config) {
  const auto features = feature_columns(config);
  std::vector<data::Column> columns;
  std::set_intersection(features.begin(), features.end(), data::kTcrColumns.begin(),
                        data::kTcrColumns.end(), std::back_inserter(columns));
  if (columns.empty()) columns.assign(data::kTcrColumns.begin(), data::kTcrColumns.end());
  return columns;
}

// The split and the baselines need the epitope even where the model does not see it.
std::vector<data::Column> required_columns(std::vector<data::Column> columns) {
  if (std::find(columns.begin(), columns.end(), data::Column::kEpitope) == columns.end()) {
    columns.push_back(data::Column::kEpitope);
  }
  return columns;
}

Cleaned clean(const StageContext& context) {
  const store::Artifact& raw = context.input(Stage::kFetch);
  Cleaned cleaned;
  if (raw.manifest.facts.at("source") == "viral") {
    std::istringstream beam(context.store.read(raw, "01_beam-t_clones.csv"));
    std::istringstream dextramer(context.store.read(raw, "02_covid_dextramer_clones.csv"));
    data::ViralTable table = data::build_viral_table(beam, dextramer);
    cleaned.records = std::move(table.records);
    cleaned.rules = std::move(table.rules);
    return cleaned;
  }
  std::istringstream in(context.store.read(raw, "table.csv"));
  const std::string name = context.config.fetch.source == "file" ? context.config.fetch.file
                                                                 : raw.file("table.csv").string();
  data::Table table =
      data::read_table(in, name, required_columns(feature_columns(context.config.preprocess)),
                       data::LabelRule::kRequired);
  cleaned.records = std::move(table.records);
  cleaned.refusals = std::move(table.refusals);
  return cleaned;
}

void report_refusals(const Cleaned& cleaned, bool strict) {
  if (cleaned.refusals.empty()) return;
  std::string text = fmt::format("{} of {} rows refused", cleaned.refusals.size(),
                                 cleaned.refusals.size() + cleaned.records.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(3, cleaned.refusals.size()); ++i) {
    const data::Refusal& refusal = cleaned.refusals[i];
    text += fmt::format("\n  line {}: {}: {}", refusal.line, refusal.field, refusal.reason);
  }
  if (strict) {
    throw Error(ExitCode::kInputData,
                text + "\nmend these rows, or allow refusals with --set preprocess.strict=false");
  }
  log_warning(text + "\n  all of them are in refused.csv of the dataset");
}

// Pairs that the table states more than once.
struct Repeats {
  std::size_t rows = 0;           // that say again what an earlier row said
  std::size_t contradicting = 0;  // that give an earlier pair the other label
  std::size_t first_line = 0;     // of a contradicting row
};

Repeats repeats_in(const std::vector<data::Record>& records) {
  Repeats repeats;
  std::unordered_map<std::string, bool> seen;
  for (const data::Record& record : records) {
    const bool label = record.label.value_or(false);
    const auto [at, is_new] =
        seen.try_emplace(data::tcr_key(record) + record[data::Column::kEpitope] + '\x1f' +
                             record[data::Column::kMhc],
                         label);
    if (is_new) continue;
    ++(at->second == label ? repeats.rows : repeats.contradicting);
    if (at->second != label && repeats.first_line == 0) repeats.first_line = record.line;
  }
  return repeats;
}

void report_repeats(const Repeats& repeats) {
  if (repeats.contradicting > 0) {
    log_warning(
        fmt::format("{} rows give a TCR-epitope pair another label than a row before them, "
                    "the first in line {}; one of each two is wrong",
                    repeats.contradicting, repeats.first_line));
  }
  if (repeats.rows > 0) log_warning(fmt::format("{} rows repeat a row before them", repeats.rows));
}

std::string refusals_csv(const std::vector<data::Refusal>& refusals) {
  std::string text;
  data::append_csv(text, {"line", "field", "reason"});
  for (const data::Refusal& refusal : refusals) {
    data::append_csv(text, {std::to_string(refusal.line), refusal.field, refusal.reason});
  }
  return text;
}

std::vector<data::Side> split(const std::vector<data::Record>& records, const PreprocessConfig& c) {
  const data::SplitFractions fractions{.validation = c.validation_fraction,
                                       .test = c.test_fraction};
  const auto seed = static_cast<std::uint64_t>(c.split_seed);
  if (c.split == "torch_random_split")
    return data::torch_random_split(records.size(), fractions, seed);
  return data::grouped_split(records, fractions, seed, identity_columns(c));
}

// A side without both classes cannot be learned from or judged.
void require_both_classes(const Dataset& dataset) {
  std::map<data::Side, std::array<std::size_t, 2>> counts;
  for (const data::Side side : {data::Side::kTrain, data::Side::kValidation, data::Side::kTest}) {
    counts[side] = {};
  }
  for (std::size_t row = 0; row < dataset.records.size(); ++row) {
    ++counts[dataset.sides[row]][dataset.records[row].label.value_or(false) ? 1 : 0];
  }
  for (const auto& [side, count] : counts) {
    if (count[0] > 0 && count[1] > 0) continue;
    throw Error(
        ExitCode::kInputData,
        fmt::format("the {} side has {} positive and {} negative rows; both are needed: give "
                    "more rows, or other values of preprocess.validation_fraction, "
                    "test_fraction or split_seed",
                    data::side_name(side), count[1], count[0]));
  }
}

Dataset encode(std::vector<data::Record> records, const PreprocessConfig& config) {
  Dataset dataset;
  dataset.sides = split(records, config);
  dataset.encoder = data::fit_encoder({.name = config.encoder,
                                       .padding = data::padding_named(config.padding),
                                       .features = feature_columns(config)},
                                      records);
  for (const data::Record& record : records) {
    if (dataset.encoded.rows % 4096 == 0) check_interrupt();
    if (const auto fault = dataset.encoder->encode(record, dataset.encoded)) {
      throw Error(ExitCode::kInputData,
                  fmt::format("line {}: {}: {}", record.line, data::column_name(fault->column),
                              fault->reason));
    }
  }
  dataset.records = std::move(records);
  return dataset;
}

Json facts_of(const Dataset& dataset, const Cleaned& cleaned, const Repeats& repeats,
              const PreprocessConfig& config) {
  std::map<std::string, std::size_t> sides;
  std::size_t positives = 0;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    ++sides[std::string(data::side_name(dataset.sides[row]))];
    positives += dataset.records[row].label.value_or(false) ? 1U : 0U;
  }
  return {{"rows", dataset.records.size()},
          {"positives", positives},
          {"refused", cleaned.refusals.size()},
          {"repeated_rows", repeats.rows},
          {"contradicting_rows", repeats.contradicting},
          {"sides", sides},
          {"feature_width", dataset.encoder->feature_width()},
          {"tcrs_on_several_sides",
           data::shared_tcrs(dataset.records, dataset.sides, identity_columns(config))}};
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  Cleaned cleaned = clean(context);
  report_refusals(cleaned, context.config.preprocess.strict);
  const Dataset dataset = encode(std::move(cleaned.records), context.config.preprocess);
  require_both_classes(dataset);
  const Repeats repeats = repeats_in(dataset.records);
  report_repeats(repeats);
  check_interrupt();

  Json profile = data::profile(dataset.records, dataset.sides);
  profile["rules"] = cleaned.rules;
  std::map<std::string, std::size_t> reasons;
  for (const data::Refusal& refusal : cleaned.refusals)
    ++reasons[refusal.field + ": " + refusal.reason];
  profile["refused_by_reason"] = reasons;

  store::Manifest manifest = manifest_for(store::Kind::kDataset, key);
  manifest.facts = facts_of(dataset, cleaned, repeats, context.config.preprocess);
  store::Draft draft = context.store.begin_draft();
  write_dataset(dataset, draft);
  draft.add("profile.json", canonical_json(profile));
  draft.add("refused.csv", refusals_csv(cleaned.refusals));
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition preprocess_stage() {
  return {.stage = Stage::kPreprocess,
          .kind = store::Kind::kDataset,
          .version = 1,
          .upstream = [](const PipelineConfig&) { return std::vector<Stage>{Stage::kFetch}; },
          .complete_key = complete_key,
          .make = make,
          .configuration_of =
              [](const Json& c) {
                return Json{{"preprocess", c}};
              },
          .reusable = true};
}

}  // namespace tcrops::stages
