// Prints every metric of a file of `label score group` lines as JSON, for sklearn_parity.py.
// Usage: eval_probe FILE THRESHOLD
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
  int label = 0;
  double score = 0.0;
  std::string group;
  while (file >> label >> score >> group) {
    labels.push_back(label != 0 ? 1 : 0);
    scores.push_back(score);
    groups.push_back(group);
  }
  if (!file.eof()) {
    std::cerr << "eval_probe: cannot read " << arguments[1] << "\n";
    return 1;
  }
  namespace eval = tcrops::eval;
  tcrops::Json report =
      eval::grouped_report(labels, scores, groups, std::stod(std::string(arguments[2])));
  report["log_loss"] = number_or_null(eval::log_loss_from_logits(labels, scores));
  report["best_f1_threshold"] = eval::best_f1_threshold(labels, scores);
  std::cout << report.dump() << "\n";  // shortest text that reads back to the same double
  return 0;
}
