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
    from scipy.stats import rankdata
    from sklearn import metrics as sk
except ImportError as error:
    print(f"SKIPPED: {error}; install scikit-learn to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
TOLERANCE = 1e-9
CASES = 200


def make_case(rng, number):
    """Labels, logits, groups, TCRs and a threshold (a logit)."""
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
    group_count = int(rng.choice([1, 4, 14]))
    if number % 3 == 0:  # a grid: each TCR once with each epitope, the last one cut off
        groups, tcrs = np.arange(rows) % group_count, np.arange(rows) // group_count
    else:
        groups, tcrs = rng.integers(0, group_count, rows), rng.integers(0, max(1, rows // 6), rows)
    threshold = float(rng.choice(scores)) if number % 2 else 0.0
    return labels, scores, groups, tcrs, threshold


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, dtype=float)))


def true_ranks(labels, scores, groups, tcrs):
    """The place of each positive's epitope among those of its TCR; NaN where not every epitope is there."""
    epitopes = sorted(set(groups.tolist()))
    ranks = np.full(len(labels), np.nan)
    for tcr in set(tcrs.tolist()):
        best = [scores[(tcrs == tcr) & (groups == epitope)].max(initial=-np.inf) for epitope in epitopes]
        if len(epitopes) < 2 or min(best) == -np.inf:
            continue
        places = rankdata(-np.array(best), method="average")
        for row in np.flatnonzero((tcrs == tcr) & (labels == 1)):
            ranks[row] = places[epitopes.index(groups[row])]
    return ranks


def calibration_error(labels, probabilities):
    bins = np.minimum((probabilities * 10).astype(int), 9)
    return sum(abs((probabilities - labels)[bins == b].sum()) for b in range(10)) / len(labels)


def binary(labels, scores, ranks, threshold):
    probabilities = sigmoid(scores)
    predicted = (scores >= threshold).astype(int)
    both = 0 < labels.sum() < len(labels)
    some = labels.sum() > 0
    ranked = ranks[~np.isnan(ranks)]
    return {
        "rows": len(labels),
        "positives": int(labels.sum()),
        "ranked": len(ranked),
        "predicted_positives": int(predicted.sum()),
        "auroc": sk.roc_auc_score(labels, scores) if both else None,
        "auroc01": sk.roc_auc_score(labels, scores, max_fpr=0.1) if both else None,
        "average_precision": sk.average_precision_score(labels, scores) if both else None,
        "accuracy": sk.accuracy_score(labels, predicted),
        "precision": sk.precision_score(labels, predicted, zero_division=0),
        "recall": sk.recall_score(labels, predicted) if some else None,
        "f1": sk.f1_score(labels, predicted) if some else None,
        "mcc": sk.matthews_corrcoef(labels, predicted) if both else None,
        "brier": sk.brier_score_loss(labels, probabilities, pos_label=1),
        "ece": calibration_error(labels, probabilities),
        "rank": ranked.mean() if len(ranked) else None,
        "recall_at_1": (ranked <= 1).mean() if len(ranked) else None,
        "recall_at_3": (ranked <= 3).mean() if len(ranked) else None,
        "threshold": float(sigmoid(threshold)),
        "intervals": {},
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


COUNTS = ("rows", "positives", "ranked", "predicted_positives", "threshold", "intervals", "group")
RANKS = ("rank", "recall_at_1", "recall_at_3")


def expected(labels, scores, groups, tcrs, threshold):
    ranks = true_ranks(labels, scores, groups, tcrs)
    per_group = []
    for group in dict.fromkeys(groups.tolist()):
        chosen = groups == group
        part = binary(labels[chosen], scores[chosen], ranks[chosen], threshold)
        per_group.append(dict(part, group=f"g{group}"))
    defined = [part for part in per_group if part["auroc"] is not None]
    ranked = [part for part in per_group if part["ranked"]]
    figures = [name for name in per_group[0] if name not in COUNTS]
    macro = {name: mean([part[name] for part in (ranked if name in RANKS else defined)]) for name in figures}
    return {
        "pooled": binary(labels, scores, ranks, threshold),
        "per_group": per_group,
        "macro": dict(macro, groups=len(defined), ranked_groups=len(ranked), intervals={}),
        "log_loss": sk.log_loss(labels, sigmoid(scores), labels=[0, 1]),
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
    labels, scores, groups, tcrs, threshold = case
    with open(path, "w", encoding="ascii") as file:
        for label, score, group, tcr in zip(labels, scores, groups, tcrs):
            file.write(f"{label} {float(score)!r} g{group} t{tcr}\n")
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
