#pragma once

#include "ranked_rows.hpp"

#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/metrics.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tcrops::eval {

using Figures = std::array<double, kFigureCount>;

struct GroupFigures {
  Confusion calls;
  std::int64_t ranked = 0;
  Figures figures{};
};

// Some rows of one predictor, prepared so that they can be judged under many draws of clusters.
class JudgedGroup {
 public:
  // `ranks` are those of true_epitope_ranks, one per row of the table.
  JudgedGroup(std::span<const std::uint32_t> rows, const JudgedRows& table,
              std::span<const std::uint32_t> clusters, const Predictor& predictor,
              std::span<const double> ranks);

  [[nodiscard]] GroupFigures judge(std::span<const std::uint32_t> times) const;

 private:
  struct Row {
    double error;  // probability - label
    std::uint32_t cluster;
    std::uint8_t bin;
    std::uint8_t outcome;  // 2 * called + label
  };
  struct RankedPositive {
    double rank;
    std::uint32_t cluster;
  };

  void judge_calls(std::span<const std::uint32_t> times, GroupFigures& result) const;

  RankedRows ranking_;
  std::vector<Row> rows_;
  std::vector<RankedPositive> ranked_;
  bool probabilities_;
};

}  // namespace tcrops::eval
