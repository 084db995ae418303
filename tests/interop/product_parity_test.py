"""The whole program against PyTorch, scikit-learn and an encoding written from its description alone.

TCROPS_BIN names the program. Needs Debian's python3-torch, python3-sklearn and python3-numpy.
"""

import csv
import gzip
import json
import math
import os
import pathlib
import sys
import warnings

try:
    import numpy
    import torch
    from sklearn import metrics as sk
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
except ImportError as error:
    print(f"SKIPPED: {error}; install python3-torch, python3-sklearn and python3-numpy")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import product  # noqa: E402
from torch_parity import read_tensors, rebuild  # noqa: E402

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
GROUPS = {"CDR3_alpha": "cdr3", "CDR3_beta": "cdr3", "Epitope": "epitope"}  # every other text is a "gene"


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def encode(encoder, rows):
    """Letter k of n becomes k/n, texts are filled up with zeros to their group's width; clone_id is min-max scaled."""
    matrix = []
    for row in rows:
        numbers = []
        for feature in encoder["features"]:
            if feature == "clone_id":
                scale = encoder["clone_id"]
                numbers.append((float(row[feature]) - scale["minimum"]) / (scale["maximum"] - scale["minimum"]))
                continue
            letters = [(encoder["alphabet"].index(letter) + 1) / len(encoder["alphabet"]) for letter in row[feature]]
            width = encoder["widths"][GROUPS.get(feature, "gene")]
            numbers += letters + [0.0] * (width - len(letters))
        matrix.append(numbers)
    return torch.tensor(matrix, dtype=torch.float32)


def probabilities(model, rows):
    """What PyTorch makes of the files of a model artifact."""
    net = rebuild(read_json(model / "model.json")["network"])
    net.load_state_dict(read_tensors(model / "weights.safetensors"), strict=True)
    with torch.inference_mode():
        return torch.sigmoid(net.eval()(encode(read_json(model / "encoder.json"), rows)).squeeze(1).double()).numpy()


def binary(labels, scores, threshold):
    called = scores >= threshold
    both = 0 < labels.sum() < len(labels)
    some = labels.sum() > 0
    return {"rows": len(labels), "positives": int(labels.sum()), "predicted_positives": int(called.sum()),
            "auroc": sk.roc_auc_score(labels, scores) if both else None,
            "auroc01": sk.roc_auc_score(labels, scores, max_fpr=0.1) if both else None,
            "average_precision": sk.average_precision_score(labels, scores) if both else None,
            "accuracy": sk.accuracy_score(labels, called),
            "precision": sk.precision_score(labels, called, zero_division=0),
            "recall": sk.recall_score(labels, called) if some else None,
            "f1": sk.f1_score(labels, called) if some else None,
            "mcc": sk.matthews_corrcoef(labels, called) if both else None, "threshold": threshold}


def grouped(labels, scores, groups, threshold):
    parts = [dict(binary(labels[groups == group], scores[groups == group], threshold), group=group)
             for group in dict.fromkeys(groups.tolist())]
    defined = [part for part in parts if part["auroc"] is not None]
    mean = {key: float(numpy.mean([part[key] for part in defined]))
            for key in ("auroc", "auroc01", "average_precision", "f1", "mcc")}
    return {"pooled": binary(labels, scores, threshold), "per_group": parts, "macro": dict(mean, groups=len(defined))}


def gapped(cdr3):
    """(position, letter) pairs; the second half is counted from the right."""
    half = (len(cdr3) + 1) // 2
    return [(i if i < half else i - len(cdr3), letter) for i, letter in enumerate(cdr3)]


def linear_scores(train, rows):
    """The linear baseline of one epitope's rows."""
    def features(row):
        loops = {f"{name}{position}{letter}": 1 for name in ("CDR3_alpha", "CDR3_beta")
                 for position, letter in gapped(row[name])}
        return {**loops, **{row[name].split("*")[0]: 1 for name in ("V_alpha", "V_beta", "J_alpha", "J_beta")}}

    vectors = DictVectorizer(sparse=False)
    known = vectors.fit_transform([features(row) for row in train])
    model = LogisticRegression(C=1, class_weight="balanced", tol=1e-8, max_iter=10000)
    model.fit(known, [int(row["Label"]) for row in train])
    return model.predict_proba(vectors.transform([features(row) for row in rows]))[:, 1]


class Case(product.ProductCase):
    def assert_close(self, ours, theirs, place=""):
        if isinstance(theirs, dict):
            self.assertLessEqual(set(theirs), set(ours), place)
            for key, value in theirs.items():
                self.assert_close(ours[key], value, f"{place}.{key}")
        elif isinstance(theirs, list):
            self.assertEqual(len(ours), len(theirs), place)
            for number, (one, other) in enumerate(zip(ours, theirs)):
                self.assert_close(one, other, f"{place}[{number}]")
        elif theirs is None or isinstance(theirs, str):
            self.assertEqual(ours, theirs, place)
        else:
            self.assertTrue(ours is not None and math.isclose(ours, theirs, rel_tol=0, abs_tol=1e-9),
                            f"{place}: {ours} instead of {theirs}")

    def check_model(self, store, model, rows_file):
        """`predict` on a file against PyTorch."""
        output = self.folder / "scored.csv"
        self.ok(["predict", "--model", model.name, "--input", rows_file, "--output", output], store=store)
        scored = read_rows(output)
        expected = probabilities(model, read_rows(rows_file))
        self.assertGreater(len(scored), 100)
        got = numpy.array([float(row["score"]) for row in scored])
        self.assertLess(numpy.abs(got - expected).max(), 1e-5)
        self.assertGreater(expected.std(), 1e-4, "the model says the same of every row")
        threshold = read_json(model / "model.json")["threshold"]
        clear = numpy.abs(expected - threshold) > 1e-5
        calls = numpy.array([row["call"] == "1" for row in scored])
        self.assertTrue(((expected >= threshold) == calls)[clear].all())

    def check_linear(self, scored, test, dataset):
        """The linear baseline of three epitopes against scikit-learn, fitted on table.csv."""
        sides = read_tensors(dataset / "rows.safetensors")["sides"].tolist()
        train = [row for row, side in zip(read_rows(dataset / "table.csv"), sides) if side == 0]
        for epitope in sorted({row["Epitope"] for row in test})[:3]:
            of_epitope = [row for row in test if row["Epitope"] == epitope]
            ours = [float(row["linear"]) for row in scored if row["Epitope"] == epitope]
            expected = linear_scores([row for row in train if row["Epitope"] == epitope], of_epitope)
            self.assertLess(numpy.abs(numpy.array(ours) - expected).max(), 1e-4)

    def check_evaluation(self, store, name):
        """metrics.json against scikit-learn on scores.csv."""
        evaluation = product.named(store, f"{name}.evaluation")
        metrics = read_json(evaluation / "metrics.json")
        rows = read_rows(evaluation / "scores.csv")
        labels = numpy.array([int(row["Label"]) for row in rows])
        groups = numpy.array([row["Epitope"] for row in rows])
        scores = numpy.array([float(row["score"]) for row in rows])
        threshold = read_json(product.named(store, f"{name}.model") / "model.json")["threshold"]
        nearest_metrics = metrics["baselines"]["nearest_neighbour"]
        self.assert_close(metrics["model"], grouped(labels, scores, groups, threshold), "model")
        self.assertAlmostEqual(metrics["model"]["pooled"]["brier"], sk.brier_score_loss(labels, scores), places=9)
        self.assertEqual(set(metrics["baselines"]), {"nearest_neighbour", "linear", "v_gene", "tcr_frequency", "always_no"})
        for baseline, report in metrics["baselines"].items():
            values = numpy.array([float(row[baseline]) for row in rows])
            self.assert_close(report, grouped(labels, values, groups, report["pooled"]["threshold"]), baseline)
        self.check_linear(rows, read_rows(evaluation / "epytope.csv"), product.named(store, f"{name}.dataset"))
        facts = read_json(evaluation / "manifest.json")["facts"]
        self.assertEqual((facts["rows"], facts["positives"]), (len(rows), int(labels.sum())))
        for ours, report in ((facts["model"], metrics["model"]),
                             (facts["baselines"]["nearest_neighbour"], nearest_metrics)):
            self.assertEqual(ours["macro_auroc"], report["macro"]["auroc"])
            self.assertEqual(ours["macro_average_precision"], report["macro"]["average_precision"])
            self.assertEqual(ours["pooled_auroc"], report["pooled"]["auroc"])
            self.assertEqual(ours["f1"], report["pooled"]["f1"])

    def check_encoding(self, store, name):
        """rows.safetensors of the dataset holds the encoding of table.csv."""
        dataset = product.named(store, f"{name}.dataset")
        encoder, rows = read_json(dataset / "encoder.json"), read_rows(dataset / "table.csv")
        tensors = read_tensors(dataset / "rows.safetensors")
        self.assertEqual(tensors["labels"].tolist(), [int(row["Label"]) for row in rows])
        texts = dict(encoder, features=[feature for feature in encoder["features"] if feature != "clone_id"])
        expected = (encode(texts, rows) * len(encoder["alphabet"])).round().to(torch.uint8)
        self.assertTrue(torch.equal(tensors["codes"], expected))
        if "clone_id" in encoder["features"]:
            numbers = encode(dict(encoder, features=["clone_id"]), rows)
            self.assertTrue(torch.equal(tensors["numbers"], numbers))
        return rows, tensors["sides"]


class Quickstart(Case):
    def test_scores_are_those_of_pytorch(self):
        table = product.named(product.prepared(), "quickstart.raw") / "table.csv"
        self.check_model(product.prepared(), product.named(product.prepared(), "quickstart.model"), table)
        study = read_json(product.named(product.prepared(), "quickstart.study") / "manifest.json")
        folders = product.directories(product.prepared())
        for role, identifier in study["parents"].items():
            if role.startswith("model-"):
                self.check_model(product.prepared(), folders[identifier], table)

    def test_metrics_are_those_of_scikit_learn(self):
        self.check_evaluation(product.prepared(), "quickstart")

    def test_encoding(self):
        rows, sides = self.check_encoding(product.prepared(), "quickstart")
        keys = {}
        for row, side in zip(rows, sides.tolist(), strict=True):
            keys.setdefault(tuple(list(row.values())[:6]), set()).add(side)
        self.assertTrue(all(len(found) == 1 for found in keys.values()), "a TCR stands on two sides")


class Viral(Case):
    """The paper's protocol on the real data, with few and short trials."""

    def test_paper(self):
        data = product.test_data("viral")
        settings = [word for setting in ("tune.trials=2", "tune.epochs_min=1", "tune.epochs_max=2",
                                         "tune.objective=auroc", "tune.models=mlp_small",
                                         "serve_check.latency_requests=20") for word in ("--set", setting)]
        self.ok(["run", "--config", product.CONFIGS / "paper.json", "--mirror", data, *settings], store=self.store)
        dataset = product.named(self.store, "paper.dataset")
        # Loops and origin follow the columns of the benchmark.
        with gzip.open(data / "expected.csv.gz", "rt", newline="") as expected:
            self.assertEqual([row[:10] for row in product.read_table(dataset / "table.csv")],
                             product.read_table(expected.read()))
        rows, sides = self.check_encoding(self.store, "paper")

        tenth = len(rows) // 10
        parts = torch.utils.data.random_split(range(len(rows)), [len(rows) - 2 * tenth, tenth, tenth],
                                              generator=torch.Generator().manual_seed(42))
        expected = torch.empty(len(rows), dtype=torch.uint8)
        for side, part in enumerate(parts):
            expected[torch.tensor(part.indices)] = side
        self.assertTrue(torch.equal(sides, expected))

        self.check_model(self.store, product.named(self.store, "paper.model"), dataset / "table.csv")
        self.check_evaluation(self.store, "paper")
        caveats = " ".join(read_json(product.named(self.store, "paper.evaluation") / "metrics.json")["caveats"])
        for part in ("stand on more than one of training", "chosen on these test rows", "clone_id"):
            self.assertIn(part, caveats)


if __name__ == "__main__":
    product.main()
