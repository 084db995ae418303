"""artifacts diff of two datasets shows what moved in the data: epitopes, genes, lengths. TCROPS_BIN names the program.

What was planted is read from the tables themselves.
"""

import collections
import csv
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import named, run  # noqa: E402
from pipelines import stage  # noqa: E402

TCR = ("CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta")


def gene_shares(dataset, column):
    """Share of each gene among the distinct TCRs of a dataset's table."""
    with open(dataset / "table.csv", newline="") as file:
        tcrs = {tuple(row[name] for name in TCR) for row in csv.DictReader(file)}
    counts = collections.Counter(tcr[TCR.index(column)] for tcr in tcrs)
    return {gene: count / len(tcrs) for gene, count in counts.items()}


class Moved(product.ProductCase):
    def dataset(self, name, **changes):
        """Makes a dataset and returns its folder."""
        changes = {"synthetic.tcrs": 300, "synthetic.epitopes": 2, "synthetic.motif_strength": 1, "name": name,
                   **changes}
        self.ok(stage("preprocess", changes), store=self.store)
        return named(self.store, f"{name}.dataset")

    def diff(self, *words):
        return json.loads(self.ok(["artifacts", "diff", *words, "--json"], store=self.store).stdout)

    def test_what_was_planted_moved(self):
        was, now = self.dataset("first", seed=1), self.dataset("second", seed=2)
        document = self.diff("first.dataset", "second.dataset")
        self.assertEqual(document["schema"], "tcrops.diff/1")
        moved = document["moved"]
        self.assertGreater(moved["distance"], 0.1)
        self.assertLess(moved["distance"], 1)
        self.assertEqual(moved["counts"]["rows"], {"a": 600, "b": 600})
        self.assertEqual(moved["not_compared"], [])

        tables = [json.loads((folder / "profile.json").read_text()) for folder in (was, now)]
        for key, mine, other in (("new_epitopes", 1, 0), ("vanished_epitopes", 0, 1)):
            expected = set(tables[mine]["epitopes"]) - set(tables[other]["epitopes"])
            self.assertEqual({entry["epitope"] for entry in moved[key]["listed"]}, expected)
            self.assertEqual(moved[key]["count"], 2)

        distances = [each["distance"] for each in moved["distributions"]]
        self.assertEqual(distances, sorted(distances, reverse=True))
        by_name = {each["name"]: each for each in moved["distributions"]}
        for column in ("V_alpha", "V_beta"):
            before, after = gene_shares(was, column), gene_shares(now, column)
            steps = {gene: abs(after.get(gene, 0) - before.get(gene, 0)) for gene in {*before, *after}}
            movers = by_name[f"genes.{column}"]["movers"]
            self.assertAlmostEqual(abs(movers[0]["b"] - movers[0]["a"]), max(steps.values()))
            for mover in movers:
                self.assertAlmostEqual(mover["a"], before.get(mover["value"], 0))
                self.assertAlmostEqual(mover["b"], after.get(mover["value"], 0))
            # The planted genes moved by a large share, far more than the J genes did by chance.
            self.assertGreater(steps[movers[0]["value"]], 0.3)
            self.assertGreater(by_name[f"genes.{column}"]["distance"], by_name["genes.J_beta"]["distance"])

        text = self.ok(["artifacts", "diff", "first.dataset", "second.dataset"], store=self.store).stdout
        self.assertIn("What moved: fingerprints", text)
        self.assertIn(by_name["genes.V_beta"]["movers"][0]["value"], text)
        for epitope in set(tables[1]["epitopes"]) - set(tables[0]["epitopes"]):
            self.assertIn(epitope, text)

    def test_noise_moves_classes_only(self):
        self.dataset("clean")
        self.dataset("noisy", **{"synthetic.noise": 0.5})
        moved = self.diff("clean.dataset", "noisy.dataset")["moved"]
        by_name = {each["name"]: each for each in moved["distributions"]}
        self.assertEqual(moved["new_epitopes"]["count"], 0)
        for name in ("genes.V_beta", "lengths.CDR3_alpha", "kmers.CDR3_beta", "epitopes", "mhc"):
            self.assertEqual(by_name[name]["distance"], 0, name)
        document = self.diff("clean.raw", "noisy.raw")
        self.assertIsNone(document["moved"])
        self.assertIn("configuration.synthetic.noise", [field["path"] for field in document["fields"]])

    def test_backwards(self):
        self.dataset("first", seed=1)
        self.dataset("second", seed=2)
        there = self.diff("first.dataset", "second.dataset")["moved"]
        back = self.diff("second.dataset", "first.dataset")["moved"]
        self.assertEqual(there["distance"], back["distance"])
        self.assertEqual(there["new_epitopes"], back["vanished_epitopes"])

    def test_nothing_to_compare(self):
        self.copy()
        for words in (["quickstart.dataset", "quickstart.dataset"], ["quickstart.dataset", "quickstart.model"],
                      ["quickstart.raw", "quickstart.model"]):
            with self.subTest(words=words):
                self.assertIsNone(self.diff(*words)["moved"])
        text = self.ok(["artifacts", "diff", "quickstart.raw", "quickstart.model"], store=self.store).stdout
        self.assertNotIn("What moved", text)

    def test_damaged_profile(self):
        self.dataset("first", seed=1)
        damaged = self.dataset("second", seed=2) / "profile.json"
        damaged.chmod(0o644)
        damaged.write_bytes(damaged.read_bytes().replace(b"rows", b"sows", 1))
        done = run(["artifacts", "diff", "first.dataset", "second.dataset", "--json"], store=self.store)
        self.assertEqual(done.returncode, product.OK, done.stderr)
        self.assertIsNone(json.loads(done.stdout)["moved"])
        self.assertIn("cannot say what moved", done.stderr)


if __name__ == "__main__":
    product.main()
