"""What scripts may rely on: help, streams, JSON, and what is used again."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from serving import Serving  # noqa: E402
from product import CHECK_FAILED, KINDS, OK, PROGRAM, QUICKSTART, STAGES, USAGE, prepared, run  # noqa: E402


COMMANDS = {
    "run": ["--config", "--set", "--store", "--device", "--jobs", "--mirror", "--dry-run", "--from", "--until", "--force",
            "--keep-going"],
    "fetch": ["--config", "--set", "--store", "--mirror", "--require-inputs", "--force"],
    "preprocess": ["--config", "--set", "--store", "--require-inputs", "--force", "--require-leak-free", "--strict"],
    "tune": ["--config", "--set", "--store", "--trials", "--add", "--jobs", "--device", "--warm-start", "--study", "--worker",
             "--name", "--require-inputs", "--force"],
    "train": ["--config", "--set", "--store", "--device", "--require-inputs", "--force"],
    "evaluate": ["--model", "--dataset", "--config", "--set", "--store", "--device", "--require-inputs", "--force"],
    "serve-check": ["--model", "--device", "--requests", "--max-p50-ms", "--max-p99-ms", "--max-memory-mib", "--config",
                    "--set", "--store", "--require-inputs"],
    "predict": ["--model", "--input", "--output", "--format", "--map", "--epitope", "--mhc", "--device", "--strict", "--plain",
                "--config", "--set", "--store", "--require-inputs"],
    "serve": ["--model", "--listen", "--token-file", "--log-sequences", "--copies", "--device", "--config", "--set", "--store"],
    "convert": ["input", "--output", "--to", "--report", "--profile", "--strict", "--format", "--map", "--epitope",
                "--mhc"],
    "models list": ["--store"],
    "models show": ["--store", "model"],
    "models compare": ["--store", "--dataset", "--resamples", "--config", "--set"],
    "models promote": ["--store", "--config", "--set", "--skip-gates", "--reason", "--by"],
    "models rollback": ["--store", "--reason", "--by"],
    "models quantise": ["--store", "--as", "model"],
    "models log": ["--store", "model"],
    "models register": ["--store", "--name", "--reason", "--by"],
    "queries list": ["--store", "--limit", "--before", "--model", "--search", "--since", "--until", "--invalid", "--log"],
    "queries show": ["--store", "request", "--number", "--log"],
    "queries purge": ["--store", "--before", "--older-than", "--all", "--sequences-only", "--dry-run", "--log"],
    "study list": ["--store", "--study"],
    "study show": ["--store", "study", "--study", "--best"],
    "study export": ["--store", "study", "--study", "--optuna", "--as", "--replace"],
    "study replay": ["--store", "study", "--study", "--no-training", "--device"],
    "reproduce": ["--store", "--only", "--scratch", "--device"],
    "artifacts ls": ["--store", "--kind", "--last"],
    "artifacts show": ["--store", "artifact"],
    "artifacts verify": ["--store"],
    "artifacts lineage": ["--store", "artifact", "--log", "--format", "--down"],
    "artifacts diff": ["--store", "--exit-code"],
    "artifacts gc": ["--store", "--keep-names", "--keep-models", "--keep-last", "--keep-newer", "--keep", "--work",
                     "--delete"],
    "artifacts export": ["--store", "artifacts", "--output", "--no-ancestors"],
    "artifacts import": ["--store", "file", "--as", "--allow-missing-ancestors"],
    "config init": ["FILE", "--source", "--name", "--force"],
    "config show": ["--config", "--set"],
    "config validate": ["--config", "--set"],
    "config schema": [],
    "completion": ["shell"],
    "man": ["--markdown"],
    "doctor": ["--store"],
}


def manual():
    return json.loads(product.run(["man", "--json"]).stdout)


def leaves(commands):
    for command in commands:
        yield from leaves(command["commands"]) if command["commands"] else [command]


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

    def test_every_command_is_known_here(self):
        self.assertEqual([command["name"] for command in leaves(manual()["commands"])], list(COMMANDS))

    def test_tables_of_the_readmes(self):
        """README.md and data/README.md hold the program's own tables; scripts/readme writes them."""
        done = subprocess.run([product.ROOT / "scripts" / "readme", "--check"], capture_output=True, text=True,
                              env=product.environment({"TCROPS_BIN": PROGRAM}), check=False)
        self.assertEqual(done.returncode, OK, done.stderr)
        for file, tables in (("README.md", ("commands", "exit-statuses")), ("data/README.md", ("results",))):
            text = (product.ROOT / file).read_text(encoding="utf-8")
            for table in tables:
                self.assertIn(self.ok(["man", "--markdown", table]).stdout, text)
        said = dict(re.findall(r"(?m)^  ([a-z][a-z-]*) {2,}(\w.*)$", self.ok(["--help"]).stdout))
        self.assertEqual({command["name"]: command["summary"] for command in manual()["commands"]}, said)

    def test_exit_statuses(self):
        """The end of --help has the table of the manual, without what is reserved."""
        statuses = manual()["exit_statuses"]
        footer = " ".join(self.ok(["--help"]).stdout.split("Exit status: ")[1].split())
        used = [f"{each['status']} {each['name']}" for each in statuses if each["used"]]
        self.assertEqual(footer, ", ".join(used) + ".")
        self.assertEqual([each["status"] for each in statuses if not each["used"]], [7, 8])
        for each in statuses:
            self.assertEqual(each["detail"] == "not yet used", not each["used"])

    def test_manual_page(self):
        page = self.folder / "tcrops.1"
        page.write_text(self.ok(["man"]).stdout)
        for tool, args in (("mandoc", ["-T", "lint", "-W", "warning", page]), ("man", ["--warnings", "-l", page])):
            if shutil.which(tool) is None:
                product.skip(f"{tool} is not installed")
            done = subprocess.run([tool, *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
                                  env=product.environment({"LC_ALL": "C.UTF-8", "MANWIDTH": "200", "MANPAGER": "cat"}))
            self.assertEqual((done.returncode, done.stderr), (0, ""), tool)
            if tool == "mandoc":
                self.assertEqual(done.stdout, "")
        shown = re.sub(r".\x08", "", done.stdout)
        for title in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "CONFIGURATION", "RESULTS AS JSON",
                      "ENVIRONMENT", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"):
            self.assertRegex(shown, rf"(?m)^{title}$")
        document = manual()
        for command in leaves(document["commands"]):
            self.assertRegex(shown, rf"(?m)^ +tcrops {command['name']}$")
            for option in command["options"]:
                self.assertIn(option["names"][-1], shown)
        for field in document["configuration"]:
            self.assertRegex(shown, rf"(?m)^ +{re.escape(field['key'])}\b")
        for status in document["exit_statuses"]:
            self.assertRegex(shown, rf"(?m)^ +{status['status']} +{status['name']}: ")
        for words in ("TCROPS_STORE", "TCROPS_<SECTION>_<KEY>", "NO_COLOR", "at most 100000 epochs"):
            self.assertIn(words, shown)

    def test_starts_without_libtorch(self):
        for args in (*product.light_commands(prepared()), ["fetch", *QUICKSTART, "--store", prepared()]):
            with self.subTest(args=args[:2]):
                done = self.ok(args, env={"LD_DEBUG": "files"})
                self.assertIn("calling init", done.stderr)
                self.assertNotIn("torch", re.sub(re.escape(PROGRAM), "", done.stderr), args)
        store = self.copy()
        for args in (["models", "promote", "quickstart@v1", "--skip-gates", "--reason", "test"],
                     ["models", "promote", "quickstart@v2", "--skip-gates", "--reason", "test"],
                     ["models", "rollback", "quickstart"], ["artifacts", "gc", "--keep-last", "1", "--delete"]):
            done = self.ok(args, store=store, env={"LD_DEBUG": "files"})
            self.assertNotIn("torch", re.sub(re.escape(PROGRAM), "", done.stderr), args)
        done = self.ok(["serve-check", "--model", "quickstart.model", "--store", prepared()],
                       env={"LD_DEBUG": "files"})
        self.assertIn("libtorch", done.stderr)


class Options(product.ProductCase):
    def test_what_would_be_ignored_is_refused(self):
        for command in (["predict", "--input", "-"], ["serve-check"]):
            for more in (["--config", "nowhere.json"], ["--set", "train.epochs=3"], ["--force"], ["--require-inputs"]):
                self.fails(USAGE, [*command, "--model", "quickstart.model", *more], "--model", store=prepared())


class Streams(product.ProductCase):
    def commands(self):
        """A command line for every documented schema, and for every command."""
        examples = product.named(prepared(), "quickstart.model") / "examples.csv"
        yield ["run", *QUICKSTART], "tcrops.run/1"
        for stage in STAGES:
            yield [stage, *QUICKSTART], "tcrops.stage/1"
        yield ["convert", str(examples), "--output", self.folder / "clean.tsv", "--to", "airr"], "tcrops.convert/1"
        yield (["predict", "--model", "quickstart.model", "--input", examples, "--output", self.folder / "scored.csv"],
               "tcrops.predict/1")
        yield ["serve-check", "--model", "quickstart.model"], "tcrops.serve_check/1"
        yield ["run", *QUICKSTART, "--dry-run"], "tcrops.plan/1"
        yield ["models", "list"], "tcrops.models/1"
        yield ["models", "show", "quickstart"], "tcrops.model/1"
        yield ["models", "show", "quickstart@v1"], "tcrops.model_version/1"
        yield ["models", "log", "quickstart"], "tcrops.model_log/1"
        yield ["models", "compare", "quickstart@v1", "quickstart@v2"], "tcrops.comparison/1"
        yield ["models", "promote", "quickstart@v1"], "tcrops.promotion/1"
        yield ["models", "promote", "quickstart@v2", "--skip-gates", "--reason", "a test"], "tcrops.promotion/1"
        yield ["models", "rollback", "quickstart"], "tcrops.rollback/1"
        yield ["models", "register", "quickstart.model", "--name", "other"], "tcrops.registered/1"
        yield ["models", "quantise", "quickstart.model"], "tcrops.quantised/1"
        yield ["tune", *QUICKSTART, "--worker", "--study", f"sqlite:{self.folder / 'studies.db'}"], "tcrops.worker/1"
        yield ["queries", "list"], "tcrops.queries/1"
        yield ["queries", "show", "one"], "tcrops.query/1"
        yield ["queries", "purge", "--all"], "tcrops.queries_purge/1"
        yield ["study", "list"], "tcrops.studies/1"
        yield ["study", "show", "quickstart.study"], "tcrops.study/1"
        yield (["study", "export", "quickstart.study", "--optuna", f"sqlite:///{self.folder / 'optuna.db'}"],
               "tcrops.study_export/1")
        yield ["study", "replay", "quickstart.study"], "tcrops.study_replay/1"
        yield ["reproduce", "quickstart.dataset"], "tcrops.reproduce/1"
        yield ["doctor"], "tcrops.doctor/1"
        yield ["artifacts", "gc", "--keep-names"], "tcrops.gc/1"
        yield ["artifacts", "ls"], "tcrops.artifacts/1"
        yield ["artifacts", "show", "quickstart.study"], "tcrops.artifact/1"
        yield ["artifacts", "verify"], "tcrops.verify/1"
        yield ["artifacts", "lineage", "quickstart.model"], "tcrops.lineage/1"
        yield ["artifacts", "diff", "quickstart.raw", "quickstart.model"], "tcrops.diff/1"
        archive = self.folder / "archive.tar"
        yield ["artifacts", "export", "quickstart.model", "--output", archive], "tcrops.export/1"
        yield ["artifacts", "import", archive], "tcrops.import/1"
        yield ["config", "init", self.folder / "own.json"], "tcrops.config_init/1"
        yield ["config", "show", *QUICKSTART], "tcrops.config/1"
        yield ["config", "validate", *QUICKSTART], "tcrops.config_validate/1"
        yield ["config", "schema"], ""
        yield ["completion", "zsh"], "tcrops.completion/1"
        yield ["man"], "tcrops.man/1"
        yield ["--version"], "tcrops.version/1"

    def test_json(self):
        """Every command's keys are the documented ones, and every documented schema has a command."""
        store = self.copy()
        environment = {"TCROPS_STORE": str(store)}
        documented = {result["schema"]: set(result["keys"]) for result in manual()["results"]}
        seen, run_commands = set(), set()
        with Serving(store, model="quickstart.model") as serving:
            self.assertEqual(serving.line.pop("schema"), "tcrops.serve/1")
            self.assertEqual(set(serving.line), documented["tcrops.serve/1"])
            serving.post("/v1/predict", {"rows": [{"CDR3_beta": "CASS"}]}, **{"X-Request-Id": "one"})
            serving.stop()
        for args, schema in self.commands():
            with self.subTest(args=args[:2]):
                document = json.loads(self.ok([*args, "--json"], env=environment).stdout)
                self.assertEqual(document.pop("schema", ""), schema)
                self.assertEqual(set(document), documented[schema])
                seen.add(schema)
                run_commands.add(" ".join(args[:2]) if " ".join(args[:2]) in COMMANDS else args[0])
        self.assertEqual(seen | {"tcrops.serve/1"}, set(documented))
        self.assertEqual(run_commands - {"--version"} | {"serve"}, set(COMMANDS))
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
        self.assertEqual(len(suggested), 4)
        for setting in QUICKSTART[3::2]:
            self.assertIn(f"--set {setting}", suggested[3], "another pipeline is suggested than the one that ran")
        for line in suggested[:3]:
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
