#include <tcrops/stages/evaluate_configuration.hpp>

namespace tcrops::stages {

void add_evaluate(FieldTable& table, EvaluateConfig& c) {
  table.begin_section("evaluate", "the judgement on the test rows");
  table.add("resamples", c.resamples,
            "draws of the bootstrap over TCRs that gives each figure its 95 % interval; 0: none",
            {.minimum = 0, .maximum = 1'000'000});
  table.add("seed", c.seed, "seed of these draws", {.minimum = 0});
}

}  // namespace tcrops::stages
