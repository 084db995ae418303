#include "partition.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/negatives.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace tcrops::stages {
namespace {

constexpr std::size_t kMostFolds = 100;  // as preprocess.folds; a dataset stores them as bytes

bool draws(const PreprocessConfig& config, const std::string& kind) {
  return std::find(config.negatives.begin(), config.negatives.end(), kind) !=
         config.negatives.end();
}

// All rows that have a say in the split. Control TCRs come last, without an epitope.
std::vector<data::Record> rows_to_split(const CleanRows& rows, const PreprocessConfig& config) {
  std::vector<data::Record> all;
  for (const data::Record& record : rows.pairs) {
    const bool is_given = !record.label.value_or(false);
    if (!is_given || draws(config, "given") ||
        (draws(config, "measured") && record.origin == data::Origin::kMeasured)) {
      all.push_back(record);
    }
  }
  if (draws(config, "measured")) {
    all.insert(all.end(), rows.measured.begin(), rows.measured.end());
  }
  if (draws(config, "background")) {
    all.insert(all.end(), rows.controls.begin(), rows.controls.end());
  }
  return all;
}

class Partitioner {
 public:
  Partitioner(const CleanRows& rows, const PreprocessConfig& config)
      : records_(rows_to_split(rows, config)),
        known_(rows.known),
        tests_(rows.tests),
        config_(config),
        columns_(identity_columns(config)),
        seed_(static_cast<std::uint64_t>(config.split_seed)) {}

  Partition run() {
    split();
    Partition result;
    const std::vector<bool> excluded = exclusions();
    const std::vector<std::size_t> parts = data::parts_of(sides_, excluded_);
    for (std::size_t row = 0; row < records_.size(); ++row) {
      const bool is_control = records_[row][data::Column::kEpitope].empty();
      if (excluded[row] || is_control) continue;
      append(result, records_[row], sides_[row], folds_ ? folds_->of_row[row] : 0);
    }
    draw(result, parts);
    for (const data::Record& test : tests_) append(result, test, data::Side::kTest, 0);
    result.excluded = excluded_.size();
    return result;
  }

 private:
  // Where a table of its own tests, the others' rows train and validate only.
  [[nodiscard]] data::SplitFractions fractions() const {
    return {.validation = config_.validation_fraction,
            .test = tests_.empty() ? config_.test_fraction : 0.0};
  }
  [[nodiscard]] data::FoldPair pair() const {
    return {.test = static_cast<std::size_t>(config_.test_fold),
            .validation = static_cast<std::size_t>(config_.validation_fold)};
  }

  void split() {
    if (config_.split == "given") return split_given();
    if (config_.folds > 0) return split_folds();
    if (config_.split == "torch_random_split") {
      sides_ = data::torch_random_split(records_.size(), fractions(), seed_);
    } else if (config_.split == "random") {
      sides_ = data::random_split(records_.size(), fractions(), seed_);
    } else if (config_.split == "grouped") {
      sides_ = data::grouped_split(records_, fractions(), seed_, columns_);
    } else if (config_.split == "clustered") {
      sides_ = data::clustered_split(records_, fractions(), seed_, columns_);
    } else {
      take(data::leave_epitope_out_split(records_, fractions(), seed_, columns_));
    }
  }

  void take(data::EpitopeSplit split) {
    sides_ = std::move(split.sides);
    excluded_ = std::move(split.excluded);
  }

  // Control TCRs have no fold of their own: they train.
  void split_given() {
    std::vector<data::Record> with_fold = records_;
    const bool numbers = std::any_of(records_.begin(), records_.end(), [](const auto& record) {
      return !record.fold.empty() && std::isdigit(static_cast<unsigned char>(record.fold[0])) != 0;
    });
    for (data::Record& record : with_fold) {
      if (!record[data::Column::kEpitope].empty() || !record.fold.empty()) continue;
      record.fold = "train";
      if (numbers) {
        throw Error(ExitCode::kInputData,
                    "preprocess.split \"given\" with fold numbers cannot place control TCRs; give "
                    "the control file a column Fold");
      }
    }
    if (numbers) {
      folds_ = data::given_folds(with_fold);
      if (folds_->count > kMostFolds) {
        throw Error(ExitCode::kInputData,
                    fmt::format("{}: {} different folds; at most {} are possible",
                                data::kFoldColumn, folds_->count, kMostFolds));
      }
    }
    sides_ = data::given_split(with_fold, pair());
  }

  void split_folds() {
    const std::map<std::string, data::FoldUnit> units = {
        {"random", data::FoldUnit::kRow},
        {"grouped", data::FoldUnit::kTcr},
        {"clustered", data::FoldUnit::kCluster},
        {"leave_epitope_out", data::FoldUnit::kEpitope}};
    const data::FoldUnit unit = units.at(config_.split);
    folds_ = data::assign_folds(records_, static_cast<std::size_t>(config_.folds), unit, seed_,
                                columns_);
    sides_ = data::sides_of_folds(*folds_, pair());
    if (unit == data::FoldUnit::kEpitope) {
      take(data::keep_tcrs_apart(records_, std::move(sides_), seed_, columns_));
      move_controls();
    }
  }

  // A control TCR follows what is near it to another side, so its negatives must not be drawn in
  // the fold that it was dealt to. One that comes to train takes turns among the folds that train.
  void move_controls() {
    std::vector<std::size_t> training;
    for (std::size_t fold = 0; fold < folds_->count; ++fold) {
      if (side_of_part(fold) == data::Side::kTrain) training.push_back(fold);
    }
    for (std::size_t row = 0; row < records_.size(); ++row) {
      std::size_t& fold = folds_->of_row[row];
      const bool is_control = records_[row][data::Column::kEpitope].empty();
      if (!is_control || side_of_part(fold) == sides_[row]) continue;
      if (sides_[row] == data::Side::kTrain) fold = training[fold % training.size()];
      if (sides_[row] == data::Side::kTest) fold = pair().test;
      if (sides_[row] == data::Side::kValidation) fold = pair().validation;
    }
  }

  [[nodiscard]] std::vector<bool> exclusions() const {
    std::vector<bool> excluded(records_.size(), false);
    for (const std::size_t row : excluded_) excluded[row] = true;
    return excluded;
  }

  void append(Partition& result, data::Record record, data::Side side, std::size_t fold) const {
    result.records.push_back(std::move(record));
    result.sides.push_back(side);
    if (folds_) result.folds.push_back(fold);
  }

  // With folds, negatives are drawn inside each fold, so that they stay where they are when another
  // fold tests.
  void draw(Partition& result, const std::vector<std::size_t>& side_parts) {
    std::vector<std::size_t> parts = side_parts;
    if (folds_) {
      for (std::size_t row = 0; row < parts.size(); ++row) {
        if (parts[row] != data::kNoPart) parts[row] = folds_->of_row[row];
      }
    }
    std::vector<data::Record> all = records_;
    all.insert(all.end(), known_.begin(), known_.end());
    parts.resize(all.size(), data::kNoPart);
    const data::NegativeOptions options{.ratio = static_cast<std::size_t>(config_.negative_ratio),
                                        .seed = seed_};
    if (draws(config_, "swapped")) {
      add(result, data::swapped_negatives(all, parts, options, columns_), "swapped");
    }
    if (draws(config_, "background")) {
      add(result, data::background_negatives(all, parts, options, columns_), "background");
    }
  }

  [[nodiscard]] data::Side side_of_part(std::size_t part) const {
    if (!folds_) return static_cast<data::Side>(part);
    if (part == pair().test) return data::Side::kTest;
    return part == pair().validation ? data::Side::kValidation : data::Side::kTrain;
  }

  void add(Partition& result, data::Negatives negatives, const char* origin) const {
    for (std::size_t i = 0; i < negatives.records.size(); ++i) {
      append(result, std::move(negatives.records[i]), side_of_part(negatives.parts[i]),
             negatives.parts[i]);
    }
    if (negatives.shortage > 0) result.shortage[origin] = negatives.shortage;
    result.unmatched += negatives.unmatched;
  }

  std::vector<data::Record> records_;
  const std::vector<data::Record>& known_;  // binding pairs that are no rows, but no negatives
  const std::vector<data::Record>& tests_;  // of a table of its own
  const PreprocessConfig& config_;
  std::vector<data::Column> columns_;
  std::uint64_t seed_;
  std::vector<data::Side> sides_;
  std::vector<std::size_t> excluded_;
  std::optional<data::Folds> folds_;
};

}  // namespace

Partition partition(const CleanRows& rows, const PreprocessConfig& config) {
  return Partitioner(rows, config).run();
}

}  // namespace tcrops::stages
