#include "evaluation_past.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/similarity.hpp>
#include <tcrops/eval/leak_check.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tcrops::stages {
namespace {

// What the model's lineage must have in the store, or nobody can say what the model has seen.
store::Artifact ancestor(const StageContext& context, const std::string& role,
                         const std::string& id) {
  try {
    return context.store.at(id);
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("whether these rows are a fair test of model {} cannot be "
                                      "said without its {}: {}; import it, or make it again",
                                      context.input(Stage::kTrain).short_id(), role, e.what()));
  }
}

// The rows on which the model's parameters were chosen, from its own lineage.
std::string selected_on(const StageContext& context) {
  const store::Manifest& model = context.input(Stage::kTrain).manifest;
  if (const auto study = model.parents.find("study"); study != model.parents.end()) {
    return ancestor(context, "study", study->second)
        .manifest.facts.at("select_on")
        .get<std::string>();
  }
  // One that a study has kept carries the study's configuration.
  const auto tune = model.configuration.find("tune");
  if (tune == model.configuration.end()) return "validation";
  return tune->at("select_on").get<std::string>();
}

// With fewer positive rows than this, one TCR more or less changes every metric visibly.
constexpr std::ptrdiff_t kFewPositives = 20;

// The leak check of the dataset whose rows are judged; null without one.
Json leak_check_of(const StageContext& context) {
  constexpr const char* kLeaks = "leaks.json";
  const store::Artifact& dataset = context.input(Stage::kPreprocess);
  if (!dataset.manifest.files.contains(kLeaks)) return {};
  return parse_json(context.store.read(dataset, kLeaks), dataset.file(kLeaks).string());
}

eval::LeakCount leak_count(const Json& leaks, const char* key) {
  if (leaks.is_null()) return {};
  return {.count = leaks.at(key).at("count").get<std::size_t>(),
          .lines = leaks.at(key).at("lines").get<std::vector<std::size_t>>()};
}

std::vector<data::Record> seen_rows(const ModelPast& past) {
  std::vector<data::Record> rows = past.train.records;
  rows.insert(rows.end(), past.validation.records.begin(), past.validation.records.end());
  rows.insert(rows.end(), past.chose.begin(), past.chose.end());
  return rows;
}

// Whether the model's weights come from its validation rows, too.
bool learns_validation(const store::Manifest& model) {
  const bool of_folds =
      model.facts.contains("ensemble") && model.facts.at("ensemble").value("from", "") == "folds";
  return of_folds || model.facts.at("parameters").value("refit", false);
}

// Test TCRs that the model was trained or chosen on, and others that have a near duplicate among
// those.
struct KnownTcrs {
  std::int64_t exactly = 0;
  std::int64_t nearly = 0;
};

KnownTcrs known_tcrs(const ModelPast& past, const SideData& test) {
  std::vector<data::Record> seen;
  std::set<std::string> seen_keys;
  for (data::Record& record : seen_rows(past)) {
    if (seen_keys.insert(data::tcr_key(record)).second) seen.push_back(std::move(record));
  }
  const std::vector<bool> near = data::near_duplicate_in(test.records, seen);
  std::set<std::string> exactly;
  std::set<std::string> nearly;
  for (std::size_t row = 0; row < test.records.size(); ++row) {
    std::string tcr = data::tcr_key(test.records[row]);
    if (seen_keys.contains(tcr)) {
      exactly.insert(std::move(tcr));
    } else if (near[row]) {
      nearly.insert(std::move(tcr));
    }
  }
  return {std::ssize(exactly), std::ssize(nearly)};
}

void judge_own_rows(const StageContext& context, const ModelPast& past, Caveats& caveats) {
  const store::Manifest& dataset = context.input(Stage::kPreprocess).manifest;
  if (const auto shared = dataset.facts.at("tcrs_on_several_sides").get<std::int64_t>();
      shared > 0) {
    caveats.unfair.push_back(
        fmt::format("{} TCRs stand on more than one of training, validation and test (split {})",
                    shared, dataset.configuration.at("split").get<std::string>()));
  }
  if (past.test_rows_chose) {
    caveats.unfair.emplace_back("the parameters were chosen on these test rows");
  }
  const Json check = leak_check_of(context);
  if (const std::size_t near = leak_count(check, "near_test_train").count; near > 0) {
    caveats.unfair.push_back(
        fmt::format("{} of these TCRs have a near duplicate among the training rows", near));
  }
  // What is near between validation and training flatters the choice of a model, not its test.
  eval::LeakCheck chosen_among_near;
  chosen_among_near.near_validation_train = leak_count(check, "near_validation_train");
  const std::vector<std::string> harmless = chosen_among_near.failures();
  const Json leaks = dataset.facts.value("leaks", Json::array());
  for (const Json& leak : leaks) {
    const auto text = leak.get<std::string>();
    const bool spares_test = std::find(harmless.begin(), harmless.end(), text) != harmless.end();
    (spares_test ? caveats.others : caveats.unfair).push_back(fmt::format("leak check: {}", text));
  }
}

// The leak check as it would be if the model's rows and these were one dataset.
void judge_other_rows(const ModelPast& past, const SideData& test, Caveats& caveats) {
  const KnownTcrs known = known_tcrs(past, test);
  if (known.exactly > 0) {
    caveats.unfair.push_back(fmt::format(
        "{} of these TCRs were among the rows that trained or chose the model", known.exactly));
  }
  if (known.nearly > 0) {
    caveats.unfair.push_back(
        fmt::format("{} further ones have a near duplicate among those rows", known.nearly));
  }
  std::vector<data::Record> rows = seen_rows(past);
  std::vector<data::Side> sides(rows.size(), data::Side::kTrain);
  rows.insert(rows.end(), test.records.begin(), test.records.end());
  sides.resize(rows.size(), data::Side::kTest);
  eval::LeakCheck check = eval::check_leaks(rows, sides);
  // Said above, in other words.
  check.shared_tcrs = {};
  check.near_test_train = {};
  check.label_across_sides = {};
  for (const std::string& leak : check.failures()) {
    caveats.unfair.push_back(fmt::format("leak check: {}", leak));
  }
}

}  // namespace

std::vector<data::Record> ModelPast::learned() const {
  std::vector<data::Record> rows = train.records;
  if (learned_validation)
    rows.insert(rows.end(), validation.records.begin(), validation.records.end());
  return rows;
}

std::set<std::string> ModelPast::seen_epitopes() const {
  std::set<std::string> seen;
  for (const data::Record& record : learned()) {
    if (record.label.value_or(false)) seen.insert(record[data::Column::kEpitope]);
  }
  return seen;
}

ModelPast past_of(const StageContext& context, const Dataset& judged) {
  const store::Manifest& model = context.input(Stage::kTrain).manifest;
  const std::string& own = model.parents.at("dataset");
  ModelPast past;
  past.learned_validation = learns_validation(model);
  past.judged_rows_are_own = own == context.input(Stage::kPreprocess).id;
  past.test_rows_chose = selected_on(context) == "test";
  if (past.judged_rows_are_own) {
    past.train = side_of(judged, data::Side::kTrain);
    past.validation = side_of(judged, data::Side::kValidation);
    return past;
  }
  const Dataset dataset = read_dataset(context.store, ancestor(context, "dataset", own));
  past.train = side_of(dataset, data::Side::kTrain);
  past.validation = side_of(dataset, data::Side::kValidation);
  if (past.test_rows_chose) past.chose = side_of(dataset, data::Side::kTest).records;
  return past;
}

std::string Caveats::scored_as() const { return fair() ? "test" : "not a test score"; }

std::vector<std::string> Caveats::all() const {
  std::vector<std::string> texts;
  for (const std::string& why : unfair) texts.push_back(fmt::format("not a fair test: {}", why));
  texts.insert(texts.end(), others.begin(), others.end());
  return texts;
}

Caveats caveats_of(const StageContext& context, const ModelPast& past, const SideData& test,
                   const std::vector<data::Column>& features) {
  Caveats caveats;
  if (past.judged_rows_are_own) {
    judge_own_rows(context, past, caveats);
  } else {
    judge_other_rows(past, test, caveats);
  }
  const auto positives = std::count(test.labels.begin(), test.labels.end(), std::uint8_t{1});
  if (positives < kFewPositives) {
    caveats.others.push_back(
        fmt::format("only {} positive test rows: too few to judge a model by", positives));
  }
  if (std::find(features.begin(), features.end(), data::Column::kCloneId) != features.end()) {
    caveats.others.emplace_back("clone_id, an identifier, is a feature of this model");
  }
  return caveats;
}

}  // namespace tcrops::stages
