"""Feeds the same histories to Optuna's pruners and to ours: pruner_parity.py TUNE_PROBE."""

import json
import os
import subprocess
import sys
import warnings

try:
    import numpy as np
    import optuna
except ImportError as error:
    print(f"SKIPPED: {error}; install Debian's python3-optuna to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
STEPS, TRIALS = 30, 40

PRUNERS = [
    ({"kind": "percentile"}, optuna.pruners.MedianPruner()),
    ({"kind": "percentile", "startup_trials": 2, "warmup_steps": 4, "interval_steps": 3, "least_trials": 4},
     optuna.pruners.MedianPruner(2, 4, 3, n_min_trials=4)),
    ({"kind": "percentile", "percentile": 25.0}, optuna.pruners.PercentilePruner(25.0)),
    ({"kind": "percentile", "percentile": 80.0, "startup_trials": 0}, optuna.pruners.PercentilePruner(80.0, 0)),
    ({"kind": "asha", "min_resource": 1}, optuna.pruners.SuccessiveHalvingPruner(1)),
    ({"kind": "asha", "min_resource": 2, "reduction_factor": 2, "early_stopping_rate": 1},
     optuna.pruners.SuccessiveHalvingPruner(2, 2, 1)),
    ({"kind": "asha", "min_resource": 1, "reduction_factor": 3}, optuna.pruners.SuccessiveHalvingPruner(1, 3)),
    ({"kind": "hyperband", "max_resource": 30}, optuna.pruners.HyperbandPruner(1, 30, 3)),
    ({"kind": "hyperband", "max_resource": 16, "reduction_factor": 2}, optuna.pruners.HyperbandPruner(1, 16, 2)),
]


class Probe:
    def __init__(self, program):
        self.program = program

    def __call__(self, cases):
        done = subprocess.run([self.program, "prune"], input=json.dumps(cases), capture_output=True, text=True,
                              check=True)
        return json.loads(done.stdout)


def curve(rng):
    """A noisy rise; a value in a hundred is not a number."""
    values = rng.normal() + np.log1p(np.arange(STEPS)) * rng.uniform(0.2, 1) + rng.normal(0, 0.3, STEPS)
    values[rng.random(STEPS) < 0.01] = np.nan
    return np.round(values, 2)


def history(probe, options, pruner, seed):
    """Runs a study in Optuna, three trials at a time in turns, and returns what it decided beside what we were told."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(study_name="parity", direction="maximize", pruner=pruner)
    if options["kind"] == "hyperband":  # its brackets come from its own hash: let it use ours
        blank = [{"pruner": options, "seed": seed, "trial": n, "trials": [{"number": n, "state": "running",
                  "reports": [[1, 0.0]]}]} for n in range(TRIALS)]
        brackets = [answer["bracket"] for answer in probe(blank)]
        pruner._get_bracket_id = lambda study, trial: brackets[trial.number]
    seen, cases, decided = {}, [], []
    running, started = [], 0
    while started < TRIALS or running:
        while len(running) < 3 and started < TRIALS:
            trial = study.ask()
            seen[trial.number] = {"number": trial.number, "state": "running", "reports": []}
            running.append((trial, iter(curve(rng))))
            started += 1
        trial, values = running.pop(0)
        record = seen[trial.number]
        step, value = len(record["reports"]) + 1, next(values)
        trial.report(value, step)
        record["reports"].append([step, None if np.isnan(value) else float(value)])
        cases.append(json.dumps({"pruner": options, "seed": seed, "trial": trial.number, "trials": list(seen.values())}))
        decided.append(trial.should_prune())
        if decided[-1]:
            record["state"] = "pruned"
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        elif step == STEPS:
            record["state"] = "complete"
            study.tell(trial, 0.0)
        else:
            running.append((trial, values))
    return [json.loads(case) for case in cases], decided


def main():
    probe, compared, stopped = Probe(sys.argv[1]), 0, 0
    for options, pruner in PRUNERS:
        for seed in range(3):
            cases, decided = history(probe, options, pruner, seed)
            ours = probe(cases)
            for case, answer, expected in zip(cases, ours, decided):
                assert answer["prune"] == expected, (options, seed, case["trial"], answer, expected)
            compared += len(decided)
            stopped += sum(decided)
            assert 0 < sum(decided) < len(decided), (options, sum(decided))
    print(f"{compared} decisions agree with Optuna {optuna.__version__}, {stopped} of them to stop")


if __name__ == "__main__":
    main()
