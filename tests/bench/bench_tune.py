#!/usr/bin/env python3
"""How long a search takes, beside a peer: the published pipeline with pandas, PyTorch and Optuna.

The peer is a file with the functions load, encode, train and score and a command line of its own (--stage tune). It runs
with one thread of OpenMP and OpenBLAS and one trial at a time, where it is fastest; tcrops with --jobs 2. The rows
are the viral set as the original paper split it, on both sides the same. Each part is run --rounds times, by turns.

equal    20 trials, the same points (model, learning rate, epochs) on both sides: those that tcrops finds in the space of
         configs/paper.json by average precision on the validation rows with the seed of the round.
         tcrops: the whole command `tune` with the dataset in the store, from the start of the process to its end.
         The peer: its trials alone, without start, imports and encoding, as it counts itself; and with them.
pruned   Time to the peer's best: each side searches by average precision on the validation rows with a seed of the
         round, the peer 20 trials, tcrops up to --trials with each of several pruners.
         tcrops: from the start of the process to the end of the first whole trial as good as the peer's best.
         The peer: until all its trials have ended, and until its best one has.
own      The peer's own `--stage tune --trials 20`, which draws its own points, as it comes.

    bench_tune.py --peer seed_pipeline.py --table DATA/viral/expected.csv.gz [--rounds 5]

TABLE lies beside the set's other files, which tcrops reads. Needs python3-torch, -optuna, -pandas and -sklearn.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODELS = ["mlp_small", "mlp_medium", "mlp_large"]
TRIALS = 20
JUDGED = ["select_on=validation", "objective=average_precision"]
PRUNERS = {f"{pruner}, window {window}": [f"pruner={pruner}", f"window={window}"]
           for pruner in ("none", "median", "asha", "hyperband") for window in (2, 0)}


def processor():
    """Seconds of all cores that programs which have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(words, **options):
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\nended with {done.returncode}: {done.stderr}")
    return done.stdout


class Product:
    """tcrops in a store of its own, in which the dataset is."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.config = ["--config", ROOT / "configs/paper.json", "--set", f"fetch.mirror={options.table.parent}"]
        self.prepared = folder / "prepared"
        run([options.tcrops, "preprocess", *self.config, "--store", self.prepared, "--quiet"])

    def tune(self, name, seed, settings):
        """Of each trial its point, seconds, end from the start of the process, and what came of it; and the whole time."""
        store, database = self.folder / name, f"sqlite:{self.folder / name}.db"
        shutil.copytree(self.prepared, store)
        words = [self.options.tcrops, "tune", *self.config, "--store", store, "--jobs", "2", "--study", database,
                 "--require-inputs", "--quiet"]
        for setting in (f"seed={seed}", "tune.keep_seeds=1", *("tune." + each for each in settings)):
            words += ["--set", setting]
        begun, clock, used = time.time(), time.perf_counter(), processor()
        run(words)
        whole, used = time.perf_counter() - clock, processor() - used
        shown = json.loads(run([self.options.tcrops, "study", "show", "--study", database, "--json"]))
        ended = {each["trial"]: each["ended"] - begun for each in shown["attempts"] if each["ended"]}
        trials = [{**each, "ended": ended[each["number"]]} for each in shown["trials"]]
        shutil.rmtree(store)
        return {"whole": whole, "processor": used, "trials": trials, "pruned": shown["count"]["pruned"]}


class Peer:
    def __init__(self, options):
        self.options = options
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def drive(self, *words, text=""):
        begun, used = time.perf_counter(), processor()
        answer = json.loads(run([self.options.python, HERE / "peer_tune.py", self.options.peer, self.options.table, *words],
                                input=text, env=self.environment))
        return {**answer, "whole": time.perf_counter() - begun, "processor": processor() - used,
                "alone": answer["trials"][-1]["ended"]}

    def own(self):
        words = [self.options.python, self.options.peer, self.options.table, "--stage", "tune", "--trials", TRIALS]
        return json.loads(run(words, env=self.environment))["tune_s"]


def spread(values, unit=""):
    """Median, least and most."""
    values = sorted(values)
    return f"{statistics.median(values):.4g} ({values[0]:.4g} to {values[-1]:.4g}){unit}"


def line(what, values, unit=""):
    print(f"  {what:50} {spread(values, unit)}", flush=True)


def per_epoch(trials):
    """Milliseconds of one epoch, by model; trials: (model, epochs, seconds)."""
    taken = {}
    for model, epochs, seconds in trials:
        taken.setdefault(model, []).append((epochs, seconds))
    return {model: 1000 * sum(seconds for _, seconds in each) / sum(epochs for epochs, _ in each)
            for model, each in taken.items()}


def equal_round(product, peer, name, seed):
    ours = product.tune(name, seed, [f"trials={TRIALS}", *JUDGED])
    points = [[MODELS.index(each["point"]["model"]), each["point"]["learning_rate"], each["point"]["epochs"]]
              for each in ours["trials"]]
    theirs = peer.drive("points", text=json.dumps(points))
    ends = [0, *(each["ended"] for each in theirs["trials"])]
    row = {"ours": ours["whole"], "ours until the last trial": max(each["ended"] for each in ours["trials"]),
           "ours, processor": ours["processor"], "theirs": theirs["alone"], "theirs, whole": theirs["whole"],
           "theirs, processor": theirs["processor"], "epochs": sum(point[2] for point in points),
           "ours, AP": statistics.mean(each["value"] for each in ours["trials"]),
           "theirs, AP": statistics.mean(each["value"] for each in theirs["trials"]),
           "ours by model": per_epoch([(MODELS[point[0]], point[2], each["seconds"])
                                       for point, each in zip(points, ours["trials"])]),
           "theirs by model": per_epoch([(MODELS[point[0]], point[2], end - begin)
                                         for point, begin, end in zip(points, ends, ends[1:])])}
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def equal(options, product, peer):
    rows = [equal_round(product, peer, f"equal{number}", options.seed + number) for number in range(options.rounds)]

    def column(name):
        return [row[name] for row in rows]

    def ratio(name, other):
        return [row[name] / row[other] for row in rows]

    print(f"\n{TRIALS} trials, the same points on both sides ({spread(column('epochs'))} epochs)")
    line("tcrops tune, s", column("ours"))
    line("  of it until the last trial has ended, s", column("ours until the last trial"))
    line("peer, its trials alone, s", column("theirs"))
    line("peer, whole process, s", column("theirs, whole"))
    line("peer's trials / tcrops tune", ratio("theirs", "ours"), " times")
    line("peer's process / tcrops tune", ratio("theirs, whole", "ours"), " times")
    line("tcrops tune, processor seconds", column("ours, processor"))
    line("peer, whole process, processor seconds", column("theirs, processor"))
    line("peer's / tcrops', processor seconds", ratio("theirs, processor", "ours, processor"), " times")
    line("mean validation AP of the trials, tcrops", column("ours, AP"))
    line("mean validation AP of the trials, peer", column("theirs, AP"))
    for model in MODELS:
        both = [row for row in rows if model in row["ours by model"]]
        if both:
            line(f"{model}, ms per epoch: tcrops, two at once", [row["ours by model"][model] for row in both])
            line(f"{model}, ms per epoch: peer, one at a time", [row["theirs by model"][model] for row in both])
    return rows


def reached(trials, target):
    """When the first whole trial with this value ended; None when none had it."""
    return min((each["ended"] for each in trials
                if each["state"] == "complete" and each["acceptable"] and each["value"] >= target), default=None)


def pruned_round(options, product, peer, seed):
    theirs = peer.drive("search", str(TRIALS), str(seed))
    best = max(theirs["trials"], key=lambda each: each["value"])
    row = {"theirs": theirs["alone"], "theirs, whole": theirs["whole"], "best": best["value"], "at": best["ended"]}
    for name, settings in PRUNERS.items():
        ours = product.tune(f"{seed} {name}", seed, [f"trials={options.trials}", *JUDGED, *settings])
        values = [each["value"] for each in ours["trials"] if each["state"] == "complete" and each["acceptable"]]
        row[name] = {"reached": reached(ours["trials"], best["value"]), "whole": ours["whole"],
                     "pruned": ours["pruned"], "best": max(values, default=0)}
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def pruned(options, product, peer):
    rows = [pruned_round(options, product, peer, options.seed + number) for number in range(options.rounds)]
    print(f"\ntime to the best validation AP of the peer's {TRIALS} trials; tcrops up to {options.trials} trials")
    line("the peer's best validation AP", [row["best"] for row in rows])
    line("peer, until its trials have ended, s", [row["theirs"] for row in rows])
    line("peer, until its best one has, s", [row["at"] for row in rows])
    for name in PRUNERS:
        there = [row for row in rows if row[name]["reached"] is not None]
        print(f"  {name}: reached in {len(there)} of {len(rows)} rounds")
        line("  trials ended early", [row[name]["pruned"] for row in rows])
        line("  best validation AP", [row[name]["best"] for row in rows])
        line("  all trials, s", [row[name]["whole"] for row in rows])
        if there:
            line("  until it is reached, s", [row[name]["reached"] for row in there])
            line("  peer's trials / that", [row["theirs"] / row[name]["reached"] for row in there], " times")
            line("  peer's time to its best / that", [row["at"] / row[name]["reached"] for row in there], " times")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, type=pathlib.Path)
    parser.add_argument("--table", required=True, type=pathlib.Path)
    parser.add_argument("--tcrops", default=ROOT / "build/release/bin/tcrops", type=pathlib.Path)
    parser.add_argument("--python", default="/usr/bin/python3", help="that has PyTorch and Optuna")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=42, help="of the first round")
    parser.add_argument("--trials", type=int, default=40, help="of tcrops, with a pruner")
    parser.add_argument("--only", choices=["equal", "pruned", "own"])
    parser.add_argument("--json", type=pathlib.Path, help="file for all figures")
    options = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        product, peer = Product(options, pathlib.Path(folder)), Peer(options)
        if options.only in (None, "equal"):
            result["equal"] = equal(options, product, peer)
        if options.only in (None, "pruned"):
            result["pruned"] = pruned(options, product, peer)
        if options.only in (None, "own"):
            result["own"] = [peer.own() for _ in range(options.rounds)]
            print(f"\nthe peer's own --stage tune --trials {TRIALS}")
            line("its trials alone, s", result["own"])
    print(f"load after: {os.getloadavg()[0]:.1f}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
