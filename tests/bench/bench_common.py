"""What the benchmarks share: running tcrops, metrics with bootstrap intervals, and the table."""

import argparse
import concurrent.futures
import csv
import gzip
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
# No background to compare with and no look at neighbours: only scores are wanted.
SCORES_ONLY = ("background.from=none", "calibration.method=none")


def arguments(text, config, seeds="0,1,2"):
    """The parser of a benchmark, with what all of them take."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder with the data sets' folders")
    parser.add_argument("--tcrops", default=str(ROOT / "build/release/bin/tcrops"), help="program to judge")
    parser.add_argument("--config", default=str(ROOT / "configs" / config), help="its pipeline file")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="passed on to tcrops")
    parser.add_argument("--seeds", default=seeds, type=lambda text: [int(seed) for seed in text.split(",")],
                        help="as 0,1,2")
    parser.add_argument("--jobs", type=int, default=1, help="runs of tcrops at once")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap draws of TCRs, at least 2")
    parser.add_argument("--only", choices=["tcrops", "peers"], help="leave out the others")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--scores", type=pathlib.Path, help="file (.npz) to keep all scores in")
    return parser


def read_table(path, delimiter=","):
    with (gzip.open if str(path).endswith(".gz") else open)(path, "rt", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def write_table(path, columns, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


class Product:
    """Trains with the pipeline file on tables that say who trains, and scores others."""

    def __init__(self, options, settings=()):
        self.program, self.config = options.tcrops, options.config
        self.settings = [*SCORES_ONLY, *settings, *options.set]

    def run(self, words, store):
        words = [self.program, *words, "--store", store, "--quiet"]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))}\nended with {done.returncode}: {done.stderr}")

    def train(self, store, settings):
        words = ["train", "--config", self.config, "--set", "name=bench"]
        for setting in (*settings, *self.settings):
            words += ["--set", setting]
        self.run(words, store)

    def predict(self, store, table, scored):
        """The scores of a table's rows."""
        self.run(["predict", "--plain", "--model", "bench.model", "--input", table, "--output", scored], store)
        rows = read_table(scored)
        for row in rows:
            if not row["score"]:
                sys.exit(f"{table}: a row has no score, and each must: {row['problem']}")
        return np.array([float(row["score"]) for row in rows])

    def scores(self, folder, columns, rows, asked, settings=()):
        """Of the rows `asked`, after training on `rows`, which have a column Fold."""
        folder.mkdir()
        table = write_table(folder / "rows.csv", [*columns, "Label", "Fold"], rows)
        self.train(folder / "store", ["fetch.source=file", f"fetch.file={table}", "preprocess.split=given", *settings])
        return self.predict(folder / "store", write_table(folder / "asked.csv", columns, asked), folder / "scored.csv")


def side_by_side(tasks, jobs, what):
    """Results of functions without arguments, in order; says on stderr how far it is."""
    started, done = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = [pool.submit(task) for task in tasks]
        for _ in concurrent.futures.as_completed(results):
            done += 1
            if sys.stderr.isatty():
                print(f"\r{what}: {done} of {len(tasks)}, {time.monotonic() - started:.0f} s ", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return [result.result() for result in results]


def metrics(label, score, weight):
    """AUC, AUC0.1 (McClish) and average precision, each once per row of `weight`: draws x rows; nan without a class.
    Equal to scikit-learn's roc_auc_score, with max_fpr=0.1 for the second, and average_precision_score."""
    order = np.argsort(-score, kind="stable")
    label, score, weight = label[order].astype(float), score[order], weight[:, order].astype(float)
    ends = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    true = np.cumsum(weight * label, axis=1)[:, ends]
    false = np.cumsum(weight * (1 - label), axis=1)[:, ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        y, x = true / true[:, -1:], false / false[:, -1:]
        y0, x0 = (np.hstack([np.zeros((len(a), 1)), a[:, :-1]]) for a in (y, x))
        auc = ((x - x0) * (y + y0) / 2).sum(1)
        cut = np.clip(x, None, 0.1)
        slope = np.where(x > x0, (y - y0) / (x - x0), 0)
        part = np.where(x0 < 0.1, (cut - x0) * (2 * y0 + slope * (cut - x0)) / 2, 0).sum(1)
        auc01 = np.where(np.isnan(auc), np.nan, (1 + (part - 0.005) / (0.1 - 0.005)) / 2)
        precision = np.nan_to_num(true / (true + false))
        ap = ((y - y0) * precision).sum(1)
    return {"AUC": auc, "AUC0.1": auc01, "AP": ap}


def draws_of(units, resamples):
    """How often each unit is drawn: once each, then `resamples` bootstrap draws."""
    random = np.random.default_rng(0)
    drawn = random.multinomial(units, np.full(units, 1 / units), size=resamples)
    return np.vstack([np.ones((1, units), int), drawn])


def summary(per_seed):
    """Of {figure: its values per draw} of each seed: their mean, its 95 % interval, the least and the most of a seed."""
    figures = {}
    for name in per_seed[0]:
        values = np.array([seed[name] for seed in per_seed])
        low, high = np.nanpercentile(values[:, 1:].mean(0), [2.5, 97.5])
        figures[name] = {"mean": values[:, 0].mean(), "min": values[:, 0].min(), "max": values[:, 0].max(),
                         "low": low, "high": high, "seeds": values[:, 0].tolist()}
    return figures


def show(options, about, results, started):
    """One table of {row: summary}, or JSON."""
    if options.json:
        print(json.dumps({**about, "seconds": time.monotonic() - started, "results": results}, indent=1))
        return
    names = list(next(iter(results.values())))
    print("; ".join(f"{key}: {value}" for key, value in about.items()))
    print("mean over seeds (least to most of a seed) [95 % interval, bootstrap of TCRs]")
    print((f"{'':32}" + "".join(f"{name:<37}" for name in names)).rstrip())
    for row, figures in results.items():
        cells = [f"{f['mean']:.4f} ({f['min']:.3f}-{f['max']:.3f}) [{f['low']:.3f}, {f['high']:.3f}]"
                 for f in figures.values()]
        print(f"{row:32}" + "".join(f"{cell:<37}" for cell in cells).rstrip())
    print(f"{time.monotonic() - started:.0f} s")
