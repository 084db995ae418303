"""`models quantise`: the same model with weights of one byte, as good as a model as any other."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import product  # noqa: E402
from pipelines import own, stage  # noqa: E402
from product import ARTIFACT, OK, USAGE, directories, named, read_table, write_table  # noqa: E402

ENCODED = {"preprocess.encoder": "blosum_mds", "network.filters": 8,
           "preprocess.features": "CDR3_alpha,CDR3_beta,Epitope"}
CASES = {
    "mlp": {"train.model": "mlp", "network.hidden": "64,32", "network.norm": "batch", "network.activation": "elu"},
    "cnn": {"train.model": "cnn"},
    "heads": {"train.model": "mlp", "network.head": "competing"},
    "ensemble": {"train.model": "mlp", "ensemble.from": "seeds", "ensemble.members": 2},
}


class Quantise(product.ProductCase):
    def train(self, **more):
        self.ok(stage("train", {**ENCODED, **own(8), "synthetic.tcrs": 400, "train.learning_rate": 0.005, **more}),
                store=self.store)

    def quantise(self, *words):
        done = self.ok(["models", "quantise", "quickstart.model", "--as", "small", "--json", *words], store=self.store)
        return json.loads(done.stdout)

    def scores(self, model, store=None):
        path = write_table(self.folder / "in.csv", read_table(named(self.store, "quickstart.raw") / "table.csv")[:301])
        done = self.ok(["predict", "--model", model, "--input", path], store=store or self.store)
        header, *rows = read_table(done.stdout)
        return [float(row[header.index("score")]) for row in rows]

    def test_every_kind(self):
        for name, more in CASES.items():
            with self.subTest(name):
                self.train(**more)
                made = self.quantise()
                facts, folder = made["quantised"], named(self.store, "small")
                self.assertEqual(made["artifact"], folder.name)
                before, after = facts["auroc"]
                self.assertLess(abs(before - after), 0.01)
                self.assertGreater(before, 0.6)
                self.assertLess(abs(facts["average_precision"][0] - facts["average_precision"][1]), 0.03)
                self.assertEqual((facts["side"], facts["weights"]), ("test", "int8"))
                manifest = json.loads((folder / "manifest.json").read_text())
                self.assertEqual(manifest["facts"]["quantised"], facts)
                self.assertEqual(facts["bytes"][1], (folder / "weights.safetensors").stat().st_size)
                self.assertLess(facts["bytes"][1], 0.6 * facts["bytes"][0])
                run = json.loads((folder / "run.json").read_text())
                self.assertEqual(run["notes"]["quantised"], made["speed"])
                self.assertGreater(min(made["speed"]["rows_per_second"]), 0)
                self.assertEqual(manifest["parents"]["model"], named(self.store, "quickstart.model").name)
                for one, other in zip(self.scores("quickstart.model"), self.scores("small")):
                    self.assertAlmostEqual(one, other, delta=0.1)
                checked = self.ok(["serve-check", "--model", "small", "--json"], store=self.store)
                self.assertTrue(json.loads(checked.stdout)["passed"])
                self.assert_verifies(self.store)

    def test_again_moved_and_reproduced(self):
        self.train(**CASES["mlp"])
        first = self.quantise()
        count = len(directories(self.store))
        again = self.quantise()
        self.assertEqual((again["artifact"], again["quantised"], again["speed"]), (first["artifact"], first["quantised"], None))
        self.assertEqual(len(directories(self.store)), count)
        reproduced = self.ok(["reproduce", "small", "--json"], store=self.store)
        self.assertTrue(json.loads(reproduced.stdout)["same"])
        self.ok(["artifacts", "export", "small", "--output", self.folder / "small.tar"], store=self.store)
        other = self.folder / "other"
        self.ok(["artifacts", "import", self.folder / "small.tar", "--as", "small"], store=other)
        self.assertEqual(self.scores("small", other), self.scores("small"))
        self.assertTrue(json.loads(self.ok(["serve-check", "--model", "small", "--json"], store=other).stdout)["passed"])
        explained = self.folder / "explained.csv"
        self.ok(["predict", "--model", "small", "--input", self.folder / "in.csv", "--explain", explained,
                 "--explain-rows", 3, "--output", self.folder / "out.csv"], store=self.store)
        self.assertGreater(len(read_table(explained)), 30)
        # It is registered and compared like any other.
        self.ok(["models", "register", "small", "--name", "small"], store=self.store)
        compared = self.ok(["models", "compare", "quickstart.model", "small", "--json"], store=self.store)
        metrics = json.loads(compared.stdout)["metrics"]
        self.assertTrue(metrics)

    def test_the_files(self):
        self.train(**CASES["mlp"])
        self.quantise()
        folder = named(self.store, "small")
        description = json.loads((folder / "model.json").read_text())
        self.assertEqual(description["quantised"], "int8")
        self.assertEqual(description["network"]["norm"], "none")
        kinds = {tensor["name"]: tensor["dtype"] for tensor in description["tensors"]}
        self.assertEqual((kinds["0.weight"], kinds["0.weight_scale"], kinds["0.bias"]), ("I8", "F32", "F32"))
        # A changed byte is told.
        weights = folder / "weights.safetensors"
        weights.chmod(0o644)
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(bytes(data))
        self.fails(ARTIFACT, ["predict", "-m", "small", "-i", write_table(self.folder / "in.csv", [["a"]])], "weights",
                   store=self.store)

    def test_usage(self):
        self.train(**CASES["mlp"])
        self.quantise()
        self.fails(USAGE, ["models", "quantise", "small"], "is quantised", store=self.store)
        self.fails(USAGE, ["models", "quantise", "quickstart.model", "--as", "123"], "--as", store=self.store)
        self.fails(ARTIFACT, ["models", "quantise", "quickstart.dataset"], "not a model", store=self.store)
        text = self.ok(["models", "quantise", "quickstart.model"], store=self.store).stdout
        self.assertIn("AUROC", text)


if __name__ == "__main__":
    product.main()
