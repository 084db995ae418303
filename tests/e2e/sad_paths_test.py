"""What users get wrong: exit status, message, and that nothing half-written stays."""

import json
import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, CONFIGURATION, FAILURE, INPUT, QUICKSTART, STAGES,  # noqa: E402
                     USAGE, prepared, read_table, run, write_table)


class Case(product.ProductCase):
    def examples(self):
        return read_table(product.named(prepared(), "quickstart.model") / "examples.csv")


class Predict(Case):
    """Input files of predict. The output must not appear, nor anything half-written beside it."""

    def predict(self, code, *parts, input, extra=(), store=None):
        output = self.folder / "out" / "scored.csv"
        output.parent.mkdir(exist_ok=True)
        self.fails(code, ["predict", "--model", "quickstart.model", "--input", input, "--output", output, *extra],
                   *parts, store=store or prepared())
        self.assertEqual(os.listdir(output.parent), [])

    def test_missing_file(self):
        self.predict(INPUT, "nowhere.csv", "No such file", "check the path", input=self.folder / "nowhere.csv")

    def test_folder(self):
        self.predict(INPUT, self.folder, "a folder, not a file", input=self.folder)

    def test_output_over_the_input(self):
        path = self.folder / "new.csv"
        path.write_bytes((product.named(prepared(), "quickstart.model") / "examples.csv").read_bytes())
        before = path.read_bytes()
        self.fails(USAGE, ["predict", "--model", "quickstart.model", "--input", path, "--output", path],
                   "would replace the input", store=prepared())
        self.assertEqual(path.read_bytes(), before)

    def test_path_that_is_too_long(self):
        long = self.folder / ("x" * 300)
        self.predict(INPUT, "cannot read", "too long", input=long)
        path = product.named(prepared(), "quickstart.model") / "examples.csv"
        self.fails(FAILURE, ["predict", "--model", "quickstart.model", "--input", path, "--output", long],
                   "cannot create", "too long", store=prepared())

    def test_links_in_a_ring(self):
        path = product.named(prepared(), "quickstart.model") / "examples.csv"
        ring = self.folder / "ring"
        ring.symlink_to("ring")
        self.fails(FAILURE, ["predict", "--model", "quickstart.model", "--input", path, "--output", ring],
                   "cannot create", "symbolic links", store=prepared())

    def test_empty_file(self):
        path = self.folder / "empty.csv"
        path.touch()
        self.predict(INPUT, path, "empty", "line of column names", input=path)

    def test_header_only(self):
        path = write_table(self.folder / "header.csv", self.examples()[:1])
        self.predict(INPUT, path, "only a header", input=path)

    def test_wrong_columns(self):
        rows = self.examples()
        rows[0][1] = "CDR3_betta"
        path = write_table(self.folder / "wrong.csv", rows)
        self.predict(INPUT, f"{path}:1:", '"CDR3_beta" is missing', 'rename "CDR3_betta"?', input=path)

    def test_column_twice(self):
        rows = [row + [row[1]] for row in self.examples()]
        path = write_table(self.folder / "twice.csv", rows)
        self.predict(INPUT, f"{path}:1:", '"CDR3_beta" stands twice', "keep one", input=path)

    def test_no_usable_row(self):
        rows = self.examples()
        for row in rows[1:]:
            row[0] = "CAX"
        path = write_table(self.folder / "none.csv", rows)
        self.predict(INPUT, path, "none of the 10 rows", "line 2: CDR3_alpha", "'X'", input=path)

    def test_quote_left_open(self):
        path = write_table(self.folder / "quote.csv", self.examples())
        path.write_text(path.read_text() + 'CA,"CAS\n')
        self.predict(INPUT, f"{path}:12:", "quote", input=path)

    def test_strict(self):
        rows = self.examples()
        rows[4][1] = "CASSXF"
        path = write_table(self.folder / "strict.csv", rows)
        self.predict(INPUT, f"{path}:5:", "CDR3_beta", "'X'", "nothing was written", "leave out --strict",
                     input=path, extra=["--strict"])

    def test_letters_outside_the_alphabet(self):
        rows = self.examples()
        rows[4][1] = "CASSXF"
        rows[6][0] = "cavf"
        rows[8][2] = "TRAV~"
        path = write_table(self.folder / "letters.csv", rows)
        output = self.folder / "scored.csv"
        done = self.ok(["predict", "--model", "quickstart.model", "--input", path, "--output", output],
                       store=prepared())
        self.assertIn("warning: 3 of 10 rows have no score", done.stderr)
        self.assertIn("line 5: CDR3_beta: letter 'X'", done.stderr)
        scored = product.brief(read_table(output))
        self.assertEqual(scored[0], rows[0] + ["score", "call", "problem"])
        self.assertEqual([row[:-3] for row in scored], rows)
        for place, row in enumerate(scored[1:], 1):
            problem = {4: "CDR3_beta: letter 'X'", 6: "CDR3_alpha: letter 'c'",
                       8: "V_alpha: IMGT knows no human V gene"}.get(place)
            if problem:
                self.assertEqual(row[-3:-1], ["", ""])
                self.assertIn(problem, row[-1])
            else:
                self.assertTrue(0 <= float(row[-3]) <= 1 and row[-2] in "01" and row[-1] == "", row)

    def test_output_that_cannot_be_written(self):
        path = product.named(prepared(), "quickstart.model") / "examples.csv"
        base = ["predict", "--model", "quickstart.model", "--input", path, "--output"]
        self.fails(FAILURE, [*base, self.folder / "no" / "x.csv"], "x.csv", "check the path", store=prepared())
        target = self.folder / "taken"
        target.mkdir()
        self.fails(FAILURE, [*base, target], "taken", store=prepared())
        self.assertEqual(os.listdir(self.folder), ["taken"])

    def test_old_output_survives_a_failure(self):
        output = self.folder / "scored.csv"
        output.write_text("old")
        rows = self.examples()
        rows[4][1] = "CASSXF"
        path = write_table(self.folder / "strict.csv", rows)
        self.fails(INPUT, ["predict", "--strict", "--model", "quickstart.model", "--input", path, "--output", output],
                   store=prepared())
        self.assertEqual(output.read_text(), "old")
        self.assertEqual(sorted(os.listdir(self.folder)), ["scored.csv", "strict.csv"])

    def test_unknown_model(self):
        self.fails(ARTIFACT, ["predict", "--model", "quikstart.model", "--input", "x"], 'no artifact "quikstart.model"',
                   'did you mean "quickstart.model"', "artifacts ls", store=prepared())
        self.fails(ARTIFACT, ["predict", "--model", "quickstart.dataset", "--input", "x"], "not a model",
                   store=prepared())

    def test_no_store(self):
        self.fails(ARTIFACT, ["predict", "--model", "a", "--input", "x"], self.store, "no store", "--store",
                   store=self.store)
        self.assertFalse(self.store.exists())


class SourceFile(Case):
    """Source "file" through fetch and preprocess."""

    def settings(self, path, *more):
        words = ["--config", product.CONFIGS / "quickstart.json"]
        for setting in ("fetch.source=file", f"fetch.file={path}", *more):
            words += ["--set", setting]
        return words

    def table(self):
        return read_table(product.named(prepared(), "quickstart.raw") / "table.csv")

    def preprocess(self, code, path, *parts, more=()):
        self.fails(code, ["preprocess", *self.settings(path, *more)], path, *parts, store=self.store)
        # A failing draft leaves nothing that a later command keeps.
        self.assertEqual(product.leftovers(self.store), [])
        self.assert_verifies(self.store)

    def test_missing_file(self):
        self.preprocess(INPUT, self.folder / "nowhere.csv", "fetch.file", "No such file", "check the path")

    def test_folder(self):
        self.preprocess(INPUT, self.folder, "fetch.file", "check the path")

    def test_no_file_named(self):
        self.fails(CONFIGURATION, ["fetch", "--config", product.CONFIGS / "quickstart.json", "--set",
                                   "fetch.source=file"], "fetch.file", "--set fetch.file=PATH", store=self.store)
        self.assertFalse(self.store.exists())

    def test_empty_file(self):
        path = self.folder / "empty.csv"
        path.touch()
        self.preprocess(INPUT, path, "the file is empty", "column names")

    def test_header_only(self):
        self.preprocess(INPUT, write_table(self.folder / "header.csv", self.table()[:1]), "no row follows")

    def test_wrong_columns(self):
        rows = self.table()
        rows[0][0] = "CDR3alpha"
        path = write_table(self.folder / "wrong.csv", rows)
        self.preprocess(INPUT, path, f"{path}:1:", '"CDR3_alpha" is missing', 'rename "CDR3alpha"?')

    def test_rows_that_repeat_or_contradict(self):
        rows = self.table()
        other = rows[1][:-1] + ["0" if rows[1][-1] == "1" else "1"]
        path = write_table(self.folder / "twice.csv", [*rows, rows[2], other])
        # Of a contradiction the negative goes, whichever stands first.
        negative = 1 if rows[1][-1] == "0" else len(rows) + 1
        for repeats, action, kept in (("drop", "refused", len(rows) - 1), ("keep", "noticed", len(rows) + 1)):
            store = self.folder / repeats
            done = self.ok(["preprocess", *self.settings(path, f"preprocess.repeats={repeats}"), "--json"], store=store)
            facts = json.loads(done.stdout)["facts"]
            self.assertEqual((facts["rows"], facts["repeated_rows"], facts["contradicting_rows"]), (kept, 1, 1))
            report = read_table(product.named(store, "quickstart.dataset") / "cleaning.csv")
            self.assertEqual(sorted(row[1:5] for row in report[1:]),
                             sorted([[str(negative + 1), action, "", "contradiction"],
                                     [str(len(rows) + 1), action, "", "repeat"]]))

    def test_no_labels(self):
        rows = [row[:-1] for row in self.table()]
        path = write_table(self.folder / "labels.csv", rows)
        self.preprocess(INPUT, path, f"{path}:1:", '"Label" is missing')

    def test_one_class_only(self):
        rows = self.table()
        for row in rows[1:]:
            row[-1] = "0"
        path = write_table(self.folder / "negatives.csv", rows)
        done = run(["preprocess", *self.settings(path)], store=self.store)
        self.assertEqual(done.returncode, INPUT, done.stderr)
        self.assertIn("0 positive", done.stderr)
        self.assertEqual(product.leftovers(self.store), [])

    def test_letters_outside_the_alphabet(self):
        rows = self.table()
        rows[3][0] = "CAX"
        rows[7][1] = "CASS*F"
        rows[9][-1] = "perhaps"
        rows[11] = rows[11][:-1]
        rows[13][2] = "TRAV" * 75
        path = write_table(self.folder / "letters.csv", rows)
        done = self.ok(["preprocess", "--json", *self.settings(path)], store=self.store)
        self.assertIn("warning: 5 refusals and 0 changes in 1200 rows", done.stderr)
        self.assertIn("refused CDR3_alpha: cdr3-letter: 1 times, first in line 4: letter 'X'", done.stderr)
        facts = json.loads(done.stdout)["facts"]
        self.assertEqual((facts["rows"], facts["refused"]), (1195, 5))
        folder = product.named(self.store, "quickstart.dataset")
        refused = read_table(folder / "cleaning.csv")
        self.assertEqual(refused[0], ["file", "line", "action", "field", "code", "reason"])
        self.assertEqual([row[:4] for row in refused[1:]],
                         [["table.csv", line, "refused", field] for line, field in (
                             ("4", "CDR3_alpha"), ("8", "CDR3_beta"), ("10", "Label"), ("12", ""), ("14", "V_alpha"))])
        kept = [row for place, row in enumerate(rows) if place not in (3, 7, 9, 11, 13)]
        self.assertEqual([row[:10] for row in read_table(folder / "table.csv")], kept)
        strict = self.folder / "strict"
        self.fails(INPUT, ["preprocess", *self.settings(path, "preprocess.strict=true")], "5 refusals",
                   "CDR3_alpha: cdr3-letter", "mend these rows", store=strict)
        self.assertEqual(list(product.names(strict)), ["quickstart.raw"])
        self.assertEqual(product.leftovers(strict), [])


class Configuration(Case):
    def config(self, text, *parts, code=CONFIGURATION, env=None, extra=()):
        path = self.folder / "own.json"
        path.write_text(text)
        for command in ("config validate", "run"):
            store = [] if command != "run" else ["--store", self.store]
            self.fails(code, [*command.split(), "--config", path, *extra, *store],
                       *(str(part).replace("FILE", str(path)) for part in parts), env=env)
            self.assertFalse(self.store.exists())

    def test_unknown_key(self):
        self.config('{\n  // learning\n  "train": {\n    "epoch": 3}\n}', "FILE:4:5: train.epoch: unknown key",
                    'did you mean "epochs"')

    def test_unknown_section(self):
        self.config('{"seed": 1,\n "trian": {"epochs": 3}}', "FILE:2:2: trian: unknown key", 'did you mean "train"')

    def test_wrong_type(self):
        self.config('{"train": {"epochs": "many"}}', "FILE:1:12: train.epochs: must be a whole number", '"many"')
        self.config('{"train": {"epochs": 1.5}}', "FILE:1:12: train.epochs: must be a whole number, not 1.5")
        self.config('{"tune": {"models": "mlp_small"}}', "FILE:1:11: tune.models: must be a list of texts")
        self.config('{"train": 3}', "FILE:1:2: train: must be an object")
        self.config("[]", "FILE:1:1:", "must be a JSON object")

    def test_out_of_range(self):
        self.config('{"train": {\n"epochs": -1}}', "FILE:2:1: train.epochs: -1 is out of range", "at least 0")
        self.config('{"preprocess": {"test_fraction": 1}}', "test_fraction: 1 is out of range", "at most 0.9")
        self.config('{"train": {"learning_rate": 0}}', "learning_rate: 0 is out of range", "above 0")

    def test_unknown_choice(self):
        self.config('{"tune": {"sampler": "tpr"}}', 'FILE:1:11: tune.sampler: "tpr" is not one of tpe, random',
                    'did you mean "tpe"')
        self.config('{"tune": {"models": ["mlp_smal"]}}', 'tune.models: "mlp_smal"', 'did you mean "mlp_small"')

    def test_bad_json(self):
        self.config('{\n  "seed": 1\n  "name": "x"\n}', "FILE:3:", "not valid JSON")
        self.config('{"seed": 1', "FILE:1:", "not valid JSON")
        self.config('{"seed": 1} x', "FILE:1:13", "not valid JSON")

    def test_duplicate_key(self):
        self.config('{"seed": 1,\n  "seed": 2}', "FILE:2:3: seed: given twice", "keep one")
        self.config('{"train": {"epochs": 1, "epochs": 2}}', "FILE:1:25: train.epochs: given twice")

    def test_no_file(self):
        self.fails(CONFIGURATION, ["run", "--config", self.folder / "no.json"], "no.json", "check the path",
                   store=self.store)
        self.fails(CONFIGURATION, ["run", "--config", self.folder], self.folder, "check the path", store=self.store)
        self.assertFalse(self.store.exists())

    def test_empty_file(self):
        self.config("", "FILE: the file is empty", "configs/")
        self.config(" \n", "FILE: the file is empty")

    def test_bad_set(self):
        def bad(setting, *parts, code=CONFIGURATION):
            self.fails(code, ["run", "--config", product.CONFIGS / "quickstart.json", "--set", setting], "--set",
                       *parts, store=self.store)
            self.assertFalse(self.store.exists())
        bad("train.epochs", "section.key=value", code=USAGE)
        bad("train.epoch=3", "train.epoch: unknown key", 'did you mean "train.epochs"')
        bad("trian.epochs=3", "trian.epochs: unknown key", 'did you mean "train.epochs"')
        bad("train.epochs=many", "train.epochs: must be a whole number")
        bad("train.epochs=-1", "train.epochs: -1 is out of range")
        bad("sed=0", "sed: unknown key", 'did you mean "seed"')

    def test_bad_environment_variable(self):
        self.config("{}", "environment variable TCROPS_TRAIN_EPOCHS:", "train.epochs: -1 is out of range",
                    env={"TCROPS_TRAIN_EPOCHS": "-1"})
        self.config("{}", "environment variable TCROPS_TRAIN_EPOCH:", "no such setting",
                    'did you mean "TCROPS_TRAIN_EPOCHS"',
                    env={"TCROPS_TRAIN_EPOCH": "1"})

    def test_what_no_single_value_shows(self):
        self.config('{"tune": {"learning_rate_min": 0.5}}', "learning_rate_min", "above", "learning_rate_max",
                    "exchange")
        self.config('{"tune": {"epochs_min": 30}}', "epochs_min", "above", "epochs_max", "exchange")
        self.config('{"preprocess": {"validation_fraction": 0.5, "test_fraction": 0.5}}', "validation_fraction",
                    "test_fraction")
        self.config('{"preprocess": {"features": []}}', "preprocess.features", "at least one")
        self.config('{"tune": {"models": []}}', "tune.models", "at least one")
        self.config('{"name": "a/b"}', "name", '"a/b"', "letters")
        self.config('{"name": ""}', "name")

    def test_device(self):
        for command in ("train", "serve-check", "predict", "run"):
            self.fails(CONFIGURATION, [command, *QUICKSTART, "--device", "tpu"], 'device "tpu" is not known', '"cpu"',
                       store=self.copy())
        self.fails(CONFIGURATION, ["serve-check", "--model", "quickstart.model", "--device", "tpu"], '"tpu"',
                   store=prepared())

    def test_cuda_without_a_device(self):
        device = "cuda:255"  # nobody has so many
        examples = product.named(prepared(), "quickstart.model") / "examples.csv"
        for args in (["train", *QUICKSTART], ["run", *QUICKSTART], ["serve-check", *QUICKSTART],
                     ["predict", *QUICKSTART], ["predict", *QUICKSTART, "--input", examples],
                     ["serve-check", "--model", "quickstart.model"],
                     ["predict", "--model", "quickstart.model", "--input", examples]):
            for wanted in (device,) if os.path.exists("/dev/nvidia0") else (device, "cuda"):
                with self.subTest(args=args[:2], device=wanted):
                    store = self.copy()
                    before = product.ids(store)
                    self.fails(FAILURE, [*args, "--device", wanted], f'device "{wanted}"', '"cpu"', store=store)
                    self.assertEqual(product.ids(store), before)


class Usage(Case):
    def test_unknown_command(self):
        self.fails(USAGE, ["trian"], 'unknown command "trian"', 'did you mean "train"', "--help")
        self.fails(USAGE, [], "no command given", "--help")

    def test_missing_config(self):
        for command in ("run", "fetch", "preprocess", "tune", "train", "config validate"):
            self.fails(USAGE, command.split(), "--config", "required", "--help")
        for command in ("predict", "serve-check", "evaluate"):
            self.fails(USAGE, [command], "--model MODEL", "--config FILE")
        self.fails(USAGE, ["predict", "--model", "a"], "--input FILE", store=prepared())
        self.fails(USAGE, ["artifacts", "show"], "artifact", "required")

    def test_unknown_option(self):
        self.fails(USAGE, ["run", "--config", "x", "--sets", "a=b"], "--sets", "--help")
        self.fails(USAGE, ["artifacts"], "--help")
        self.fails(USAGE, ["serve-check", "--model", "a", "--requests", "0"], "--requests", store=prepared())

    def test_options_that_have_no_meaning_here(self):
        self.fails(USAGE, ["predict", *QUICKSTART, "--output", "x.csv"], "--input FILE",
                   store=prepared(), cwd=self.folder)
        self.fails(USAGE, ["predict", *QUICKSTART, "--strict"], "--input FILE", store=prepared())
        self.assertEqual(os.listdir(self.folder), [])

    def test_require_inputs(self):
        for stage in STAGES[1:]:
            with self.subTest(stage=stage):
                self.fails(ARTIFACT, [stage, *QUICKSTART, "--require-inputs"], "no result of stage fetch",
                           "run `tcrops fetch`", "--require-inputs", store=self.store)
                self.assertEqual(product.ids(self.store), [])


if __name__ == "__main__":
    product.main()
