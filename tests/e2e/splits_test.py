"""Each kind of split and fold: which rows stand together, and what a dataset with partial records is good for."""

import collections
import itertools
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import sources  # noqa: E402
from product import CHECK_FAILED, CONFIGURATION, INPUT, OK, read_table, write_table  # noqa: E402
from sources import TCR, configuration, dataset, distance, manifest, near_pairs, tcr_of  # noqa: E402

HEADER = [*TCR, "Epitope", "Label"]
EPITOPES = ("ATDALMTGF", "HPVTKYIM", "LTDEMIAQY", "NQKLIANQF", "RAQAPPPSW", "TPRVTGGGAM")
LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def binders():
    """Binders of six epitopes in the order of IMMREP22."""
    rows = []
    for row in sources.rows_of(product.test_data("immrep22_train") / "train.csv.gz", ","):
        if row["Label"] == "1" and row["epitope"] in EPITOPES:
            rows.append([row[name] for name in ("TRA_CDR3", "TRB_CDR3", "TRAV", "TRBV", "TRAJ", "TRBJ", "epitope",
                                                "Label")])
    return rows


def key_of(row):
    return (*tcr_of(row), row["Epitope"], row["Label"], row["Origin"])


def sides_of(table, columns=("CDR3_alpha", "CDR3_beta")):
    sides = collections.defaultdict(set)
    for row in table:
        sides[tcr_of(row, columns)].add(row["Side"])
    return sides


class Splits(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.rows = binders()
        self.file = write_table(self.folder / "pairs.csv", [HEADER, *self.rows])

    def words(self, preprocess, name="made", **fetch):
        preprocess = {"features": [*TCR, "Epitope"], "negatives": ["swapped"], "negative_ratio": 2, **preprocess}
        return configuration(self.folder, name, fetch={"source": "file", "file": str(self.file), **fetch},
                             preprocess=preprocess)

    def made(self, preprocess, *arguments, **fetch):
        self.ok(["preprocess", *self.words(preprocess, **fetch), *arguments], store=self.store)
        return dataset(self.store)

    def refused(self, code, preprocess, *parts, **fetch):
        self.fails(code, ["preprocess", *self.words(preprocess, **fetch)], *parts, store=self.store)

    def check_apart(self, table):
        sides = sides_of(table)
        self.assertEqual([tcr for tcr, where in sides.items() if len(where) > 1], [])
        for one, other in itertools.combinations(("train", "validation", "test"), 2):
            self.assertEqual(near_pairs(sorted(tcr for tcr in sides if one in sides[tcr]),
                                        sorted(tcr for tcr in sides if other in sides[tcr])), set())

    def test_clustered_and_grouped(self):
        clustered = self.made({"split": "clustered"}, "--require-leak-free")
        self.check_apart(clustered)
        grouped = self.made({"split": "grouped"})
        self.assertEqual([tcr for tcr, where in sides_of(grouped, TCR).items() if len(where) > 1], [])
        for table in (clustered, grouped):
            counts = collections.Counter(row["Side"] for row in table if row["Label"] == "1")
            self.assertAlmostEqual(counts["test"] / sum(counts.values()), 0.1, delta=0.03)
            self.assertAlmostEqual(counts["validation"] / sum(counts.values()), 0.1, delta=0.03)
            tested = {row["Epitope"] for row in table if row["Side"] == "test" and row["Label"] == "1"}
            self.assertEqual(tested, set(EPITOPES))

    def test_the_order_of_the_rows_has_no_say(self):
        """The same TCRs on the same sides with the same negatives, and the same folds."""
        for options in ({"split": "clustered"}, {"split": "grouped"}, {"split": "clustered", "folds": 4},
                        {"split": "leave_epitope_out", "test_fraction": 0.3, "validation_fraction": 0.3},
                        {"split": "leave_epitope_out", "folds": 3}):
            with self.subTest(**options):
                write_table(self.file, [HEADER, *self.rows])
                before = {key_of(row): (row["Side"], row.get("fold")) for row in self.made(options)}
                shuffled = list(self.rows)
                random.Random(3).shuffle(shuffled)
                write_table(self.file, [HEADER, *shuffled])
                after = self.made(options)
                self.assertNotEqual([row["CDR3_beta"] for row in after][:20], [row[1] for row in self.rows][:20])
                self.assertEqual({key_of(row): (row["Side"], row.get("fold")) for row in after}, before)

    def test_random(self):
        """By row: as many as the fractions say, and it leaks when TCRs repeat."""
        rows = [[*row[:6], epitope, str(int(row[6] == epitope))] for row in self.rows for epitope in EPITOPES]
        write_table(self.file, [HEADER, *rows])
        for split in ("random", "torch_random_split"):
            options = {"split": split, "negatives": ["given"]}
            table = self.made(options)
            counts = collections.Counter(row["Side"] for row in table)
            self.assertEqual((counts["test"], counts["validation"]), (len(table) // 10, len(table) // 10))
            for _ in ("made", "reused"):
                self.fails(CHECK_FAILED, ["preprocess", *self.words(options), "--require-leak-free"],
                           "TCRs stand on several sides", "leaks.json", store=self.store)
        other, same = ({key_of(row): row["Side"] for row in self.made({"split": "random", "negatives": ["given"], **seed})}
                       for seed in ({"split_seed": 1}, {}))
        self.assertGreater(sum(other[key] != side for key, side in same.items()), len(same) // 10)

    def test_leave_epitope_out(self):
        self.rows = [row[:6] + [epitope, str(int(row[6] == epitope))] for row in self.rows for epitope in EPITOPES]
        write_table(self.file, [HEADER, *self.rows])
        table = self.made({"split": "leave_epitope_out", "negatives": ["given"], "test_fraction": 0.3,
                           "validation_fraction": 0.3})
        self.check_apart(table)
        of_side = {side: {row["Epitope"] for row in table if row["Side"] == side}
                   for side in ("train", "validation", "test")}
        self.assertTrue(all(of_side.values()))
        for one, other in itertools.combinations(of_side.values(), 2):
            self.assertTrue(all(distance(a, b) >= 3 for a in one for b in other))
        facts = manifest(self.store, "made.dataset")["facts"]
        self.assertEqual(facts["excluded_rows"], facts["rows_read"] - facts["refused"] - len(table))
        self.assertGreater(facts["excluded_rows"], 100)
        # Only rows of other sides' epitopes went.
        kept = {key_of(row)[:8] for row in table}
        side_of = {epitope: side for side, epitopes in of_side.items() for epitope in epitopes}
        sides = sides_of(table)
        for row in self.rows:
            if tuple(row) not in kept and sides.get((row[0], row[1])):
                self.assertNotIn(side_of[row[6]], sides[row[0], row[1]])

    def test_given_words(self):
        words = ("train", "Validation", "test", "TRAIN", "val", "Test", "valid")
        rows = [[*row, words[at % len(words)]] for at, row in enumerate(self.rows)]
        write_table(self.file, [[*HEADER, "Fold"], *rows])
        table = self.made({"split": "given"})
        meant = {"val": "validation", "valid": "validation"}
        want = collections.defaultdict(set)
        for row in rows:
            want[tuple(row[:2])].add(meant.get(row[-1].lower(), row[-1].lower()))
        for row in table:
            self.assertIn(row["Side"], want[row["CDR3_alpha"], row["CDR3_beta"]])
        self.assertEqual(len({row["Side"] for row in table}), 3)
        self.assertGreater(sum(row["Origin"] == "swapped" for row in table), len(self.rows))
        rows[4][-1] = "exam"
        write_table(self.file, [[*HEADER, "Fold"], *rows])
        self.refused(INPUT, {"split": "given"}, "line 6", "exam", "train, validation or test")
        write_table(self.file, [HEADER, *self.rows])
        self.refused(INPUT, {"split": "given"}, "Fold", "line 2")

    def test_given_numbers(self):
        """Numbers need not begin at 0 nor be dense; two of them test and validate, negatives stay in theirs."""
        numbers = ("3", "5", "9", "12")
        rows = [[*row, numbers[hash_of(row) % 4]] for row in self.rows]
        write_table(self.file, [[*HEADER, "Fold"], *rows])
        want = {tuple(row[:2]): numbers.index(row[-1]) for row in rows}
        for test, validation in ((0, 1), (3, 2)):
            table = self.made({"split": "given", "test_fold": test, "validation_fold": validation})
            for row in table:
                fold = want[row["CDR3_alpha"], row["CDR3_beta"]]
                self.assertEqual(row["fold"], fold)
                self.assertEqual(row["Side"], {test: "test", validation: "validation"}.get(fold, "train"))
        self.refused(CONFIGURATION, {"split": "given", "test_fold": 4}, "folds", "4", "0 to 3")
        control = ["CAVSGGSYIPTF", "CASSQDRGYEQYF", "TRAV21*01", "TRBV4-1*01", "TRAJ6*01", "TRBJ2-7*01"]
        options = {"split": "given", "negatives": ["swapped", "background"]}
        bare = write_table(self.folder / "bare.csv", [TCR, control])
        self.refused(INPUT, options, "control", "column Fold", control_file=str(bare))
        placed = write_table(self.folder / "placed.csv", [[*TCR, "Fold"], [*control, "9"]])
        table = self.made(options, control_file=str(placed))
        self.assertEqual({row["fold"] for row in table if row["Origin"] == "background"}, {2})
        rows[7][-1] = "train"
        write_table(self.file, [[*HEADER, "Fold"], *rows])
        self.refused(INPUT, {"split": "given"}, "line 9", "train")
        write_table(self.file, [[*HEADER, "Fold"], *([*row, str(at)] for at, row in enumerate(self.rows))])
        self.refused(INPUT, {"split": "given"}, "different folds", "at most 100")

    def test_folds(self):
        """Every pair of folds of a nested cross-validation: the same folds, the same negatives in them, other sides."""
        for split in ("clustered", "grouped"):
            first = None
            tested = collections.Counter()
            for test, validation in itertools.permutations(range(5), 2):
                if split == "grouped" and validation != (test + 1) % 5:
                    continue
                table = self.made({"split": split, "folds": 5, "test_fold": test, "validation_fold": validation})
                folds = {key_of(row): row["fold"] for row in table}
                self.assertEqual(len(folds), len(table))
                first = first or folds
                self.assertEqual(folds, first)
                for row in table:
                    self.assertEqual(row["Side"], {test: "test", validation: "validation"}.get(row["fold"], "train"))
                    tested[key_of(row)] += row["Side"] == "test" and validation == (test + 1) % 5
                if split == "clustered":
                    self.check_apart(table)
            self.assertEqual(set(tested.values()), {1})
            of_fold = collections.Counter(fold for key, fold in first.items() if key[7] == "1")
            self.assertLess(max(of_fold.values()) - min(of_fold.values()), 0.1 * len(self.rows))
            fold_of_tcr = collections.defaultdict(set)
            for key, fold in first.items():
                fold_of_tcr[key[:6]].add(fold)
            self.assertEqual([tcr for tcr, folds in fold_of_tcr.items() if len(folds) > 1], [])

    def test_folds_of_rows_and_of_epitopes(self):
        """With rows as units one TCR may be in several folds, with epitopes rows may have to go; none changes its fold."""
        for split in ("random", "leave_epitope_out"):
            fold_of, tested = {}, collections.Counter()
            for test, validation in itertools.permutations(range(3), 2):
                table = self.made({"split": split, "folds": 3, "test_fold": test, "validation_fold": validation})
                for row in table:
                    if row["Label"] == "1":
                        self.assertEqual(fold_of.setdefault(key_of(row), row["fold"]), row["fold"])
                        tested[key_of(row)] += row["Side"] == "test"
                    self.assertEqual(row["Side"], {test: "test", validation: "validation"}.get(row["fold"], "train"))
                if split == "leave_epitope_out":
                    self.check_apart(table)
                    epitopes = {side: {row["Epitope"] for row in table if row["Side"] == side} for side in
                                ("train", "validation", "test")}
                    self.assertEqual(sum(map(len, epitopes.values())), len(EPITOPES))
                else:
                    self.assertEqual(sum(row["Label"] == "1" for row in table), len(fold_of))
            self.assertLessEqual(set(tested.values()), {0, 2} if split == "leave_epitope_out" else {2})

    def test_folds_that_are_not_there(self):
        self.refused(CONFIGURATION, {"folds": 2}, "preprocess.folds", "at least 3")
        self.refused(CONFIGURATION, {"folds": 5, "test_fold": 5}, "preprocess.test_fold", "no fold 5 of 5")
        self.refused(CONFIGURATION, {"folds": 5, "test_fold": 1}, "the same fold")
        self.refused(CONFIGURATION, {"folds": 5, "split": "torch_random_split"}, "torch_random_split")

    def test_folds_of_epitopes_with_controls_near_binders(self):
        """For each binder a control one letter away: it must go wherever its binder goes, with all its negatives."""
        rng = random.Random(11)
        known = {tuple(row[:2]) for row in self.rows}
        controls = []
        for row in self.rows:
            at = rng.randrange(4, len(row[1]) - 3)
            beta = row[1][:at] + rng.choice(LETTERS) + row[1][at + 1:]
            if (row[0], beta) not in known:
                controls.append([row[0], beta, *row[2:6]])
        control_file = write_table(self.folder / "controls.csv", [TCR, *controls])
        mine = {tuple(row[:2]) for row in controls}
        for options in ({"split": "leave_epitope_out", "folds": 3, "test_fold": 0, "validation_fold": 1},
                        {"split": "leave_epitope_out", "folds": 3, "test_fold": 2, "validation_fold": 0},
                        {"split": "leave_epitope_out", "test_fraction": 0.3, "validation_fraction": 0.3},
                        {"split": "clustered", "folds": 3}, {"split": "clustered"}):
            with self.subTest(**options):
                table = self.made({**options, "negatives": ["background"]}, control_file=str(control_file))
                used = {(row["CDR3_alpha"], row["CDR3_beta"]) for row in table if row["Origin"] == "background"}
                self.assertGreater(len(used), 50)
                self.assertLessEqual(used, mine)
                self.check_apart(table)

    def test_partial_records(self):
        """A model made for rows without an alpha chain scores them; another one says what they lack."""
        half = [row if at % 2 else ["", row[1], "", row[3], "", *row[5:]] for at, row in enumerate(self.rows)]
        write_table(self.file, [HEADER, *half])
        training = ["--set", "train.from=configuration", "--set", "train.epochs=2", "--set", "train.model=mlp_small"]
        self.made({"optional": ["CDR3_alpha", "V_alpha", "J_alpha"]})
        self.ok(["train", *self.words({"optional": ["CDR3_alpha", "V_alpha", "J_alpha"]}, "partial"), *training],
                store=self.store)
        self.ok(["train", *self.words({}, "whole"), *training], store=self.store)
        rows = {name: manifest(self.store, f"{name}.dataset")["facts"]["positives"] for name in ("partial", "whole")}
        self.assertLess(abs(rows["whole"] - rows["partial"] / 2), 10)
        asked = write_table(self.folder / "asked.csv", [HEADER[:-1], *([*row[:7]] for row in half[:10])])
        partial, whole = (read_table(self.ok(["predict", "-m", f"{name}.model", "-i", asked, "--plain"], store=self.store).stdout)
                          for name in ("partial", "whole"))
        for at, (one, other) in enumerate(zip(partial[1:], whole[1:], strict=True)):
            self.assertNotEqual(one[-3], "", one)
            self.assertEqual(one[-1], "")
            self.assertEqual(other[-3] != "", at % 2 == 1)
            if at % 2 == 0:
                self.assertIn("CDR3_alpha", other[-1])
        strict = product.run(["predict", "-m", "partial.model", "-i", asked, "--strict"], store=self.store)
        self.assertEqual(strict.returncode, OK, strict.stderr)
        self.fails(INPUT, ["predict", "-m", "whole.model", "-i", asked, "--strict", "-o", self.folder / "out.csv"],
                   "asked.csv:2", "CDR3_alpha", store=self.store)


def hash_of(row):
    """A number of the row's TCR that is the same in every run."""
    return sum(ord(letter) * (at + 1) for at, letter in enumerate(row[0] + row[1]))


if __name__ == "__main__":
    product.main()
