#include "clean_rows.hpp"

#include "extra_names.hpp"
#include "raw_source.hpp"
#include "row_choice.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/genes.hpp>
#include <tcrops/data/input.hpp>
#include <tcrops/data/reader.hpp>
#include <tcrops/data/viral.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace tcrops::stages {
namespace {

constexpr std::size_t kFaultsShown = 3;
constexpr const char* kBeam = "01_beam-t_clones.csv";

std::vector<data::Column> columns_named(const std::vector<std::string>& names) {
  std::vector<data::Column> columns;
  for (const std::string& name : names) columns.push_back(*data::column_named(name));
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

// VDJdb's score of a record, which it has under two names; of two chains the lower one.
std::optional<std::int64_t> confidence_of(const data::Record& record,
                                          const std::vector<std::string>& names) {
  std::optional<std::int64_t> lowest;
  for (std::size_t i = 0; i < std::min(names.size(), record.extra.size()); ++i) {
    if (names[i] != "vdjdb.score" && names[i] != "Score") continue;
    for (const std::string& part : split(record.extra[i], data::kBetweenChains)) {
      const auto score = parse_integer(trim(part));
      if (score && (!lowest || *score < *lowest)) lowest = score;
    }
  }
  return lowest;
}

class Cleaner {
 public:
  explicit Cleaner(const StageContext& context)
      : context_(context),
        config_(context.config.preprocess),
        raw_(context.input(Stage::kFetch)),
        identity_(identity_columns(config_)) {
    result_.report = data::kReportHeader;
  }

  CleanRows run() {
    const Json& facts = raw_.manifest.facts;
    const std::map<std::string, bool> is_viral = {
        {kPairs, facts.at("source") == "viral"},
        {kTest, facts.value("test_source", "") == "viral"}};
    for (const auto& [role, viral] : is_viral) {
      if (viral) read_viral(role);
    }
    for (const Json& input : facts.at("inputs")) {
      const auto known = is_viral.find(input.at("role").get<std::string>());
      if (known == is_viral.end() || !known->second) read(input);
    }
    require_confidence();
    require_rows();
    choose();
    result_.extra_names = extra_.names();
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::vector<data::Record> records_of(std::vector<Taken> taken) const {
    std::vector<data::Record> records;
    records.reserve(taken.size());
    for (Taken& each : taken) {
      each.record.extra.resize(extra_.names().size());
      records.push_back(std::move(each.record));
    }
    return records;
  }

  void note(const std::string& file, const data::Note& note) {
    result_.counts.add(note);
    result_.report += data::report_line(file, note);
    if (note.action == data::Action::kRefused && result_.first_faults.size() < kFaultsShown) {
      result_.first_faults.push_back(fmt::format("line {}: {}{}{}", note.line, note.field,
                                                 note.field.empty() ? "" : ": ", note.reason));
    }
  }

  // The benchmark's own rules make its table; loops are added as the readers add them.
  void read_viral(const std::string& role) {
    std::istringstream beam(context_.store.read(raw_, kBeam));
    std::istringstream dextramer(context_.store.read(raw_, "02_covid_dextramer_clones.csv"));
    data::ViralTable table = data::build_viral_table(beam, dextramer);
    result_.rules = std::move(table.rules);
    result_.rows += table.records.size();
    for (data::Record& record : table.records) {
      add_loops(record, data::Column::kVAlpha, data::Column::kCdr1Alpha, data::Column::kCdr2Alpha);
      add_loops(record, data::Column::kVBeta, data::Column::kCdr1Beta, data::Column::kCdr2Beta);
      if (!record.label.value_or(false)) record.origin = data::Origin::kSwapped;
      (role == kTest ? taken_.tests : taken_.pairs).push_back({std::move(record), kBeam});
    }
  }

  static void add_loops(data::Record& record, data::Column v, data::Column cdr1,
                        data::Column cdr2) {
    if (auto loops = data::loops_of(record[v])) {
      record[cdr1] = std::move(loops->cdr1);
      record[cdr2] = std::move(loops->cdr2);
    }
  }

  [[nodiscard]] data::ReadOptions options_for(const Json& input) const {
    data::ReadOptions options;
    const bool is_control = input.at("role") == kControl;
    options.format = input.value("format", std::string(data::kDetectFormat));
    options.epitope = input.value("epitope", "");
    options.epitope_in_name = input.value("epitope_in_name", "");
    options.mhc = input.value("mhc", "");
    for (const Json& each : input.value("map", Json::array())) {
      const auto text = each.get<std::string>();
      const std::size_t sign = text.find('=');
      if (sign == std::string::npos) {
        throw Error(ExitCode::kArtifact,
                    fmt::format("raw {}: the map has \"{}\"", raw_.short_id(), text));
      }
      options.map[text.substr(0, sign)] = text.substr(sign + 1);
    }
    options.used = data::value_columns();
    options.keeps_fields = false;
    options.required = required_columns(config_);
    const auto features = feature_columns(config_);
    const auto is_feature = [&](data::Column column) {
      return std::find(features.begin(), features.end(), column) != features.end();
    };
    if (is_feature(data::Column::kCloneId)) options.used.push_back(data::Column::kCloneId);
    if (is_control) {  // it borrows these from the pairs it is put with
      std::erase_if(options.required, [](data::Column column) {
        return column == data::Column::kEpitope || column == data::Column::kMhc ||
               column == data::Column::kCloneId;
      });
    }
    const bool needs_label = input.at("role") == kPairs || input.at("role") == kTest;
    options.label_rule = needs_label ? data::LabelRule::kRequired : data::LabelRule::kOptional;
    return options;
  }

  // As the user calls the file: for messages only, since equal contents make equal results.
  [[nodiscard]] std::string shown_name(const Json& input) const {
    const FetchConfig& fetch = context_.config.fetch;
    std::string name = fetch.source == "file" ? fetch.file : "";
    if (input.at("role") == kControl) name = fetch.control_file;
    if (input.at("role") == kMeasured) name = fetch.measured_file;
    if (input.at("role") == kTest) name = fetch.test_file;
    return name.empty() ? input.at("file").get<std::string>() : name;
  }

  void read(const Json& input) {
    const auto file = input.at("file").get<std::string>();
    const std::string name = shown_name(input);
    const data::Input opened =
        data::open_input(std::make_unique<std::istringstream>(context_.store.read(raw_, file)),
                         name, input.value("member", std::string()));
    data::TableReader reader(*opened.stream, opened.name, options_for(input));
    const std::vector<std::size_t> places = extra_.places_of(reader.extra_names());
    std::size_t count = 0;
    while (auto row = reader.next()) {
      if (++count % 4096 == 0) check_interrupt();
      for (const data::Note& each : row->notes) note(file, each);
      if (row->record) {
        take(std::move(*row->record), input.at("role").get<std::string>(), reader.extra_names(),
             places, file);
      }
    }
    if (reader.rows() == 0) {
      throw Error(ExitCode::kInputData, name + ": no row follows the column names");
    }
    result_.rows += reader.rows();
  }

  // Why a record that could be read is not wanted.
  std::optional<data::Note> refusal_of(const data::Record& record, const std::string& role,
                                       const std::vector<std::string>& names) {
    const bool is_blank = std::all_of(identity_.begin(), identity_.end(),
                                      [&](data::Column column) { return record[column].empty(); });
    if (is_blank) {
      return data::Note{record.line, data::Action::kRefused, "", "no-tcr",
                        "nothing that the model sees of a TCR is there"};
    }
    if (config_.minimum_confidence == 0 || role == kTest) return std::nullopt;
    const auto confidence = confidence_of(record, names);
    has_confidence_ = has_confidence_ || confidence;
    if (!confidence || *confidence >= config_.minimum_confidence) return std::nullopt;
    return data::Note{record.line, data::Action::kRefused, "vdjdb.score", "low-confidence",
                      fmt::format("score {} is below preprocess.minimum_confidence {}", *confidence,
                                  config_.minimum_confidence)};
  }

  void take(data::Record record, const std::string& role, const std::vector<std::string>& names,
            const std::vector<std::size_t>& places, const std::string& file) {
    if (const auto refusal = refusal_of(record, role, names)) {
      const bool is_unsure = refusal->code == "low-confidence";
      if (is_unsure && record.label.value_or(false)) result_.known.push_back(record);
      return note(file, *refusal);
    }
    std::vector<std::string> extra(extra_.names().size());
    for (std::size_t i = 0; i < places.size(); ++i) extra[places[i]] = std::move(record.extra[i]);
    record.extra = std::move(extra);
    if (role == kControl) {
      for (const auto column : {data::Column::kEpitope, data::Column::kMhc}) record[column] = {};
      record.label.reset();
      record.origin = data::Origin::kNone;
      taken_.controls.push_back({std::move(record), file});
    } else if (role == kMeasured && record.label.value_or(false)) {
      note(file, {record.line, data::Action::kRefused, std::string(data::kLabelColumn), "binding",
                  "calls a pair binding in the file of measured non-binders"});
    } else if (role == kMeasured) {
      record.label = false;
      record.origin = data::Origin::kMeasured;
      taken_.measured.push_back({std::move(record), file});
    } else {
      (role == kTest ? taken_.tests : taken_.pairs).push_back({std::move(record), file});
    }
  }

  void require_rows() const {
    std::set<std::string> asked;
    for (const Json& input : raw_.manifest.facts.at("inputs")) {
      const auto role = input.at("role").get<std::string>();
      if ((role != kPairs && role != kTest) || !asked.insert(role).second) continue;
      if (!(role == kTest ? taken_.tests : taken_.pairs).empty()) continue;
      std::string text =
          fmt::format("{}: none of the {} rows can be used", shown_name(input), result_.rows);
      for (const std::string& fault : result_.first_faults) text += "\n  " + fault;
      throw Error(ExitCode::kInputData, text);
    }
  }

  // A threshold that nothing is held against would go unnoticed.
  void require_confidence() const {
    if (config_.minimum_confidence == 0 || has_confidence_) return;
    throw Error(ExitCode::kInputData,
                fmt::format("{}: no row has a score (column vdjdb.score) to hold against "
                            "preprocess.minimum_confidence {}; leave that at 0",
                            shown_name(raw_.manifest.facts.at("inputs").at(0)),
                            config_.minimum_confidence));
  }

  void choose() {
    RowChoice choice =
        choose_rows(std::move(taken_), config_, shown_name(raw_.manifest.facts.at("inputs").at(0)));
    for (const auto& [noted, file] : choice.notes) note(file, noted);
    result_.repeated = choice.repeated;
    result_.contradicting = choice.contradicting;
    result_.near_test = choice.near_test;
    result_.pairs = records_of(std::move(choice.rows.pairs));
    result_.controls = records_of(std::move(choice.rows.controls));
    result_.measured = records_of(std::move(choice.rows.measured));
    result_.tests = records_of(std::move(choice.rows.tests));
  }

  const StageContext& context_;
  const PreprocessConfig& config_;
  const store::Artifact& raw_;
  std::vector<data::Column> identity_;
  bool has_confidence_ = false;
  ExtraNames extra_;
  TakenRows taken_;
  CleanRows result_;
};

}  // namespace

std::vector<data::Column> feature_columns(const PreprocessConfig& config) {
  return columns_named(config.features);
}

std::vector<data::Column> required_columns(const PreprocessConfig& config) {
  std::vector<data::Column> required = feature_columns(config);
  const std::vector<data::Column> optional = columns_named(config.optional);
  std::erase_if(required, [&](data::Column column) {
    return std::find(optional.begin(), optional.end(), column) != optional.end();
  });
  if (std::find(required.begin(), required.end(), data::Column::kEpitope) == required.end()) {
    required.push_back(data::Column::kEpitope);
  }
  return required;
}

std::vector<data::Column> identity_columns(const PreprocessConfig& config) {
  const auto features = feature_columns(config);
  std::vector<data::Column> columns;
  for (const data::Column column : data::kTcrColumns) {
    if (std::find(features.begin(), features.end(), column) != features.end()) {
      columns.push_back(column);
    }
  }
  if (columns.empty()) columns.assign(data::kTcrColumns.begin(), data::kTcrColumns.end());
  return columns;
}

CleanRows clean_rows(const StageContext& context) { return Cleaner(context).run(); }

}  // namespace tcrops::stages
