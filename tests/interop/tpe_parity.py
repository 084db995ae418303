"""Compares the estimators with Optuna's, and with the published rules in numpy: tpe_parity.py TUNE_PROBE.

Optuna 3.1 is the preset optuna-4.8: kernel widths, weights and log densities of random histories. The other presets'
densities follow from the same kernels by the rules of hyperopt (the mixture cut as a whole), Optuna 4.9 (neighbours
without the prior) and 5.0 (the same, joint).
"""

import json
import os
import subprocess
import sys
import warnings

try:
    import numpy as np
    import optuna
    from optuna.samplers._tpe import parzen_estimator as theirs
    from optuna.samplers._tpe.sampler import default_gamma, default_weights, hyperopt_default_gamma
    from scipy.stats import norm
except ImportError as error:
    print(f"SKIPPED: {error}; install Debian's python3-optuna and python3-scipy to compare with them")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
CASES = 150
AXES = {
    "x": ({"type": "float", "low": -2.0, "high": 3.0}, optuna.distributions.FloatDistribution(-2.0, 3.0)),
    "rate": ({"type": "float", "low": 1e-5, "high": 1.0, "log": True},
             optuna.distributions.FloatDistribution(1e-5, 1.0, log=True)),
    "drop": ({"type": "float", "low": 0.0, "high": 0.5, "step": 0.05},
             optuna.distributions.FloatDistribution(0.0, 0.5, step=0.05)),
    "epochs": ({"type": "integer", "low": 5, "high": 25}, optuna.distributions.IntDistribution(5, 25)),
    "units": ({"type": "integer", "low": 16, "high": 256, "step": 16},
              optuna.distributions.IntDistribution(16, 256, step=16)),
    "kind": ({"type": "choice", "options": ["a", "b", 0.5]},
             optuna.distributions.CategoricalDistribution(["a", "b", 0.5])),
}


def mend_density():
    """Optuna 3.1.0 leaves the kernel's width out of the density of a continuous axis; later versions have it."""
    density = theirs.truncnorm.logpdf
    one, two = (density(np.array([0.0]), -1.0, 1.0, loc=0.0, scale=scale)[0] for scale in (1.0, 2.0))
    if one == two:
        theirs.truncnorm.logpdf = lambda x, a, b, loc=0.0, scale=1.0: density(x, a, b, loc, scale) - np.log(scale)


def draw(rng, name):
    form = AXES[name][0]
    if form["type"] == "choice":
        return form["options"][rng.integers(3)]
    if "step" in form or form["type"] == "integer":
        step = form.get("step", 1)
        value = form["low"] + step * rng.integers(round((form["high"] - form["low"]) / step) + 1)
        return int(value) if form["type"] == "integer" else float(value)
    if form.get("log"):
        return float(np.exp(rng.uniform(np.log(form["low"]), np.log(form["high"]))))
    return float(rng.uniform(form["low"], form["high"]))


def columns(names, points):
    result = {}
    for name in names:
        values = [point[name] for point in points]
        if AXES[name][0]["type"] == "choice":
            values = [AXES[name][0]["options"].index(value) for value in values]
            result[name] = np.array(values, dtype=int)
        else:
            result[name] = np.array(values, dtype=float)
    return result


def optunas(case):
    names = [each["name"] for each in case["space"]]
    width = case.get("width")
    settings = theirs._ParzenEstimatorParameters(True, 1.0, True, width == "neighbours-prior-ends", default_weights,
                                                 width == "by-count")
    return theirs._ParzenEstimator(columns(names, case["rows"]), {name: AXES[name][1] for name in names}, settings)


def by_rule(preset, name, values, at):
    """Widths and log densities on the axis x or drop."""
    form = AXES[name][0]
    low, high, step = form["low"], form["high"], form.get("step", 0.0)
    if preset != "hyperopt":
        low, high = low - step / 2, high + step / 2
    middle, count = (low + high) / 2, len(values)
    neighbours = np.sort(np.append(values, middle) if preset == "hyperopt" else values)
    widths = []
    for i in range(count):
        if count == 1:
            widths.append((high - low) / 2 if preset == "hyperopt" else max(values[0] - low, high - values[0]))
            continue
        at_or_below, above = neighbours[neighbours <= values[i]], neighbours[neighbours >= values[i]]
        gaps = [values[i] - at_or_below[-2]] if len(at_or_below) > 1 else []
        gaps += [above[1] - values[i]] if len(above) > 1 else []
        widths.append(max(gaps))
    widths = np.append(np.clip(widths, (high - low) / min(100, count + 2), high - low), high - low)
    means, weights = np.append(values, middle), np.append(default_weights(count), 1.0)
    mass = norm.cdf((high - means) / widths) - norm.cdf((low - means) / widths)
    densities = []
    for x in at:
        if step:
            upper, lower = min(high, x + step / 2), max(low, x - step / 2)
            each = norm.cdf((upper - means) / widths) - norm.cdf((lower - means) / widths)
        else:
            each = norm.pdf((x - means) / widths) / widths
        densities.append((weights * each).sum() / (weights * mass).sum() if preset == "hyperopt"
                         else (weights / weights.sum() * each / mass).sum())
    return widths, np.log(densities)


def make_case(rng, number):
    kind = number % 4
    names = [str(rng.choice(list(AXES)))] if kind < 2 else list(rng.permutation(list(AXES))[:rng.integers(2, 7)])
    case = {"preset": "optuna-4.8" if kind < 3 else "optuna-5.0"}
    if kind == 1:
        case["width"] = "neighbours-prior-ends"
    elif kind == 2:
        case["width"] = "by-count"
    elif kind == 3:
        case["preset"] = str(rng.choice(["hyperopt", "optuna-4.9", "optuna-5.0"]))
        names = [str(rng.choice(["x", "drop"]))]
    rows = int(rng.choice([1, 2, 3, 10, 26, 120]))
    point = lambda: {name: draw(rng, name) for name in names}
    case["space"] = [{"name": str(name), **AXES[name][0]} for name in names]
    case["rows"] = [point() for _ in range(rows)]
    if kind != 2:  # numpy leaves open in which order neighbours are that are equal to each other or to the prior
        middle = sum(AXES[names[0]][0].get(end, 0) for end in ("low", "high")) / 2
        case["rows"] = list({str(row): row for row in case["rows"] if row[names[0]] != middle}.values()) or [point()]
    case["at"] = [point() for _ in range(8)]
    return case


def close(ours, reference, what):
    ours, reference = np.array(ours), np.array(reference)
    difference = np.abs(ours - reference).max()
    assert ours.shape == reference.shape and difference < 1e-7, (what, difference, ours, reference)
    return difference


def main():
    mend_density()
    rng = np.random.default_rng(3)
    cases = [make_case(rng, number) for number in range(CASES)]
    done = subprocess.run([sys.argv[1], "estimator"], input=json.dumps(cases), capture_output=True, text=True, check=True)
    worst = 0.0
    for case, ours in zip(cases, json.loads(done.stdout)):
        names = [each["name"] for each in case["space"]]
        if case["preset"] != "optuna-4.8":
            at = [point[names[0]] for point in case["at"]]
            widths, densities = by_rule(case["preset"], names[0], [row[names[0]] for row in case["rows"]], at)
            worst = max(worst, close(ours["widths"][0], widths, case), close(ours["log_density"], densities, case))
            continue
        reference = optunas(case)
        worst = max(worst, close(ours["weights"], reference._weights, case))
        for name, widths in zip(names, ours["widths"]):
            if widths is not None:
                worst = max(worst, close(widths, reference._sigmas[name], case))
        worst = max(worst, close(ours["log_density"], reference.log_pdf(columns(names, case["at"])), case))
    assert [default_gamma(n) for n in (10, 25, 50, 100, 241, 400)] == [1, 3, 5, 10, 25, 25]
    assert [hyperopt_default_gamma(n) for n in (20, 100, 300, 1000, 10000)] == [2, 3, 5, 8, 25]
    print(f"{CASES} estimators agree with Optuna {optuna.__version__} and the published rules to {worst:.1e}")


if __name__ == "__main__":
    main()
