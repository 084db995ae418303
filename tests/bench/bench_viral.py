#!/usr/bin/env python3
"""The ePytope-TCR viral benchmark (638 TCRs, each binds one of 14 epitopes), ten folds of whole TCRs.

Folds are scikit-learn's KFold(10, shuffle=True, random_state=seed) over the TCRs in the order of their binding rows. Each
method is trained on nine folds and scores the tenth; the scores of the ten are put together before the metrics are taken.
tcrops takes a share of the training TCRs to validate on; it never sees more than the nine folds.
Near duplicates may stand in two folds: folds are those that others used. FOLDER/viral/expected.csv.gz is the table.
"""

import functools
import pathlib
import tempfile
import time

import numpy as np
from sklearn.model_selection import KFold

import bench_common as common
import peers

COLUMNS = ("CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "clone_id", "MHC")
FOLDS = 10


def read(folder):
    """Rows as [epitope][TCR], and the number of the epitope that each TCR binds."""
    rows = common.read_table(folder / "viral" / "expected.csv.gz")
    by_epitope = {}
    for row in rows:
        by_epitope.setdefault(row["Epitope"], []).append(row)
    columns = list(by_epitope.values())
    label = np.array([[row["Label"] == "1" for row in column] for column in columns])
    assert (label.sum(0) == 1).all(), "each TCR binds one epitope"
    epitope = label.argmax(0)
    order = np.argsort(epitope, kind="stable")  # as their binding rows stand in the table
    return [[column[i] for i in order] for column in columns], epitope[order]


def folds_of(tcrs, seed):
    return list(KFold(FOLDS, shuffle=True, random_state=seed).split(np.arange(tcrs)))


def product_scores(product, table, seed, share, folder, jobs):
    """TCRs x epitopes, each fold scored by a model of the others."""
    tcrs = len(table[0])

    def of_fold(number, train, test):
        validation = set(np.random.default_rng([seed, number]).permutation(train)[:max(1, round(share * len(train)))])
        side = {i: "train" for i in train} | {i: "validation" for i in validation} | {i: "test" for i in test}
        rows = [row | {"Fold": side[i]} for column in table for i, row in enumerate(column)]
        asked = [column[i] for column in table for i in test]
        scores = product.scores(folder / f"{seed}-{number}", COLUMNS, rows, asked, [f"seed={seed}"])
        return scores.reshape(len(table), -1).T

    folds = folds_of(tcrs, seed)
    tasks = [functools.partial(of_fold, number, *fold) for number, fold in enumerate(folds)]
    result = np.zeros((tcrs, len(table)))
    for (_, test), scores in zip(folds, common.side_by_side(tasks, jobs, f"tcrops, seed {seed}")):
        result[test] = scores
    return result


def peer_scores(table, epitope, seed):
    """CDR3s, without their conserved ends, weigh 3; V and J genes stand for the other loops."""
    tcrs = {name: [row[name] for row in table[0]] for name in COLUMNS}
    x = np.hstack([peers.loop_vectors([text[1:-1] for text in tcrs[name]], 3) for name in COLUMNS[:2]] +
                  [peers.one_hots(tcrs[name], 2) for name in COLUMNS[2:6]])
    mers = [peers.three_mers(tcrs[name]) for name in COLUMNS[:2]]
    distance, similarity = peers.squared_distances(x, x), sum(mer @ mer.T for mer in mers) / 2
    result = np.zeros((len(peers.NAMES), len(epitope), len(table)))
    for train, test in folds_of(len(epitope), seed):
        for e in range(len(table)):
            label = epitope[train] == e
            if label.any():
                result[:, test, e] = peers.scores(distance, similarity, train, label, test, 90)
    return dict(zip(peers.NAMES, result))


def figures_of(score, epitope, draws):
    """score: TCRs x epitopes."""
    label = np.eye(score.shape[1], dtype=bool)[epitope]
    each = [common.metrics(label[:, e], score[:, e], draws) for e in range(score.shape[1])]
    parts = [common.metrics(label.ravel(), score.ravel(), np.repeat(some, score.shape[1], axis=1))
             for some in np.array_split(draws, max(1, len(draws) // 100))]
    pooled = {name: np.concatenate([part[name] for part in parts]) for name in each[0]}
    macro = {name: np.nanmean([figures[name] for figures in each], axis=0) for name in each[0]}
    return {"macro AUC": macro["AUC"], "pooled AUC": pooled["AUC"], "pooled AP": pooled["AP"],
            "macro AP": macro["AP"], "macro AUC0.1": macro["AUC0.1"]}


def main():
    parser = common.arguments(__doc__, "viral.json")
    parser.add_argument("--validation", type=float, default=0.1, help="share of the training TCRs that validates")
    options = parser.parse_args()
    started = time.monotonic()
    table, epitope = read(options.data)
    draws = common.draws_of(len(epitope), options.resamples)
    product, scores = common.Product(options), {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            if options.only != "peers":
                scores.setdefault("tcrops", []).append(
                    product_scores(product, table, seed, options.validation, pathlib.Path(folder), options.jobs))
            if options.only != "tcrops":
                for name, values in peer_scores(table, epitope, seed).items():
                    scores.setdefault(name, []).append(values)
    if options.scores:
        np.savez(options.scores, epitope=epitope, **scores)
    results = {name: common.summary([figures_of(values, epitope, draws) for values in each])
               for name, each in scores.items()}
    about = {"viral": f"{len(epitope)} TCRs x {len(table)} epitopes", "folds": FOLDS, "seeds": options.seeds,
             "set": " ".join(options.set) or "as in the pipeline file"}
    common.show(options, about, results, started)


if __name__ == "__main__":
    main()
