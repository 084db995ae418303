"""Compares tcrops' metrics with scikit-learn's on random cases: sklearn_parity.py EVAL_PROBE."""

import json
import math
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    from sklearn import metrics as sk
except ImportError as error:
    print(f"SKIPPED: {error}; install scikit-learn to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
TOLERANCE = 1e-9
CASES = 200


def make_case(rng, number):
    """Labels, scores (also read as logits), groups and a threshold."""
    rows = int(rng.choice([1, 2, 3, 5, 10, 50, 300, 2000]))
    share = rng.choice([0.5, 0.2, 0.05, 0.002, 0.998])
    labels = (rng.random(rows) < share).astype(int)
    scores = np.clip(rng.normal(size=rows) * 3 + labels * rng.choice([-1, 0, 2]), -12, 12)
    kind = number % 5
    if kind == 1:
        scores = np.round(scores)  # many ties
    elif kind == 2:
        scores = np.full(rows, scores[0])  # one tie
    elif kind == 3:
        scores = np.round(scores, 1)
    groups = rng.integers(0, rng.choice([1, 4, 14]), rows)
    threshold = float(rng.choice(scores)) if number % 2 else 0.0
    return labels, scores, groups, threshold


def binary(labels, scores, threshold):
    predicted = (scores >= threshold).astype(int)
    both = 0 < labels.sum() < len(labels)
    return {
        "rows": len(labels),
        "positives": int(labels.sum()),
        "predicted_positives": int(predicted.sum()),
        "auroc": sk.roc_auc_score(labels, scores) if both else None,
        "average_precision": sk.average_precision_score(labels, scores) if both else None,
        "accuracy": sk.accuracy_score(labels, predicted),
        "precision": sk.precision_score(labels, predicted, zero_division=0),
        "recall": sk.recall_score(labels, predicted, zero_division=0),
        "f1": sk.f1_score(labels, predicted, zero_division=0),
        "mcc": sk.matthews_corrcoef(labels, predicted),
        "threshold": threshold,
    }


def best_f1_threshold(labels, scores):
    """Brute force over all scores, largest first."""
    best, best_f1 = 0.5, -1.0
    if labels.sum() == 0:
        return best
    for threshold in sorted(set(scores), reverse=True):
        predicted = scores >= threshold
        f1 = 2 * int((predicted & (labels == 1)).sum()) / int(predicted.sum() + labels.sum())
        if f1 > best_f1:
            best, best_f1 = threshold, f1
    return float(best)


def mean(values):
    return sum(values) / len(values) if values else None


def expected(labels, scores, groups, threshold):
    per_group = []
    for group in dict.fromkeys(groups.tolist()):
        chosen = groups == group
        part = binary(labels[chosen], scores[chosen], threshold)
        per_group.append(dict(part, group=f"g{group}"))
    defined = [part for part in per_group if part["auroc"] is not None]
    probabilities = 1 / (1 + np.exp(-scores))
    return {
        "pooled": binary(labels, scores, threshold),
        "per_group": per_group,
        "macro": {
            "auroc": mean([part["auroc"] for part in defined]),
            "average_precision": mean([part["average_precision"] for part in defined]),
            "groups": len(defined),
        },
        "log_loss": sk.log_loss(labels, probabilities, labels=[0, 1]),
        "best_f1_threshold": best_f1_threshold(labels, scores),
    }


def differences(ours, theirs, place=""):
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or ours.keys() != theirs.keys():
            return [f"{place}: keys differ: {ours} against {theirs}"]
        return [d for key in theirs for d in differences(ours[key], theirs[key], f"{place}.{key}")]
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return [f"{place}: lengths differ"]
        pairs = enumerate(zip(ours, theirs))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{place}[{i}]")]
    if theirs is None or isinstance(theirs, str):
        return [] if ours == theirs else [f"{place}: {ours} against {theirs}"]
    if ours is None or not math.isclose(ours, theirs, rel_tol=0, abs_tol=TOLERANCE):
        return [f"{place}: {ours} against {theirs}"]
    return []


def probe(program, path, case):
    labels, scores, groups, threshold = case
    with open(path, "w", encoding="ascii") as file:
        for label, score, group in zip(labels, scores, groups):
            file.write(f"{label} {float(score)!r} g{group}\n")
    done = subprocess.run([program, path, repr(threshold)], check=True, capture_output=True)
    return json.loads(done.stdout)


def main():
    rng = np.random.default_rng(20)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.txt")
        for number in range(CASES):
            case = make_case(rng, number)
            for line in differences(probe(sys.argv[1], path, case), expected(*case)):
                failed += 1
                print(f"case {number}{line}")
    print(f"{CASES} cases compared with scikit-learn, {failed} differences above {TOLERANCE}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
