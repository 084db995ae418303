"""What `evaluate` says and writes: figures with intervals, baselines, slices, and whether it is a test score at all.

Figures of baselines and ranks are computed again. TCROPS_BIN names the program.
"""

import csv
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import PipelineCase, own, stage  # noqa: E402

BASELINES = ["nearest_neighbour", "linear", "v_gene", "tcr_frequency", "always_no"]
EPYTOPE = ["", "CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "clone_id", "MHC",
           "dataset", "Label", "Score"]


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def folder_of(store, outcome):
    return product.directories(store)[outcome["artifact"]]


class Evaluate(PipelineCase):
    def evaluate(self, changes=None, *words):
        return self.json(stage("evaluate", own(3, **(changes or {})), *words))

    def test_everything_is_there(self):
        done = self.evaluate({"evaluate.resamples": 200})
        folder, facts = folder_of(self.store, done), done["facts"]
        metrics = json.loads((folder / "metrics.json").read_text())
        self.assertEqual((metrics["schema"], metrics["scored_as"], metrics["reasons"]),
                         ("tcrops.evaluation/2", "test", []))
        self.assertEqual((facts["scored_as"], facts["fair"], facts["reasons"]), ("test", True, []))
        self.assertEqual(metrics["bootstrap"]["resamples"], 200)
        self.assertEqual(sorted(metrics["baselines"]), sorted(BASELINES))
        scores = rows_of(folder / "scores.csv")
        self.assertEqual(list(scores[0]), ["CDR3_alpha", "CDR3_beta", "Epitope", "Label", "score", *BASELINES, "Origin"])
        for report in (metrics["model"], *metrics["baselines"].values()):
            self.assertEqual(report["pooled"]["rows"], len(scores))
            self.assertEqual(sum(group["rows"] for group in report["per_group"]), len(scores))
            for part in (report["pooled"], report["macro"]):
                for figure, (low, high) in part["intervals"].items():
                    self.assertLessEqual(low, high, figure)
                    self.assertTrue(low - 1e-9 <= part[figure] <= high + 1e-9, (figure, part[figure], low, high))
        for group in metrics["model"]["per_group"]:
            self.assertTrue(group["seen"])
            self.assertIn("auroc", group["intervals"])
        self.assertEqual(facts["by_kind"]["seen"]["auroc"], facts["model"]["macro_auroc"])
        self.assertEqual(facts["by_kind"]["seen"]["nearest_neighbour_auroc"],
                         facts["baselines"]["nearest_neighbour"]["macro_auroc"])
        self.assertEqual(facts["model"]["intervals"]["macro_auroc"], metrics["model"]["macro"]["intervals"]["auroc"])
        self.assertEqual(len(facts["epitopes"]), len(metrics["model"]["per_group"]))
        for slices in metrics["slices"].values():
            self.assertEqual(sum(part["rows"] for part in slices), len(scores))
            for part in slices:
                self.assertEqual(part["small"], part["positives"] < 20)
        self.assertEqual(set(metrics["slices"]), {"cdr3_length", "v_beta"})
        self.assertIsNone(metrics["baselines"]["nearest_neighbour"]["pooled"]["brier"])
        positives = sum(row["Label"] == "1" for row in scores)
        self.assertAlmostEqual(metrics["baselines"]["always_no"]["pooled"]["brier"], positives / len(scores))
        self.check_ranks(scores, metrics["model"])
        self.assert_verifies(self.store)

    def check_ranks(self, scores, report):
        tcrs = {}
        for row in scores:
            tcrs.setdefault((row["CDR3_alpha"], row["CDR3_beta"]), []).append(row)
        epitopes = {row["Epitope"] for row in scores}
        ranks = {}
        for rows in tcrs.values():
            if {row["Epitope"] for row in rows} != epitopes:
                continue
            for row in rows:
                if row["Label"] == "1":
                    above = sum(float(other["score"]) > float(row["score"]) for other in rows)
                    tied = sum(float(other["score"]) == float(row["score"]) for other in rows)
                    ranks.setdefault(row["Epitope"], []).append(above + (tied + 1) / 2)
        self.assertGreater(len(ranks), 2)
        for group in report["per_group"]:
            found = ranks.get(group["group"], [])
            self.assertEqual(group["ranked"], len(found))
            if found:
                self.assertAlmostEqual(group["rank"], sum(found) / len(found))
                self.assertAlmostEqual(group["recall_at_1"], sum(rank <= 1 for rank in found) / len(found))
        means = [sum(rank <= 1 for rank in found) / len(found) for found in ranks.values()]
        self.assertAlmostEqual(report["macro"]["recall_at_1"], sum(means) / len(means))

    def test_epytope_columns(self):
        folder = folder_of(self.store, self.evaluate())
        rows = rows_of(folder / "epytope.csv")
        self.assertEqual(list(rows[0]), EPYTOPE)
        scores = rows_of(folder / "scores.csv")
        self.assertEqual([row[""] for row in rows], [str(number) for number in range(len(scores))])
        for row, scored in zip(rows, scores, strict=True):
            self.assertEqual((row["CDR3_beta"], row["Epitope"], row["Label"], row["Score"]),
                             (scored["CDR3_beta"], scored["Epitope"], scored["Label"], scored["score"]))

    def test_text(self):
        done = self.ok(stage("evaluate", own(3)), store=self.store)
        self.assertTrue(done.stdout.splitlines()[0].startswith("Test score. Test rows: "), done.stdout)
        self.assertIn("95 % intervals from 1000 draws of TCRs", done.stdout)
        for name in ("model", "1-nearest-neighbour", "linear", "V genes only", "TCR frequency", "always no"):
            self.assertRegex(done.stdout, rf"(?m)^{name} +\d\.\d{{3}} \[\d\.\d{{3}}, \d\.\d{{3}}\]")
        self.assertLessEqual(max(len(line) for line in done.stdout.splitlines() if not line.startswith(("WARNING", "evaluation: "))), 120)
        shown = self.ok(["artifacts", "show", "quickstart.evaluation"], store=self.store).stdout
        self.assertIn("Test score. Test rows: ", shown)
        self.assertIn('"scored_as": "test"', shown)

    def test_same_seed_same_numbers(self):
        first = self.evaluate({"evaluate.resamples": 100})
        again = self.json(stage("evaluate", own(3, **{"evaluate.resamples": 100}), "--force"))
        self.assertEqual(first["artifact"], again["artifact"])
        other = self.evaluate({"evaluate.resamples": 100, "evaluate.seed": 7})["facts"]["model"]
        self.assertEqual(first["facts"]["model"]["macro_auroc"], other["macro_auroc"])
        self.assertNotEqual(first["facts"]["model"]["intervals"], other["intervals"])
        none = self.evaluate({"evaluate.resamples": 0})["facts"]
        self.assertEqual(none["model"]["intervals"], {})

    def test_a_leaky_split_is_no_test_score(self):
        leaky = {"preprocess.split": "random"}
        self.ok(stage("train", own(2, **leaky)), store=self.store)
        done = self.json(stage("evaluate", own(2, **leaky)))
        facts = done["facts"]
        metrics = json.loads((folder_of(self.store, done) / "metrics.json").read_text())
        for said in (facts, metrics):
            self.assertEqual(said["scored_as"], "not a test score")
            self.assertTrue(any(why.startswith("leak check: ") for why in said["reasons"]), said["reasons"])
        self.assertFalse(facts["fair"])
        text = self.ok(["evaluate", "--model", "quickstart@candidate"], store=self.store).stdout
        self.assertTrue(text.startswith("NOT A TEST SCORE. Test rows: "), text)
        before = self.log_bytes()
        said = self.json(["models", "promote", "quickstart", "--set", "gates.minimum_positives=0"],
                         code=product.CHECK_FAILED)
        self.assertFalse(said["promoted"])
        self.assertEqual([g["name"] for g in said["evidence"]["gates"] if not g["passed"]], ["fair_test"])
        self.assertEqual(self.log_bytes(), before)

    def test_unseen_epitopes_stand_apart(self):
        facts = self.evaluate({"preprocess.split": "leave_epitope_out", "preprocess.test_fraction": 0.3,
                               "preprocess.validation_fraction": 0.3, "synthetic.epitopes": 12,
                               "synthetic.tcrs": 400, "evaluate.resamples": 50})["facts"]
        self.assertEqual(set(facts["by_kind"]), {"unseen"})
        self.assertTrue(all(not each["seen"] for each in facts["epitopes"]))
        self.assertEqual(facts["by_kind"]["unseen"]["auroc"], facts["model"]["macro_auroc"])


class OwnFile(PipelineCase):
    """Tables of few rows and odd shape."""

    def pipeline(self, rows, columns, name="own", command="evaluate", **changes):
        table = self.folder / "pairs.csv"
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows)
        config = self.folder / "own.json"
        config.write_text(json.dumps({"name": name, "fetch": {"source": "file", "file": str(table)}}))
        settings = {"train.from": "configuration", "train.model": "mlp_small", "train.epochs": 2,
                    "preprocess.test_fraction": 0.4, "preprocess.split": "grouped", "evaluate.resamples": 50, **changes}
        words = [word for name, value in settings.items()
                 for word in ("--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}")]
        return [command, "--config", config, *words]

    @staticmethod
    def made(count, epitopes=("NLVPMVATV", "GILGFVFTL"), seed=1):
        chance = random.Random(seed)
        cdr3 = lambda: "CAS" + "".join(chance.choice("ADEGHKLNPQRSTV") for _ in range(7)) + "QYF"  # noqa: E731
        for number in range(count):
            alpha, beta = cdr3(), cdr3()
            for place, epitope in enumerate(epitopes):
                yield {"CDR3_alpha": alpha, "CDR3_beta": beta, "V_alpha": "TRAV1-1*01", "V_beta": "TRBV19*01",
                       "J_alpha": "TRAJ10*01", "J_beta": "TRBJ2-7*01", "Epitope": epitope, "MHC": "HLA-A*02:01",
                       "Label": int(number % len(epitopes) == place), "source": f"lab {number % 2}"}

    def test_sources_and_single_chains(self):
        rows = list(self.made(60))
        facts = self.json(self.pipeline(rows, list(rows[0])))["facts"]
        self.assertEqual([part["name"] for part in facts["slices"]["source"]], ["lab 0", "lab 1"])
        for row in rows:
            row["CDR3_alpha"] = row["V_alpha"] = row["J_alpha"] = ""
        beta = {"preprocess.features": ["CDR3_beta", "V_beta", "Epitope"]}
        facts = self.json(self.pipeline(rows, list(rows[0]), **beta))["facts"]
        self.assertEqual([part["name"] for part in facts["slices"]["cdr3_length"]], ["no alpha chain"])
        self.assertIsNotNone(facts["model"]["macro_auroc"])

    def test_epitopes_of_one_class(self):
        rows = [row for row in self.made(60, ("NLVPMVATV", "GILGFVFTL", "GLCTLVAML"))]
        for row in rows:
            if row["Epitope"] == "GLCTLVAML":
                row["Label"] = 0
        facts = self.json(self.pipeline(rows, list(rows[0])))["facts"]
        alone = next(each for each in facts["epitopes"] if each["epitope"] == "GLCTLVAML")
        self.assertEqual((alone["positives"], alone["auroc"], alone["rank"], alone["f1"]), (0, None, None, None))
        self.assertEqual(facts["model"]["groups"], 2)
        self.assertIn("unseen", facts["by_kind"])
        text = self.ok(self.pipeline(rows, list(rows[0])), store=self.store).stdout
        self.assertRegex(text, r"(?m)^GLCTLVAML\* +\d+ +0 +-")

    def test_negatives_of_each_origin_stand_apart(self):
        epitopes = ("NLVPMVATV", "GILGFVFTL", "GLCTLVAML", "KLGGALQAK")
        rows = list(self.made(120, epitopes))
        # Of the negatives of a TCR one is given; others are drawn.
        kept = [row for number, row in enumerate(rows) if row["Label"] or number % 4 == (number // 4 + 1) % 4]
        facts = self.json(self.pipeline(kept, list(rows[0]), **{"preprocess.negatives": ["given", "swapped"],
                                                                "preprocess.negative_ratio": 2}))["facts"]
        self.assertEqual(set(facts["by_origin"]), {"given", "swapped"})
        for each in facts["by_origin"].values():
            self.assertEqual(each["positives"], facts["positives"])
            low, high = each["intervals"]["macro_auroc"]
            self.assertLess(low, high)
        self.assertEqual(sum(each["rows"] - each["positives"] for each in facts["by_origin"].values()),
                         facts["rows"] - facts["positives"])
        text = self.ok(["artifacts", "show", "own.evaluation"], store=self.store).stdout
        self.assertRegex(text, r"(?m)^against swapped negatives +\d+ +\d+ +\d\.\d{3} \[")

    def test_rows_that_the_model_cannot_score(self):
        rows = list(self.made(60))
        self.json(self.pipeline(rows, list(rows[0])))
        other = list(self.made(60, seed=2))
        for number, row in enumerate(other):
            if number % 4 < 2:  # longer than any that the model's encoder knows
                row["CDR3_beta"] = "CASSAAAAAAAAAAAAAA" + row["CDR3_beta"][3:]
        self.ok(self.pipeline(other, list(rows[0]), name="other", command="preprocess"), store=self.store)
        done = self.json(["evaluate", "--model", "own.model", "--dataset", "other.dataset"])
        facts, folder = done["facts"], folder_of(self.store, done)
        long = [len(row["CDR3_beta"]) > 20 for row in rows_of(folder / "epytope.csv")]
        self.assertEqual((facts["rows"], facts["unscored_rows"]), (len(long), sum(long)))
        self.assertGreater(sum(long), 5)
        self.assertEqual([row["Score"] == "" for row in rows_of(folder / "epytope.csv")], long)
        self.assertEqual([row["score"] == "0" for row in rows_of(folder / "scores.csv")], long)
        self.assertIn(f"the model cannot score {sum(long)} of these rows; they count as not binding", facts["caveats"])
        self.assertEqual(facts["scored_as"], "test", facts["reasons"])

    def test_baselines_learn_from_what_the_model_learned_from(self):
        rows = list(self.made(60))
        for number, row in enumerate(rows):
            row["Fold"] = "validation" if number % 6 < 2 else "train"
        # The test TCRs are those of validation but for a gene.
        rows += [{**row, "Fold": "test", "V_beta": "TRBV7-9*01"} for row in rows if row["Fold"] == "validation"]

        def similarities(**settings):
            done = self.json(self.pipeline(rows, list(rows[0]), **{"preprocess.split": "given", **settings}))
            return [float(row["nearest_neighbour"]) for row in rows_of(folder_of(self.store, done) / "scores.csv")
                    if row["Label"] == "1"]

        self.assertLess(max(similarities()), 0.99)
        folds = {"ensemble.from": "folds", "ensemble.members": 2}
        for all_rows in ({"train.refit": True}, folds, {**folds, "train.refit": True}):
            self.assertGreater(min(similarities(**all_rows)), 0.999, all_rows)

    def test_negatives_that_give_the_label_away(self):
        """The leak check alone can make it no test score."""
        rows = list(self.made(120))
        for row in rows:
            row["MHC"] = "HLA-A*02:01" if row["Label"] else "HLA-B*07:02"
        facts = self.json(self.pipeline(rows, list(rows[0])))["facts"]
        self.assertEqual(facts["scored_as"], "not a test score")
        self.assertTrue(all(why.startswith("leak check: which MHC") for why in facts["reasons"]), facts["reasons"])


if __name__ == "__main__":
    product.main()
