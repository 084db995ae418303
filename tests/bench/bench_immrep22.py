#!/usr/bin/env python3
"""The training files of IMMREP22, 16 epitopes, five folds; figures of each epitope's out-of-fold scores, then their mean.

files     the rows of each file as published, StratifiedKFold(5, shuffle=True, random_state=seed) in each file, as others
          did. It leaks: near duplicates stand in two folds, and a TCR is in several files, so that tcrops may have trained
          on it in the file of another epitope (a head per epitope, which learns nothing of a TCR that it is tested on).
clusters  each TCR once, near TCRs (both CDR3s at most one edit apart, whatever they bind) and their fold together; in the
          training and in the test part of each fold negatives are drawn anew for each epitope: per binder 3 binders of
          other epitopes and 2 control TCRs of that part.

The peers have one model per epitope and fold, tcrops one per fold for all epitopes. FOLDER/immrep22_train/ has
train.csv.gz and controls.csv.gz.
"""

import functools
import pathlib
import tempfile
import time

import numpy as np
from sklearn.model_selection import StratifiedKFold

import bench_common as common
import peers

GENES = {"CDR3_alpha": "TRA_CDR3", "CDR3_beta": "TRB_CDR3", "V_alpha": "TRAV", "V_beta": "TRBV", "J_alpha": "TRAJ",
         "J_beta": "TRBJ"}
LOOPS = {"A1": 1, "A2": 1, "A3": 3, "B1": 1, "B2": 1, "B3": 3}
COLUMNS = (*GENES, "Epitope")
FOLDS = 5


class Rows:
    """Distinct TCRs, and pairs as numbers: TCR, epitope, label; TCRs of controls apart."""

    def __init__(self, folder, controls):
        self.tcrs, number = [], {}

        def add(row):
            key = tuple(row[name] for name in GENES.values())
            if key not in number:
                number[key] = len(self.tcrs)
                self.tcrs.append(row)
            return number[key]

        table = common.read_table(folder / "immrep22_train" / "train.csv.gz")
        self.epitopes = sorted({row["epitope"] for row in table})
        self.tcr = np.array([add(row) for row in table])
        self.epitope = np.array([self.epitopes.index(row["epitope"]) for row in table])
        self.label = np.array([int(row["Label"]) > 0 for row in table])
        self.controls = np.array([], int)
        if controls:
            table = common.read_table(folder / "immrep22_train" / "controls.csv.gz")
            self.controls = np.array(sorted({add(row) for row in table}))

    def column(self, name):
        return [tcr[name] for tcr in self.tcrs]

    def record(self, tcr, epitope):
        return {ours: self.tcrs[tcr][theirs] for ours, theirs in GENES.items()} | {"Epitope": self.epitopes[epitope]}


class Part:
    """Rows of one epitope and fold: TCRs and labels that train, and that test."""

    def __init__(self, fold, epitope, train, test):
        self.fold, self.epitope, self.train, self.test = fold, epitope, train, test


def parts_of_files(rows, seed):
    for epitope in range(len(rows.epitopes)):
        own = rows.epitope == epitope
        tcr, label = rows.tcr[own], rows.label[own]
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(label, label)
        for fold, (train, test) in enumerate(split):
            yield Part(fold, epitope, (tcr[train], label[train]), (tcr[test], label[test]))


def deal(cluster, count, seed):
    """The fold of each row: clusters, biggest first, each to the fold that has least of its kinds; count: rows x kinds."""
    random = np.random.default_rng(seed)
    total = np.zeros((cluster.max() + 1, count.shape[1]))
    np.add.at(total, cluster, count)
    order = random.permutation(len(total))
    order = order[np.argsort(-total[order].sum(1), kind="stable")]
    load, fold = np.zeros((FOLDS, count.shape[1])), np.zeros(len(total), int)
    for c in order:
        fullness = (load / np.maximum(total.sum(0), 1)) @ total[c] + 1e-9 * random.random(FOLDS)
        fold[c] = fullness.argmin()
        load[fold[c]] += total[c]
    return fold[cluster]


def folds_of_clusters(rows, binds, controls, seed):
    """The fold of each TCR; -1 for those that neither bind nor are controls."""
    binders = np.flatnonzero(binds.any(1))
    used = np.concatenate([binders, controls])
    alpha, beta = rows.column("TRA_CDR3"), rows.column("TRB_CDR3")
    cluster = peers.clusters([alpha[tcr] for tcr in used], [beta[tcr] for tcr in used])
    count = np.hstack([binds[used], np.zeros((len(used), 1))])
    count[len(binders):, -1] = 1
    fold = np.full(len(rows.tcrs), -1)
    fold[used] = deal(cluster, count, seed)
    return fold


def parts_of_clusters(rows, seed):
    binds = np.zeros((len(rows.tcrs), len(rows.epitopes)))
    binds[rows.tcr[rows.label], rows.epitope[rows.label]] = 1
    controls = rows.controls[~binds[rows.controls].any(1)]
    binders = np.flatnonzero(binds.any(1))
    fold_of = folds_of_clusters(rows, binds, controls, seed)
    random = np.random.default_rng(seed + 1000)

    def drawn(epitope, side):
        positive = binders[(binds[binders, epitope] == 1) & side[binders]]
        other = binders[(binds[binders, epitope] == 0) & side[binders]]
        control, count = controls[side[controls]], len(positive)
        swapped = random.choice(other, min(3 * count, len(other)), replace=False)
        background = random.choice(control, min(2 * count, len(control)), replace=False)
        tcr = np.concatenate([positive, swapped, background])
        return tcr, np.arange(len(tcr)) < count

    for epitope in range(len(rows.epitopes)):
        for fold in range(FOLDS):
            yield Part(fold, epitope, drawn(epitope, fold_of != fold), drawn(epitope, fold_of == fold))


def keep_share(parts, is_kept):
    """Leaves the TCRs that are kept in the training parts."""
    for part in parts:
        kept = is_kept[part.train[0]]
        part.train = tuple(values[kept] for values in part.train)


def product_scores(product, rows, parts, seed, share, folder, jobs):
    """For each part the scores of its test rows."""

    def of_fold(fold):
        own = [part for part in parts if part.fold == fold]
        train = np.unique(np.concatenate([part.train[0] for part in own]))
        validation = set(np.random.default_rng([seed, fold]).permutation(train)[:max(1, round(share * len(train)))])
        table, asked = [], []
        for part in own:
            for tcr, label in zip(*part.train):
                side = "validation" if tcr in validation else "train"
                table.append(rows.record(tcr, part.epitope) | {"Label": int(label), "Fold": side})
            for tcr, label in zip(*part.test):
                asked.append(rows.record(tcr, part.epitope))
                table.append(asked[-1] | {"Label": int(label), "Fold": "test"})
        scores = product.scores(folder / f"{seed}-{fold}", COLUMNS, table, asked, [f"seed={seed}"])
        ends = np.cumsum([len(part.test[0]) for part in own])
        return iter(np.split(scores, ends[:-1]))

    tasks = [functools.partial(of_fold, fold) for fold in range(FOLDS)]
    done = common.side_by_side(tasks, jobs, f"tcrops, seed {seed}")
    return [next(done[part.fold]) for part in parts]


def peer_scores(rows, parts):
    """{name: for each part the scores of its test rows}."""
    x = np.hstack([peers.loop_vectors(rows.column(name), weight) for name, weight in LOOPS.items()])
    mers = np.hstack([peers.three_mers(rows.column(name)) for name in ("TRA_CDR3", "TRB_CDR3")]) / np.sqrt(2)
    scores = []
    for part in parts:
        (train, label), test = part.train, part.test[0]
        both = np.concatenate([train, test])
        numbers = np.arange(len(both))
        scores.append(peers.scores(peers.squared_distances(x[both], x[both]), mers[both] @ mers[both].T,
                                   numbers[:len(train)], label, numbers[len(train):], 60))
    return dict(zip(peers.NAMES, zip(*scores)))


def figures_of(rows, parts, scores, draws):
    """{figure: means over the epitopes}, and each epitope's AUC; draws: of TCRs."""
    each = []
    for epitope in range(len(rows.epitopes)):
        own = [i for i, part in enumerate(parts) if part.epitope == epitope]
        tcr, label = (np.concatenate([parts[i].test[k] for i in own]) for k in (0, 1))
        each.append(common.metrics(label, np.concatenate([scores[i] for i in own]), draws[:, tcr]))
    means = {f"mean {name}": np.nanmean([figures[name] for figures in each], axis=0) for name in each[0]}
    return means, [figures["AUC"][0] for figures in each]


def main():
    parser = common.arguments(__doc__, "immrep22.json")
    parser.add_argument("--protocol", required=True, choices=["files", "clusters"])
    parser.add_argument("--share", type=float, default=1, help="share of the training TCRs that is used: a learning curve")
    parser.add_argument("--validation", type=float, default=0.1, help="share of the training TCRs that validates")
    options = parser.parse_args()
    started = time.monotonic()
    rows = Rows(options.data, options.protocol == "clusters")
    draws = common.draws_of(len(rows.tcrs), options.resamples)
    product, figures, by_epitope = common.Product(options), {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            parts = list((parts_of_files if options.protocol == "files" else parts_of_clusters)(rows, seed))
            if options.share < 1:
                keep_share(parts, np.random.default_rng(seed).random(len(rows.tcrs)) < options.share)
            scores = {}
            if options.only != "peers":
                scores["tcrops"] = product_scores(product, rows, parts, seed, options.validation, pathlib.Path(folder),
                                                  options.jobs)
            if options.only != "tcrops":
                scores |= peer_scores(rows, parts)
            for name, values in scores.items():
                means, each = figures_of(rows, parts, values, draws)
                figures.setdefault(name, []).append(means)
                by_epitope.setdefault(name, []).append(each)
    about = {"immrep22": f"{len(rows.epitopes)} epitopes", "protocol": options.protocol, "folds": FOLDS,
             "training TCRs": f"{options.share:.0%}", "seeds": options.seeds,
             "set": " ".join(options.set) or "as in the pipeline file"}
    if options.protocol == "files":
        about["leak"] = "near duplicates stand in two folds, and the same TCR in several files"
    name = next(iter(by_epitope))
    about[f"AUC of {name} by epitope"] = ", ".join(
        f"{epitope} {auc:.2f}" for epitope, auc in zip(rows.epitopes, np.mean(by_epitope[name], axis=0)))
    common.show(options, about, {name: common.summary(each) for name, each in figures.items()}, started)


if __name__ == "__main__":
    main()
