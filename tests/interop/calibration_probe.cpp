// Fits both curves to a file of `label score` lines and prints them, and what they give at the
// scores, as JSON, for calibration_parity.py. Usage: calibration_probe FILE
#include <tcrops/core/json.hpp>
#include <tcrops/eval/calibration.hpp>

#include <fstream>
#include <iostream>
#include <vector>

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: calibration_probe FILE\n";
    return 2;
  }
  std::ifstream file(arguments[1]);
  std::vector<std::uint8_t> labels;
  std::vector<double> scores;
  int label = 0;
  double score = 0.0;
  while (file >> label >> score) {
    labels.push_back(label != 0 ? 1 : 0);
    scores.push_back(score);
  }
  namespace eval = tcrops::eval;
  const auto platt = eval::fit_platt(labels, scores);
  const auto isotonic = eval::fit_isotonic(labels, scores);
  tcrops::Json out = {{"platt", nullptr}, {"isotonic", nullptr}};
  if (platt) out["platt"] = {{"slope", platt->slope}, {"intercept", platt->intercept}};
  if (isotonic) {
    out["isotonic"] = tcrops::Json::array();
    // At the scores, between them and beyond.
    for (const double at : scores) out["isotonic"].push_back(isotonic->at(at));
    for (const double at : scores) out["isotonic"].push_back(isotonic->at(at + 0.37));
  }
  std::cout << out.dump() << "\n";
  return 0;
}
