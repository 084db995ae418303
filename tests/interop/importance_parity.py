"""Compares parameter importances with the published formula in numpy: importance_parity.py TUNE_PROBE.

PED-ANOVA (arXiv 2304.10255) on random studies with every kind of parameter, conditions, ties, pruned and unacceptable
trials. Then the most important parameter of known functions, beside what Optuna's fANOVA says.
"""

import json
import os
import subprocess
import sys
import warnings

try:
    import numpy as np
    import optuna
    from scipy.stats import norm
except ImportError as error:
    print(f"SKIPPED: {error}; install Debian's python3-optuna and python3-scipy to compare with them")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
CASES = 200
SPACE = [
    {"name": "model", "type": "choice", "options": ["line", "net", "tree", 3]},
    {"name": "x", "type": "float", "low": -2.0, "high": 3.0},
    {"name": "rate", "type": "float", "low": 1e-5, "high": 1.0, "log": True},
    {"name": "drop", "type": "float", "low": 0.0, "high": 0.5, "step": 0.05},
    {"name": "fine", "type": "float", "low": 0.1, "high": 1.0, "step": 0.007},
    {"name": "epochs", "type": "integer", "low": 5, "high": 25},
    {"name": "units", "type": "integer", "low": 16, "high": 2000, "step": 16},
    {"name": "batch", "type": "integer", "low": 2, "high": 8, "log": True},
    {"name": "wide", "type": "integer", "low": 1, "high": 100000, "log": True},
    {"name": "one", "type": "integer", "low": 4, "high": 4},
    {"name": "depth", "type": "integer", "low": 1, "high": 12, "when": {"parameter": "model", "values": ["net"]}},
    {"name": "kind", "type": "choice", "options": [0.5, 2, "none"],
     "when": {"parameter": "model", "values": ["tree", 3]}},
]


def draw(rng, form):
    if form["type"] == "choice":
        return form["options"][rng.integers(len(form["options"]))]
    whole = form["type"] == "integer"
    if form.get("log"):
        value = np.exp(rng.uniform(np.log(form["low"]), np.log(form["high"])))
        return int(round(value)) if whole else float(value)
    step = form.get("step", 1 if whole else 0)
    if not step:
        return float(rng.uniform(form["low"], form["high"]))
    value = form["low"] + step * rng.integers(int((form["high"] - form["low"]) / step + 1e-9) + 1)
    return int(value) if whole else float(value)


def make_case(rng):
    names = rng.permutation(len(SPACE))[:rng.integers(1, len(SPACE) + 1)]
    space = [SPACE[i] for i in sorted(set(names) | ({0} if max(names) >= 10 else set()))]
    weights = rng.normal(size=len(space))
    rows = []
    for _ in range(rng.choice([9, 10, 11, 30, 100, 400])):
        point, value = {}, 0.0
        for weight, form in zip(weights, space):
            when = form.get("when")
            if when is None or point[when["parameter"]] in when["values"]:
                point[form["name"]] = held = draw(rng, form)
                place = form["options"].index(held) if form["type"] == "choice" else held / max(1.0, form["high"])
                value += weight * place
        state = str(rng.choice(["complete", "pruned", "failed", "running"], p=[0.8, 0.1, 0.05, 0.05]))
        rows.append({"point": point, "value": round(value, int(rng.integers(0, 4))),
                     "acceptable": bool(rng.random() < 0.9), "state": state})
    return {"space": space, "share": float(rng.choice([0.1, 0.05, 0.25, 0.5])), "trials": rows}


def cells(form, values):
    """The number of cells and each value's."""
    if form["type"] == "choice":
        return len(form["options"]), np.array([form["options"].index(value) for value in values])
    whole, log, low, high = form["type"] == "integer", form.get("log", False), form["low"], form["high"]
    step, count = form.get("step", 1 if whole else 0), 50
    if whole and log:
        count = min(count, int(np.ceil(np.log2(high - low + 1))) + 1)
    elif step:
        steps = int((high - low) / step + 1e-9)
        high = low + steps * step
        count = min(count, steps + 1)
    scale = np.log if log else np.asarray
    centres, places = np.linspace(scale(low), scale(high), count), scale(np.array(values, dtype=float))
    half = (centres[1] - centres[0]) / 2
    return count, np.searchsorted(centres, places - half * (1 + 1e-7))


def density(form, count, indices):
    counts = np.bincount(indices, minlength=count).astype(float)
    seen, total = np.flatnonzero(counts), counts.sum()
    weights = np.append(counts[seen], 1.0) / (total + 1)
    if form["type"] == "choice":
        return (counts + 1 / count) / (total + 1)
    repeated = np.sort(indices)
    deviation = repeated.std(ddof=1) if total > 1 else 0.0
    passed = np.cumsum(counts[seen])
    upper = min(len(seen) - 1, np.searchsorted(passed, total * 3 // 4, side="right"))
    spread = seen[upper] - seen[np.searchsorted(passed, total // 4, side="left")]
    width = max(1.059 * min(spread / 1.34, deviation) * total ** -0.2, 0.5 / 1.64)
    means = np.append(seen, (count - 1) / 2)[:, None]
    widths = np.append(np.full(len(seen), width), count)[:, None]
    edges = norm.cdf((np.arange(count + 1) - 0.5 - means) / widths)
    return weights @ (np.diff(edges, axis=1) / (edges[:, -1:] - edges[:, :1]))


def by_formula(case):
    finished = [row for row in case["trials"] if row["state"] in ("complete", "pruned")]
    result = []
    for form in case["space"]:
        having = [row for row in finished if form["name"] in row["point"]]
        able = sorted((row["value"] for row in having if row["acceptable"] and row["state"] == "complete"), reverse=True)
        part = None
        if len(having) >= 10 and len(able) >= 2:
            # As decimals: 0.05 * 380 is 19, not a little more.
            wanted = max(2, int(np.ceil(np.round(case["share"] * len(having), 6))))
            least = able[min(wanted, len(able)) - 1]
            best = [row["acceptable"] and row["state"] == "complete" and row["value"] >= least for row in having]
            if not all(best):
                part = 0.0
                if form["name"] != "one":
                    count, indices = cells(form, [row["point"][form["name"]] for row in having])
                    if len(set(indices)) > 1:
                        p, b = density(form, count, indices), density(form, count, indices[np.array(best)])
                        part = float(p @ (b / p - 1) ** 2) * len(having) / len(finished)
        result.append({"name": form["name"], "importance": part, "trials": len(having)})
    total = sum(each["importance"] or 0.0 for each in result)
    for each in result:
        if each["importance"] and total:
            each["importance"] /= total
    return result


def importances(cases):
    done = subprocess.run([sys.argv[1], "importance"], input=json.dumps(cases), capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


def compare_with_formula():
    rng = np.random.default_rng(7)
    cases = [make_case(rng) for _ in range(CASES)]
    worst, compared, absent = 0.0, 0, 0
    for case, ours in zip(cases, importances(cases)):
        expected = by_formula(case)
        for mine, theirs in zip(ours, expected, strict=True):
            assert (mine["name"], mine["trials"]) == (theirs["name"], theirs["trials"]), (mine, theirs)
            assert (mine["importance"] is None) == (theirs["importance"] is None), (mine, theirs, case)
            if mine["importance"] is None:
                absent += 1
                continue
            difference = abs(mine["importance"] - theirs["importance"])
            assert difference < 1e-9, (difference, mine, theirs, case)
            worst, compared = max(worst, difference), compared + 1
    assert compared > 500 and absent > 50, (compared, absent)
    print(f"{compared} importances agree with the formula to {worst:.1e}, {absent} are absent in both")


def compare_with_fanova():
    forms = [form for form in SPACE if form["name"] in ("model", "x", "rate", "epochs")]
    functions = {
        "model": lambda at: 3.0 * (at["model"] == "tree") + 0.2 * at["x"],
        "rate": lambda at: -(np.log10(at["rate"]) + 2) ** 2 + 0.1 * at["x"] + 0.02 * at["epochs"],
    }
    for top, function in functions.items():
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=2))

        def objective(trial):
            return float(function({
                "model": trial.suggest_categorical("model", forms[0]["options"]),
                "x": trial.suggest_float("x", -2.0, 3.0),
                "rate": trial.suggest_float("rate", 1e-5, 1.0, log=True),
                "epochs": trial.suggest_int("epochs", 5, 25)}))

        study.optimize(objective, n_trials=150)
        theirs = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=1))
        rows = [{"point": trial.params, "value": trial.value, "acceptable": True, "state": "complete"}
                for trial in study.trials]
        ours = importances([{"space": forms, "share": 0.1, "trials": rows}])[0]
        most = max(ours, key=lambda each: each["importance"])["name"]
        assert most == next(iter(theirs)) == top, (top, ours, theirs)
    print(f"the most important of {len(forms)} parameters is the one fANOVA names, for {len(functions)} functions")


if __name__ == "__main__":
    compare_with_formula()
    compare_with_fanova()
