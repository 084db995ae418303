"""`predict --explain`: what each letter adds to a row's logit."""

import collections
import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import own, prepared, stage  # noqa: E402
from product import USAGE, named, read_table, write_table  # noqa: E402

ENCODED = {"preprocess.encoder": "blosum_mds"}
SEQUENCES = ("CDR3_alpha", "CDR3_beta", "Epitope")


class Explain(product.ProductCase):
    def explain(self, rows, *words, store=None, model="quickstart.model"):
        """The summary, the predicted rows, and line -> [(column, position, residue, attribution)]."""
        path = write_table(self.folder / "in.csv", rows)
        explained, output = self.folder / "explained.csv", self.folder / "out.csv"
        done = self.ok(["predict", "--model", model, "--input", path, "--output", output, "--explain", explained, "--json", *words],
                       store=store or self.store)
        header, *lines = read_table(explained)
        self.assertEqual(header, ["line", "column", "position", "residue", "attribution"])
        by_row = collections.defaultdict(list)
        for line, column, position, residue, attribution in lines:
            by_row[int(line)].append((column, position, residue, float(attribution)))
        return json.loads(done.stdout)["explained"], read_table(output), by_row, done

    def check_letters(self, rows, by_row, columns):
        """Every letter of every row once, in order."""
        header = rows[0]
        for line, items in by_row.items():
            row = dict(zip(header, rows[line - 1]))
            for column in columns:
                own_items = [item for item in items if item[0] == column]
                if column in SEQUENCES:
                    self.assertEqual("".join(item[2] for item in own_items), row[column])
                    self.assertEqual([item[1] for item in own_items], [str(i + 1) for i in range(len(row[column]))])
                else:
                    self.assertEqual([item[1:3] for item in own_items], [("", row[column])])
            self.assertTrue(all(math.isfinite(item[3]) for item in items))

    def table(self, store, rows=61):
        return read_table(named(store, "quickstart.raw") / "table.csv")[:rows]

    def test_a_prepared_model(self):
        store, rows = prepared(), self.table(prepared())
        broken = list(rows[5])
        broken[1] = "CASSXF"
        rows[5] = broken
        summary, predicted, by_row, done = self.explain(rows, store=store)
        self.assertEqual((summary["rows"], summary["steps"], len(by_row)), (59, 64, 59))
        self.assertNotIn(6, by_row)  # it has no score
        self.check_letters(rows, by_row, [name for name in rows[0] if name not in ("Label", "clone_id")])
        self.assertLess(summary["largest_error"], 0.2)
        self.assertIn("59 rows explained", done.stderr)
        self.assertIn(f"by {summary['largest_error']:.2g} at most (line {summary['line']})", done.stderr)
        # A row's attributions are its logit above that of nothing, the same for all rows of a plain network.
        def logit(text):
            return math.log(float(text) / (1 - float(text)))
        score = predicted[0].index("score")
        nothing = [logit(predicted[line - 1][score]) - sum(item[3] for item in by_row[line]) for line in by_row]
        self.assertLess(max(nothing) - min(nothing), 2 * summary["largest_error"] + 1e-3)
        # More steps, smaller errors; the scores are those without an explanation.
        finer, same, _, _ = self.explain(rows, "--explain-steps", 512, store=store)
        self.assertLess(finer["mean_error"], summary["mean_error"])
        self.assertEqual(same, predicted)
        plain = self.ok(["predict", "-m", "quickstart.model", "-i", self.folder / "in.csv"], store=store)
        self.assertEqual(read_table(plain.stdout), predicted)

    def test_so_many_rows(self):
        store, rows = prepared(), self.table(prepared(), 201)
        summary, _, by_row, _ = self.explain(rows, "--explain-rows", 130, "--explain-steps", 4, store=store)
        self.assertEqual((summary["rows"], summary["steps"], sorted(by_row)), (130, 4, list(range(2, 132))))
        first = (self.folder / "explained.csv").read_bytes()
        self.explain(rows, "--explain-rows", 130, "--explain-steps", 4, store=store)
        self.assertEqual((self.folder / "explained.csv").read_bytes(), first)

    def test_planted_motifs(self):
        """A trained model looks where the motif of the row's epitope was planted."""
        for name, more in {"mlp": {"train.model": "mlp", "network.dropout": 0.2},
                           "cnn": {"train.model": "cnn", "network.filters": 8, "train.epochs": 24},
                           "heads": {"train.model": "mlp", "network.head": "per_epitope", "network.dropout": 0.2}}.items():
            with self.subTest(name):
                settings = {**ENCODED, **own(12), "synthetic.tcrs": 900, "synthetic.motif_strength": 1.0,
                            "preprocess.features": "CDR3_alpha,CDR3_beta,Epitope", "train.learning_rate": 0.003,
                            "train.batch_size": 256, **more}
                self.ok(stage("train", settings), store=self.store)
                self.check_motifs()

    def check_motifs(self):
        truth = json.loads((named(self.store, "quickstart.raw") / "truth.json").read_text())
        planted = {entry["epitope"]: entry for entry in truth["epitopes"]}
        header, *rows = read_table(named(self.store, "quickstart.raw") / "table.csv")
        at = {name: header.index(name) for name in header}
        binders = [row for row in rows if row[at["Label"]] == "1"][:200]
        _, _, by_row, _ = self.explain([header, *binders], "--explain-steps", 16)
        inside, outside = [], []
        for line, items in by_row.items():
            entry = planted[binders[line - 2][at["Epitope"]]]
            for column in ("CDR3_alpha", "CDR3_beta"):
                first = entry[column]["position"]
                motif = range(first, first + len(entry[column]["motif"]))
                for name, position, _, value in items:
                    if name == column:
                        (inside if int(position) in motif else outside).append(value)
        mean = sum(inside) / len(inside), sum(outside) / len(outside)
        self.assertGreater(mean[0], 3 * abs(mean[1]), mean)
        # In about half of the rows or more the largest one of the beta chain is a letter of the motif.
        hits = 0
        for line, items in by_row.items():
            entry = planted[binders[line - 2][at["Epitope"]]]["CDR3_beta"]
            largest = max((item for item in items if item[0] == "CDR3_beta"), key=lambda item: item[3])
            hits += entry["position"] <= int(largest[1]) < entry["position"] + len(entry["motif"])
        self.assertGreater(hits, 0.45 * len(by_row))  # by chance it would be less than a third

    def test_every_architecture_and_ensembles(self):
        small = {"network.filters": 4, "network.width": 8, "network.attention_heads": 2, "network.anchors": 50}
        for name, more in {"attention": {"train.model": "attention"},
                           "kernel": {"train.model": "kernel_mlp"},
                           "density": {"train.model": "kernel_mlp", "network.head": "competing", "network.readout": "density"},
                           "towers": {"train.model": "two_tower", "network.head": "per_epitope"},
                           "learned": {"train.model": "cnn", "preprocess.encoder": "learned"},
                           "ensemble": {"train.model": "cnn", "ensemble.from": "seeds", "ensemble.members": 2}}.items():
            with self.subTest(name):
                settings = {**ENCODED, **small, **own(3), "train.learning_rate": 0.01, **more}
                self.ok(stage("train", settings), store=self.store)
                rows = self.table(self.store, 31)
                heads = more.get("network.head", "pan") != "pan"
                summary, _, by_row, _ = self.explain(rows, "--explain-steps", 128)
                self.assertEqual(summary["rows"], 30)
                self.assertLess(summary["largest_error"], 0.2)
                seen = {item[0] for item in by_row[2]}
                self.assertEqual(seen & {"Epitope", "MHC"}, set() if heads else {"Epitope", "MHC"})
                self.check_letters(rows, by_row, seen)

    def test_usage(self):
        store, path = prepared(), write_table(self.folder / "in.csv", self.table(prepared(), 4))
        words = ["predict", "--model", "quickstart.model", "--input", path]
        for explain in (path, "-"):
            self.fails(USAGE, [*words, "--explain", explain], "--explain", store=store)
        self.fails(USAGE, [*words, "-o", self.folder / "out", "--json", "--explain", "-"], "--explain", store=store)
        for words_of in (["--explain-rows", 0], ["--explain-steps", 0], ["--explain-steps", "x"]):
            self.fails(USAGE, [*words, "--explain", self.folder / "e.csv", *words_of], words_of[0], store=store)
        self.assertFalse((self.folder / "e.csv").exists())
        done = self.ok([*words, "--explain", "-", "-o", self.folder / "out.csv"], store=store)
        self.assertTrue(done.stdout.startswith("line,column,position,residue,attribution\n2,CDR3_alpha,1,"))


if __name__ == "__main__":
    product.main()
