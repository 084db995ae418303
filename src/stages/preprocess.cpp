// Stage preprocess: raw files -> clean pair table, split, negatives, encoded rows, leak check and
// profile.
#include "clean_rows.hpp"
#include "dataset.hpp"
#include "partition.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/log.hpp>
#include <tcrops/data/fingerprint.hpp>
#include <tcrops/data/profile.hpp>
#include <tcrops/eval/leak_check.hpp>
#include <tcrops/stages/nearest.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace tcrops::stages {
namespace {

constexpr std::size_t kNearestShown = 3;

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.configuration = context.config.fields().resolved("preprocess", true);
  Json& features = key.configuration["features"] = Json::array();
  for (const data::Column column : feature_columns(context.config.preprocess)) {
    features.push_back(data::column_name(column));
  }
}

// What people should see of the cleaning; refusals and changes end a strict run.
void report_cleaning(const CleanRows& rows, bool strict) {
  const std::size_t refused = rows.counts.count(data::Action::kRefused);
  const std::size_t changed = rows.counts.count(data::Action::kChanged);
  if (refused == 0 && (changed == 0 || !strict)) {
    if (changed > 0) log_info(fmt::format("{} values changed; cleaning.csv has them", changed));
    return;
  }
  std::string text =
      fmt::format("{} refusals and {} changes in {} rows", refused, changed, rows.rows);
  std::size_t shown = 0;
  for (const auto& entry : rows.counts.entries()) {
    if (entry.action == data::Action::kNoticed || ++shown > 8) break;
    text +=
        fmt::format("\n  {} {}{}{}: {} times, first in line {}: {}",
                    data::action_name(entry.action), entry.field, entry.field.empty() ? "" : ": ",
                    entry.code, entry.count, entry.first_line, entry.first_reason);
  }
  if (strict) {
    throw Error(ExitCode::kInputData,
                text + "\nmend these rows, or allow them with --set preprocess.strict=false");
  }
  log_warning(text + "\n  all of them are in cleaning.csv of the dataset");
}

void report_repeats(const CleanRows& rows, const PreprocessConfig& config) {
  if (config.repeats == "drop") return;  // then they are refused, and said as such
  if (rows.contradicting > 0) {
    log_warning(
        fmt::format("{} rows call a pair not binding that another row calls binding; one "
                    "of each two is wrong",
                    rows.contradicting));
  }
  if (rows.repeated > 0)
    log_warning(fmt::format("{} rows repeat a row before them", rows.repeated));
}

// A side without both classes cannot be learned from or judged.
void require_both_classes(const Dataset& dataset, bool test_is_a_table) {
  std::map<data::Side, std::array<std::size_t, 2>> counts;
  for (const data::Side side : {data::Side::kTrain, data::Side::kValidation, data::Side::kTest}) {
    counts[side] = {};
  }
  for (std::size_t row = 0; row < dataset.records.size(); ++row) {
    ++counts[dataset.sides[row]][dataset.records[row].label.value_or(false) ? 1 : 0];
  }
  for (const auto& [side, count] : counts) {
    if (count[0] > 0 && count[1] > 0) continue;
    if (side == data::Side::kTest && test_is_a_table) {
      throw Error(ExitCode::kInputData,
                  fmt::format("the table to test on has {} positive and {} negative rows; both are "
                              "needed, for no negatives are drawn for it",
                              count[1], count[0]));
    }
    throw Error(
        ExitCode::kInputData,
        fmt::format("the {} side has {} positive and {} negative rows; both are needed: give "
                    "more rows, or other values of preprocess.validation_fraction, "
                    "test_fraction or split_seed",
                    data::side_name(side), count[1], count[0]));
  }
}

Dataset encode(Partition partition, std::vector<std::string> extra_names,
               const PreprocessConfig& config) {
  Dataset dataset;
  dataset.records = std::move(partition.records);
  dataset.sides = std::move(partition.sides);
  dataset.folds = std::move(partition.folds);
  dataset.extra_names = std::move(extra_names);
  for (const std::string& name : config.optional) {
    dataset.optional.push_back(*data::column_named(name));
  }
  dataset.encoder = data::fit_encoder({.name = config.encoder,
                                       .padding = data::padding_named(config.padding),
                                       .features = feature_columns(config)},
                                      dataset.records);
  for (const data::Record& record : dataset.records) {
    if (dataset.encoded.rows % 4096 == 0) check_interrupt();
    if (const auto fault = dataset.encoder->encode(record, dataset.encoded)) {
      throw Error(ExitCode::kInputData,
                  fmt::format("line {}: {}: {}", record.line, data::column_name(fault->column),
                              fault->reason));
    }
  }
  return dataset;
}

Json facts_of(const Dataset& dataset, const CleanRows& rows, const PreprocessConfig& config,
              const eval::LeakCheck& leaks) {
  std::map<std::string, std::size_t> sides;
  std::map<std::string, std::size_t> origins;
  std::size_t positives = 0;
  for (std::size_t row = 0; row < dataset.sides.size(); ++row) {
    const data::Record& record = dataset.records[row];
    ++sides[std::string(data::side_name(dataset.sides[row]))];
    positives += record.label.value_or(false) ? 1U : 0U;
    if (!record.label.value_or(false)) ++origins[std::string(data::origin_name(record.origin))];
  }
  Json facts = {{"rows", dataset.records.size()},
                {"rows_read", rows.rows},
                {"positives", positives},
                {"negatives", origins},
                {"refused", rows.counts.count(data::Action::kRefused)},
                {"changed", rows.counts.count(data::Action::kChanged)},
                {"repeated_rows", rows.repeated},
                {"contradicting_rows", rows.contradicting},
                {"sides", sides},
                {"feature_width", dataset.encoder->feature_width()},
                {"optional", config.optional},
                {"tcrs_on_several_sides",
                 data::shared_tcrs(dataset.records, dataset.sides, identity_columns(config))},
                {"leak_free", leaks.passed()},
                {"leaks", leaks.failures()}};
  if (!rows.tests.empty()) facts["near_test_rows"] = rows.near_test;
  return facts;
}

// How near this dataset is to others of the store is no part of it: that changes with the store.
void report_nearest(const StageContext& context, const Json& profile, RunRecord& run) {
  const auto fingerprint = data::fingerprint_of_profile(profile);
  if (!fingerprint) return;
  const NearestDatasets nearest = nearest_datasets(context.store, *fingerprint, kNearestShown, "");
  run.notes["nearest_datasets"] = to_json(nearest);
  if (!nearest.nearest.empty()) log_info("nearest known datasets:\n" + nearest_text(nearest));
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  const PreprocessConfig& config = context.config.preprocess;
  CleanRows rows = clean_rows(context);
  report_cleaning(rows, config.strict);
  report_repeats(rows, config);
  check_interrupt();
  Partition parts = partition(rows, config);
  const std::size_t excluded = parts.excluded;
  const auto shortage = parts.shortage;
  if (parts.unmatched > 0) {
    log_warning(
        fmt::format("{} negatives could not be drawn, because no other TCR lacks the same "
                    "columns; what is missing would give the label away",
                    parts.unmatched));
  }
  const Dataset dataset = encode(std::move(parts), rows.extra_names, config);
  require_both_classes(dataset, !rows.tests.empty());
  check_interrupt();
  const eval::LeakCheck leaks =
      eval::check_leaks(dataset.records, dataset.sides, identity_columns(config));

  Json profile = data::profile(dataset.records, dataset.sides);
  profile["rules"] = rows.rules;
  profile["cleaning"] = rows.counts.json();

  store::Manifest manifest = manifest_for(store::Kind::kDataset, key);
  manifest.facts = facts_of(dataset, rows, config, leaks);
  manifest.facts["excluded_rows"] = excluded;
  if (!shortage.empty()) manifest.facts["negatives_missing"] = shortage;
  store::Draft draft = context.store.begin_draft();
  write_dataset(dataset, draft);
  draft.add("profile.json", canonical_json(profile));
  draft.add("cleaning.csv", rows.report);
  draft.add("leaks.json", canonical_json(leaks.to_json()));
  report_nearest(context, profile, run);
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition preprocess_stage() {
  return {.stage = Stage::kPreprocess,
          .kind = store::Kind::kDataset,
          .version = 2,
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
