"""What scripts may rely on: help, stdout and stderr, JSON, reuse, predict's table, and what serve-check refuses."""

import csv
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CHECK_FAILED, OK, PROGRAM, QUICKSTART, USAGE, run  # noqa: E402

PREPARED = None
STAGES = ("fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict")
KINDS = ("raw", "dataset", "study", "model", "evaluation", "check", "predictions")
COMMANDS = {
    "run": ["--config", "--set", "--store", "--device", "--jobs", "--mirror"],
    "fetch": ["--config", "--set", "--store", "--mirror", "--require-inputs", "--force"],
    "preprocess": ["--config", "--set", "--store", "--require-inputs", "--force"],
    "tune": ["--config", "--set", "--store", "--trials", "--jobs", "--device", "--require-inputs", "--force"],
    "train": ["--config", "--set", "--store", "--device", "--require-inputs", "--force"],
    "evaluate": ["--config", "--set", "--store", "--device", "--require-inputs", "--force"],
    "serve-check": ["--model", "--device", "--requests", "--max-p99-ms", "--config", "--set", "--store",
                    "--require-inputs"],
    "predict": ["--model", "--input", "--output", "--device", "--strict", "--config", "--set", "--store",
                "--require-inputs"],
    "artifacts ls": ["--store"],
    "artifacts show": ["--store", "artifact"],
    "artifacts verify": ["--store"],
    "config show": ["--config", "--set"],
    "config validate": ["--config", "--set"],
    "config schema": [],
}


def setUpModule():
    global PREPARED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-contract-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    PREPARED = product.prepare_store(folder)


def read_table(text, separator=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def write_table(path, rows, separator=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator, lineterminator="\n").writerows(rows)
    return path


class Case(product.ProductCase):
    def copy(self):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(PREPARED, self.store)
        return self.store


class Help(Case):
    def test_program(self):
        done = self.ok(["--help"])
        self.assertEqual(done.stderr, "")
        for command in COMMANDS:
            self.assertRegex(done.stdout, rf"\n  {command.split()[0]} +\w")
        self.assertIn("Exit status", done.stdout)
        version = self.ok(["--version"])
        self.assertRegex(version.stdout, r"^tcrops \d+\.\d+\.\d+ \(.+\)\n$")

    def test_commands(self):
        for command, options in COMMANDS.items():
            done = self.ok([*command.split(), "--help"])
            self.assertEqual(done.stderr, "")
            for option in [*options, "--json", "--quiet", "--verbose", "--help"]:
                self.assertIn(option, done.stdout, command)
            self.assertIn("Example: tcrops ", done.stdout)

    def test_starts_without_libtorch(self):
        store = ["--store", PREPARED]
        for args in (["--help"], ["--version"], ["run", "--help"], ["config", "schema"],
                     ["config", "show", *QUICKSTART], ["artifacts", "ls", *store], ["artifacts", "verify", *store],
                     ["fetch", *QUICKSTART, *store]):
            done = self.ok(args, env={"LD_DEBUG": "files"})
            self.assertIn("calling init", done.stderr)
            self.assertNotIn("torch", re.sub(re.escape(PROGRAM), "", done.stderr), args)
        done = self.ok(["serve-check", "--model", "quickstart.model", *store], env={"LD_DEBUG": "files"})
        self.assertIn("libtorch", done.stderr)


class Streams(Case):
    def commands(self):
        """Every command that gives a result, with its schema and what its JSON must hold."""
        examples = product.named(PREPARED, "quickstart.model") / "examples.csv"
        stage_keys = {"schema", "stage", "kind", "artifact", "path", "reused", "seconds", "facts"}
        yield ["run", *QUICKSTART], "tcrops.run/1", {"schema", "name", "stages"}
        for stage in STAGES:
            yield [stage, *QUICKSTART], "tcrops.stage/1", stage_keys
        yield (["predict", "--model", "quickstart.model", "--input", examples, "--output", self.folder / "scored.csv"],
               "tcrops.predict/1", {"schema", "rows", "called", "unusable", "output"})
        yield (["serve-check", "--model", "quickstart.model"], "tcrops.serve_check/1",
               {"schema", "passed", "checks", "latency"})
        yield ["artifacts", "ls"], "tcrops.artifacts/1", {"schema", "artifacts"}
        yield ["artifacts", "show", "quickstart.study"], "tcrops.artifact/1", {"schema", "id", "path", "manifest"}
        yield ["artifacts", "verify"], "tcrops.verify/1", {"schema", "artifacts", "problems"}
        yield ["config", "show", *QUICKSTART], "tcrops.config/1", {"schema", "configuration", "origins"}
        yield ["config", "validate", *QUICKSTART], "tcrops.config_validate/1", {"schema", "valid"}

    def test_json(self):
        store = self.copy()
        environment = {"TCROPS_STORE": str(store)}
        for args, schema, keys in self.commands():
            with self.subTest(args=args[:2]):
                document = json.loads(self.ok([*args, "--json"], env=environment).stdout)
                self.assertEqual(document["schema"], schema)
                self.assertEqual(set(document), keys)
        document = json.loads(self.ok(["run", *QUICKSTART, "--json"], store=store).stdout)
        self.assertEqual([(stage["stage"], stage["kind"]) for stage in document["stages"]], list(zip(STAGES, KINDS)))
        for stage in document["stages"]:
            self.assertTrue((pathlib.Path(stage["path"]) / "manifest.json").is_file())

    def test_failed_check_as_json(self):
        done = run(["serve-check", "--model", "quickstart.model", "--max-p99-ms", "0.000001", "--json"], store=PREPARED)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        document = json.loads(done.stdout)
        self.assertFalse(document["passed"])
        self.assertEqual([check["name"] for check in document["checks"] if not check["passed"]], ["latency"])

    def test_json_needs_stdout_for_itself(self):
        examples = product.named(PREPARED, "quickstart.model") / "examples.csv"
        done = run(["predict", "--model", "quickstart.model", "--input", examples, "--json"], store=PREPARED)
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertIn("--output", done.stderr)

    def test_quiet(self):
        for quiet in ("--quiet", "-q"):
            done = self.ok(["run", *QUICKSTART, quiet], store=self.folder / quiet)
            self.assertEqual(done.stderr, "")
            self.assertIn("Test rows", done.stdout)

    def test_logs_are_not_results(self):
        done = self.ok(["run", *QUICKSTART], store=self.store)
        for stage in STAGES:
            self.assertIn(f"info: {stage} …", done.stderr)
        self.assertNotIn("info:", done.stdout)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assert_same_artifacts(self.store, PREPARED)

    def test_next_commands_work(self):
        """The report suggests commands; each must run as it is printed."""
        store = self.copy()
        done = self.ok(["run", *QUICKSTART], store=store)
        suggested = done.stdout.split("Next, for example:\n")[1].splitlines()
        self.assertEqual(len(suggested), 3)
        for line in suggested[:2]:
            again = subprocess.run(line.strip(), shell=True, env=product.environment(), cwd=self.folder,
                                   capture_output=True, text=True, check=False)
            self.assertEqual(again.returncode, OK, again.stderr)
            self.assertTrue(again.stdout)


class Schema(Case):
    def setUp(self):
        super().setUp()
        try:
            import jsonschema
        except ImportError:
            product.skip("python3-jsonschema is not installed")
        schema = json.loads(self.ok(["config", "schema"]).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def test_configs_are_valid(self):
        files = sorted(product.CONFIGS.glob("*.json"))
        self.assertGreaterEqual(len(files), 3)
        for path in files:
            text = "\n".join(re.sub(r"^\s*//.*$", "", line) for line in path.read_text().splitlines())
            self.assertEqual([error.message for error in self.validator.iter_errors(json.loads(text))], [], path)
            self.ok(["config", "validate", "--config", path])

    def test_wrong_ones_are_refused_by_both(self):
        for wrong in ({"trian": {}}, {"train": {"epoch": 3}}, {"train": {"epochs": 0}}, {"train": {"epochs": 1.5}},
                      {"train": {"epochs": "3"}}, {"tune": {"sampler": "grid"}}, {"tune": {"models": ["mlp"]}},
                      {"tune": {"models": "mlp_small"}}, {"preprocess": {"test_fraction": 0}},
                      {"preprocess": {"strict": 1}}, {"seed": -1}, {"train": 3}, []):
            with self.subTest(wrong=wrong):
                self.assertFalse(self.validator.is_valid(wrong))
                path = self.folder / "wrong.json"
                path.write_text(json.dumps(wrong))
                done = run(["config", "validate", "--config", path])
                self.assertEqual(done.returncode, product.CONFIGURATION, done.stderr)

    def test_defaults_are_valid(self):
        shown = json.loads(self.ok(["config", "show", "--json"]).stdout)
        self.assertTrue(self.validator.is_valid(shown["configuration"]))


class Configuration(Case):
    def test_order(self):
        """default < file < environment < command line"""
        path = self.folder / "own.json"
        path.write_text('{"train": {"epochs": 3, "batch_size": 4, "learning_rate": 0.5}}')
        args = ["config", "show", "--json", "--config", path, "--set", "train.learning_rate=0.25"]
        environment = {"TCROPS_TRAIN_LEARNING_RATE": "0.125", "TCROPS_TRAIN_BATCH_SIZE": "8",
                       "TCROPS_PREPROCESS_FEATURES": "CDR3_beta, Epitope"}
        shown = json.loads(self.ok(args, env=environment).stdout)
        values, origins = shown["configuration"], shown["origins"]
        self.assertEqual((values["train"]["learning_rate"], origins["train.learning_rate"]), (0.25, "command line"))
        self.assertEqual((values["train"]["batch_size"], origins["train.batch_size"]), (8, "environment"))
        self.assertEqual((values["train"]["epochs"], origins["train.epochs"]), (3, "file"))
        self.assertEqual((values["train"]["from"], origins["train.from"]), ("study", "default"))
        self.assertEqual(values["preprocess"]["features"], ["CDR3_beta", "Epitope"])


class Reuse(Case):
    def made(self, *settings, command="run", more=()):
        words = [word for setting in settings for word in ("--set", setting)]
        store = self.copy()
        document = json.loads(self.ok([command, *QUICKSTART, *words, *more, "--json"], store=store).stdout)
        self.assert_verifies(store)
        return [stage["stage"] for stage in document["stages"] if not stage["reused"]]

    def test_only_what_depends_on_a_change_is_made_again(self):
        judges = "serve-check"  # looks at the files on disk every time
        for setting, expected in (
                (None, [judges]),
                ("fetch.retries=9", [judges]),
                ("tune.jobs=1", [judges]),
                ("preprocess.strict=true", [judges]),
                ("name=other", [judges]),
                ("predict.examples=5", [judges, "predict"]),
                ("train.threshold=half", ["tune", "train", "evaluate", judges, "predict"]),
                ("tune.keep=1", ["tune", "train", "evaluate", judges, "predict"]),
                ("preprocess.split_seed=7", ["preprocess", "tune", "train", "evaluate", judges, "predict"]),
                ("seed=7", list(STAGES))):
            with self.subTest(setting=setting):
                self.assertEqual(self.made(*([setting] if setting else [])), expected)

    def test_without_a_study(self):
        self.assertEqual(self.made("train.from=configuration", "train.epochs=2", "train.model=mlp_small"),
                         ["train", "evaluate", "serve-check", "predict"])

    def test_force(self):
        store = self.copy()
        before = product.tree_digest(store)
        for stage in STAGES:
            document = json.loads(self.ok([stage, *QUICKSTART, "--force", "--json"], store=store).stdout)
            self.assertFalse(document["reused"])
        self.assertEqual(product.tree_digest(store), before)
        self.assert_verifies(store)

    def test_stage_by_stage(self):
        for stage in STAGES:
            self.ok([stage, *QUICKSTART, "--require-inputs"], store=self.store)
        self.assert_same_artifacts(self.store, PREPARED)


class Predict(Case):
    def setUp(self):
        super().setUp()
        self.rows = read_table((product.named(PREPARED, "quickstart.raw") / "table.csv").read_text())

    def predict(self, *args, **options):
        return self.ok(["predict", "--model", "quickstart.model", *args], store=PREPARED, **options)

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
        evaluated = read_table((product.named(PREPARED, "quickstart.evaluation") / "scores.csv").read_text())
        table = {(row[0], row[1], row[6]): row for row in self.rows[1:]}
        scored = self.scored([self.rows[0], *(table[tuple(row[:3])] for row in evaluated[1:])])
        self.assertGreater(len(evaluated), 50)
        threshold = json.loads((product.named(PREPARED, "quickstart.model") / "model.json").read_text())["threshold"]
        for one, other in zip(evaluated[1:], scored[1:], strict=True):
            self.assertEqual(format(float(one[4]), ".7g"), format(float(other[-3]), ".7g"))
            self.assertEqual(float(one[4]) >= threshold, other[-2] == "1")

    def test_as_the_pipeline_predicted_them(self):
        predicted = read_table((product.named(PREPARED, "quickstart.predictions") / "predictions.csv").read_text())
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
                                                  PREPARED), stdin=file, env=product.environment(),
                                  capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], PREPARED),
                              input=path.read_text(), env=product.environment(), capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        self.assertEqual(self.ok(["predict", *QUICKSTART, "--input", path], store=PREPARED).stdout, plain)

    def test_long_header(self):
        rows = [row + [f"column_{number}" for number in range(2000)] for row in self.rows[:3]]
        text = write_table(self.folder / "in.tsv", rows, "\t").read_text()
        plain = self.predict("--input", self.folder / "in.tsv").stdout
        self.assertEqual([row[:-3] for row in read_table(plain, "\t")], rows)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], PREPARED), input=text,
                              env=product.environment(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)

    def test_models_by_id(self):
        path = write_table(self.folder / "in.csv", self.rows[:5])
        identifier = product.names(PREPARED)["quickstart.model"]
        for reference in (identifier, identifier[:12], identifier[:6]):
            done = self.ok(["predict", "--model", reference, "--input", path], store=PREPARED)
            self.assertEqual(done.stdout, self.predict("--input", path).stdout)


class ServeCheck(Case):
    def setUp(self):
        super().setUp()
        self.copy()
        self.model = product.named(self.store, "quickstart.model")

    def refused(self, *parts, checks=None):
        """Both ways of asking say no, and the model stays as it is."""
        done = run(["serve-check", "--model", "quickstart.model", "--json"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        document = json.loads(done.stdout)
        failed = {check["name"]: check["problem"] for check in document["checks"] if not check["passed"]}
        self.assertFalse(document["passed"])
        self.assertIn("do not serve this model", done.stderr)
        if checks:
            self.assertEqual(list(failed), checks)
        for part in parts:
            self.assertIn(part, " ".join(failed.values()))
        before = product.names(self.store)["quickstart.model"]
        done = run(["serve-check", *QUICKSTART, "--require-inputs"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        self.assertIn("do not serve this model", done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertEqual(product.names(self.store)["quickstart.model"], before)
        self.assertEqual(product.leftovers(self.store), [])

    def damage(self, name, change):
        path = self.model / name
        data = change(path.read_bytes())
        path.chmod(0o644)
        path.write_bytes(data)
        path.chmod(0o444)

    def rebuild(self, name, change):
        """A model whose hashes and id are right, but one file is another: published by somebody else's hand."""
        folder = self.folder / "rebuilt"
        shutil.copytree(self.model, folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        data = change((folder / name).read_bytes())
        (folder / name).write_bytes(data)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        (folder / "manifest.json").write_text(text)
        old, new = self.model.name, hashlib.sha256(text.encode()).hexdigest()
        target = self.store / "artifacts" / new[:2] / new
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
        (self.store / "names" / "quickstart.model").write_text(new + "\n")
        for path in self.store.glob("keys/*/*.json"):
            pointer = json.loads(path.read_text())
            if pointer["artifact"] == old:
                path.write_text(json.dumps(dict(pointer, artifact=new)))
        self.model = target

    @staticmethod
    def flip(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    def test_good_model(self):
        done = self.ok(["serve-check", "--model", "quickstart.model"], store=self.store)
        self.assertNotIn("FAILED", done.stdout)
        self.assertIn("single row: median", done.stdout)
        self.ok(["serve-check", *QUICKSTART, "--require-inputs"], store=self.store)

    def test_other_models_of_the_study(self):
        study = json.loads((product.named(self.store, "quickstart.study") / "manifest.json").read_text())
        self.assertGreaterEqual(len(study["parents"]), 3)
        for role, identifier in study["parents"].items():
            if role.startswith("model-"):
                self.ok(["serve-check", "--model", identifier], store=self.store)

    def test_flipped_byte(self):
        for name in ("weights.safetensors", "encoder.json", "golden.json", "model.json", "examples.csv"):
            with self.subTest(name=name):
                shutil.rmtree(self.store)
                self.copy()
                self.damage(name, self.flip)
                self.refused(name, "SHA-256 differs")

    def test_truncated_weights(self):
        self.damage("weights.safetensors", lambda data: data[:-4])
        self.refused("weights.safetensors", checks=["artifact"])

    def test_missing_file(self):
        (self.model / "encoder.json").unlink()
        self.refused("encoder.json", checks=["artifact"])

    def test_changed_manifest(self):
        self.damage("manifest.json", lambda data: data.replace(b'"seed": 42', b'"seed": 43'))
        self.refused("the manifest was changed", checks=["artifact"])

    def test_other_weights(self):
        self.rebuild("weights.safetensors", lambda data: data[:-2] + bytes([data[-2] ^ 64]) + data[-1:])
        self.refused("row 1: logit", checks=["golden"])

    def test_other_golden_logits(self):
        def change(data):
            golden = json.loads(data)
            golden[3]["logit"] *= 1.000001
            return json.dumps(golden).encode()
        self.rebuild("golden.json", change)
        self.refused("row 4: logit", checks=["golden"])

    def test_no_golden_rows(self):
        self.rebuild("golden.json", lambda data: b"[]")
        self.refused("golden.json is empty", checks=["golden"])

    def test_encoder_that_does_not_fit(self):
        def shorter(data):
            encoder = json.loads(data)
            encoder["widths"]["cdr3"] -= 1
            return json.dumps(encoder).encode()
        self.rebuild("encoder.json", shorter)
        self.refused("the encoder gives", checks=["load"])

    def test_encoder_of_another_alphabet(self):
        def other(data):
            encoder = json.loads(data)
            encoder["alphabet"] = encoder["alphabet"].replace("C", "B", 1) if "B" not in encoder["alphabet"] \
                else encoder["alphabet"].replace("Y", "Z")
            return json.dumps(encoder).encode()
        self.rebuild("encoder.json", other)
        self.refused("did not occur")

    def test_encoder_that_is_no_json(self):
        self.rebuild("encoder.json", lambda data: data[:-3])
        self.refused("encoder.json", "JSON", checks=["load"])

    def test_shapes_that_differ(self):
        def wider(data):
            model = json.loads(data)
            model["network"]["widths"][1] += 1
            return json.dumps(model).encode()
        self.rebuild("model.json", wider)
        self.refused(checks=["load"])

    def test_other_format(self):
        self.rebuild("model.json", lambda data: data.replace(b"tcrops.model/1", b"tcrops.model/9"))
        self.refused("format tcrops.model/9", checks=["load"])

    def test_too_slow(self):
        for args in (["--model", "quickstart.model"], QUICKSTART):
            done = run(["serve-check", *args, "--max-p99-ms", "0.000001"], store=self.store)
            self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
            self.assertIn("the limit is", done.stdout + done.stderr)
        done = run(["serve-check", *QUICKSTART, "--set", "serve_check.max_p99_ms=0.000001"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        self.ok(["serve-check", *QUICKSTART, "--max-p99-ms", "60000"], store=self.store)

    def test_no_such_model(self):
        done = run(["serve-check", "--model", "quickstart.mdel"], store=self.store)
        self.assertEqual(done.returncode, product.ARTIFACT, done.stderr)
        self.assertIn('did you mean "quickstart.model"', done.stderr)


if __name__ == "__main__":
    product.main()
