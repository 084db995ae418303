#include "evaluation_slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

namespace tcrops::stages {
namespace {

using data::Column;
using data::Record;

constexpr std::size_t kMostFrequent = 10;
constexpr std::array<const char*, 5> kSourceColumns = {"source", "dataset", "study", "reference",
                                                       "reference.id"};

std::string length_class(const Record& record) {
  const std::size_t alpha = record[Column::kCdr3Alpha].size();
  const std::size_t beta = record[Column::kCdr3Beta].size();
  if (alpha == 0) return "no alpha chain";
  if (beta == 0) return "no beta chain";
  const std::size_t letters = alpha + beta;
  if (letters <= 25) return "25 or fewer";
  if (letters <= 27) return "26 to 27";
  if (letters <= 29) return "28 to 29";
  if (letters <= 31) return "30 to 31";
  return "32 or more";
}

std::string v_beta(const Record& record) {
  const std::string& call = record[Column::kVBeta];
  return call.empty() ? "none" : call.substr(0, call.find('*'));
}

std::optional<std::size_t> source_column(const std::vector<std::string>& extra_names) {
  for (const char* wanted : kSourceColumns) {
    for (std::size_t i = 0; i < extra_names.size(); ++i) {
      std::string name = extra_names[i];
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (name == wanted) return i;
    }
  }
  return std::nullopt;
}

// The rows of each value; rows in table order.
using Slices = std::map<std::string, std::vector<std::size_t>>;

// Values beyond the most frequent become "the rest".
Slices with_rest(Slices slices) {
  if (slices.size() <= kMostFrequent + 1) return slices;
  std::vector<std::pair<std::ptrdiff_t, std::string>> order;
  for (const auto& [name, rows] : slices) order.emplace_back(-std::ssize(rows), name);
  std::sort(order.begin(), order.end());
  std::vector<std::size_t> rest;
  for (std::size_t i = kMostFrequent; i < order.size(); ++i) {
    const std::vector<std::size_t>& rows = slices.at(order[i].second);
    rest.insert(rest.end(), rows.begin(), rows.end());
    slices.erase(order[i].second);
  }
  std::sort(rest.begin(), rest.end());
  slices["the rest"] = std::move(rest);
  return slices;
}

Slices slices_by(const SideData& test, const std::function<std::string(const Record&)>& value) {
  Slices slices;
  for (std::size_t row = 0; row < test.records.size(); ++row) {
    slices[value(test.records[row])].push_back(row);
  }
  return slices;
}

// Some of the test rows, owned.
struct SomeRows {
  std::vector<std::uint8_t> labels;
  std::vector<std::string> epitopes;
  std::vector<std::string> clusters;
  std::vector<std::string> tcrs;

  SomeRows(const SideData& test, const std::vector<std::size_t>& rows) {
    for (const std::size_t row : rows) {
      labels.push_back(test.labels[row]);
      epitopes.push_back(test.records[row][Column::kEpitope]);
      clusters.push_back(cluster_of(test.records[row]));
      tcrs.push_back(data::tcr_key(test.records[row]));
    }
  }
  [[nodiscard]] Json report(const ScoredRows& predictor, const std::vector<std::size_t>& rows,
                            const eval::Resampling& resampling = {}) const {
    std::vector<double> scores;
    for (const std::size_t row : rows) scores.push_back(predictor.scores[row]);
    const eval::Predictor judged{scores, predictor.threshold, predictor.probabilities, false};
    return eval::judge({labels, epitopes, clusters, tcrs}, std::span(&judged, 1), resampling)
        .front();
  }
};

Json macro_figures(const Json& report) {
  Json figures = Json::object();
  for (const char* name : {"auroc", "auroc01", "average_precision"}) {
    figures[fmt::format("macro_{}", name)] = report.at("macro").at(name);
  }
  return figures;
}

Json slice_list(const SideData& test, const Slices& slices, const ScoredRows& model,
                const ScoredRows& nearest) {
  Json list = Json::array();
  for (const auto& [name, rows] : slices) {
    const SomeRows some(test, rows);
    const Json report = some.report(model, rows);
    Json slice = macro_figures(report);
    const auto positives = report.at("pooled").at("positives").get<std::int64_t>();
    slice["name"] = name;
    slice["rows"] = rows.size();
    slice["positives"] = positives;
    slice["small"] = positives < kSmallSlice;
    slice["groups"] = report.at("macro").at("groups");
    slice["nearest_neighbour"] = macro_figures(some.report(nearest, rows));
    list.push_back(std::move(slice));
  }
  return list;
}

}  // namespace

Json slices_of(const SideData& test, const std::vector<std::string>& extra_names,
               const ScoredRows& model, const ScoredRows& nearest) {
  Json slices = {{"cdr3_length", slice_list(test, slices_by(test, length_class), model, nearest)},
                 {"v_beta", slice_list(test, with_rest(slices_by(test, v_beta)), model, nearest)}};
  if (const auto column = source_column(extra_names)) {
    const auto source = [&](const Record& record) {
      const std::string value =
          *column < record.extra.size() ? data::shown_extra(record.extra[*column]) : "";
      return value.empty() ? std::string("none") : value;
    };
    slices["source"] = slice_list(test, with_rest(slices_by(test, source)), model, nearest);
  }
  return slices;
}

Json reports_by_origin(const SideData& test, const ScoredRows& model,
                       const eval::Resampling& resampling) {
  std::set<data::Origin> origins;
  for (std::size_t row = 0; row < test.records.size(); ++row) {
    if (test.labels[row] == 0) origins.insert(test.records[row].origin);
  }
  Json reports = Json::object();
  if (origins.size() < 2) return reports;
  for (const data::Origin origin : origins) {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < test.records.size(); ++row) {
      if (test.labels[row] != 0 || test.records[row].origin == origin) rows.push_back(row);
    }
    reports[std::string(data::origin_name(origin))] =
        SomeRows(test, rows).report(model, rows, resampling);
  }
  return reports;
}

}  // namespace tcrops::stages
