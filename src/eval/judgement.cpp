#include "judged_group.hpp"
#include "resampling.hpp"

#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/true_ranks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tcrops::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool is_rank(std::size_t figure) { return figure >= static_cast<std::size_t>(Figure::kRank); }

// The ends of a figure's range.
double least(std::size_t figure) {
  switch (static_cast<Figure>(figure)) {
    case Figure::kRank:
      return 1.0;
    case Figure::kMcc:
      return -1.0;
    default:
      return 0.0;
  }
}
double most(std::size_t figure) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return static_cast<Figure>(figure) == Figure::kRank ? kInfinity : 1.0;
}

bool has_both(const GroupFigures& group) {
  return group.calls.positive() > 0 && group.calls.positive() < group.calls.rows();
}

// Means over some of the groups.
struct Means {
  Figures figures{};
  std::int64_t groups = 0;
  std::int64_t ranked_groups = 0;
};

Means means_of(const std::vector<GroupFigures>& all, const std::vector<std::size_t>& members) {
  Means means;
  for (const std::size_t g : members) {
    const GroupFigures& group = all[g];
    means.groups += has_both(group) ? 1 : 0;
    means.ranked_groups += group.ranked > 0 ? 1 : 0;
    for (std::size_t f = 0; f < kFigureCount; ++f) {
      if (is_rank(f) ? group.ranked > 0 : has_both(group)) means.figures[f] += group.figures[f];
    }
  }
  for (std::size_t f = 0; f < kFigureCount; ++f) {
    const std::int64_t count = is_rank(f) ? means.ranked_groups : means.groups;
    means.figures[f] = count == 0 ? kNan : means.figures[f] / static_cast<double>(count);
  }
  return means;
}

// What each figure was in the draws in which it was defined.
class Draws {
 public:
  void add(const Figures& figures) {
    for (std::size_t f = 0; f < kFigureCount; ++f) {
      if (!std::isnan(figures[f])) values_[f].push_back(figures[f]);
    }
  }
  // Of those that the rows as they are have.
  [[nodiscard]] Json intervals(const Figures& figures) const {
    Json json = Json::object();
    for (std::size_t f = 0; f < kFigureCount; ++f) {
      if (values_[f].empty() || std::isnan(figures[f])) continue;
      const Interval interval = interval_around(figures[f], values_[f]);
      json[kFigureNames[f]] =
          Json::array({std::max(interval.low, least(f)), std::min(interval.high, most(f))});
    }
    return json;
  }

 private:
  std::array<std::vector<double>, kFigureCount> values_;
};

// The groups of each kind; the first one, without a name, is all of them.
struct Part {
  std::string name;
  std::vector<std::size_t> groups;
};

std::vector<Part> parts_of(const Numbered& groups,
                           const std::map<std::string, std::string>& kinds) {
  std::vector<std::size_t> all(groups.count());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<Part> parts;
  parts.push_back({"", std::move(all)});
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t g = 0; g < groups.count(); ++g) {
    const auto kind = kinds.find(groups.names[g]);
    if (kind != kinds.end()) by_name[kind->second].push_back(g);
  }
  for (auto& [name, members] : by_name) parts.push_back({name, std::move(members)});
  return parts;
}

void put(const Figures& figures, const Draws& draws, Json& json) {
  for (std::size_t f = 0; f < kFigureCount; ++f) {
    json[kFigureNames[f]] = number_or_null(figures[f]);
  }
  json["intervals"] = draws.intervals(figures);
}

// One predictor while draws come in.
class Judged {
 public:
  Judged(const JudgedRows& rows, const Numbered& groups, const Numbered& clusters,
         const std::vector<Part>& parts, const Predictor& predictor)
      : groups_of_(groups),
        parts_of_(parts),
        predictor_(predictor),
        ranks_(true_epitope_ranks(rows.labels, predictor.scores, rows.epitopes, rows.tcrs)),
        all_(every_row(rows.labels.size()), rows, clusters.of_row, predictor, ranks_),
        part_draws_(parts.size()),
        group_draws_(groups.count()) {
    for (const auto& members : groups.rows()) {
      groups_.emplace_back(members, rows, clusters.of_row, predictor, ranks_);
    }
  }

  void add_draw(std::span<const std::uint32_t> times) {
    const std::vector<GroupFigures> figures = each_group(times);
    for (std::size_t p = 0; p < parts_of_.size(); ++p) {
      part_draws_[p].add(means_of(figures, parts_of_[p].groups).figures);
    }
    for (std::size_t g = 0; predictor_.detailed && g < figures.size(); ++g) {
      group_draws_[g].add(figures[g].figures);
    }
    pooled_draws_.add(all_.judge(times).figures);
  }

  [[nodiscard]] Json report(std::span<const std::uint32_t> once) const {
    const std::vector<GroupFigures> figures = each_group(once);
    Json report = {{"pooled", group_json(all_.judge(once), pooled_draws_)},
                   {"per_group", Json::array()},
                   {"macro", part_json(0, figures)}};
    for (std::size_t g = 0; g < figures.size(); ++g) {
      Json json = group_json(figures[g], group_draws_[g]);
      json["group"] = groups_of_.names[g];
      report["per_group"].push_back(std::move(json));
    }
    for (std::size_t p = 1; p < parts_of_.size(); ++p) {
      Json json = part_json(p, figures);
      std::int64_t rows = 0;
      std::int64_t positives = 0;
      for (const std::size_t g : parts_of_[p].groups) {
        rows += figures[g].calls.rows();
        positives += figures[g].calls.positive();
      }
      json["rows"] = rows;
      json["positives"] = positives;
      report["by_kind"][parts_of_[p].name] = std::move(json);
    }
    return report;
  }

 private:
  static std::vector<std::uint32_t> every_row(std::size_t count) {
    std::vector<std::uint32_t> rows(count);
    std::iota(rows.begin(), rows.end(), std::uint32_t{0});
    return rows;
  }

  [[nodiscard]] std::vector<GroupFigures> each_group(std::span<const std::uint32_t> times) const {
    std::vector<GroupFigures> figures;
    figures.reserve(groups_.size());
    for (const JudgedGroup& group : groups_) figures.push_back(group.judge(times));
    return figures;
  }

  [[nodiscard]] Json group_json(const GroupFigures& group, const Draws& draws) const {
    Json json = {{"rows", group.calls.rows()},
                 {"positives", group.calls.positive()},
                 {"ranked", group.ranked},
                 {"predicted_positives", group.calls.predicted_positive()},
                 {"threshold", number_or_null(predictor_.threshold)}};
    put(group.figures, draws, json);
    return json;
  }

  [[nodiscard]] Json part_json(std::size_t part, const std::vector<GroupFigures>& figures) const {
    const Means means = means_of(figures, parts_of_[part].groups);
    Json json = {{"groups", means.groups}, {"ranked_groups", means.ranked_groups}};
    put(means.figures, part_draws_[part], json);
    return json;
  }

  const Numbered& groups_of_;
  const std::vector<Part>& parts_of_;
  Predictor predictor_;
  std::vector<double> ranks_;
  JudgedGroup all_;
  std::vector<JudgedGroup> groups_;
  Draws pooled_draws_;
  std::vector<Draws> part_draws_;
  std::vector<Draws> group_draws_;
};

void check(const JudgedRows& rows, std::span<const Predictor> predictors) {
  const std::size_t n = rows.labels.size();
  if (rows.epitopes.size() != n || rows.clusters.size() != n || rows.tcrs.size() != n) {
    throw Error(ExitCode::kFailure,
                fmt::format("judge: {} labels, {} epitopes, {} clusters, {} "
                            "TCRs: all must be one per row",
                            n, rows.epitopes.size(), rows.clusters.size(), rows.tcrs.size()));
  }
  for (const Predictor& predictor : predictors) {
    const bool numbers = std::none_of(predictor.scores.begin(), predictor.scores.end(),
                                      [](double score) { return std::isnan(score); });
    if (predictor.scores.size() == n && numbers) continue;
    throw Error(ExitCode::kFailure,
                fmt::format("judge: {} scores for {} rows; each row needs one that is a number",
                            predictor.scores.size(), n));
  }
}

}  // namespace

std::vector<Json> judge(const JudgedRows& rows, std::span<const Predictor> predictors,
                        const Resampling& resampling,
                        const std::map<std::string, std::string>& kinds) {
  check(rows, predictors);
  const Numbered groups = numbered(rows.epitopes);
  const Numbered clusters = numbered(rows.clusters);
  const std::vector<Part> parts = parts_of(groups, kinds);
  std::vector<Judged> judged;
  judged.reserve(predictors.size());
  for (const Predictor& predictor : predictors) {
    judged.emplace_back(rows, groups, clusters, parts, predictor);
  }
  for (std::int64_t draw = 0; clusters.count() > 0 && draw < resampling.resamples; ++draw) {
    check_interrupt();
    Rng rng(resampling.seed, "eval.bootstrap", static_cast<std::uint64_t>(draw));
    const std::vector<std::uint32_t> times = drawn(rng, clusters.count());
    for (Judged& each : judged) each.add_draw(times);
  }
  const std::vector<std::uint32_t> once(clusters.count(), 1);
  std::vector<Json> reports;
  for (const Judged& each : judged) reports.push_back(each.report(once));
  return reports;
}

}  // namespace tcrops::eval
