#include "row_choice.hpp"

#include "clean_rows.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/data/similarity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tcrops::stages {
namespace {

std::string pair_key(const data::Record& record) {
  std::string key = data::tcr_key(record);
  key += record[data::Column::kEpitope];
  key += '\x1f';
  key += record[data::Column::kMhc];
  return key;
}

class Chooser {
 public:
  Chooser(TakenRows rows, const PreprocessConfig& config, const std::string& main_name)
      : config_(config), main_name_(main_name), identity_(identity_columns(config)) {
    choice_.rows = std::move(rows);
  }

  RowChoice run() {
    handle_repeats();
    leave_out_near();
    drop_rare_epitopes();
    return std::move(choice_);
  }

 private:
  void note(const std::string& file, data::Note note) {
    choice_.notes.push_back({std::move(note), file});
  }

  // What a model and the leak check take for the same pair, however its other columns are written.
  [[nodiscard]] std::string identity_key(const data::Record& record) const {
    return data::tcr_key(record, identity_) + record[data::Column::kEpitope];
  }

  [[nodiscard]] std::set<std::string> bound_pairs(const std::vector<Taken>& taken) const {
    std::set<std::string> bound;
    for (const auto& [record, file] : taken) {
      if (record.label.value_or(false)) bound.insert(identity_key(record));
    }
    return bound;
  }

  // What is said twice is taken once, and of a contradiction the binding stays: it was seen, while
  // most negatives are assumed.
  void handle_repeats() {
    TakenRows& rows = choice_.rows;
    const std::set<std::string> bound = bound_pairs(rows.pairs);
    rows.pairs = without_repeats(std::move(rows.pairs), bound);
    rows.measured = without_repeats(std::move(rows.measured), bound);
    const std::set<std::string> bound_in_test = bound_pairs(rows.tests);
    rows.tests = without_repeats(std::move(rows.tests), bound_in_test);
    note_measured_alone();
  }

  // Of an epitope with negatives only a model learns that it binds nothing.
  void note_measured_alone() {
    std::set<std::string> bound;
    for (const auto& [record, file] : choice_.rows.pairs) {
      if (record.label.value_or(false)) bound.insert(record[data::Column::kEpitope]);
    }
    for (const auto& [record, file] : choice_.rows.measured) {
      if (bound.contains(record[data::Column::kEpitope])) continue;
      note(file, {record.line, data::Action::kNoticed, "Epitope", "no-binder",
                  "no row binds this epitope"});
    }
  }

  std::vector<Taken> without_repeats(std::vector<Taken> taken, const std::set<std::string>& bound) {
    const bool drops = config_.repeats == "drop";
    std::set<std::pair<std::string, bool>> seen;
    std::vector<Taken> kept;
    for (Taken& each : taken) {
      const bool label = each.record.label.value_or(false);
      std::string key = pair_key(each.record);
      const bool contradicts = !label && bound.contains(identity_key(each.record));
      const bool repeats = !contradicts && !seen.emplace(std::move(key), label).second;
      choice_.contradicting += contradicts ? 1 : 0;
      choice_.repeated += repeats ? 1 : 0;
      if (contradicts || repeats) {
        note(each.file,
             {each.record.line, drops ? data::Action::kRefused : data::Action::kNoticed, "",
              contradicts ? "contradiction" : "repeat",
              contradicts ? "another row says that this pair binds" : "repeats a row before it"});
        if (drops) continue;
      }
      kept.push_back(std::move(each));
    }
    return kept;
  }

  void leave_out_near() {
    TakenRows& rows = choice_.rows;
    if (rows.tests.empty()) return;
    std::vector<data::Record> tests;
    for (const Taken& each : rows.tests) tests.push_back(each.record);
    for (std::vector<Taken>* table : {&rows.pairs, &rows.controls, &rows.measured}) {
      *table = far_from(tests, std::move(*table));
    }
    if (!rows.pairs.empty()) return;
    throw Error(ExitCode::kInputData,
                fmt::format("{}: no row is left to train on: the TCR of each, or a near duplicate, "
                            "is in the table to test on; take another one of the two",
                            main_name_));
  }

  std::vector<Taken> far_from(const std::vector<data::Record>& tests, std::vector<Taken> taken) {
    std::vector<data::Record> asked;
    asked.reserve(taken.size());
    for (const Taken& each : taken) asked.push_back(each.record);
    const std::vector<bool> near = data::near_duplicate_in(asked, tests, identity_);
    std::vector<Taken> kept;
    for (std::size_t row = 0; row < taken.size(); ++row) {
      if (!near[row]) {
        kept.push_back(std::move(taken[row]));
        continue;
      }
      ++choice_.near_test;
      note(taken[row].file, {taken[row].record.line, data::Action::kRefused, "", "near-test",
                             "its TCR, or a near duplicate, is in the table to test on"});
    }
    return kept;
  }

  void drop_rare_epitopes() {
    if (config_.minimum_binders == 0) return;
    std::map<std::string, std::set<std::string>> binders;
    for (const auto& [record, file] : choice_.rows.pairs) {
      if (record.label.value_or(false)) {
        binders[record[data::Column::kEpitope]].insert(data::tcr_key(record));
      }
    }
    const auto is_rare = [&](const Taken& each) {
      const std::size_t count = binders[each.record[data::Column::kEpitope]].size();
      if (static_cast<std::int64_t>(count) >= config_.minimum_binders) return false;
      note(each.file, {each.record.line, data::Action::kRefused, "Epitope", "few-binders",
                       fmt::format("{} binding TCRs, below preprocess.minimum_binders {}", count,
                                   config_.minimum_binders)});
      return true;
    };
    std::erase_if(choice_.rows.pairs, is_rare);
    std::erase_if(choice_.rows.measured, is_rare);
    if (!choice_.rows.pairs.empty()) return;
    std::size_t most = 0;
    for (const auto& [epitope, tcrs] : binders) most = std::max(most, tcrs.size());
    throw Error(
        ExitCode::kInputData,
        fmt::format("{}: no epitope has the {} binding TCRs that preprocess.minimum_binders "
                    "asks for; the most that one has is {}",
                    main_name_, config_.minimum_binders, most));
  }

  const PreprocessConfig& config_;
  const std::string& main_name_;
  std::vector<data::Column> identity_;
  RowChoice choice_;
};

}  // namespace

RowChoice choose_rows(TakenRows rows, const PreprocessConfig& config,
                      const std::string& main_name) {
  return Chooser(std::move(rows), config, main_name).run();
}

}  // namespace tcrops::stages
