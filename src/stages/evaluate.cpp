// Stage evaluate: the test rows, looked at once, beside the baselines on the same rows.
#include "model.hpp"
#include "stage.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/csv.hpp>
#include <tcrops/data/similarity.hpp>
#include <tcrops/eval/baselines.hpp>
#include <tcrops/eval/metrics.hpp>
#include <tcrops/nn/device.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

namespace tcrops::stages {
namespace {

std::vector<Stage> upstream(const PipelineConfig&) { return {Stage::kPreprocess, Stage::kTrain}; }

void complete_key(const KeyContext& context, store::ReuseKey& key) {
  key.backend_class = context.input(Stage::kTrain).manifest.backend_class;
}

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

// Test TCRs that the model was trained or chosen on, and others that have a near duplicate among
// those, when these rows are of another dataset than its own.
struct KnownTcrs {
  std::int64_t exactly = 0;
  std::int64_t nearly = 0;
};

KnownTcrs known_tcrs(const StageContext& context, const SideData& test) {
  const auto& parents = context.input(Stage::kTrain).manifest.parents;
  const std::string& own = parents.at("dataset");
  if (own == context.input(Stage::kPreprocess).id) return {};
  const Dataset dataset = read_dataset(context.store, ancestor(context, "dataset", own));
  const bool test_chose = selected_on(context) == "test";
  std::vector<data::Record> seen;
  std::set<std::string> seen_keys;
  for (std::size_t row = 0; row < dataset.records.size(); ++row) {
    if (!test_chose && dataset.sides[row] == data::Side::kTest) continue;
    if (seen_keys.insert(data::tcr_key(dataset.records[row])).second) {
      seen.push_back(dataset.records[row]);
    }
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

// TCRs of test that have a near duplicate among the training rows of the same dataset.
std::int64_t near_training(const StageContext& context) {
  constexpr const char* kLeaks = "leaks.json";
  const store::Artifact& dataset = context.input(Stage::kPreprocess);
  if (!dataset.manifest.files.contains(kLeaks)) return 0;
  const Json leaks = parse_json(context.store.read(dataset, kLeaks), dataset.file(kLeaks).string());
  return leaks.at("near_test_train").at("count").get<std::int64_t>();
}

// With fewer positive rows than this, one TCR more or less changes every metric visibly.
constexpr std::ptrdiff_t kFewPositives = 20;

// What a reader must know before believing the numbers.
struct Caveats {
  std::vector<std::string> unfair;  // the model may have known these rows
  std::vector<std::string> others;

  [[nodiscard]] std::vector<std::string> all() const {
    std::vector<std::string> texts;
    for (const std::string& why : unfair) texts.push_back("not a fair test: " + why);
    texts.insert(texts.end(), others.begin(), others.end());
    return texts;
  }
};

Caveats caveats_of(const StageContext& context, const SideData& test) {
  Caveats caveats;
  const store::Manifest& dataset = context.input(Stage::kPreprocess).manifest;
  if (const auto shared = dataset.facts.at("tcrs_on_several_sides").get<std::int64_t>();
      shared > 0) {
    caveats.unfair.push_back(
        fmt::format("{} TCRs stand on more than one of training, validation and test (split {})",
                    shared, dataset.configuration.at("split").get<std::string>()));
  }
  const bool own_rows = context.input(Stage::kTrain).manifest.parents.at("dataset") ==
                        context.input(Stage::kPreprocess).id;
  if (own_rows && selected_on(context) == "test") {
    caveats.unfair.emplace_back("the parameters were chosen on these test rows");
  }
  if (const std::int64_t near = near_training(context); own_rows && near > 0) {
    caveats.unfair.push_back(
        fmt::format("{} of these TCRs have a near duplicate among the training rows", near));
  }
  const KnownTcrs known = known_tcrs(context, test);
  if (known.exactly > 0) {
    caveats.unfair.push_back(fmt::format(
        "{} of these TCRs were among the rows that trained or chose the model", known.exactly));
  }
  if (known.nearly > 0) {
    caveats.unfair.push_back(
        fmt::format("{} further ones have a near duplicate among those rows", known.nearly));
  }
  const auto positives = std::count(test.labels.begin(), test.labels.end(), std::uint8_t{1});
  if (positives < kFewPositives) {
    caveats.others.push_back(
        fmt::format("only {} positive test rows: too few to judge a model by", positives));
  }
  const Json leaks = dataset.facts.value("leaks", Json::array());
  for (const Json& leak : leaks) {
    caveats.others.push_back(fmt::format("leak check: {}", leak.get<std::string>()));
  }
  const Json& features = dataset.configuration.at("features");
  if (std::find(features.begin(), features.end(), "clone_id") != features.end()) {
    caveats.others.emplace_back("clone_id, an identifier, is a feature of this model");
  }
  return caveats;
}

std::string scores_csv(const SideData& test, const std::vector<double>& model,
                       const std::vector<double>& nearest) {
  std::string text;
  data::append_csv(text, {"CDR3_alpha", "CDR3_beta", "Epitope", "Label", "score",
                          "nearest_neighbour", std::string(data::kOriginColumn)});
  for (std::size_t i = 0; i < test.records.size(); ++i) {
    const data::Record& record = test.records[i];
    data::append_csv(text, {record[data::Column::kCdr3Alpha], record[data::Column::kCdr3Beta],
                            record[data::Column::kEpitope], std::to_string(test.labels[i]),
                            fmt::format("{}", model[i]), fmt::format("{}", nearest[i]),
                            std::string(data::origin_name(record.origin))});
  }
  return text;
}

// The baseline's threshold is chosen as the model's was.
Json nearest_report(const SideData& train, const SideData& validation, const SideData& test,
                    const std::vector<double>& scores, const std::string& rule) {
  const double threshold =
      rule == "half"
          ? 0.5
          : eval::best_f1_threshold(validation.labels, eval::nearest_neighbour_scores(
                                                           train.records, validation.records));
  return eval::grouped_report(test.labels, scores, test.epitopes(), threshold);
}

struct ModelScores {
  std::vector<double> probabilities;
  std::int64_t unscored = 0;
};

// With the model's own encoder, which need not be the dataset's.
ModelScores scores_of(const Model& model, const SideData& test) {
  ModelScores result;
  for (const Scored& scored : score(model, test.records)) {
    result.unscored += scored.logit ? 0 : 1;
    const float logit = scored.logit.value_or(-std::numeric_limits<float>::infinity());
    result.probabilities.push_back(probabilities(std::span(&logit, 1)).front());
  }
  return result;
}

Json summary(const Json& report) {
  return {{"macro_auroc", report.at("macro").at("auroc")},
          {"macro_average_precision", report.at("macro").at("average_precision")},
          {"pooled_auroc", report.at("pooled").at("auroc")},
          {"pooled_average_precision", report.at("pooled").at("average_precision")},
          {"accuracy", report.at("pooled").at("accuracy")},
          {"precision", report.at("pooled").at("precision")},
          {"recall", report.at("pooled").at("recall")},
          {"f1", report.at("pooled").at("f1")}};
}

// All positives with the negatives of one origin, each kind of which has its own bias. Empty when
// there is one kind only: then the whole says it.
Json reports_by_origin(const SideData& test, const std::vector<double>& scores, double threshold) {
  std::set<data::Origin> origins;
  for (const data::Record& record : test.records) {
    if (!record.label.value_or(false)) origins.insert(record.origin);
  }
  Json reports = Json::object();
  if (origins.size() < 2) return reports;
  const std::vector<std::string> epitopes = test.epitopes();
  for (const data::Origin origin : origins) {
    std::vector<std::uint8_t> labels;
    std::vector<double> values;
    std::vector<std::string> groups;
    for (std::size_t i = 0; i < test.records.size(); ++i) {
      if (test.labels[i] == 0 && test.records[i].origin != origin) continue;
      labels.push_back(test.labels[i]);
      values.push_back(scores[i]);
      groups.push_back(epitopes[i]);
    }
    reports[std::string(data::origin_name(origin))] =
        eval::grouped_report(labels, values, groups, threshold);
  }
  return reports;
}

Json summaries(const Json& reports) {
  Json all = Json::object();
  for (const auto& [name, report] : reports.items()) all[name] = summary(report);
  return all;
}

store::Artifact make(const StageContext& context, const store::ReuseKey& key,
                     const store::WorkFolder& /*work*/, RunRecord& run) {
  const Dataset dataset = read_dataset(context.store, context.input(Stage::kPreprocess));
  const Model model = load_model(context.store, context.input(Stage::kTrain),
                                 nn::resolve_device(context.config.train.device));
  const SideData train = side_of(dataset, data::Side::kTrain);
  const SideData validation = side_of(dataset, data::Side::kValidation);
  const SideData test = side_of(dataset, data::Side::kTest);

  const auto [scores, unscored] = scores_of(model, test);
  const auto nearest = eval::nearest_neighbour_scores(train.records, test.records);
  const auto rule = model.description.at("parameters").at("threshold").get<std::string>();
  const auto always_no = eval::always_no_scores(test.records.size());
  Caveats caveats = caveats_of(context, test);
  if (unscored > 0) {
    caveats.others.push_back(fmt::format(
        "the model cannot score {} of these rows; they count as not binding", unscored));
  }
  Json metrics = {
      {"schema", "tcrops.evaluation/1"},
      {"side", "test"},
      {"caveats", caveats.all()},
      {"model", eval::grouped_report(test.labels, scores, test.epitopes(), model.threshold)},
      {"baselines",
       {{"always_no", eval::grouped_report(test.labels, always_no, test.epitopes(), 0.5)},
        {"nearest_neighbour", nearest_report(train, validation, test, nearest, rule)}}},
      {"by_origin", reports_by_origin(test, scores, model.threshold)}};

  store::Manifest manifest = manifest_for(store::Kind::kEvaluation, key);
  manifest.facts = {
      {"rows", test.records.size()},
      {"positives", metrics.at("model").at("pooled").at("positives")},
      {"fair", caveats.unfair.empty()},
      {"caveats", metrics.at("caveats")},
      {"model", summary(metrics.at("model"))},
      {"baselines",
       {{"always_no", summary(metrics.at("baselines").at("always_no"))},
        {"nearest_neighbour", summary(metrics.at("baselines").at("nearest_neighbour"))}}},
      {"by_origin", summaries(metrics.at("by_origin"))}};
  store::Draft draft = context.store.begin_draft();
  draft.add("metrics.json", canonical_json(metrics));
  draft.add("scores.csv", scores_csv(test, scores, nearest));
  return context.store.publish(std::move(draft), std::move(manifest), run.finish(), key);
}

}  // namespace

StageDefinition evaluate_stage() {
  return {.stage = Stage::kEvaluate,
          .kind = store::Kind::kEvaluation,
          .version = 3,
          .upstream = upstream,
          .complete_key = complete_key,
          .make = make,
          .configuration_of = [](const Json&) { return Json::object(); },
          .reusable = true};
}

}  // namespace tcrops::stages
