"""Everything that goes wrong for a user: exit status, message, and what is left behind."""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, CONFIGURATION, FAILURE, INPUT, OK, PROGRAM, QUICKSTART, TEMPORARY,  # noqa: E402
                     USAGE, run)

PREPARED = None
STAGES = ("fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict")


def setUpModule():
    global PREPARED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-sad-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    PREPARED = product.prepare_store(folder)


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


class Case(product.ProductCase):
    def fails(self, code, args, *parts, stdout="", **options):
        """Runs; requires the exit status, every part in stderr, one error line, and no result on stdout."""
        done = run(args, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, stdout)
        self.assertIn("error: ", done.stderr)
        self.assertNotIn("internal error", done.stderr)
        for part in parts:
            self.assertIn(str(part), done.stderr)
        return done

    def examples(self):
        return read_rows(product.named(PREPARED, "quickstart.model") / "examples.csv")


class Predict(Case):
    """Input files of predict. The output must not appear, nor anything half-written beside it."""

    def predict(self, code, *parts, input, extra=(), store=None):
        output = self.folder / "out" / "scored.csv"
        output.parent.mkdir(exist_ok=True)
        self.fails(code, ["predict", "--model", "quickstart.model", "--input", input, "--output", output, *extra],
                   *parts, store=store or PREPARED)
        self.assertEqual(os.listdir(output.parent), [])

    def test_missing_file(self):
        self.predict(INPUT, "nowhere.csv", "No such file", "check the path", input=self.folder / "nowhere.csv")

    def test_folder(self):
        self.predict(INPUT, self.folder, "a folder, not a file", input=self.folder)

    def test_empty_file(self):
        path = self.folder / "empty.csv"
        path.touch()
        self.predict(INPUT, path, "empty", "header line", input=path)

    def test_header_only(self):
        path = write_rows(self.folder / "header.csv", self.examples()[:1])
        self.predict(INPUT, path, "only a header", input=path)

    def test_wrong_columns(self):
        rows = self.examples()
        rows[0][1] = "CDR3_betta"
        path = write_rows(self.folder / "wrong.csv", rows)
        self.predict(INPUT, f"{path}:1:", '"CDR3_beta" is missing', 'rename "CDR3_betta"?', input=path)

    def test_column_twice(self):
        rows = [row + [row[1]] for row in self.examples()]
        path = write_rows(self.folder / "twice.csv", rows)
        self.predict(INPUT, f"{path}:1:", '"CDR3_beta" stands twice', "keep one", input=path)

    def test_no_usable_row(self):
        rows = self.examples()
        for row in rows[1:]:
            row[0] = "CAX"
        path = write_rows(self.folder / "none.csv", rows)
        self.predict(INPUT, path, "none of the 10 rows", "line 2: CDR3_alpha", "'X'", input=path)

    def test_quote_left_open(self):
        path = write_rows(self.folder / "quote.csv", self.examples())
        path.write_text(path.read_text() + 'CA,"CAS\n')
        self.predict(INPUT, f"{path}:12:", "quote", input=path)

    def test_strict(self):
        rows = self.examples()
        rows[4][1] = "CASSXF"
        path = write_rows(self.folder / "strict.csv", rows)
        self.predict(INPUT, f"{path}:5:", "CDR3_beta", "'X'", "nothing was written", "leave out --strict",
                     input=path, extra=["--strict"])

    def test_letters_outside_the_alphabet(self):
        rows = self.examples()
        rows[4][1] = "CASSXF"
        rows[6][0] = "cavf"
        rows[8][2] = "TRAV~"
        path = write_rows(self.folder / "letters.csv", rows)
        output = self.folder / "scored.csv"
        done = self.ok(["predict", "--model", "quickstart.model", "--input", path, "--output", output], store=PREPARED)
        self.assertIn("warning: 3 of 10 rows have no score", done.stderr)
        self.assertIn("line 5: CDR3_beta: letter 'X'", done.stderr)
        scored = read_rows(output)
        self.assertEqual(scored[0], rows[0] + ["score", "call", "problem"])
        self.assertEqual([row[:10] for row in scored], rows)
        for place, row in enumerate(scored[1:], 1):
            problem = {4: "CDR3_beta: letter 'X'", 6: "CDR3_alpha: letter 'c'", 8: "V_alpha: letter '~'"}.get(place)
            if problem:
                self.assertEqual(row[10:12], ["", ""])
                self.assertIn(problem, row[12])
            else:
                self.assertTrue(0 <= float(row[10]) <= 1 and row[11] in "01" and row[12] == "", row)

    def test_output_that_cannot_be_written(self):
        path = product.named(PREPARED, "quickstart.model") / "examples.csv"
        base = ["predict", "--model", "quickstart.model", "--input", path, "--output"]
        self.fails(FAILURE, [*base, self.folder / "no" / "x.csv"], "x.csv", "check the path", store=PREPARED)
        target = self.folder / "taken"
        target.mkdir()
        self.fails(FAILURE, [*base, target], "taken", store=PREPARED)
        self.assertEqual(os.listdir(self.folder), ["taken"])

    def test_old_output_survives_a_failure(self):
        output = self.folder / "scored.csv"
        output.write_text("old")
        rows = self.examples()
        rows[4][1] = "CASSXF"
        path = write_rows(self.folder / "strict.csv", rows)
        self.fails(INPUT, ["predict", "--strict", "--model", "quickstart.model", "--input", path, "--output", output],
                   store=PREPARED)
        self.assertEqual(output.read_text(), "old")
        self.assertEqual(sorted(os.listdir(self.folder)), ["scored.csv", "strict.csv"])

    def test_unknown_model(self):
        self.fails(ARTIFACT, ["predict", "--model", "quikstart.model", "--input", "x"], 'no artifact "quikstart.model"',
                   'did you mean "quickstart.model"', "artifacts ls", store=PREPARED)
        self.fails(ARTIFACT, ["predict", "--model", "quickstart.dataset", "--input", "x"], "not a model", store=PREPARED)

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
        return read_rows(product.named(PREPARED, "quickstart.raw") / "table.csv")

    def preprocess(self, code, path, *parts, more=()):
        self.fails(code, ["preprocess", *self.settings(path, *more)], path, *parts, store=self.store)
        # A failing draft leaves nothing that a later command keeps.
        self.assertEqual(product.leftovers(self.store), [])
        self.assert_verifies(self.store)

    def test_missing_file(self):
        self.preprocess(INPUT, self.folder / "nowhere.csv", "fetch.file", "no such file", "check the path")

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
        self.preprocess(INPUT, write_rows(self.folder / "header.csv", self.table()[:1]), "no row follows")

    def test_wrong_columns(self):
        rows = self.table()
        rows[0][0] = "CDR3alpha"
        path = write_rows(self.folder / "wrong.csv", rows)
        self.preprocess(INPUT, path, f"{path}:1:", '"CDR3_alpha" is missing', 'rename "CDR3alpha"?')

    def test_no_labels(self):
        rows = [row[:-1] for row in self.table()]
        path = write_rows(self.folder / "labels.csv", rows)
        self.preprocess(INPUT, path, f"{path}:1:", '"Label" is missing')

    def test_one_class_only(self):
        rows = self.table()
        for row in rows[1:]:
            row[-1] = "0"
        path = write_rows(self.folder / "negatives.csv", rows)
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
        path = write_rows(self.folder / "letters.csv", rows)
        done = self.ok(["preprocess", "--json", *self.settings(path)], store=self.store)
        self.assertIn("warning: 4 of 1200 rows refused", done.stderr)
        self.assertIn("line 4: CDR3_alpha: letter 'X'", done.stderr)
        facts = json.loads(done.stdout)["facts"]
        self.assertEqual((facts["rows"], facts["refused"]), (1196, 4))
        folder = product.named(self.store, "quickstart.dataset")
        refused = read_rows(folder / "refused.csv")
        self.assertEqual(refused[0], ["line", "field", "reason"])
        self.assertEqual([row[:2] for row in refused[1:]],
                         [["4", "CDR3_alpha"], ["8", "CDR3_beta"], ["10", "Label"], ["12", ""]])
        kept = [row for place, row in enumerate(rows) if place not in (3, 7, 9, 11)]
        self.assertEqual(read_rows(folder / "table.csv"), kept)
        strict = self.folder / "strict"
        self.fails(INPUT, ["preprocess", *self.settings(path, "preprocess.strict=true")], "4 of 1200 rows refused",
                   "line 4: CDR3_alpha", "mend these rows", store=strict)
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
        self.config('{"train": {\n"epochs": 0}}', "FILE:2:1: train.epochs: 0 is out of range", "at least 1")
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
        bad("train.epoch=3", "train.epoch: unknown key", 'did you mean "epochs"')
        bad("trian.epochs=3", 'unknown section "trian"', 'did you mean "train"')
        bad("train.epochs=many", "train.epochs: must be a whole number")
        bad("train.epochs=0", "train.epochs: 0 is out of range")
        bad("seeds=0", "seeds: unknown key", 'did you mean "seed"')

    def test_bad_environment_variable(self):
        self.config("{}", "environment variable TCROPS_TRAIN_EPOCHS:", "train.epochs: 0 is out of range",
                    env={"TCROPS_TRAIN_EPOCHS": "0"})
        self.config("{}", "environment variable TCROPS_TRAIN_EPOCH:", "unknown key", 'did you mean "epochs"',
                    env={"TCROPS_TRAIN_EPOCH": "1"})

    def test_what_no_single_value_shows(self):
        self.config('{"tune": {"learning_rate_min": 0.5}}', "learning_rate_min", "above", "learning_rate_max", "exchange")
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
                   store=PREPARED)

    def copy(self):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(PREPARED, self.store)
        return self.store

    def test_cuda_without_a_device(self):
        device = "cuda:255"  # nobody has so many
        examples = product.named(PREPARED, "quickstart.model") / "examples.csv"
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
        for command in ("run", "fetch", "preprocess", "tune", "train", "evaluate", "config validate"):
            self.fails(USAGE, command.split(), "--config", "required", "--help")
        for command in ("predict", "serve-check"):
            self.fails(USAGE, [command], "--model NAME", "--config FILE")
        self.fails(USAGE, ["predict", "--model", "a"], "--input FILE", store=PREPARED)
        self.fails(USAGE, ["artifacts", "show"], "artifact", "required")

    def test_unknown_option(self):
        self.fails(USAGE, ["run", "--config", "x", "--sets", "a=b"], "--sets", "--help")
        self.fails(USAGE, ["artifacts"], "--help")
        self.fails(USAGE, ["serve-check", "--model", "a", "--requests", "0"], "--requests", store=PREPARED)

    def test_options_that_have_no_meaning_here(self):
        self.fails(USAGE, ["predict", *QUICKSTART, "--output", "x.csv"], "--input FILE", store=PREPARED, cwd=self.folder)
        self.fails(USAGE, ["predict", *QUICKSTART, "--strict"], "--input FILE", store=PREPARED)
        self.assertEqual(os.listdir(self.folder), [])

    def test_require_inputs(self):
        for stage in STAGES[1:]:
            with self.subTest(stage=stage):
                self.fails(ARTIFACT, [stage, *QUICKSTART, "--require-inputs"], "no result of stage fetch",
                           "run `tcrops fetch`", "--require-inputs", store=self.store)
                self.assertEqual(product.ids(self.store), [])


class Store(Case):
    def test_below_a_regular_file(self):
        blocker = self.folder / "file"
        blocker.write_text("mine")
        for store in (blocker, blocker / "store"):
            self.fails(FAILURE, ["run", *QUICKSTART], store, "Not a directory", "check the path", store=store)
            self.fails(ARTIFACT, ["artifacts", "ls"], store, "no store", store=store)
        self.assertEqual(blocker.read_text(), "mine")

    def test_another_folder(self):
        mine = self.folder / "mine"
        mine.mkdir()
        (mine / "thesis.txt").write_text("mine")
        self.fails(ARTIFACT, ["run", *QUICKSTART], mine, "not a tcrops store", "thesis.txt", "--store", store=mine)
        self.assertEqual(os.listdir(mine), ["thesis.txt"])

    def test_newer_format(self):
        shutil.copytree(PREPARED, self.store)
        (self.store / "FORMAT").write_text("tcrops-store 99\n")
        for args in (["run", *QUICKSTART], ["artifacts", "ls"]):
            self.fails(ARTIFACT, args, self.store, "tcrops-store 99", "version", store=self.store)

    def test_read_only_file_system(self):
        namespace = product.namespace()
        script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
        shutil.copytree(PREPARED, self.store)
        before = product.tree_digest(self.store)

        def read_only(code, args, *parts):
            words = [*namespace, "sh", "-c", script, "sh", self.folder, PROGRAM, *args, "--store"]
            done = subprocess.run([str(word) for word in [*words, self.store if code != 9 else self.folder / "new"]],
                                  env=product.environment(), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, code if code != 9 else FAILURE, done.stderr)
            for part in parts:
                self.assertIn(part, done.stderr)

        read_only(9, ["run", *QUICKSTART], "Read-only file system", "permissions", "--store")
        read_only(FAILURE, ["run", *QUICKSTART, "--set", "seed=7"], "Read-only file system", "--store")
        # What only reads works there.
        read_only(OK, ["artifacts", "ls"])
        read_only(OK, ["artifacts", "verify"])
        read_only(OK, ["serve-check", "--model", "quickstart.model"])
        read_only(OK, ["predict", "--model", "quickstart.model", "--input",
                       product.named(self.store, "quickstart.model") / "examples.csv"])
        self.assertEqual(product.tree_digest(self.store), before)

    if os.geteuid() != 0:  # root may write everywhere; the read-only file system stands in for this
        def test_no_permission(self):
            self.folder.chmod(0o555)
            self.addCleanup(self.folder.chmod, 0o755)
            self.fails(FAILURE, ["run", *QUICKSTART], self.store, "permissions", "--store", store=self.store)


class FullDisk(Case):
    def test_every_stage(self):
        """Each stage gets a full disk, then little by little more space until it fits."""
        words = [*product.namespace(), sys.executable, "-B", __file__, "--full-disk", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(list(report["stages"]), list(STAGES))
        for stage, attempts in report["stages"].items():
            with self.subTest(stage=stage):
                self.assertEqual(attempts[0]["code"], TEMPORARY, attempts[0]["stderr"])
                self.assertEqual(attempts[-1]["code"], OK, attempts[-1]["stderr"])
                self.assertEqual(attempts[-1]["leftovers"], [])
                for attempt in attempts[:-1]:
                    self.assertEqual(attempt["code"], TEMPORARY, attempt["stderr"])
                    self.assertIn("No space left on device", attempt["stderr"])
                    self.assertIn("free some space and run the same command again", attempt["stderr"])
                    half = [name for name in attempt["leftovers"] if name.split("/")[0] != "work"]
                    self.assertEqual(half, [])
                for attempt in attempts:
                    self.assertEqual(attempt["verify"], "", attempt)
        self.assertGreater(sum(len(attempts) for attempts in report["stages"].values()), 3 * len(STAGES))
        self.assertEqual(report["digest"], product.tree_digest(PREPARED))

    def test_output_of_predict(self):
        words = [*product.namespace(), "sh", "-c",
                 'mount -t tmpfs -o size=4k tmpfs "$0" && "$@"; echo "code $?"; ls -A "$0"', self.folder, PROGRAM,
                 "predict", "--store", PREPARED, "--model", "quickstart.model", "--input",
                 product.named(PREPARED, "quickstart.raw") / "table.csv", "--output", self.folder / "scored.csv"]
        done = subprocess.run([str(word) for word in words], env=product.environment(), capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, f"code {TEMPORARY}\n", done.stderr)
        self.assertIn("free some space", done.stderr)


def full_disk(folder):
    """Runs in a mount namespace of its own. Prints what each stage did with how much space."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    store = disk / "store"

    def resize(extra):
        status = os.statvfs(disk)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + extra}", str(disk)], check=True)

    report = {}
    for stage in STAGES:
        report[stage] = []
        for extra in (4 * 1024 * k for k in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 16384)):
            resize(max(extra, 4096 if not store.exists() else 0))
            done = run([stage, *QUICKSTART], store=store)
            if (store / "FORMAT").exists():
                verified = run(["artifacts", "verify"], store=store)
                verify = "" if verified.returncode == OK else verified.stdout + verified.stderr
            else:
                verify = ""
            left = product.leftovers(store) if store.exists() else []
            report[stage].append({"extra": extra, "code": done.returncode, "stderr": done.stderr, "verify": verify,
                                  "leftovers": left})
            if done.returncode != TEMPORARY:
                break
        resize(64 * 1024 * 1024)
    print(json.dumps({"stages": report, "digest": product.tree_digest(store)}))


class Output(Case):
    """A result that does not reach its reader is an error."""

    COMMANDS = (["--help"], ["--version"], ["train", "--help"], ["config", "schema"], ["artifacts", "ls"],
                ["artifacts", "verify"], ["artifacts", "show", "quickstart.model"], ["run", *QUICKSTART],
                ["serve-check", "--model", "quickstart.model"])

    def setUp(self):
        super().setUp()
        shutil.copytree(PREPARED, self.store)
        examples = product.named(PREPARED, "quickstart.model") / "examples.csv"
        self.commands = [*self.COMMANDS, ["predict", "--model", "quickstart.model", "--input", examples]]
        self.environment = product.environment({"TCROPS_STORE": str(self.store)})

    def each(self, code_of, **options):
        for args in self.commands:
            with self.subTest(args=args[:3]):
                done = subprocess.run(product.command(args), env=self.environment, stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True, check=False, **options)
                self.assertIn(done.returncode, code_of, done.stderr)
                self.assertIn("stdout", done.stderr)
                self.assertIn("error: ", done.stderr)
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])

    def test_full(self):
        with open("/dev/full", "wb") as full:
            self.each((FAILURE, TEMPORARY), stdout=full)

    def test_closed(self):
        self.each((FAILURE,), preexec_fn=lambda: os.close(1))

    def test_closed_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.each((FAILURE,), stdout=writer)
        finally:
            os.close(writer)

    def test_reader_that_leaves(self):
        rows = read_rows(product.named(PREPARED, "quickstart.raw") / "table.csv")
        many = write_rows(self.folder / "many.csv", rows[:1] + rows[1:] * 20)
        script = 'set -o pipefail; "$0" predict --model quickstart.model --input "$1" | head -1'
        done = subprocess.run(["bash", "-c", script, PROGRAM, str(many)], env=self.environment, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, FAILURE, done.stderr)
        self.assertEqual(done.stdout, ",".join(rows[0] + ["score", "call", "problem"]) + "\n")
        self.assertIn("cannot write stdout: Broken pipe", done.stderr)

    def test_nothing_open(self):
        """Files that are opened must not take the places of closed standard streams."""
        store = self.folder / "fresh"
        done = subprocess.run(product.command(["run", *QUICKSTART], store), env=product.environment(), check=False,
                              preexec_fn=lambda: [os.close(number) for number in (0, 1, 2)])
        self.assertEqual(done.returncode, FAILURE)
        self.assert_verifies(store)
        self.assert_same_artifacts(store, PREPARED)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--full-disk"]:
        full_disk(pathlib.Path(sys.argv[2]))
    else:
        product.main()
