"""Calibrated probabilities against raw scores, on rows that nothing was fitted on."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import own, stage  # noqa: E402
from product import read_table, write_table  # noqa: E402

BINS = 10
MANY = {"synthetic.tcrs": 3000, "synthetic.motif_strength": 0.8, "preprocess.validation_fraction": 0.25,
        "preprocess.test_fraction": 0.25}


def brier(labels, values):
    return sum((value - label) ** 2 for label, value in zip(labels, values)) / len(labels)


def calibration_error(labels, values):
    """Expected calibration error over ten equal bins."""
    total = 0.0
    for number in range(BINS):
        inside = [(label, value) for label, value in zip(labels, values)
                  if number / BINS <= value < (number + 1) / BINS or (number == BINS - 1 and value == 1)]
        if inside:
            total += abs(sum(label for label, _ in inside) - sum(value for _, value in inside))
    return total / len(labels)


class Calibration(product.ProductCase):
    def held_out(self):
        """Header and rows of the dataset's test side."""
        evaluation = product.named(self.store, "quickstart.evaluation")
        tested = {tuple(row[:3]) for row in read_table((evaluation / "scores.csv").read_text())[1:]}
        header, *rows = read_table((product.named(self.store, "quickstart.dataset") / "table.csv").read_text())
        key = [header.index(name) for name in ("CDR3_alpha", "CDR3_beta", "Epitope")]
        return header, [row for row in rows if tuple(row[at] for at in key) in tested]

    def answers(self, header, rows):
        path = write_table(self.folder / "in.csv", [header, *rows])
        done = self.ok(["predict", "--model", "quickstart.model", "--input", path], store=self.store)
        names, *scored = read_table(done.stdout)
        return [dict(zip(names, row)) for row in scored]

    def test_better_than_raw(self):
        for method in ("platt", "isotonic"):
            with self.subTest(method):
                self.ok(stage("evaluate", own(6, **MANY, **{"train.model": "mlp_medium", "calibration.method": method})), store=self.store)
                answers = self.answers(*self.held_out())
                self.assertGreater(len(answers), 3000)
                labels = [int(answer["Label"]) for answer in answers]
                raw = [float(answer["score"]) for answer in answers]
                calibrated = [float(answer["probability"]) for answer in answers]
                figures = {"Brier": (brier(labels, raw), brier(labels, calibrated)),
                           "ECE": (calibration_error(labels, raw), calibration_error(labels, calibrated))}
                print(method, {name: tuple(round(value, 4) for value in pair) for name, pair in figures.items()})
                for name, (before, after) in figures.items():
                    self.assertLess(after, before, name)
                self.assertLess(figures["ECE"][1], 0.03)
                model = json.loads((product.named(self.store, "quickstart.model") / "model.json").read_text())
                self.assertEqual(model["calibration"]["method"], method)
                self.assertGreater(len(model["calibration"]["epitopes"]), 0)

    def test_none(self):
        self.ok(stage("evaluate", own(1, **{"calibration.method": "none", "background.from": "none"})), store=self.store)
        header, rows = self.held_out()
        for answer in self.answers(header, rows[:20]):
            self.assertEqual((answer["probability"], answer["percentile"]), ("", ""))
            self.assertNotEqual(answer["nearest_tcr"], "")
        model = product.named(self.store, "quickstart.model")
        self.assertFalse((model / "background.csv").exists())
        self.assertNotIn("calibration", json.loads((model / "model.json").read_text()))

    def test_controls(self):
        """A background of control TCRs has nothing of the training pairs."""
        header, *rows = read_table(self.controls())
        pairs = write_table(self.folder / "controls.csv", [header, *rows])
        settings = own(1, **{"preprocess.negatives": ["given", "background"], "fetch.control_file": str(pairs),
                             "background.from": "controls", "background.tcrs": 40})
        self.ok(stage("train", settings), store=self.store)
        model = product.named(self.store, "quickstart.model")
        names, *background = read_table((model / "background.csv").read_text())
        self.assertEqual(len(background), 40)
        controls = {tuple(row[:2]) for row in rows}
        for row in background:
            self.assertIn((row[names.index("CDR3_alpha")], row[names.index("CDR3_beta")]), controls)
            self.assertEqual(row[names.index("Binds")], "")

    def controls(self):
        """TCRs of another made-up repertoire."""
        other = self.folder / "other"
        self.ok(stage("fetch", {"seed": 99, "synthetic.tcrs": 400}), store=other)
        header, *rows = read_table((product.named(other, "quickstart.raw") / "table.csv").read_text())
        tcrs = {tuple(row[:2]): row[:6] for row in rows}
        path = self.folder / "tcrs.csv"
        write_table(path, [header[:6], *tcrs.values()])
        return path.read_text()


if __name__ == "__main__":
    product.main()
