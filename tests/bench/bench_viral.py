#!/usr/bin/env python3
"""The ePytope-TCR viral benchmark (638 TCRs, each binds one of 14 epitopes), ten folds of whole TCRs.

Folds are scikit-learn's KFold(10, shuffle=True, random_state=seed) over the TCRs in the order of their binding rows. Each
method is trained on nine folds and scores the tenth; the scores of the ten are put together before the metrics are taken.
tcrops takes a share of the training TCRs to validate on; it never sees more than the nine folds. With --choose its settings
are chosen there, too: for each of the ten folds by five inner ones.
Near duplicates may stand in two folds: folds are those that others used. FOLDER/viral/expected.csv.gz is the table.
"""

import collections
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


class Trainer:
    """tcrops on some TCRs, scoring others."""

    def __init__(self, product, table, epitope, share, folder):
        self.product, self.table, self.epitope, self.share, self.folder = product, table, epitope, share, folder

    def scores(self, name, seed, train, test, settings=()):
        """Test TCRs x epitopes."""
        random = np.random.default_rng(name)
        validation = set(random.permutation(train)[:max(1, round(self.share * len(train)))])
        side = {i: "train" for i in train} | {i: "validation" for i in validation} | {i: "test" for i in test}
        rows = [column[i] | {"Fold": side[i]} for column in self.table for i in sorted(side)]
        asked = [column[i] for column in self.table for i in test]
        place = tempfile.mkdtemp(dir=self.folder) + "/run"
        scores = self.product.scores(pathlib.Path(place), COLUMNS, rows, asked, [f"seed={seed}", *settings])
        return scores.reshape(len(self.table), -1).T

    def chosen(self, name, seed, train, alternatives):
        """Of several sets of settings the one with the best pooled AP in five folds of the training TCRs."""
        if len(alternatives) < 2:
            return alternatives[0] if alternatives else ()
        label = np.eye(len(self.table), dtype=bool)[self.epitope[train]]
        found = []
        for settings in alternatives:
            score = np.zeros(label.shape)
            for part, (inside, outside) in enumerate(KFold(5, shuffle=True, random_state=seed).split(train)):
                score[outside] = self.scores([*name, part], seed, train[inside], train[outside], settings)
            found.append(common.metrics(label.ravel(), score.ravel(), np.ones((1, label.size), int))["AP"][0])
        return alternatives[int(np.argmax(found))]


def product_scores(trainer, seed, jobs, alternatives):
    """TCRs x epitopes, each fold scored by a model of the others; and the settings that each fold chose."""
    folds = folds_of(len(trainer.epitope), seed)

    def of_fold(number, train, test):
        settings = trainer.chosen([seed, number], seed, train, alternatives)
        return trainer.scores([seed, number], seed, train, test, settings), settings

    tasks = [functools.partial(of_fold, number, *fold) for number, fold in enumerate(folds)]
    result, chosen = np.zeros((len(trainer.epitope), len(trainer.table))), []
    for (_, test), (scores, settings) in zip(folds, common.side_by_side(tasks, jobs, f"tcrops, seed {seed}")):
        result[test] = scores
        chosen.append(" ".join(settings) or "as in the pipeline file")
    return result, chosen


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
    parser.add_argument("--choose", action="append", default=[], type=str.split, metavar="SETTINGS",
                        help="settings to choose from inside the nine folds, as 'train.weight_decay=1e-5 …'; give it several times")
    options = parser.parse_args()
    started = time.monotonic()
    table, epitope = read(options.data)
    draws = common.draws_of(len(epitope), options.resamples)
    product, scores, chosen = common.Product(options), {}, collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in options.seeds:
            if options.only != "peers":
                values, settings = product_scores(Trainer(product, table, epitope, options.validation, folder), seed,
                                                  options.jobs, options.choose)
                scores.setdefault("tcrops", []).append(values)
                chosen.update(settings)
            if options.only != "tcrops":
                for name, values in peer_scores(table, epitope, seed).items():
                    scores.setdefault(name, []).append(values)
    if options.scores:
        np.savez(options.scores, epitope=epitope, **scores)
    results = {name: common.summary([figures_of(values, epitope, draws) for values in each])
               for name, each in scores.items()}
    about = {"viral": f"{len(epitope)} TCRs x {len(table)} epitopes", "folds": FOLDS, "seeds": options.seeds,
             "set": " ".join(options.set) or "as in the pipeline file"}
    if options.choose:
        about["chosen inside the nine folds"] = ", ".join(f"{settings} ({n}x)" for settings, n in chosen.most_common())
    common.show(options, about, results, started)


if __name__ == "__main__":
    main()
