"""Every encoder with either padding, from the configuration to the prediction."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CONFIGURATION, CONFIGS, OK, named, read_table, write_table  # noqa: E402

SMALL = [word for setting in ("synthetic.tcrs=200", "tune.trials=2", "tune.epochs_min=2", "tune.epochs_max=4",
                              "tune.models=mlp_small", "serve_check.latency_requests=20") for word in ("--set", setting)]
QUICKSTART = ["--config", CONFIGS / "quickstart.json", *SMALL]
ENCODERS = ("scalar", "onehot", "blosum", "blosum_mds")
PADDINGS = ("end", "centre")
LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def chosen(encoder, padding):
    return ["--set", f"preprocess.encoder={encoder}", "--set", f"preprocess.padding={padding}"]


class Encoders(product.ProductCase):
    def store_of(self, encoder, padding):
        return self.folder / f"{encoder}-{padding}"

    def train(self, encoder, padding, store=None, *more):
        store = store or self.store_of(encoder, padding)
        self.ok(["run", *QUICKSTART, *chosen(encoder, padding), *more], store=store)
        return store

    def check_description(self, store, encoder, padding):
        description = json.loads((named(store, "quickstart.dataset") / "encoder.json").read_text())
        self.assertEqual(description["kind"], encoder)
        if encoder == "scalar":
            self.assertEqual(description.get("padding", "end"), padding)
            return
        self.assertEqual((description["padding"], description["alphabet"]), (padding, LETTERS))
        facts = json.loads((named(store, "quickstart.dataset") / "manifest.json").read_text())["facts"]
        letters = 2 * description["widths"]["cdr3"] + description["widths"]["epitope"]
        names = sum(len(names) for names in description["names"].values())
        self.assertEqual(facts["feature_width"], 20 * letters + names)

    def check_predictions(self, store):
        """`predict` gives each test row the score that evaluate gave it, also among others and with a row it refuses."""
        evaluated = read_table(named(store, "quickstart.evaluation") / "scores.csv")[1:]
        scores = {tuple(row[:3]): float(row[4]) for row in evaluated}
        header, *rows = read_table(named(store, "quickstart.dataset") / "table.csv")
        tested = [row for row in rows if (row[0], row[1], row[6]) in scores]
        self.assertEqual(len(tested), len(scores))
        odd = list(tested[0])
        odd[1] = "CASSXF"
        path = write_table(self.folder / "rows.csv", [header, *tested, odd])
        done = self.ok(["predict", "--model", "quickstart.model", "--input", path, "--plain"], store=store)
        got = read_table(done.stdout)[1:]
        for row, line in zip(tested, got):
            self.assertAlmostEqual(float(line[-3]), scores[(row[0], row[1], row[6])], delta=1e-6)
        self.assertEqual(got[-1][-3:-1], ["", ""])
        self.assertIn("CDR3_beta: letter 'X'", got[-1][-1])

    def test_trained_checked_and_used(self):
        digests = set()
        for encoder in ENCODERS:
            for padding in PADDINGS:
                with self.subTest(encoder=encoder, padding=padding):
                    store = self.train(encoder, padding)
                    self.check_description(store, encoder, padding)
                    self.check_predictions(store)
                    self.assert_verifies(store)
                    digests.add((named(store, "quickstart.model") / "weights.safetensors").read_bytes())
        self.assertEqual(len(digests), len(ENCODERS) * len(PADDINGS), "two encoders gave the same model")

    def test_again_and_in_parallel(self):
        first = self.train("blosum_mds", "centre", self.folder / "one", "--jobs", 1)
        again = self.train("blosum_mds", "centre", self.folder / "two", "--jobs", 2)
        self.assert_same_artifacts(first, again)

    def test_an_unseen_name_is_scored(self):
        store = self.train("onehot", "end")
        header, row, *_ = read_table(named(store, "quickstart.dataset") / "table.csv")
        unseen = list(row)
        unseen[header.index("MHC")] = "HLA-E*01:03"
        path = write_table(self.folder / "rows.csv", [header, row, unseen])
        done = product.run(["predict", "--model", "quickstart.model", "--input", path, "--plain"], store=store)
        self.assertEqual(done.returncode, OK, done.stderr)
        got = read_table(done.stdout)[1:]
        self.assertNotEqual(got[0][-3], "")
        self.assertNotEqual(got[1][-3], got[0][-3])
        self.assertEqual(got[1][-1], "")

    def test_what_cannot_be_trained(self):
        with_id = ["run", *QUICKSTART, *chosen("onehot", "end"), "--set", "preprocess.features=Epitope,clone_id"]
        self.fails(CONFIGURATION, with_id, "the encoder onehot cannot have clone_id as a feature", store=self.store)
        self.fails(CONFIGURATION, ["run", *QUICKSTART, *chosen("onehott", "end")], "onehot", store=self.store)
        self.fails(CONFIGURATION, ["run", *QUICKSTART, *chosen("onehot", "middle")], "centre", store=self.store)


if __name__ == "__main__":
    product.main()
