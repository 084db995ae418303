"""Datasets from real data, each count and promise recomputed here from the files."""

import collections
import functools
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import sources  # noqa: E402
from product import CHECK_FAILED, INPUT, named, read_table  # noqa: E402
from sources import TCR, configuration, dataset, distance, manifest, near, near_pairs, tcr_of  # noqa: E402

LEAST, BINDERS, RATIO = 1, 10, 3
READING = {"low-confidence", "few-binders", "repeat", "contradiction"}


def cdr3s(row):
    return row["CDR3_alpha"], row["CDR3_beta"]


class Case(product.ProductCase):
    def preprocess(self, fetch, preprocess, *arguments, store=None, name="made"):
        words = configuration(self.folder, name, fetch=fetch, preprocess=preprocess)
        return self.ok(["preprocess", *words, *arguments], store=store or self.store)

    def check_sides_apart(self, table):
        """No TCR, and nothing one edit away from it, stands on two sides; not by the program's own check."""
        sides = collections.defaultdict(set)
        for row in table:
            sides[cdr3s(row)].add(row["Side"])
        self.assertEqual({tcr for tcr, where in sides.items() if len(where) > 1}, set())
        of_side = {side: sorted(tcr for tcr in sides if side in sides[tcr]) for side in ("train", "validation", "test")}
        for side in ("train", "validation", "test"):
            self.assertGreater(len(of_side[side]), 5)
        self.assertEqual(near_pairs(of_side["test"], of_side["train"] + of_side["validation"]), set())
        self.assertEqual(near_pairs(of_side["validation"], of_side["train"]), set())

    def check_swapped(self, table, facts, ratio):
        bound, positives, epitopes = (collections.defaultdict(set) for _ in range(3))
        pairs = {(tcr_of(row), row["Epitope"]) for row in table if row["Label"] == "1"}
        for row in table:
            if row["Label"] == "1":
                bound[tcr_of(row)].add(row["Epitope"])
                positives[row["Side"]].add((tcr_of(row), row["Epitope"]))
                epitopes[row["Side"]].add(row["Epitope"])
        far = functools.cache(lambda a, b: distance(a, b) >= 3)
        swapped = [row for row in table if row["Origin"] == "swapped"]
        seen = set()
        of_tcr = collections.Counter()
        for row in swapped:
            pair = tcr_of(row), row["Epitope"]
            self.assertEqual(row["Label"], "0")
            self.assertNotIn(pair, pairs)
            self.assertNotIn(pair, seen)
            seen.add(pair)
            self.assertIn(row["Epitope"], epitopes[row["Side"]])
            self.assertTrue(bound[pair[0]], "a TCR that binds nothing")
            self.assertTrue(all(far(row["Epitope"], own) for own in bound[pair[0]]), row)
            of_tcr[row["Side"], pair[0]] += 1
        missing = facts.get("negatives_missing", {}).get("swapped", 0)
        self.assertEqual(len(swapped) + missing, ratio * sum(map(len, positives.values())))
        own = collections.Counter((side, tcr) for side, found in positives.items() for tcr, _ in found)
        for key, count in of_tcr.items():
            self.assertLessEqual(count, ratio * own[key])
        return swapped

    def check_files_agree(self, name="made.dataset"):
        """table.csv, cleaning.csv, leaks.json, profile.json and the manifest tell the same story."""
        folder = named(self.store, name)
        facts = manifest(self.store, name)["facts"]
        table = dataset(self.store, name)
        profile, leaks = (json.loads((folder / file).read_text()) for file in ("profile.json", "leaks.json"))
        report = read_table(folder / "cleaning.csv")
        self.assertEqual(report[0], ["file", "line", "action", "field", "code", "reason"])
        counted = collections.Counter((row[2], row[3], row[4]) for row in report[1:])
        self.assertEqual(counted, {(one["action"], one["field"], one["code"]): one["count"]
                                   for one in profile["cleaning"]})
        actions = collections.Counter(row[2] for row in report[1:])
        self.assertEqual((actions["refused"], actions["changed"]), (facts["refused"], facts["changed"]))
        self.assertEqual((len(table), profile["rows"]), (facts["rows"], facts["rows"]))
        self.assertEqual(collections.Counter(row["Side"] for row in table), facts["sides"])
        self.assertEqual(sum(row["Label"] == "1" for row in table), facts["positives"])
        self.assertEqual(collections.Counter(row["Origin"] for row in table if row["Label"] == "0"), facts["negatives"])
        self.assertEqual({row["Origin"] for row in table if row["Label"] == "1"} - {""}, set())
        self.assertEqual((leaks["passed"], leaks["failures"]), (facts["leak_free"], facts["leaks"]))
        self.assertEqual(leaks["shared_tcrs"]["count"], facts["tcrs_on_several_sides"])
        return table, facts, report[1:], leaks


class Vdjdb(Case):
    def setUp(self):
        super().setUp()
        self.mirror = self.folder / "mirror"
        self.source = {"source": "vdjdb", "mirror": str(self.mirror)}

    def records(self, text):
        """(lines, CDR3s, genes, epitope, score) of every complex and single chain; alpha before beta."""
        header, *rows = [line.split("\t") for line in text.splitlines()]
        groups = {}
        for line, fields in enumerate(rows, 2):
            row = dict(zip(header, fields, strict=True))
            complex_id = row["complex.id"]
            groups.setdefault(complex_id if complex_id != "0" else f"line {line}", []).append((line, row))
        found = []
        for rows in groups.values():
            chain = {row["gene"]: row for _, row in rows}
            values = [tuple(chain.get(name, {}).get(column, "") for name in ("TRA", "TRB"))
                      for column in ("cdr3", "v.segm", "j.segm")]
            score = min(int(row["vdjdb.score"]) for _, row in rows)
            found.append((tuple(line for line, _ in rows), values[0], (values[1], values[2]),
                          rows[0][1]["antigen.epitope"], score))
        return found

    def test_from_the_release_to_the_dataset(self):
        text = sources.vdjdb_table()
        sources.write_vdjdb(self.mirror, text)
        self.preprocess(self.source, {
            "features": [*TCR, "Epitope", "MHC"], "optional": [*TCR, "MHC"], "minimum_confidence": LEAST,
            "minimum_binders": BINDERS, "negatives": ["swapped"], "negative_ratio": RATIO}, "--require-leak-free")
        table, facts, report, _ = self.check_files_agree()
        self.assertEqual(facts["rows_read"], text.count("\n") - 1)
        records = self.records(text)
        refused = collections.defaultdict(set)
        mended = set()
        for _, line, action, field, code, _ in report:
            if action == "refused":
                refused[code if code in READING else "unreadable"].add(int(line))
            elif action == "changed" and field == "cdr3":
                mended.add(int(line))
        readable = [record for record in records if not refused["unreadable"] & set(record[0])]
        self.assertGreater(len(readable), 0.98 * len(records))
        self.assertEqual(refused["low-confidence"], {lines[0] for lines, *_, score in readable if score < LEAST})
        sure = [record for record in readable if record[4] >= LEAST]
        # An epitope is kept when its binders are enough however one counts, and left out when they are not.
        least, most = (collections.defaultdict(set) for _ in range(2))
        for _, chains, genes, epitope, _ in sure:
            least[epitope].add(chains)
            most[epitope].add((chains, genes))
        kept = {row["Epitope"] for row in table}
        self.assertLessEqual({epitope for epitope in least if len(least[epitope]) >= BINDERS}, kept)
        self.assertLessEqual(kept, {epitope for epitope in most if len(most[epitope]) >= BINDERS})
        self.assertGreater(len(kept), 30)
        # Every pair of these epitopes is there, once, and no other.
        positives = [row for row in table if row["Label"] == "1"]
        got = {(*cdr3s(row), row["Epitope"]) for row in positives}
        own = [(lines, (*chains, epitope)) for lines, chains, _, epitope, _ in sure if epitope in kept]
        as_they_were = {pair for lines, pair in own if not mended & set(lines)}
        self.assertEqual(as_they_were - got, set())
        self.assertLessEqual(len(got - as_they_were), sum(bool(mended & set(lines)) for lines, _ in own))
        self.assertEqual(len({(tcr_of(row), row["Epitope"], row["MHC"]) for row in positives}), len(positives))
        self.assertEqual(len(positives), len(sure) - len(refused["repeat"]) - len(refused["few-binders"]))
        self.assertEqual(len(refused["repeat"]), facts["repeated_rows"])
        lacking = collections.Counter((not row["CDR3_alpha"], not row["CDR3_beta"]) for row in positives)
        self.assertEqual(set(lacking), {(False, False), (True, False), (False, True)}, "single chains are kept")
        self.check_sides_apart(table)
        self.check_swapped(table, facts, RATIO)

    def test_the_whole_of_it(self):
        """Single chains join a lot of TCRs into large clusters; no side may have anything near another one for that."""
        sources.write_vdjdb(self.mirror, sources.vdjdb_table())
        self.preprocess(self.source, {"features": [*TCR, "Epitope"], "optional": TCR, "negatives": ["swapped"],
                                      "negative_ratio": 1}, "--require-leak-free")
        table, facts, _, _ = self.check_files_agree()
        self.assertGreater(facts["positives"], 40_000)
        self.check_sides_apart(table)
        self.check_swapped(table, facts, 1)
        for side in ("validation", "test"):
            self.assertAlmostEqual(facts["sides"][side] / len(table), 0.1, delta=0.02)

    def test_measured_negatives(self):
        folder = product.test_data("vdjdb")
        text = sources.vdjdb_table(lambda row: row["mhc.class"] == "MHCI" and row["complex.id"] != "0" and
                                   row["antigen.epitope"] in ("NLVPMVATV", "YLQPRTFLL", "ALWGPDPAAA", "GILGFVFTL"))
        sources.write_vdjdb(self.mirror, text)
        measured = folder / "vdjdb_negative_human.tsv.gz"
        self.preprocess({**self.source, "measured_file": str(measured)},
                        {"features": [*TCR, "Epitope"], "negatives": ["measured", "swapped"], "negative_ratio": 2})
        table, facts, report, _ = self.check_files_agree()
        self.check_sides_apart(table)
        self.check_swapped(table, facts, 2)
        bound = {(*cdr3s(row), row["Epitope"]) for row in table if row["Label"] == "1"}
        got = [(*cdr3s(row), row["Epitope"]) for row in table if row["Origin"] == "measured"]
        raw = [(row["cdr3.alpha"], row["cdr3.beta"], row["antigen.epitope"]) for row in sources.rows_of(measured, "\t")]
        refused = {int(row[1]) for row in report if row[0] == "measured.csv" and row[2] == "refused"}
        self.assertEqual(sorted(got), sorted(pair for line, pair in enumerate(raw, 2) if line not in refused))
        self.assertGreater(len(got), 0.9 * len(set(raw)))
        self.assertEqual(set(got) & bound, set())
        for line in refused:
            pair = raw[line - 2]
            self.assertTrue(pair in bound or pair in raw[:line - 2] or not pair[2].isalpha(),
                            f"measured line {line} was refused: {pair}")


class Immrep22(Case):
    def setUp(self):
        super().setUp()
        self.mirror = self.folder / "mirror"
        self.files = sources.write_immrep22(self.mirror)
        self.source = {"source": "immrep22", "mirror": str(self.mirror)}
        self.features = [*TCR, "Epitope"]

    def binders(self):
        """epitope -> (alpha, beta) of its positives"""
        return {epitope: {(row[3], row[6]) for row in rows if row[0] == "1"} for epitope, rows in self.files.items()}

    def test_swapped_and_background(self):
        controls = product.test_data("immrep22_train") / "controls.csv.gz"
        self.preprocess({**self.source, "control_file": str(controls)},
                        {"features": self.features, "negatives": ["swapped", "background"], "negative_ratio": 4})
        table, facts, _, leaks = self.check_files_agree()
        self.assertAlmostEqual(leaks["tcr_rows"]["auroc"], self.area_of_repeats(table), delta=1e-9)
        self.check_sides_apart(table)
        self.check_swapped(table, facts, 4)
        found = collections.defaultdict(set)
        for row in table:
            if row["Label"] == "1":
                found[row["Epitope"]].add(cdr3s(row))
        self.assertEqual(found, self.binders())
        known = {(row["TRA_CDR3"], row["TRB_CDR3"]) for row in sources.rows_of(controls, ",")}
        everyone = {tcr for tcrs in self.binders().values() for tcr in tcrs}
        background = [row for row in table if row["Origin"] == "background"]
        per_epitope, due = collections.Counter(), collections.Counter()
        for row in background:
            self.assertIn(cdr3s(row), known)
            per_epitope[row["Side"], row["Epitope"]] += 1
        for row in table:
            due[row["Side"], row["Epitope"]] += 4 * (row["Label"] == "1")
        self.assertEqual(sum(due.values()), len(background) + facts.get("negatives_missing", {}).get("background", 0))
        for key, count in per_epitope.items():
            self.assertLessEqual(count, due[key])
        self.assertEqual(len({(tcr_of(row), row["Epitope"]) for row in background}), len(background))
        # A control near a binder is no negative of what that one binds.
        close = collections.defaultdict(set)
        for control, binder in near_pairs(sorted({cdr3s(row) for row in background}), sorted(everyone)):
            close[control].add(binder)
        for row in background:
            self.assertFalse([one for one in close[cdr3s(row)] if one in found[row["Epitope"]]], row)

    def area_of_repeats(self, table):
        """How well it tells the labels of a test TCR that it stands there seldom: the mean over epitopes."""
        test = [row for row in table if row["Side"] == "test"]
        often = collections.Counter(tcr_of(row) for row in test)
        areas = []
        for epitope in sorted({row["Epitope"] for row in test}):
            yes, no = ([often[tcr_of(row)] for row in test if row["Epitope"] == epitope and row["Label"] == label]
                       for label in "10")
            if yes and no:
                wins = sum((a < b) + (a == b) / 2 for a in yes for b in no)
                areas.append(wins / (len(yes) * len(no)))
        return sum(areas) / len(areas)

    def test_swapped_negatives_leak_nothing(self):
        self.preprocess(self.source, {"features": self.features, "negatives": ["swapped"], "negative_ratio": 5},
                        "--require-leak-free")
        table, facts, _, leaks = self.check_files_agree()
        self.assertTrue(leaks["passed"])
        self.assertAlmostEqual(leaks["tcr_rows"]["auroc"], self.area_of_repeats(table), delta=1e-9)
        self.check_sides_apart(table)
        self.check_swapped(table, facts, 5)

    def test_the_leaks_of_a_random_split_are_counted(self):
        words = configuration(self.folder, fetch=self.source, preprocess={
            "features": self.features, "negatives": ["given"], "split": "random"})
        failed = self.fails(CHECK_FAILED, ["preprocess", *words, "--require-leak-free"], "leak check",
                            "TCRs stand on several sides", "near duplicate in train", store=self.store)
        self.ok(["preprocess", *words], store=self.store)
        again = self.fails(CHECK_FAILED, ["preprocess", *words, "--require-leak-free"], "leak check",
                           "TCRs stand on several sides", store=self.store)
        self.assertEqual([line for line in failed.stderr.splitlines() if line.startswith("  ")][-1],
                         [line for line in again.stderr.splitlines() if line.startswith("  ")][-1])
        table, _, _, leaks = self.check_files_agree()
        sides = collections.defaultdict(set)
        labels = collections.defaultdict(set)
        for row in table:
            sides[tcr_of(row)].add(row["Side"])
            labels[tcr_of(row)].add((row["Label"], row["Side"]))
        self.assertEqual(leaks["shared_tcrs"]["count"], sum(len(where) > 1 for where in sides.values()))
        across = sum(len({label for label, _ in of}) == 2 and len({side for _, side in of}) > 1
                     for of in labels.values())
        self.assertEqual(leaks["label_across_sides"]["count"], across)
        for asked, known in (("test", "train"), ("validation", "train"), ("test", "validation")):
            near_ones = {one for one, _ in near_pairs(sorted({tcr[:2] for tcr in sides if asked in sides[tcr]}),
                                                      sorted({tcr[:2] for tcr in sides if known in sides[tcr]}))}
            self.assertEqual(leaks[f"near_{asked}_{known}"]["count"],
                             sum(tcr[:2] in near_ones for tcr in sides if asked in sides[tcr]))
        self.assertFalse(leaks["passed"])

    def test_strict(self):
        words = configuration(self.folder, fetch=self.source, preprocess={"features": self.features})
        self.fails(INPUT, ["preprocess", *words, "--strict"], "repeat", "preprocess.strict=false", store=self.store)
        self.ok(["preprocess", *words], store=self.store)
        self.fails(INPUT, ["preprocess", *words, "--strict"], "preprocess.strict", "cleaning.csv", store=self.store)

    def test_epitopes_with_few_binders(self):
        binders = {epitope: len({tuple(row[1:7]) for row in rows if row[0] == "1"})
                   for epitope, rows in self.files.items()}
        self.preprocess(self.source, {"features": self.features, "minimum_binders": 90})
        table, _, report, _ = self.check_files_agree()
        rare = {epitope for epitope, count in binders.items() if count < 90}
        self.assertEqual({row["Epitope"] for row in table}, set(binders) - rare)
        self.assertEqual({row[0].removesuffix(".txt") for row in report if row[4] == "few-binders"}, rare)
        words = configuration(self.folder, fetch=self.source, preprocess={"features": self.features,
                                                                          "minimum_binders": 1000})
        self.fails(INPUT, ["preprocess", *words], "preprocess.minimum_binders", "1000", f"is {max(binders.values())}",
                   store=self.store)

    def test_repeats_kept(self):
        self.preprocess(self.source, {"features": self.features, "repeats": "keep"})
        table, facts, report, _ = self.check_files_agree()
        self.assertEqual(len(table), facts["rows_read"] - sum(row[2] == "refused" for row in report))
        self.assertGreater(facts["repeated_rows"], 9)
        self.assertEqual({row[2] for row in report if row[4] in ("repeat", "contradiction")}, {"noticed"})

    def test_the_tools_of_this_test(self):
        """near_pairs against every pair, on texts that are often near."""
        rng = random.Random(5)
        tcrs = sorted({tuple("".join(rng.choice("AC") for _ in range(rng.choice((0, 4, 5, 6)))) for _ in range(2))
                       for _ in range(150)})
        one, other = tcrs[::2], tcrs[1::2]
        self.assertEqual(near_pairs(one, other), {(a, b) for a in one for b in other if near(a, b)})
        for a in one[:40]:
            for b in other:
                self.assertEqual(sources.within_one(a[0], b[0]), distance(a[0], b[0]) <= 1)


class Nearest(Case):
    def synthetic(self, name, **options):
        words = configuration(self.folder, name, fetch={"source": "synthetic"}, synthetic={"tcrs": 300, **options},
                              preprocess={"split": "grouped"})
        return self.ok(["preprocess", *words], store=self.store)

    def nearest(self, name):
        return json.loads((named(self.store, f"{name}.dataset") / "run.json").read_text())["notes"][
            "nearest_datasets"]

    def test_the_nearest_known_dataset_is_said(self):
        self.assertNotIn("nearest", self.synthetic("one").stderr)
        self.assertEqual(self.nearest("one")["nearest"], [])
        sources.write_immrep22(self.folder / "mirror")
        other = self.preprocess({"source": "immrep22", "mirror": str(self.folder / "mirror")},
                                {"features": [*TCR, "Epitope"]}, name="other")
        self.assertIn("nearest known datasets", other.stderr)
        done = self.synthetic("two", noise=0.02)
        ids = product.names(self.store)
        found = self.nearest("two")
        self.assertEqual([near["id"] for near in found["nearest"]], [ids["one.dataset"], ids["other.dataset"]])
        self.assertEqual([near["names"] for near in found["nearest"]], [["one.dataset"], ["other.dataset"]])
        self.assertEqual((found["compared"], found["skipped"]), (2, 0))
        first, second = (near["distance"] for near in found["nearest"])
        self.assertLess(first, 0.1)
        self.assertGreater(second, first + 0.1)
        for line, near_one in zip([line for line in done.stderr.splitlines() if ".dataset" in line], found["nearest"]):
            self.assertIn(near_one["id"][:12], line)
            self.assertIn(f"{near_one['distance']:.4f}", line)

    def test_what_moved(self):
        self.synthetic("one", epitopes=4)
        self.synthetic("two", epitopes=6)
        same = self.ok(["artifacts", "diff", "one.dataset", "one.dataset"], store=self.store).stdout
        text = self.ok(["artifacts", "diff", "one.dataset", "two.dataset"], store=self.store).stdout
        facts = [manifest(self.store, f"{name}.dataset")["facts"]["rows"] for name in ("one", "two")]
        self.assertEqual(facts, [1200, 1800])
        self.assertRegex(text, r"(?m)^rows +1200 +1800 +\+600$")
        self.assertRegex(text, r"(?m)^tcrs +300 +300 +\+0$")
        self.assertRegex(text, r"(?m)^epitopes +4 +6 +\+2$")
        new, old = ({row["Epitope"] for row in dataset(self.store, f"{name}.dataset")} for name in ("two", "one"))
        line = next(line for line in text.splitlines() if line.startswith("new epitopes"))
        self.assertEqual({epitope for epitope in new | old if epitope in line}, new - old)
        self.assertNotIn("What moved", same)


if __name__ == "__main__":
    product.main()
