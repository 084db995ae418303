"""What scripts may rely on: help, streams, JSON, and what is used again."""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CHECK_FAILED, OK, PROGRAM, QUICKSTART, STAGES, USAGE, prepared, run  # noqa: E402


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
    "config init": ["FILE", "--source", "--name", "--force"],
    "config show": ["--config", "--set"],
    "config validate": ["--config", "--set"],
    "config schema": [],
}


class Help(product.ProductCase):
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

    def test_readme_has_the_same_table(self):
        """Every row of README.md's command table says what --help says, and none is missing."""
        readme = (product.ROOT / "README.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"(?m)^\| `([a-z-]+)[^`]*` \| (.+) \|$", readme))
        said = dict(re.findall(r"(?m)^  ([a-z][a-z-]*) {2,}(\w.*)$", self.ok(["--help"]).stdout))
        self.assertEqual(rows, said)

    def test_starts_without_libtorch(self):
        store = ["--store", prepared()]
        for args in (["--help"], ["--version"], ["run", "--help"], ["config", "schema"],
                     ["config", "show", *QUICKSTART], ["artifacts", "ls", *store], ["artifacts", "verify", *store],
                     ["fetch", *QUICKSTART, *store]):
            done = self.ok(args, env={"LD_DEBUG": "files"})
            self.assertIn("calling init", done.stderr)
            self.assertNotIn("torch", re.sub(re.escape(PROGRAM), "", done.stderr), args)
        done = self.ok(["serve-check", "--model", "quickstart.model", *store], env={"LD_DEBUG": "files"})
        self.assertIn("libtorch", done.stderr)


class Options(product.ProductCase):
    def test_what_would_be_ignored_is_refused(self):
        for command in (["predict", "--input", "-"], ["serve-check"]):
            for more in (["--config", "nowhere.json"], ["--set", "train.epochs=3"], ["--force"], ["--require-inputs"]):
                self.fails(USAGE, [*command, "--model", "quickstart.model", *more], "--model", store=prepared())


class Streams(product.ProductCase):
    def commands(self):
        """Every command that gives a result, with its schema and what its JSON must hold."""
        examples = product.named(prepared(), "quickstart.model") / "examples.csv"
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
        yield (["config", "init", self.folder / "own.json"], "tcrops.config_init/1", {"schema", "file", "schema_file"})
        yield ["config", "show", *QUICKSTART], "tcrops.config/1", {"schema", "configuration", "origins"}
        yield (["config", "validate", *QUICKSTART], "tcrops.config_validate/1",
               {"schema", "valid", "file", "problems"})

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
        done = run(["serve-check", "--model", "quickstart.model", "--max-p99-ms", "0.000001", "--json"],
                   store=prepared())
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        document = json.loads(done.stdout)
        self.assertFalse(document["passed"])
        self.assertEqual([check["name"] for check in document["checks"] if not check["passed"]], ["latency"])

    def test_json_needs_stdout_for_itself(self):
        examples = product.named(prepared(), "quickstart.model") / "examples.csv"
        done = run(["predict", "--model", "quickstart.model", "--input", examples, "--json"], store=prepared())
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertIn("--output", done.stderr)

    def test_quiet(self):
        for quiet in ("--quiet", "-q"):
            done = self.ok(["run", *QUICKSTART, quiet], store=self.copy())
            self.assertEqual(done.stderr, "")
            self.assertIn("Test rows", done.stdout)

    def test_logs_are_not_results(self):
        done = self.ok(["run", *QUICKSTART], store=self.store)
        for stage in STAGES:
            self.assertIn(f"info: {stage} …", done.stderr)
        self.assertNotIn("info:", done.stdout)
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assert_same_artifacts(self.store, prepared())

    def test_next_commands_work(self):
        """The report suggests commands; each must run as it is printed."""
        store = self.copy()
        done = self.ok(["run", *QUICKSTART], store=store)
        suggested = done.stdout.split("Next, for example:\n")[1].splitlines()
        self.assertEqual(len(suggested), 3)
        for setting in QUICKSTART[3::2]:
            self.assertIn(f"--set {setting}", suggested[2], "another pipeline is suggested than the one that ran")
        for line in suggested[:2]:
            again = subprocess.run(line.strip(), shell=True, env=product.environment(), cwd=self.folder,
                                   capture_output=True, text=True, check=False)
            self.assertEqual(again.returncode, OK, again.stderr)
            self.assertTrue(again.stdout)


class Reuse(product.ProductCase):
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
                ("name=other", [judges]),
                ("predict.examples=5", [judges, "predict"]),
                ("train.threshold=half", ["tune", "train", "evaluate", judges, "predict"]),
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
        self.assert_same_artifacts(self.store, prepared())


if __name__ == "__main__":
    product.main()
