"""The table that `predict` writes."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import OK, QUICKSTART, prepared, read_table, write_table  # noqa: E402


class Predict(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.rows = read_table((product.named(prepared(), "quickstart.raw") / "table.csv").read_text())

    def predict(self, *args, **options):
        return self.ok(["predict", "--model", "quickstart.model", *args], store=prepared(), **options)

    def scored(self, rows, separator=","):
        path = write_table(self.folder / "in.csv", rows, separator)
        return read_table(self.predict("--input", path).stdout, separator)

    def scores(self, rows):
        return [row[-3] for row in self.scored(rows)[1:]]

    def test_every_row_in_order_whatever_its_place(self):
        """Over several blocks of rows, with unusable ones between; a row's score does not depend on its place."""
        header, rows = self.rows[0], self.rows[1:]
        once = dict(zip(map(tuple, rows), (row[-3:] for row in self.scored(self.rows)[1:])))
        many = []
        for number in range(20_000):
            row = list(rows[(number * 7) % len(rows)])
            if number % 97 == 5:
                row[1] = "CASSXF"
            elif number % 997 == 6:
                row = row[:4]
            many.append(row + ([str(number)] if len(row) > 4 else []))
        path = write_table(self.folder / "many.csv", [header + ["number"], *many])
        output = self.folder / "scored.csv"
        done = self.predict("--input", path, "--output", output, "--json")
        summary = json.loads(done.stdout)
        scored = read_table(output.read_text())
        self.assertEqual(scored[0], header + ["number", "score", "call", "problem"])
        self.assertEqual(len(scored), len(many) + 1)
        unusable = 0
        for number, (given, got) in enumerate(zip(many, scored[1:])):
            self.assertEqual(got[:11], given + [""] * (11 - len(given)))
            if len(given) < 11:
                problem = "4 fields, but the header has 11"
            elif given[1] == "CASSXF":
                problem = "CDR3_beta: letter 'X'"
            else:
                self.assertEqual(got[11:], once[tuple(given[:10])], number)
                continue
            unusable += 1
            self.assertEqual(got[11:13], ["", ""])
            self.assertIn(problem, got[13])
        self.assertEqual((summary["rows"], summary["unusable"]), (20_000, unusable))
        self.assertEqual(summary["called"], sum(row[12] == "1" for row in scored[1:]))
        self.assertIn(f"{unusable} of 20000 rows have no score", done.stderr)

    def test_as_evaluate_scored_them(self):
        evaluated = read_table((product.named(prepared(), "quickstart.evaluation") / "scores.csv").read_text())
        table = {(row[0], row[1], row[6]): row for row in self.rows[1:]}
        scored = self.scored([self.rows[0], *(table[tuple(row[:3])] for row in evaluated[1:])])
        self.assertGreater(len(evaluated), 50)
        threshold = json.loads((product.named(prepared(), "quickstart.model") / "model.json").read_text())["threshold"]
        for one, other in zip(evaluated[1:], scored[1:], strict=True):
            self.assertEqual(format(float(one[4]), ".7g"), format(float(other[-3]), ".7g"))
            self.assertEqual(float(one[4]) >= threshold, other[-2] == "1")

    def test_as_the_pipeline_predicted_them(self):
        predicted = read_table((product.named(prepared(), "quickstart.predictions") / "predictions.csv").read_text())
        self.assertEqual([row[-3:-1] for row in self.scored([row[:10] for row in predicted])[1:]],
                         [row[-2:] for row in predicted[1:]])

    def test_other_columns_are_kept(self):
        note = 'says "yes", twice\nand öäü'
        rows = [["note", *reversed(self.rows[0]), ""]]
        rows += [[note, *reversed(row), " x "] for row in self.rows[1:21]]
        scored = self.scored(rows)
        self.assertEqual([row[:-3] for row in scored], rows)
        self.assertEqual([row[-3] for row in scored[1:]], self.scores(self.rows[:21]))

    def test_labels_do_not_matter(self):
        bare = [row[:-1] for row in self.rows[:21]]
        self.assertEqual(self.scores(bare), self.scores(self.rows[:21]))

    def test_tabs(self):
        scored = self.scored(self.rows[:21], "\t")
        self.assertEqual([row[:-3] for row in scored], self.rows[:21])
        self.assertEqual([row[-3] for row in scored[1:]], self.scores(self.rows[:21]))

    def test_byte_order_mark_and_line_ends(self):
        path = write_table(self.folder / "in.csv", self.rows[:21])
        plain = self.predict("--input", path).stdout
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertEqual(self.predict("--input", path).stdout, plain)

    def test_names_that_are_taken(self):
        rows = [["score", "problem", *self.rows[0]], *([["0.5", "none", *row] for row in self.rows[1:5]])]
        scored = self.scored(rows)
        self.assertEqual(scored[0], rows[0] + ["tcrops_score", "call", "tcrops_problem"])
        self.assertEqual([row[:-3] for row in scored], rows)
        # A result is a valid input.
        twice = self.scored(self.scored(self.rows[:5]))
        self.assertEqual(twice[0][-6:], ["score", "call", "problem", "tcrops_score", "tcrops_call", "tcrops_problem"])
        self.assertEqual([row[-3:] for row in twice[1:]], [row[-6:-3] for row in twice[1:]])
        thrice = self.scored(twice)
        self.assertEqual(len(set(thrice[0])), len(thrice[0]))

    def test_stdin_and_stdout(self):
        path = write_table(self.folder / "in.csv", self.rows)
        plain = self.predict("--input", path).stdout
        with open(path, encoding="utf-8") as file:
            done = subprocess.run(product.command(["predict", "--model", "quickstart.model", "-i", "-", "-o", "-"],
                                                  prepared()), stdin=file, env=product.environment(),
                                  capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], prepared()),
                              input=path.read_text(), env=product.environment(), capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        self.assertEqual(self.ok(["predict", *QUICKSTART, "--input", path], store=prepared()).stdout, plain)

    def test_long_header(self):
        rows = [row + [f"column_{number}" for number in range(2000)] for row in self.rows[:3]]
        text = write_table(self.folder / "in.tsv", rows, "\t").read_text()
        plain = self.predict("--input", self.folder / "in.tsv").stdout
        self.assertEqual([row[:-3] for row in read_table(plain, "\t")], rows)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], prepared()), input=text,
                              env=product.environment(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)

    def test_models_by_id(self):
        path = write_table(self.folder / "in.csv", self.rows[:5])
        identifier = product.names(prepared())["quickstart.model"]
        for reference in (identifier, identifier[:12], identifier[:6]):
            done = self.ok(["predict", "--model", reference, "--input", path], store=prepared())
            self.assertEqual(done.stdout, self.predict("--input", path).stdout)


if __name__ == "__main__":
    product.main()
