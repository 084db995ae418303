"""Compares the calibration curves with scikit-learn's on random cases: calibration_parity.py CALIBRATION_PROBE."""

import json
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    from sklearn.isotonic import IsotonicRegression
    from sklearn.calibration import _sigmoid_calibration
except ImportError as error:
    print(f"SKIPPED: {error}; install scikit-learn to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

warnings.filterwarnings("ignore")
CASES = 120


def make_case(rng, number):
    rows = int(rng.choice([2, 3, 10, 50, 300, 3000]))
    share = rng.choice([0.5, 0.2, 0.05])
    labels = (rng.random(rows) < share).astype(int)
    scores = rng.normal(size=rows) * rng.choice([0.5, 3]) + labels * rng.choice([0.0, 1.0, 3.0])
    if number % 3 == 1:
        scores = np.round(scores)  # many ties
    return labels, scores


def loss(labels, scores, slope, intercept):
    """What Platt's curve minimises."""
    positives, negatives = labels.sum(), len(labels) - labels.sum()
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    logits = slope * scores + intercept
    return (np.logaddexp(0, logits) - targets * logits).sum()


def main():
    rng = np.random.default_rng(1)
    worst, compared = 0.0, 0
    for number in range(CASES):
        labels, scores = make_case(rng, number)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.writelines(f"{label} {score!r}\n" for label, score in zip(labels, scores.tolist()))
            file.flush()
            done = subprocess.run([sys.argv[1], file.name], capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        if labels.min() == labels.max():
            assert ours == {"platt": None, "isotonic": None}, ours
            continue
        compared += 1
        slope, intercept = ours["platt"]["slope"], ours["platt"]["intercept"]
        their_slope, their_intercept = (-value for value in _sigmoid_calibration(scores, labels))
        # scikit-learn's search ends earlier, so ours may be better, never worse.
        mine, theirs = loss(labels, scores, slope, intercept), loss(labels, scores, their_slope, their_intercept)
        assert mine <= theirs + 1e-9 * len(labels), (number, mine, theirs)
        assert theirs - mine < 1e-4 * len(labels), (number, mine, theirs)
        if scores.min() < scores.max():  # else any curve through the one point will do
            assert abs(slope - their_slope) <= 2e-3 * max(1, abs(slope)), (number, slope, their_slope)
            assert abs(intercept - their_intercept) <= 2e-3 * max(1, abs(intercept)), (number, intercept, their_intercept)
        isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(scores, labels)
        expected = isotonic.predict(np.concatenate([scores, scores + 0.37]))
        difference = np.abs(expected - np.array(ours["isotonic"])).max()
        worst = max(worst, difference)
        assert difference < 1e-9, (number, difference)
    assert compared > CASES / 2
    print(f"{compared} cases agree; isotonic to {worst:.1e}")


if __name__ == "__main__":
    main()
