#include <tcrops/core/error.hpp>
#include <tcrops/eval/metrics.hpp>

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace tcrops::eval {
namespace {

// Rows of one group.
struct Rows {
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;
};

// Mean of one metric over the groups where it is defined.
class Mean {
 public:
  void add(const Json& value) {
    if (value.is_null()) return;
    sum_ += value.get<double>();
    ++count_;
  }
  [[nodiscard]] Json value() const {
    return count_ == 0 ? Json(nullptr) : Json(sum_ / static_cast<double>(count_));
  }
  [[nodiscard]] std::int64_t count() const { return count_; }

 private:
  double sum_ = 0.0;
  std::int64_t count_ = 0;
};

}  // namespace

Json binary_report(std::span<const std::uint8_t> labels, std::span<const double> scores,
                   double threshold) {
  const Confusion counts = confusion(labels, scores, threshold);
  return Json{{"rows", counts.rows()},
              {"positives", counts.positive()},
              {"auroc", number_or_null(auroc(labels, scores))},
              {"average_precision", number_or_null(average_precision(labels, scores))},
              {"accuracy", counts.accuracy()},
              {"precision", counts.precision()},
              {"recall", counts.recall()},
              {"f1", counts.f1()},
              {"mcc", counts.mcc()},
              {"predicted_positives", counts.predicted_positive()},
              {"threshold", number_or_null(threshold)}};
}

Json grouped_report(std::span<const std::uint8_t> labels, std::span<const double> scores,
                    std::span<const std::string> groups, double threshold) {
  Json pooled = binary_report(labels, scores, threshold);
  if (groups.size() != labels.size()) {
    throw Error(ExitCode::kFailure,
                fmt::format("{} labels but {} groups: a grouped report needs one group per label",
                            labels.size(), groups.size()));
  }
  std::map<std::string, std::size_t> places;
  std::vector<std::string> names;
  std::vector<Rows> parts;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto [place, is_new] = places.emplace(groups[i], parts.size());
    if (is_new) {
      names.push_back(groups[i]);
      parts.emplace_back();
    }
    parts[place->second].labels.push_back(labels[i]);
    parts[place->second].scores.push_back(scores[i]);
  }
  Json per_group = Json::array();
  Mean mean_auroc;
  Mean mean_precision;
  for (std::size_t g = 0; g < parts.size(); ++g) {
    Json report = binary_report(parts[g].labels, parts[g].scores, threshold);
    mean_auroc.add(report["auroc"]);
    mean_precision.add(report["average_precision"]);
    report["group"] = names[g];
    per_group.push_back(std::move(report));
  }
  return Json{{"pooled", std::move(pooled)},
              {"per_group", std::move(per_group)},
              {"macro",
               {{"auroc", mean_auroc.value()},
                {"average_precision", mean_precision.value()},
                {"groups", mean_auroc.count()}}}};
}

}  // namespace tcrops::eval
