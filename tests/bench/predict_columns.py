"""What each column of `predict` costs: rows per second with more and more of them.
usage: predict_columns.py TCROPS [ROWS [TRAINING_TCRS]]"""

import csv
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
TCRS = int(sys.argv[3]) if len(sys.argv) > 3 else 50_000
CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "quickstart.json"
EPITOPES = 2
TRAINED = {"synthetic.epitopes": EPITOPES, "synthetic.tcrs": int(TCRS / 0.8), "preprocess.split": "grouped",
           "train.from": "configuration", "train.model": "mlp_small", "train.learning_rate": 0.001, "train.epochs": 1}
BARE = {"calibration.method": "none", "background.from": "none"}
MODELS = {"bare": BARE, "calibrated": {"background.from": "none"}, "whole": {},
          "five": {"ensemble.from": "seeds", "ensemble.members": 5}}
CASES = [("score, call (--plain)", "whole", ["--plain"]), ("with nearest_tcr, nearest_epitope, flags", "bare", []),
         ("with probability", "calibrated", []), ("with percentile: all", "whole", []),
         ("five networks, --plain", "five", ["--plain"]), ("five networks, all with spread", "five", [])]


def run(store, words, settings=None):
    words = [PROGRAM, *words, "--store", store]
    for name, value in (settings or {}).items():
        words += ["--set", f"{name}={value}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - began, after.ru_utime - before.ru_utime


def questions(folder):
    """Rows of TCRs that are all different, none of the training's."""
    store = folder / "asked"
    run(store, ["fetch", "--config", CONFIG], {"synthetic.epitopes": EPITOPES, "synthetic.tcrs": ROWS, "seed": 7})
    path = folder / "rows.csv"
    table = next(store.glob("artifacts/*/*/table.csv"))
    with open(table, newline="") as source, open(path, "w", newline="") as target:
        rows = csv.reader(source)
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(next(rows))
        seen = set()
        for row in rows:
            if tuple(row[:2]) not in seen:
                seen.add(tuple(row[:2]))
                writer.writerow(row)
    return path, len(seen)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        store = folder / "store"
        path, rows = questions(folder)
        for model, settings in MODELS.items():
            seconds, _ = run(store, ["train", "--config", CONFIG], {**TRAINED, **settings, "name": model})
            print(f"{model}: trained in {seconds:.1f} s", flush=True)
        for title, model, extra in CASES:
            seconds, processor = run(store, ["predict", "-m", f"{model}.model", "-i", path, "-o", folder / "out.csv", *extra])
            print(f"| {title} | {seconds:.2f} s | {processor:.2f} s | {rows / seconds:,.0f} |", flush=True)


main()
