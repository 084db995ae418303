#include <tcrops/eval/metrics.hpp>

namespace tcrops::eval {

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

}  // namespace tcrops::eval
