"""Runs the built program in tests; standard library only. TCROPS_BIN names the program.

A store is a folder path. `run` starts the program and waits, `start` only starts it; both give it an
environment without anything that would steer it.
"""

import atexit
import csv
import functools
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SUPPORT))
from checkout import ROOT, main  # noqa: E402, F401 (test files call product.main)

PROGRAM = os.environ.get("TCROPS_BIN", "")
CONFIGS = ROOT / "configs"
OK, FAILURE, USAGE, CONFIGURATION, INPUT, ARTIFACT, CHECK_FAILED = range(7)
TEMPORARY, INTERRUPTED, READER_GONE, TERMINATED = 75, 130, 141, 143
STAGES = ("fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict")
KINDS = ("raw", "dataset", "study", "model", "evaluation", "check", "predictions")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def environment(extra=None):
    """This process's environment without the product's variables, thread counts and proxies, then `extra`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("TCROPS_") and name not in THREADS and not name.lower().endswith("_proxy")}
    kept.update(extra or {})
    return kept


def command(args, store=None):
    """The words of a command line; --store is added when a store is given."""
    words = [PROGRAM, *(str(word) for word in args)]
    return words + (["--store", str(store)] if store is not None else [])


def run(args, *, store=None, env=None, cwd=None, timeout=300, **options):
    """Runs to the end; a CompletedProcess with text stdout and stderr."""
    return subprocess.run(command(args, store), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment(env), cwd=cwd, timeout=timeout, check=False, **options)


def start(args, *, store=None, env=None, cwd=None, **options):
    """Starts it in the background: a Popen with stderr as a text pipe and stdout thrown away."""
    return subprocess.Popen(command(args, store), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env=environment(env), cwd=cwd, **options)


def directories(store):
    """id -> folder of every artifact in the store."""
    return {path.name: path for path in sorted(pathlib.Path(store).glob("artifacts/*/*"))}


def ids(store):
    return sorted(directories(store))


def names(store):
    """name -> id, for example {"quickstart.model": "31e8…"}."""
    return {path.name: path.read_text().strip()
            for path in sorted((pathlib.Path(store) / "names").iterdir()) if not path.name.startswith(".")}


def tree_digest(store):
    """"<kind>/<id>/<file>" -> SHA-256 of every artifact's files but run.json, where equal runs may differ."""
    digests = {}
    for identifier, folder in directories(store).items():
        kind = json.loads((folder / "manifest.json").read_text())["kind"]
        for path in sorted(folder.iterdir()):
            if path.name != "run.json":
                digests[f"{kind}/{identifier}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def leftovers(store):
    """What stands in the store's drafts/ and work/, and half-written files anywhere; relative paths."""
    store = pathlib.Path(store)
    found = [path for folder in ("drafts", "work") for path in (store / folder).rglob("*")]
    found += [path for path in store.rglob(".*") if path not in found]
    return sorted(str(path.relative_to(store)) for path in found)


def test_data(name):
    """Folder of a real data set. Absent: skips the test, or fails it under CI=true."""
    root = pathlib.Path(os.environ.get("TCROPS_TEST_DATA") or ROOT.parent / "shared" / "data")
    if (root / name).is_dir():
        return root / name
    why = f"no test data in {root / name}; set TCROPS_TEST_DATA"
    if os.environ.get("CI") == "true":
        raise AssertionError(why)
    raise unittest.SkipTest(f"SKIPPED: {why}")


class ProductCase(unittest.TestCase):
    """A test case with a folder of its own, `self.folder`, and a store path in it that does not exist yet."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not PROGRAM:
            raise RuntimeError("TCROPS_BIN does not name the program")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.store = self.folder / "store"

    def copy(self):
        """`self.store`, made a fresh copy of the prepared store."""
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(prepared(), self.store)
        return self.store

    def ok(self, args, **options):
        """Runs, requires exit status 0, returns the CompletedProcess."""
        done = run(args, **options)
        self.assertEqual(done.returncode, OK, done.stderr)
        return done

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

    def assert_verifies(self, store):
        done = run(["artifacts", "verify"], store=store)
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)

    def assert_same_artifacts(self, store, other):
        self.assertEqual(tree_digest(store), tree_digest(other))


# Enough test rows for the gates' minimum_positives.
SMALL = [word for setting in ("synthetic.tcrs=200", "preprocess.test_fraction=0.12", "tune.trials=3", "tune.epochs_max=6",
                              "serve_check.latency_requests=20") for word in ("--set", setting)]
QUICKSTART = ["--config", CONFIGS / "quickstart.json", *SMALL]


def light_commands(store):
    """Every command that needs no LibTorch and works in milliseconds."""
    quickstart = ["--config", CONFIGS / "quickstart.json"]
    store = ["--store", store]
    return (["--help"], ["--version"], ["--version", "--json"], ["tune", "--help"], ["completion", "bash"], ["man"],
            ["man", "--json"], ["__complete", "run", "--set", "tune."], ["__complete", "artifacts", "show", *store, ""],
            ["__complete_line", "tcrops art", "=:@"], ["config", "schema"], ["config", "validate", *quickstart],
            ["config", "show", *quickstart], ["artifacts", "ls", *store],
            ["artifacts", "show", *store, "quickstart.model"], ["artifacts", "verify", *store],
            ["artifacts", "gc", *store, "--keep-names"], ["models", "list", *store],
            ["models", "show", *store, "quickstart"], ["models", "log", *store, "quickstart"],
            ["run", *quickstart, *store, "--dry-run"],
            *([*command, "--help"] for command in (["reproduce"], ["doctor"], ["evaluate"], ["models", "rollback"])))


@functools.cache
def prepared():
    """A store with every result of a small quickstart pipeline, once per process; copy it before damaging it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    done = run(["run", *QUICKSTART], store=folder / "store")
    if done.returncode != OK:
        raise AssertionError(f"the quickstart pipeline failed: {done.stderr}")
    return folder / "store"


def read_table(source, separator=","):
    """Rows of a CSV text or file, the header first."""
    text = source.read_bytes().decode() if isinstance(source, pathlib.Path) else source
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


# What `predict` writes behind the columns of its input, for a model of one network.
COLUMNS = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "clone_id", "MHC"]
ANSWERS = ["score", "probability", "percentile", "nearest_tcr", "nearest_epitope", "flags", "call", "problem"]


def brief(rows, answers=len(ANSWERS)):
    """Predicted rows with only score, call and problem of what was said of them."""
    return [row[:len(row) - answers] + [row[len(row) - answers], *row[-2:]] for row in rows]


def write_table(path, rows, separator=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator, lineterminator="\n").writerows(rows)
    return path


def named(store, name):
    """Folder of the artifact that has a name, for example "quickstart.model"."""
    return directories(store)[names(store)[name]]


def skip(reason):
    """Skips the test, or fails it under CI=true."""
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise unittest.SkipTest(f"SKIPPED: {reason}")


def namespace():
    """The words before a command that let it mount file systems for itself alone; skips where that is not allowed."""
    words = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
    with tempfile.TemporaryDirectory() as folder:
        try:
            tried = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        except FileNotFoundError:
            tried = None
    if tried is None or tried.returncode != 0:
        skip("cannot mount a small file system here")
    return words
