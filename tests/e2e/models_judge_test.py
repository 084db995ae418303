"""Judging models: the gates of a promotion, its evidence, any model on any dataset, and two models on the same rows.

Metrics and intervals are computed again with numpy and scikit-learn. TCROPS_BIN names the program.
"""

import csv
import json
import pathlib
import struct
import sys

try:
    import numpy
    from sklearn.metrics import average_precision_score, roc_auc_score
except ImportError:
    numpy = None

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import RANKS, PipelineCase, own, stage  # noqa: E402

TRAINED = RANKS + 1
SKIP = ["--skip-gates", "--reason", "a test"]
TRAIN, VALIDATION, TEST = range(3)


def gates(**values):
    return [word for name, value in values.items() for word in ("--set", f"gates.{name}={value}")]


def sides(dataset):
    """The side of each row of a dataset's folder: 0 train, 1 validation, 2 test."""
    content = (dataset / "rows.safetensors").read_bytes()
    length, = struct.unpack("<Q", content[:8])
    begin, end = json.loads(content[8:8 + length])["sides"]["data_offsets"]
    return list(content[8 + length + begin:8 + length + end])


def tcrs(dataset):
    """(TCR, side) of each row."""
    rows = csv.DictReader((dataset / "table.csv").read_text().splitlines())
    names = ("CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta")
    return [(tuple(row[name] for name in names), side) for row, side in zip(rows, sides(dataset), strict=True)]


def facts(folder):
    return json.loads((folder / "manifest.json").read_text())["facts"]


class Gates(PipelineCase):
    def promote(self, version, *words, code=product.OK):
        return self.json(["models", "promote", f"quickstart@v{version}", *words], code=code)

    def assert_refused(self, version, gate, *words):
        """Refused by this gate alone; nothing is moved."""
        before = self.log_bytes()
        said = self.promote(version, *words, code=product.CHECK_FAILED)
        self.assertFalse(said["promoted"])
        self.assertEqual([g["name"] for g in said["evidence"]["gates"] if not g["passed"]], [gate])
        done = product.run(["models", "promote", f"quickstart@v{version}", *words], store=self.store)
        self.assertEqual(done.returncode, product.CHECK_FAILED)
        self.assertRegex(done.stdout, rf"{gate} +FAILED")
        self.assertIn(f"\n  {gate}: ", done.stderr)
        self.assertEqual(self.log_bytes(), before)
        return said

    def test_each_gate_alone(self):
        self.copy_of(own_models=1)
        self.assert_refused(TRAINED, "minimum", *gates(minimum=1))
        self.assert_refused(TRAINED, "minimum_positives", *gates(minimum_positives=30))
        self.assert_refused(TRAINED, "beat_nearest_neighbour", *gates(beat_nearest_neighbour="true"))
        self.assert_refused(TRAINED, "serve_check", "--set", "serve_check.max_p99_ms=1e-9")
        for leaky in ({"preprocess.split": "torch_random_split"}, {"tune.select_on": "test"}):
            self.ok(stage("train", leaky), store=self.store)
            version = self.json(["models", "show", "quickstart@candidate"])["version"]
            alone = {"minimum_positives": 0, "champion": "any"}
            self.assert_refused(version, "fair_test", *gates(**alone))
            self.promote(version, *gates(fair_test="false", **alone))
            self.ok(["models", "promote", f"quickstart@v{TRAINED}", *SKIP], store=self.store)
        self.assert_refused(TRAINED + 1, "champion", *gates(champion="better"))
        passed = self.promote(TRAINED + 1, *gates(champion="not_worse", minimum=0.01))
        self.assertEqual([g["name"] for g in passed["evidence"]["gates"]],
                         ["fair_test", "minimum_positives", "minimum", "champion", "serve_check"])
        self.assert_verifies(self.store)

    def test_surely_worse(self):
        good = {"synthetic.tcrs": 400, "preprocess.test_fraction": 0.4, "preprocess.validation_fraction": 0.2,
                "synthetic.motif_strength": 1}
        study = own(60, **{**good, "train.model": "mlp_medium", "train.learning_rate": 0.02})
        self.ok(stage("train", study), store=self.store)
        self.ok(["models", "promote", "quickstart"], store=self.store)
        self.ok(stage("train", own(1, **{**good, "train.learning_rate": 1e-9})), store=self.store)
        said = self.assert_refused(2, "champion")
        compared = said["evidence"]["champion"]["compared"][0]
        self.assertLess(compared["high"], 0)
        self.assertEqual(said["evidence"]["champion"]["version"], 1)
        skipped = self.promote(2, *gates(champion="any"))
        self.assertNotIn("champion", [g["name"] for g in skipped["evidence"]["gates"]])
        self.promote(1, *gates(champion="better"))

    def test_evidence(self):
        self.copy_of(own_models=1)
        self.ok(["models", "promote", f"quickstart@v{TRAINED}"], store=self.store)
        said = self.promote(TRAINED + 1)
        event = self.json(["models", "log", "quickstart"])["events"][-1]
        self.assertEqual(event["evidence"], said["evidence"])
        evidence, here = event["evidence"], product.directories(self.store)
        self.assertEqual((said["champion_before"], evidence["champion"]["version"]), (TRAINED, TRAINED))
        evaluation = json.loads((here[evidence["evaluation"]] / "manifest.json").read_text())
        self.assertEqual(evaluation["kind"], "evaluation")
        self.assertEqual(evidence["macro_average_precision"],
                         evaluation["facts"]["model"]["macro_average_precision"])
        self.assertEqual(json.loads((here[evidence["check"]] / "manifest.json").read_text())["kind"], "check")
        compared = evidence["champion"]["compared"]
        self.assertEqual(len(compared), 1, "both have one dataset")
        self.assertTrue(compared[0]["fair"])
        self.assertEqual(compared[0]["evaluations"][0], evidence["evaluation"])
        rival = json.loads((here[compared[0]["evaluations"][1]] / "manifest.json").read_text())
        self.assertEqual(rival["parents"]["dataset"], evaluation["parents"]["dataset"])
        self.assert_verifies(self.store)

    def test_refused_commands(self):
        self.copy_of(own_models=1)
        log = self.log_bytes()
        promote = ["models", "promote"]
        self.fails(product.USAGE, [*promote, "quickstart", "--skip-gates"], "--reason", store=self.store)
        self.fails(product.ARTIFACT, [*promote, "quickstart@v99", *SKIP], "no version 99", store=self.store)
        self.fails(product.ARTIFACT, [*promote, "quickstart@champion"], 'has no "champion"', store=self.store)
        self.fails(product.ARTIFACT, [*promote, "quickstrat"], 'did you mean "quickstart"?', store=self.store)
        self.assertEqual(self.log_bytes(), log)
        said = self.json([*promote, "quickstart", *SKIP])
        self.assertEqual((said["version"], said["evidence"]), (TRAINED + 1, {"gates": "skipped"}))
        self.fails(product.USAGE, [*promote, "quickstart"], "no candidate", store=self.store)
        for words in (SKIP, [], gates(minimum=1)):
            self.fails(product.USAGE, [*promote, f"quickstart@v{TRAINED + 1}", *words], "the champion already",
                       store=self.store)


class OtherDataset(PipelineCase):
    def setUp(self):
        super().setUp()
        self.copy_of(own_models=1)
        self.own = product.named(self.store, "quickstart.dataset")
        self.ok(stage("preprocess", {"preprocess.split_seed": 7}), store=self.store)
        self.other = product.named(self.store, "quickstart.dataset")

    def evaluate(self, *words):
        return self.json(["evaluate", "--model", "quickstart@v1", *words])

    def test_what_the_model_has_seen(self):
        self.assertTrue(self.evaluate()["facts"]["fair"])
        seen = {tcr for tcr, side in tcrs(self.own) if side != TEST}
        known = {tcr for tcr, side in tcrs(self.other) if side == TEST and tcr in seen}
        self.assertGreater(len(known), 0)
        found = self.evaluate("--dataset", self.other.name)["facts"]
        self.assertFalse(found["fair"])
        self.assertIn(f"not a fair test: {len(known)} of these TCRs were among the rows that trained or chose the "
                      "model", found["caveats"])
        text = self.ok(["evaluate", "--model", "quickstart@v1", "--dataset", self.other.name], store=self.store)
        self.assertIn(f"WARNING: not a fair test: {len(known)} of these TCRs", text.stdout)
        # Each has seen test rows of the other, so no comparison is fair.
        self.ok(["models", "promote", f"quickstart@v{TRAINED}"], store=self.store)
        self.ok(stage("train", own(2, **{"preprocess.split_seed": 7})), store=self.store)
        words = ["models", "promote", "quickstart", *gates(minimum_positives=0)]
        said = self.json(words, code=product.CHECK_FAILED)
        self.assertEqual([each["fair"] for each in said["evidence"]["champion"]["compared"]], [False, False])
        refused = [gate for gate in said["evidence"]["gates"] if not gate["passed"]]
        self.assertEqual([gate["name"] for gate in refused], ["champion"])
        self.assertIn("not a fair test of both", refused[0]["found"])
        self.assertTrue(self.json([*words, *gates(champion="any")])["promoted"])
        self.assert_verifies(self.store)

    def test_dataset_that_is_gone(self):
        product.shutil.rmtree(self.own)
        self.fails(product.ARTIFACT, ["evaluate", "--model", "quickstart@v1", "--dataset", self.other.name],
                   "fair test", "without its dataset", store=self.store)
        self.fails(product.ARTIFACT, ["evaluate", "--model", "quickstart@v1"], store=self.store)

    def test_other_kinds(self):
        here = product.names(self.store)
        for words in (["evaluate", "--model", "quickstart.raw"], ["evaluate", "--model", "quickstart.study"],
                      ["models", "compare", "quickstart.study", "quickstart.model"],
                      ["models", "compare", "quickstart.model", "quickstart.evaluation"]):
            self.fails(product.ARTIFACT, words, "not model", store=self.store)
        for words in (["evaluate", "--model", "quickstart.model"],
                      ["models", "compare", "quickstart.model", "quickstart@v1"]):
            self.fails(product.ARTIFACT, [*words, "--dataset", here["quickstart.raw"]], "is of kind raw, not dataset",
                       store=self.store)
            self.fails(product.ARTIFACT, [*words, "--dataset", "nowhere"], 'no artifact "nowhere"', store=self.store)
        self.fails(product.USAGE, ["evaluate", "--dataset", "quickstart.dataset"], "--config", store=self.store)
        self.fails(product.USAGE, stage("evaluate", {}, "--model", "quickstart@v1"), "--model", store=self.store)


def metrics_of(rows, weights, column):
    """The metrics of scores.csv's rows, each counted as often as its weight says."""
    labels = numpy.array([int(row["Label"]) for row in rows])
    scores = numpy.array([float(row[column]) for row in rows])
    epitopes = numpy.array([row["Epitope"] for row in rows])

    def judged(chosen):
        kept = chosen & (weights > 0)
        if len(set(labels[kept])) < 2:
            return None
        given = labels[kept], scores[kept]
        return (average_precision_score(*given, sample_weight=weights[kept]),
                roc_auc_score(*given, sample_weight=weights[kept]),
                roc_auc_score(*given, sample_weight=weights[kept], max_fpr=0.1))

    groups = [found for name in sorted(set(epitopes)) if (found := judged(epitopes == name)) is not None]
    pooled = judged(numpy.full(len(rows), True))
    macro = numpy.mean(groups, axis=0)
    return dict(zip(("macro_average_precision", "macro_auroc", "macro_auroc01", "pooled_average_precision",
                     "pooled_auroc"), [*macro, *pooled[:2]], strict=True))


class Compare(PipelineCase):
    DRAWS = 2000  # of the program; Python draws fewer, for it is slower
    CHANGES = {"preprocess.test_fraction": 0.3, "synthetic.epitopes": 3}

    def setUp(self):
        super().setUp()
        if numpy is None:
            product.skip("no numpy and scikit-learn")
        for epochs in (25, 1):
            self.ok(stage("train", own(epochs, **self.CHANGES)), store=self.store)

    def scores(self, evaluation):
        return list(csv.DictReader((product.directories(self.store)[evaluation] / "scores.csv").read_text()
                                   .splitlines()))

    def test_numbers(self):
        said = self.json(["models", "compare", "quickstart@v1", "quickstart@v2"])
        self.assertEqual(said["resamples"], self.DRAWS)
        a, b = self.scores(said["a"]["evaluation"]), self.scores(said["b"]["evaluation"])
        self.assertEqual((said["rows"], said["positives"]), (len(a), sum(row["Label"] == "1" for row in a)))
        once = numpy.ones(len(a))
        first, second = metrics_of(a, once, "score"), metrics_of(b, once, "score")
        clusters = sorted({(row["CDR3_alpha"], row["CDR3_beta"]) for row in a})
        member = numpy.array([clusters.index((row["CDR3_alpha"], row["CDR3_beta"])) for row in a])
        random = numpy.random.default_rng(5)
        draws = []
        for _ in range(400):
            weights = numpy.bincount(random.integers(len(clusters), size=len(clusters)),
                                     minlength=len(clusters))[member].astype(float)
            one, other = metrics_of(a, weights, "score"), metrics_of(b, weights, "score")
            draws.append([one[name] - other[name] for name in one])
        low, high = numpy.nanpercentile(draws, [2.5, 97.5], axis=0)
        self.assertEqual([m["metric"] for m in said["metrics"]], list(first))
        for metric, lower, upper in zip(said["metrics"], low, high, strict=True):
            name = metric["metric"]
            with self.subTest(name):
                self.assertAlmostEqual(metric["a"], first[name], places=9)
                self.assertAlmostEqual(metric["b"], second[name], places=9)
                self.assertAlmostEqual(metric["difference"], first[name] - second[name], places=9)
                print(f"{name}: {metric['low']:+.4f} {metric['high']:+.4f}, again {lower:+.4f} {upper:+.4f}")
                self.assertAlmostEqual(metric["low"], lower, delta=0.03)
                self.assertAlmostEqual(metric["high"], upper, delta=0.03)

    def test_directions(self):
        one = self.json(["models", "compare", "quickstart@v1", "quickstart@v2"])
        back = self.json(["models", "compare", "quickstart@v2", "quickstart@v1"])
        for there, here in zip(one["metrics"], back["metrics"], strict=True):
            self.assertAlmostEqual(there["difference"], -here["difference"])
            self.assertAlmostEqual(there["low"], -here["high"])
        same = self.json(["models", "compare", "quickstart@v1", "quickstart.model", "--resamples", "100"])
        self.assertEqual(same["resamples"], 100)
        zero = self.json(["models", "compare", "quickstart@v1", "quickstart@v1"])
        for metric in zero["metrics"]:
            self.assertEqual((metric["difference"], metric["low"], metric["high"], metric["share_better"]),
                             (0, 0, 0, 0.5))
        text = self.ok(["models", "compare", "quickstart@v1", "quickstart@v1"], store=self.store).stdout
        self.assertIn("cannot be told", text)
        self.assertEqual(one, self.json(["models", "compare", "quickstart@v1", "quickstart@v2"]))
        self.assertNotEqual(one["metrics"], self.json(["models", "compare", "quickstart@v1", "quickstart@v2", "--set",
                                                       "seed=1"])["metrics"])

    def test_models_of_different_datasets(self):
        self.ok(stage("train", own(5, **{**self.CHANGES, "preprocess.split_seed": 2})), store=self.store)
        datasets = [json.loads((product.directories(self.store)[v["artifact"]] / "manifest.json").read_text())[
            "parents"]["dataset"] for v in self.json(["models", "show", "quickstart"])["versions"]]
        self.assertNotEqual(datasets[0], datasets[2])
        for words, dataset in (([], datasets[0]), (["--dataset", datasets[2]], datasets[2])):
            said = self.json(["models", "compare", "quickstart@v1", "quickstart@v3", *words])
            self.assertEqual(said["dataset"], dataset)
            unfair = said["b" if dataset == datasets[0] else "a"]["caveats"]
            self.assertIn("not a fair test", " ".join(unfair))
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
