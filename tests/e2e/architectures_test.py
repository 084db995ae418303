"""Every architecture, head, loss and optimiser from the configuration to the evaluation, and through `tune`."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import own, stage  # noqa: E402
from product import CONFIGURATION, named, read_table, write_table  # noqa: E402

ENCODED = {"preprocess.encoder": "blosum_mds", "preprocess.padding": "centre"}
LEARNED = {**ENCODED, "preprocess.encoder": "learned", "network.embedding": 4}
SMALL = {"network.filters": 4, "network.width": 8, "network.attention_heads": 2, "network.blocks": 1, "network.anchors": 60}
PER_EPITOPE, COMPETING = {"network.head": "per_epitope"}, {"network.head": "competing"}
DENSITY = {"network.readout": "density", "network.kernels": "both:60,beta:30"}
EACH_ROW = {"train.sampling": "each_row"}

# name -> (architecture, encoder, other settings): each loss, optimiser, schedule and kind of head more than once.
CASES = {
    "mlp_small learned": ("mlp_small", LEARNED, {"train.loss": "focal"}),
    "mlp_medium heads": ("mlp_medium", ENCODED, {**PER_EPITOPE, **EACH_ROW, "train.loss": "weighted_bce"}),
    "mlp_large competing": ("mlp_large", ENCODED, {**COMPETING, "train.optimiser": "adamw", "train.weight_decay": 0.01}),
    "mlp": ("mlp", ENCODED, {"network.hidden": "16,8", "network.norm": "layer", "network.activation": "gelu",
                             "network.dropout": 0.1, "train.optimiser": "rmsprop", "train.schedule": "cosine"}),
    "mlp softmax": ("mlp", ENCODED, {**COMPETING, **EACH_ROW, "train.loss": "softmax", "train.label_smoothing": 0.1,
                          "network.dropout": 0.1}),
    "cnn": ("cnn", ENCODED, {"train.label_smoothing": 0.1}),
    "cnn heads": ("cnn", LEARNED, {**PER_EPITOPE, "train.clip_norm": 1.0, "train.schedule": "step"}),
    "attention": ("attention", ENCODED, {"train.warmup_epochs": 1, "train.schedule": "linear"}),
    "attention heads": ("attention", LEARNED, {**COMPETING, **EACH_ROW, "train.loss": "softmax"}),
    "kernel_mlp": ("kernel_mlp", ENCODED, {"train.optimiser": "sgd", "train.learning_rate": 0.1}),
    "kernel_mlp heads": ("kernel_mlp", ENCODED, {**PER_EPITOPE, **EACH_ROW, "train.loss": "squared", "train.missing_pairs": 0.3}),
    "kernel_mlp trained anchors": ("kernel_mlp", ENCODED, {"network.anchor_kind": "trained", "network.hidden": "16"}),
    "kernel_mlp learned": ("kernel_mlp", LEARNED, {"network.loop_weights": "CDR3_alpha=2,CDR3_beta=3"}),
    "kernel_mlp density": ("kernel_mlp", ENCODED, {**COMPETING, **DENSITY, **EACH_ROW, "train.loss": "softmax"}),
    "kernel_mlp density heads": ("kernel_mlp", ENCODED, {**PER_EPITOPE, **DENSITY, "network.cdr3_trim": "2,2"}),
    "two_tower": ("two_tower", ENCODED, {"train.optimiser": "adamw"}),
    "two_tower heads": ("two_tower", LEARNED, {**PER_EPITOPE, "train.loss": "weighted_bce", "train.positive_weight": 4}),
}

# What cannot be, and the keys that the refusal names.
WRONG = {
    "softmax without competing heads": ({"train.loss": "softmax"}, ["train.loss", "network.head", "train.sampling"]),
    "classes weighed twice": ({"train.loss": "weighted_bce"}, ["train.loss", "train.sampling", "positive_weight"]),
    "a weight of what is not compared": ({"train.model": "kernel_mlp", **ENCODED, "network.loop_weights": "CDR1_beta=3"},
                                         ["network.loop_weights", "CDR1_beta", "preprocess.features"]),
    "a kernel of a chain that is not there": ({"train.model": "kernel_mlp", "network.kernels": "alpha:20",
                                               "preprocess.features": "CDR3_beta,Epitope"}, ["network.kernels", "alpha:20"]),
    "CDR3s trimmed away": ({"train.model": "kernel_mlp", "network.cdr3_trim": "50,50"}, ["network.cdr3_trim", "100 places"]),
    "missing pairs without heads": ({"train.missing_pairs": 0.5}, ["train.missing_pairs", "network.head", "train.sampling"]),
    "heads that do not divide": ({"train.model": "attention", "network.width": 10, "network.attention_heads": 4},
                                 ["network.width", "4 heads"]),
    "a kernel that is none": ({"train.model": "kernel_mlp", "network.kernels": "gamma:3"}, ["network.kernels", "gamma:3"]),
    "one trim": ({"train.model": "kernel_mlp", "network.cdr3_trim": "3"}, ["network.cdr3_trim"]),
    "density without heads": ({"train.model": "kernel_mlp", "network.readout": "density"}, ["network.readout", "network.head"]),
    "an unknown loss": ({"train.loss": "bse"}, ["train.loss", "bse"]),
    "an unknown optimiser": ({"train.optimiser": "adamx"}, ["train.optimiser", "adamx"]),
    "an unknown architecture": ({"train.model": "cnm"}, ["train.model", "cnm"]),
    "heads without the epitope": ({**PER_EPITOPE, "preprocess.features": "CDR3_alpha,CDR3_beta"}, ["network.head", "Epitope"]),
    "a cnn without sequences": ({"train.model": "cnn", "preprocess.features": "V_alpha,V_beta,Epitope",
                                 "network.head": "per_epitope"}, ["cnn", "sequence"]),
    "towers without an epitope": ({"train.model": "two_tower", "preprocess.features": "CDR3_alpha,CDR3_beta"}, ["two_tower"]),
    "dropout of everything": ({"network.dropout": 1.0}, ["network.dropout"]),
    "a loop weight that is none": ({"train.model": "kernel_mlp", "network.loop_weights": "CDR3_beta"}, ["network.loop_weights"]),
}


class Architectures(product.ProductCase):
    def settings(self, architecture, encoder, more):
        return {**encoder, **SMALL, **own(4), "train.model": architecture, "train.learning_rate": 0.01, **more}

    def check_model(self, architecture, more):
        model = named(self.store, "quickstart.model")
        description = json.loads((model / "model.json").read_text())
        network = description["network"]
        self.assertEqual(network["architecture"], architecture)
        self.assertEqual("epitopes" in network, more.get("network.head", "pan") != "pan")
        manifest = json.loads((model / "manifest.json").read_text())
        history = json.loads((model / "history.json").read_text())
        self.assertLess(history[-1]["train_loss"], history[0]["train_loss"])
        return manifest["facts"]["metrics"]["validation"]["auroc"]

    def check_predictions(self):
        """The rows of the evaluation have its scores, whatever stands beside them; an unknown epitope has none or some."""
        evaluated = read_table(named(self.store, "quickstart.evaluation") / "scores.csv")[1:]
        scores = {tuple(row[:3]): row[4] for row in evaluated}
        header, *rows = read_table(named(self.store, "quickstart.dataset") / "table.csv")
        tested = [row for row in rows if (row[0], row[1], row[6]) in scores]
        other = list(tested[0])
        other[header.index("Epitope")] = "AAAAAAAAA"
        path = write_table(self.folder / "rows.csv", [header, other, *tested])
        done = self.ok(["predict", "--model", "quickstart.model", "--input", path, "--plain"], store=self.store)
        first, *got = read_table(done.stdout)[1:]
        heads = "epitopes" in json.loads((named(self.store, "quickstart.model") / "model.json").read_text())["network"]
        self.assertEqual(first[-3] == "", heads)
        self.assertEqual("was not trained on" in first[-1], heads)
        for row, line in zip(tested, got, strict=True):
            expected = scores[(row[0], row[1], row[6])]
            self.assertEqual(line[-3], format(float(expected), ".7g"))

    def test_every_architecture(self):
        found = {}
        for name, (architecture, encoder, more) in CASES.items():
            with self.subTest(name):
                settings = self.settings(architecture, encoder, more)
                self.ok(stage("evaluate", settings), store=self.store)
                found[name] = self.check_model(architecture, more)
                self.check_predictions()
                checked = self.ok(["serve-check", "--model", "quickstart.model", "--json"], store=self.store)
                self.assertTrue(json.loads(checked.stdout)["passed"])
        self.assertEqual(len(found), len(CASES))
        # A few epochs on few rows: no more than that most of them see something.
        self.assertGreater(sum(auroc > 0.6 for auroc in found.values()), len(CASES) / 2, found)

    def test_the_same_bytes_again(self):
        words = stage("train", self.settings("attention", LEARNED, {**COMPETING, "network.dropout": 0.2}))
        self.ok(words, store=self.store)
        self.ok(words, store=self.folder / "again")
        self.assert_same_artifacts(self.store, self.folder / "again")

    def test_reachable_from_tune(self):
        for head in ("pan", "competing"):
            with self.subTest(head):
                models = "cnn,kernel_mlp,two_tower,attention"
                settings = {**ENCODED, **SMALL, "tune.models": models, "tune.trials": 6, "tune.startup_trials": 6,
                            "network.head": head, "network.dropout": 0.1}
                self.ok(stage("train", settings), store=self.store)
                study = named(self.store, "quickstart.study")
                trials = json.loads((study / "trials.json").read_text())
                tried = {trial["details"]["parameters"]["model"] for trial in trials}
                self.assertEqual(tried, set(models.split(",")), trials)
                network = json.loads((named(self.store, "quickstart.model") / "model.json").read_text())["network"]
                self.assertIn(network["architecture"], models)
                self.assertEqual("epitopes" in network, head != "pan")

    def test_an_ensemble_of_heads(self):
        more = {"ensemble.from": "folds", "ensemble.members": 2, **COMPETING, **EACH_ROW, "train.loss": "softmax"}
        self.ok(stage("evaluate", self.settings("cnn", ENCODED, more)), store=self.store)
        description = json.loads((named(self.store, "quickstart.model") / "model.json").read_text())
        self.assertEqual(len(description["ensemble"]["members"]), 2)

    def test_what_cannot_be(self):
        for name, (changes, parts) in WRONG.items():
            with self.subTest(name):
                settings = {**ENCODED, **own(1), **changes}
                done = self.fails(CONFIGURATION, stage("train", settings), *parts, store=self.store)
                self.assertNotIn("LibTorch", done.stderr)


if __name__ == "__main__":
    product.main()
