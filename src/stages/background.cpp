#include "background.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/rng.hpp>
#include <tcrops/core/text.hpp>
#include <tcrops/data/table.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

namespace tcrops::stages {
namespace {

constexpr const char* kBinds = "Binds";

}  // namespace

Background choose_background(const BackgroundConfig& config, std::span<const data::Record> training,
                             std::uint64_t seed) {
  if (config.from == "none") return {};
  std::map<std::string, BackgroundTcr> found;
  for (const data::Record& record : training) {
    if (config.from == "controls" && record.origin != data::Origin::kBackground) continue;
    const auto [at, is_new] = found.try_emplace(data::tcr_key(record));
    BackgroundTcr& tcr = at->second;
    if (is_new) {
      tcr.record.values = record.values;
      tcr.record[data::Column::kEpitope].clear();
      tcr.record[data::Column::kMhc].clear();
    }
  }
  for (const data::Record& record : training) {
    const std::string& epitope = record[data::Column::kEpitope];
    if (!record.label.value_or(false) || epitope.empty()) continue;
    if (const auto at = found.find(data::tcr_key(record)); at != found.end()) {
      at->second.binds.insert(epitope);
    }
  }
  if (found.empty()) {
    throw Error(
        ExitCode::kConfiguration,
        fmt::format("background.from \"{}\": the training rows have no such TCRs{}", config.from,
                    config.from == "controls"
                        ? "; add \"background\" to preprocess.negatives, or choose another"
                        : ""));
  }
  std::vector<std::string> keys;
  for (const auto& [key, tcr] : found) keys.push_back(key);
  Rng rng(seed, "background");
  rng.shuffle(keys);
  keys.resize(std::min(keys.size(), static_cast<std::size_t>(config.tcrs)));
  std::sort(keys.begin(), keys.end());
  Background background;
  for (const std::string& key : keys) background.push_back(std::move(found.at(key)));
  return background;
}

std::string format_background(const Background& background) {
  std::vector<data::Record> records;
  for (const BackgroundTcr& tcr : background) {
    records.push_back(tcr.record);
    records.back().extra = {fmt::format("{}", fmt::join(tcr.binds, ";"))};
  }
  return data::format_table_csv(records, {kBinds});
}

Background parse_background(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  data::Table table;
  try {
    table = data::read_table(in, name, {}, data::LabelRule::kOptional);
  } catch (const Error& e) {
    throw Error(ExitCode::kArtifact, e.what());
  }
  if (table.extra_names != std::vector<std::string>{kBinds} || !table.refusals.empty()) {
    throw Error(ExitCode::kArtifact, fmt::format("{}: it is not as it was written", name));
  }
  Background background;
  for (data::Record& record : table.records) {
    BackgroundTcr tcr;
    for (const std::string& epitope : split(record.extra.front(), ';')) {
      if (!epitope.empty()) tcr.binds.insert(epitope);
    }
    tcr.record.values = std::move(record.values);
    background.push_back(std::move(tcr));
  }
  return background;
}

std::vector<float> logits_before(const Background& background, const std::string& epitope,
                                 const std::string& mhc, const ScoreRecords& score) {
  std::vector<data::Record> rows;
  for (const BackgroundTcr& tcr : background) {
    if (tcr.binds.contains(epitope)) continue;
    rows.push_back(tcr.record);
    rows.back()[data::Column::kEpitope] = epitope;
    rows.back()[data::Column::kMhc] = mhc;
  }
  std::vector<float> logits;
  for (const std::optional<float>& logit : score(rows)) {
    if (logit && std::isfinite(*logit)) logits.push_back(*logit);
  }
  std::sort(logits.begin(), logits.end());
  return logits;
}

}  // namespace tcrops::stages
