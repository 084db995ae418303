#!/usr/bin/python3
"""Compares the search engine with Optuna's TPE, run beside it: the best value found, and what a suggestion costs.

The best of 100 trials on four functions with known minima, one study per seed: quartiles, and by a two-sided
Mann-Whitney test against each of Optuna's modes whether ours is better (p < 0.05 and lower ranks), worse or neither.
Then the time of one suggestion with ten parameters after 1,000 finished trials, on a mixed space (four floats, two
rates, two integers, two choices) and on floats alone, by turns.

    bench_tpe.py [--seeds 30] [--trials 100] [--probe build/release/bin/tpe_probe] [--json]

Needs Optuna, numpy and scipy: Debian's python3-optuna and python3-scipy.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats import mannwhitneyu

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESETS = ["optuna-5.0", "paper", "optuna-4.9", "optuna-4.8", "hyperopt"]
MODES = {"Optuna TPE": {}, "Optuna TPE, multivariate": {"multivariate": True}}

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

RATES = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8],
                  [17, 8, 0.05, 10, 0.1, 14]])
CENTRES = np.array([[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
                    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]])


def branin(point):
    x, y = point["x"], point["y"]
    valley = y - 5.1 * x * x / (4 * math.pi**2) + 5 * x / math.pi - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(point):
    x = np.array([point[f"x{i}"] for i in range(6)])
    return float(-np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-(RATES * (x - CENTRES) ** 2).sum(axis=1)))


def rosenbrock4(point):
    x = np.array([point[f"x{i}"] for i in range(4)])
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def mixed(point):
    extra = {"a": 1.0, "b": 0.6, "c": 0.0, "d": 0.3}[point["kind"]]
    return (math.log10(point["rate"]) + 2) ** 2 + ((point["width"] - 96) / 64) ** 2 + extra


LETTERS = CategoricalDistribution(["a", "b", "c", "d"])
FUNCTIONS = {
    "branin": (branin, {"x": FloatDistribution(-5, 10), "y": FloatDistribution(0, 15)}),
    "hartmann6": (hartmann6, {f"x{i}": FloatDistribution(0, 1) for i in range(6)}),
    "rosenbrock4": (rosenbrock4, {f"x{i}": FloatDistribution(-2.048, 2.048) for i in range(4)}),
    "mixed": (mixed, {"rate": FloatDistribution(1e-5, 1, log=True), "width": IntDistribution(8, 256), "kind": LETTERS}),
}
SPACES = {
    "mixed": {**{f"x{i}": FloatDistribution(0, 1) for i in range(4)},
              **{f"rate{i}": FloatDistribution(1e-5, 1, log=True) for i in range(2)},
              **{f"units{i}": IntDistribution(1, 64) for i in range(2)}, **{f"kind{i}": LETTERS for i in range(2)}},
    "floats": {f"x{i}": FloatDistribution(0, 1) for i in range(10)},
}


def probe(options, *words):
    done = subprocess.run([options.probe, *map(str, words)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def best_of_optuna(name, mode, options):
    function, space = FUNCTIONS[name]
    best = []
    for seed in range(options.seeds):
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, **MODES[mode]))
        for _ in range(options.trials):
            trial = study.ask(space)
            study.tell(trial, function(trial.params))
        best.append(study.best_value)
    return best


def verdict(ours, theirs):
    p = mannwhitneyu(ours, theirs, alternative="two-sided").pvalue
    wins = mannwhitneyu(ours, theirs).statistic  # pairs in which ours is larger
    word = "no difference" if p >= 0.05 else ("better" if wins < len(ours) * len(theirs) / 2 else "worse")
    return {"p": float(p), "ours_is": word}


def regret(options):
    result = {}
    for name in FUNCTIONS:
        best = {mode: best_of_optuna(name, mode, options) for mode in MODES}
        for preset in ["random", *PRESETS]:
            best[preset] = probe(options, "study", name, preset, options.trials, options.seeds)
        result[name] = {
            "quartiles": {who: statistics.quantiles(values, n=4) for who, values in best.items()},
            "against": {preset: {mode: verdict(best[preset], best[mode]) for mode in MODES} for preset in PRESETS},
        }
        print(f"{name} done", file=sys.stderr)
    return result


def draw(rng, distribution):
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[rng.integers(len(distribution.choices))]
    if isinstance(distribution, IntDistribution):
        return int(rng.integers(distribution.low, distribution.high + 1))
    if distribution.log:
        return float(np.exp(rng.uniform(np.log(distribution.low), np.log(distribution.high))))
    return float(rng.uniform(distribution.low, distribution.high))


def seconds_of_optuna(name, mode, trials):
    """The median of five suggestions."""
    space, rng = SPACES[name], np.random.default_rng(0)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1, **MODES[mode]))
    for _ in range(trials):
        params = {key: draw(rng, each) for key, each in space.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=float(rng.random())))
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        trial = study.ask(space)
        seconds.append(time.perf_counter() - started)
        study.tell(trial, float(rng.random()))
    return statistics.median(seconds)


def cost(options, trials=1000, rounds=3):
    result = {}
    for name in SPACES:
        taken = {who: [] for who in [*MODES, *PRESETS]}
        for _ in range(rounds):
            for mode in MODES:
                taken[mode].append(seconds_of_optuna(name, mode, trials))
            for preset in PRESETS:
                taken[preset].append(statistics.median(probe(options, "cost", name, preset, trials)))
        result[name] = {who: statistics.median(values) for who, values in taken.items()}
    return result


def show(result):
    for name, row in result["regret"].items():
        print(f"{name}: best of {result['trials']} trials, {result['seeds']} seeds")
        for who, (low, middle, high) in row["quartiles"].items():
            words = [f"{each['ours_is']} (p {each['p']:.2g})" for each in row["against"].get(who, {}).values()]
            print(f"  {who:26} {middle:9.4g} [{low:.4g}, {high:.4g}]  {'; '.join(words)}")
    for name, row in result["seconds"].items():
        print(f"seconds per suggestion after 1,000 trials, ten parameters, {name}")
        for who, seconds in row.items():
            ratios = "" if who in MODES else ", ".join(f"{row[mode] / seconds:.0f} times" for mode in MODES)
            print(f"  {who:26} {seconds * 1e3:8.2f} ms  {ratios}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--probe", default=str(ROOT / "build/release/bin/tpe_probe"))
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    result = {"optuna": optuna.__version__, "seeds": options.seeds, "trials": options.trials,
              "seconds": cost(options), "regret": regret(options)}
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
