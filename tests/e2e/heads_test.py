"""Networks with heads, and kernels, on tables as laboratories have them: epitopes with few or no binders on some side, TCRs
that bind nothing, chains that are missing.

TCROPS_BIN names the program.
"""

import csv
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

EPITOPES = {"GILGFVFTL": "RSS", "NLVPMVATV": "KDP", "ELAGIGILT": "WGH"}
COLUMNS = ["CDR3_alpha", "CDR3_beta", "Epitope", "Label", "Fold"]
KERNEL = {"train.model": "kernel_mlp", "preprocess.encoder": "blosum_mds", "preprocess.padding": "centre"}
HEADS = {"network.head": "per_epitope"}
SETTINGS = {"preprocess.split": "given", "preprocess.features": "CDR3_alpha,CDR3_beta,Epitope", "train.from": "configuration",
            "train.model": "mlp_small", "train.epochs": 3, "evaluate.resamples": 2, "serve_check.latency_requests": 5}


class Tcrs:
    """Binders of an epitope have its letters in both CDR3s."""

    def __init__(self, seed=1):
        self.chance = random.Random(seed)

    def cdr3(self, first, motif):
        return first + "".join(self.chance.choice("ADEGLNQSTV") for _ in range(4)) + motif + "YF"

    def rows(self, count, fold, binds, asked):
        """TCRs that bind `binds` (None: nothing) with a row for each epitope of `asked`."""
        for _ in range(count):
            motif = EPITOPES.get(binds, self.chance.choice(["TTA", "EVS"]))
            alpha, beta = self.cdr3("CAV", motif), self.cdr3("CAS", motif)
            for epitope in asked:
                yield dict(zip(COLUMNS, (alpha, beta, epitope, int(epitope == binds), fold)))


class Heads(product.ProductCase):
    def words(self, command, rows, settings):
        table = self.folder / "pairs.csv"
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        config = self.folder / "own.json"
        config.write_text(json.dumps({"name": "own", "fetch": {"source": "file", "file": str(table)}}))
        return [command, "--config", config, *(word for name, value in {**SETTINGS, **settings}.items() for word in (
            "--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"))]

    def made(self, command, rows, **settings):
        return self.ok(self.words(command, list(rows), settings), store=self.store)

    def named(self, name):
        return product.named(self.store, name)

    @staticmethod
    def two_epitopes(tcrs, more=()):
        gil, nlv = list(EPITOPES)[:2]
        for fold, count in (("train", 30), ("validation", 15), ("test", 15)):
            for binds in (gil, nlv):
                yield from tcrs.rows(count, fold, binds, (gil, nlv))
        yield from more

    def test_an_epitope_without_a_binder_in_training(self):
        tcrs = Tcrs()
        rare = [*tcrs.rows(3, "test", "ELAGIGILT", ("ELAGIGILT",)), *tcrs.rows(4, "train", None, ("ELAGIGILT",))]
        for sampling in ("each_row", "equal_classes"):
            done = self.made("evaluate", self.two_epitopes(tcrs, rare), **HEADS, **{"train.sampling": sampling})
            self.assertRegex(done.stderr, r"warning: 4 of \d+ training rows are left out: .* ELAGIGILT \(4 rows\)")
            model = json.loads((self.named("own.model") / "model.json").read_text())
            self.assertEqual(model["network"]["epitopes"], ["GILGFVFTL", "NLVPMVATV"])
        self.ok([*self.words("train", list(self.two_epitopes(tcrs, rare)), HEADS), "--set", "train.from=study",
                 "--set", "tune.trials=2", "--set", "tune.epochs_min=1", "--set", "tune.epochs_max=2"], store=self.store)

    def test_validation_rows_without_a_head(self):
        tcrs = Tcrs()
        unknown = list(tcrs.rows(40, "validation", "ELAGIGILT", ("ELAGIGILT",)))
        self.made("serve-check", self.two_epitopes(tcrs, unknown), **HEADS)
        golden = json.loads((self.named("own.model") / "golden.json").read_text())
        self.assertEqual({row["row"][6] for row in golden} - {"GILGFVFTL", "NLVPMVATV"}, set())
        mixed = {"ensemble.from": "variants", "ensemble.variants": ["network.head=pan", "network.head=per_epitope"]}
        for variants in (mixed["ensemble.variants"], mixed["ensemble.variants"][::-1]):
            self.made("train", self.two_epitopes(tcrs, unknown), **{**mixed, "ensemble.variants": variants})
        others = [row for row in self.two_epitopes(tcrs, unknown) if row["Fold"] != "validation" or row["Epitope"] == "ELAGIGILT"]
        others += tcrs.rows(5, "validation", None, ("ELAGIGILT",))
        self.fails(product.INPUT, self.words("train", others, HEADS), "no validation row has an epitope", "network.head",
                   store=self.store)

    def test_a_network_that_diverges(self):
        rows = list(self.two_epitopes(Tcrs()))
        wild = {**KERNEL, "train.learning_rate": 10, "train.optimiser": "sgd", "train.weight_decay": 10, "train.epochs": 40}
        for settings in (HEADS, {}, {**HEADS, "ensemble.from": "folds", "ensemble.members": 2}):
            self.fails(product.FAILURE, self.words("train", rows, {**settings, **wild}), "training diverged",
                       "train.learning_rate", store=self.store)
        one = ";".join(f"{name}={value}" for name, value in wild.items() if name.startswith("train."))
        variants = {**HEADS, **KERNEL, "ensemble.from": "variants", "ensemble.variants": ["train.epochs=2", one]}
        self.fails(product.FAILURE, self.words("train", rows, variants), "training diverged", store=self.store)

    def test_folds_of_which_one_lacks_an_epitope(self):
        tcrs = Tcrs()
        one = list(tcrs.rows(1, "train", "ELAGIGILT", ("ELAGIGILT",)))
        done = self.made("train", self.two_epitopes(tcrs, one), **HEADS, **{"ensemble.from": "folds", "ensemble.members": 3})
        self.assertNotIn("nan", done.stdout.lower())
        asked = self.folder / "asked.csv"
        asked.write_text("CDR3_alpha,CDR3_beta,Epitope\n" + "".join(
            f"{one[0]['CDR3_alpha']},{one[0]['CDR3_beta']},{epitope}\n" for epitope in (*EPITOPES, "KLGGALQAK")))
        scored = self.folder / "scored.csv"
        self.ok(["predict", "--model", "own.model", "--input", asked, "--output", scored], store=self.store)
        *known, unknown = list(csv.DictReader(scored.read_text().splitlines()))
        for row in known:
            self.assertTrue(0 <= float(row["score"]) <= 1, row)
        self.assertEqual(unknown["score"], "")
        self.assertIn("not trained on", unknown["problem"])

    def test_density_of_tcrs_that_bind_nothing(self):
        tcrs = Tcrs()
        gil, nlv = list(EPITOPES)[:2]
        rows = []
        for fold, count in (("train", 20), ("validation", 10), ("test", 20)):
            for epitope in (gil, nlv):
                rows += [*tcrs.rows(count, fold, epitope, (epitope,)), *tcrs.rows(count, fold, None, (epitope,))]
        self.made("evaluate", rows, **HEADS, **KERNEL, **{"network.readout": "density", "train.epochs": 0})
        metrics = json.loads((self.named("own.evaluation") / "metrics.json").read_text())
        self.assertGreater(metrics["model"]["macro"]["auroc"], 0.9)

    def test_kernels_of_single_chains(self):
        tcrs = Tcrs()
        rows = list(self.two_epitopes(tcrs))
        pairs = {}
        for number, row in enumerate(rows):
            missing = pairs.setdefault((row["CDR3_alpha"], row["CDR3_beta"]), number // 2 % 3)
            if missing < 2:
                row[COLUMNS[missing]] = ""
        optional = {"preprocess.optional": "CDR3_alpha,CDR3_beta"}
        for head, least in (("pan", 0.6), ("per_epitope", 0.9)):
            self.made("evaluate", rows, **KERNEL, **optional, **{"network.head": head, "train.epochs": 30})
            metrics = json.loads((self.named("own.evaluation") / "metrics.json").read_text())
            self.assertGreater(metrics["model"]["macro"]["auroc"], least, head)


if __name__ == "__main__":
    product.main()
