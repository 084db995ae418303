"""A table of its own to test on: what is near it does not train, its rows are the test side, and the result is a test score."""

import csv
import itertools
import json
import pathlib
import random
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import sources  # noqa: E402
from product import CONFIGURATION, INPUT, named, write_table  # noqa: E402
from sources import TCR, configuration, dataset, manifest  # noqa: E402

HEADER = [*TCR, "Epitope", "Label"]
EPITOPES = ("GILGFVFTL", "NLVPMVATV", "TTDPSFLGRY")
UNSEEN = "LTDEMIAQY"
GENES = ("TRAV27*01", "TRBV19*01", "TRAJ42*01", "TRBJ2-7*01")
OTHER_GENES = ("TRAV24*01", "TRBV6-5*01", "TRAJ49*01", "TRBJ1-2*01")
SPLIT = {"features": [*TCR, "Epitope"], "optional": TCR, "negatives": ["swapped"], "negative_ratio": 2,
         "validation_fraction": 0.2}
QUICK = {"from": "configuration", "model": "mlp_small", "epochs": 2}


def made_up(count, seed, genes=GENES):
    """TCRs far from each other."""
    maker = random.Random(seed)
    return [[f"CA{''.join(maker.choices('DEGKNPQRST', k=9))}F", f"CASS{''.join(maker.choices('DEGKNPQRST', k=9))}F", *genes]
            for _ in range(count)]


def changed(text, letter="W"):
    return text[:5] + letter + text[6:]


class TestTable(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.binders = [[*tcr, EPITOPES[i % 3], 1] for i, tcr in enumerate(made_up(90, 1))]
        self.asked = made_up(12, 2, OTHER_GENES)
        self.tests = [[*tcr, epitope, int(i % 4 == e)] for i, tcr in enumerate(self.asked)
                      for e, epitope in enumerate([*EPITOPES, UNSEEN])]

    def words(self, main=None, tests=None, fetch=None, preprocess=None, **sections):
        main = write_table(self.folder / "main.csv", [HEADER, *(main or self.binders)])
        test = write_table(self.folder / "asked.csv", tests or [HEADER, *self.tests])
        fetch = {"source": "file", "file": str(main), "test_source": "file", "test_file": str(test), **(fetch or {})}
        return configuration(self.folder, fetch=fetch, preprocess={**SPLIT, **(preprocess or {})}, **sections)

    def made(self, *arguments, **options):
        return self.ok(["preprocess", *self.words(**options), *arguments], store=self.store)

    def planted(self):
        """Rows that must go, and others that must stay."""
        alpha, beta = self.asked[0][:2]
        gone = [[alpha, beta, *GENES], [alpha, changed(beta), *GENES], [changed(alpha), beta[:6] + beta[7:], *GENES],
                [alpha, "", GENES[0], "", GENES[2], ""], ["", changed(beta), "", GENES[1], "", GENES[3]]]
        stay = [[alpha, changed(changed(beta))[:-2] + "YF", *GENES], [changed(alpha)[:-2] + "YF", beta, *GENES],
                [changed(alpha)[:-2] + "YF", "", GENES[0], "", GENES[2], ""]]
        return ([[*tcr, epitope, 1] for tcr, epitope in zip(gone, itertools.cycle(EPITOPES))],
                [[*tcr, epitope, 1] for tcr, epitope in zip(stay, itertools.cycle(EPITOPES))])

    def test_what_is_near_does_not_train(self):
        gone, stay = self.planted()
        text = self.made("--require-leak-free", main=self.binders + gone + stay).stdout
        self.assertIn(f"{len(gone)} rows left out: near the test", text)
        table, facts = dataset(self.store), manifest(self.store, "made.dataset")["facts"]
        self.assertEqual(facts["near_test_rows"], len(gone))
        test = [[row[name] for name in HEADER] for row in table if row["Side"] == "test"]
        self.assertEqual(sorted(test), sorted([*map(str, row)] for row in self.tests))
        others = [[row[name] for name in TCR] for row in table if row["Side"] != "test" and row["Label"] == "1"]
        self.assertEqual(sorted(others), sorted(row[:6] for row in self.binders + stay))
        self.assertEqual({row["Side"] for row in table if row["Origin"] == "swapped"}, {"train", "validation"})
        self.assertEqual({row["Epitope"] for row in table if row["Side"] != "test"}, set(EPITOPES))
        report = list(csv.DictReader((named(self.store, "made.dataset") / "cleaning.csv").read_text().splitlines()))
        self.assertEqual([int(row["line"]) for row in report if row["code"] == "near-test"],
                         list(range(len(self.binders) + 2, len(self.binders) + 2 + len(gone))))
        self.assertTrue(facts["leak_free"], facts["leaks"])
        raw = manifest(self.store, "made.raw")
        self.assertEqual(raw["facts"]["test_source"], "file")
        self.assertEqual([one["role"] for one in raw["facts"]["inputs"]], ["pairs", "test"])
        self.assertEqual((named(self.store, "made.raw") / "test.csv").read_bytes(),
                         (self.folder / "asked.csv").read_bytes())
        self.assertEqual(len(raw["configuration"]["test_sha256"]), 64)

    def test_controls_near_it_do_not_train_either(self):
        gone, stay = self.planted()
        controls = write_table(self.folder / "controls.csv",
                               [TCR, *(row[:6] for row in gone[:3] + stay[:2]), *made_up(40, 3)])
        self.made(fetch={"control_file": str(controls)}, preprocess={"negatives": ["swapped", "background"]})
        drawn = [(row["CDR3_alpha"], row["CDR3_beta"]) for row in dataset(self.store) if row["Origin"] == "background"]
        self.assertGreater(len(set(drawn)), 20)
        self.assertEqual(sources.near_pairs(drawn, [tuple(tcr[:2]) for tcr in self.asked]), set())
        self.assertEqual(manifest(self.store, "made.dataset")["facts"]["near_test_rows"], 3)

    def test_another_test_table_is_another_dataset(self):
        self.made()
        first = product.names(self.store)
        self.made(tests=[HEADER, *self.tests[:-4]])
        second = product.names(self.store)
        self.assertNotEqual(first["made.raw"], second["made.raw"])
        self.assertNotEqual(first["made.dataset"], second["made.dataset"])
        self.made()
        self.assertEqual(product.names(self.store), first)

    def test_each_split_deals_the_rest(self):
        for split in ("clustered", "grouped", "random", "torch_random_split", "leave_epitope_out"):
            with self.subTest(split=split):
                epitopes = (*EPITOPES, "YLQPRTFLL", "RAKFKQLL", "SPRWYFYYL")
                main = [[*row[:6], epitopes[i % 6], 1] for i, row in enumerate(self.binders)]
                self.made(main=main, preprocess={"split": split, "validation_fraction": 0.34})
                table = dataset(self.store)
                sides = {(row["Side"], row["CDR3_beta"] in {tcr[1] for tcr in self.asked}) for row in table}
                self.assertEqual(sides, {("train", False), ("validation", False), ("test", True)})

    def test_the_result_is_a_test_score(self):
        done = self.ok(["evaluate", *self.words(train=QUICK, evaluate={"resamples": 100}), "--json"], store=self.store)
        facts = json.loads(done.stdout)["facts"]
        self.assertEqual((facts["scored_as"], facts["reasons"]), ("test", []))
        self.assertEqual(facts["rows"], 48)
        self.assertEqual([one["epitope"] for one in facts["epitopes"] if not one["seen"]], [UNSEEN])

    def test_the_viral_benchmark_tests(self):
        mirror = self.folder / "mirror"
        shutil.copytree(product.test_data("viral"), mirror)
        rows = [row for row in sources.rows_of(mirror / "expected.csv.gz", ",")]
        known = [[row[name] for name in HEADER] for row in rows if row["Label"] == "1"][:5]
        done = self.made(main=self.binders + known, preprocess={"minimum_binders": 2},
                         fetch={"test_source": "viral", "test_file": "", "mirror": str(mirror)})
        self.assertIn("rows left out: near the test", done.stdout)
        facts = manifest(self.store, "made.dataset")["facts"]
        self.assertEqual((facts["sides"]["test"], facts["near_test_rows"]), (8932, 5))
        raw = manifest(self.store, "made.raw")["facts"]
        self.assertEqual(raw["test_source"], "viral")
        self.assertIn("Drost", raw["test_citation"])

    def test_what_cannot_be(self):
        def refused(code, *parts, **options):
            self.fails(code, ["preprocess", *self.words(**options)], *parts, store=self.store)

        refused(INPUT, "asked.csv", "Label", tests=[HEADER[:-1], *(row[:-1] for row in self.tests)])
        refused(INPUT, "asked.csv", "none of the", tests=[HEADER, *([*row[:-1], "perhaps"] for row in self.tests)])
        refused(INPUT, "12 positive and 0 negative",
                tests=[HEADER, *(row for row in self.tests if row[-1])])
        refused(INPUT, "main.csv", "no row is left to train on", main=[[*tcr, EPITOPES[0], 1] for tcr in self.asked])
        refused(INPUT, "fetch.test_file", "nowhere.csv", fetch={"test_file": "nowhere.csv"})
        refused(CONFIGURATION, "test_source is \"file\" but no file is named", fetch={"test_file": ""})
        refused(CONFIGURATION, "a file to test on needs fetch.test_source", fetch={"test_source": "none"})
        refused(CONFIGURATION, "preprocess.folds", "a table of its own tests", preprocess={"folds": 5})
        refused(CONFIGURATION, "preprocess.split", "a table of its own tests", preprocess={"split": "given"})
        refused(CONFIGURATION, "the same table cannot train and test",
                fetch={"source": "viral", "test_source": "viral", "test_file": "", "file": ""})


if __name__ == "__main__":
    product.main()
