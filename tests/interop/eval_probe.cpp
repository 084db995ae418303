// Prints every metric of a file of `label score group tcr` lines as JSON, for sklearn_parity.py.
// Usage: eval_probe FILE THRESHOLD
#include <tcrops/eval/judgement.hpp>
#include <tcrops/eval/metrics.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

tcrops::Json number_or_null(double value) {
  return std::isfinite(value) ? tcrops::Json(value) : tcrops::Json(nullptr);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: eval_probe FILE THRESHOLD\n";
    return 2;
  }
  std::ifstream file(arguments[1]);
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;
  std::vector<std::string> groups;
  std::vector<std::string> tcrs;
  int label = 0;
  double score = 0.0;
  std::string group;
  std::string tcr;
  while (file >> label >> score >> group >> tcr) {
    labels.push_back(label != 0 ? 1 : 0);
    scores.push_back(score);
    groups.push_back(group);
    tcrs.push_back(tcr);
  }
  if (!file.eof()) {
    std::cerr << "eval_probe: cannot read " << arguments[1] << "\n";
    return 1;
  }
  namespace eval = tcrops::eval;
  // Scores are read as logits; what ranks and what is called is the same for probabilities.
  std::vector<double> probabilities;
  for (const double logit : scores) probabilities.push_back(1.0 / (1.0 + std::exp(-logit)));
  const double threshold = 1.0 / (1.0 + std::exp(-std::stod(std::string(arguments[2]))));
  const eval::Predictor predictor{probabilities, threshold};
  tcrops::Json report = eval::judge({labels, groups, tcrs, tcrs}, std::span(&predictor, 1)).front();
  report["log_loss"] = number_or_null(eval::log_loss_from_logits(labels, scores));
  report["best_f1_threshold"] = eval::best_f1_threshold(labels, scores);
  std::cout << report.dump() << "\n";  // shortest text that reads back to the same double
  return 0;
}
