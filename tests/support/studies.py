"""Studies in tests: searches with small pipelines, and their databases, read beside the program."""

import contextlib
import json
import pathlib
import signal
import sqlite3
import time

import pipelines
import product

# The defaults, which may stand beside a space.
NO_BOUNDS = {"tune.models": ["mlp_small", "mlp_medium", "mlp_large"], "tune.learning_rate_min": 0.001,
             "tune.learning_rate_max": 0.1, "tune.epochs_min": 5, "tune.epochs_max": 25}


def databases(store):
    """The databases of studies whose work is half done in a store."""
    return sorted(pathlib.Path(store).glob("work/*/study.db"))


def connect(path, timeout=30.0):
    return contextlib.closing(sqlite3.connect(path, timeout=timeout, isolation_level=None, uri=str(path).startswith("file:")))


def rows(path, sql, *values):
    """The rows of a query; none as long as the program has not made the tables."""
    if not pathlib.Path(path).exists():
        return []
    try:
        with connect(f"file:{path}?mode=rw") as database:
            return database.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise


def ended(store):
    """The trials that have ended in half-done studies: (folder, number) -> what changes when one is run again."""
    found = {}
    for path in databases(store):
        for number, *rest in rows(path, "SELECT number, ended, finished, token FROM tcrops_trial WHERE phase = 'ended'"):
            found[path.parent.name, number] = tuple(rest)
    return found


def is_held(path):
    """Whether some process is in a transaction that writes."""
    try:
        with connect(path, timeout=0.0) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    return False


def stop(process, store):
    """Stops a process (SIGSTOP) at a moment when it is not writing to the database of a study."""
    for _ in range(1000):
        process.send_signal(signal.SIGSTOP)
        while pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ":
            time.sleep(0.001)
        if not any(is_held(path) for path in databases(store)):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError("the process never leaves its transaction")


class StudyCase(pipelines.PipelineCase):
    """A test case that searches with small pipelines."""

    def tune(self, changes=None, *words, store=None):
        """What a search said on stderr."""
        return self.ok(pipelines.stage("tune", changes, *words), store=store or self.store).stderr

    def add(self, count, changes=None, *words):
        """The same with --add, which says how many trials there are to be in place of tune.trials."""
        said = pipelines.stage("tune", {**(changes or {}), "tune.trials": "-"}, "--add", count, *words)
        at = said.index("tune.trials=-")
        return self.ok(said[:at - 1] + said[at + 1:], store=self.store).stderr

    def trials(self, store=None):
        return json.loads((product.named(store or self.store, "quickstart.study") / "trials.json").read_text())

    def manifest(self, name="quickstart.study", store=None):
        return json.loads((product.named(store or self.store, name) / "manifest.json").read_text())

    def show(self, *words):
        return self.json(["study", "show", *words])

    def cut_off(self, changes, after=1, *words, number=signal.SIGKILL):
        """Begins a search and sends it a signal once so many trials have ended; status and what it said."""
        process = product.start(pipelines.stage("tune", changes, *words), store=self.store)
        while len(ended(self.store)) < after:
            self.assertIsNone(process.poll())
            time.sleep(0.002)
        process.send_signal(number)
        _, text = process.communicate(timeout=120)
        return process.returncode, text
