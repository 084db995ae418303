"""Studies in a PostgreSQL of a test's own, worked on by processes that the test disturbs."""

import json
import pathlib
import signal
import subprocess
import time

import pipelines
import postgres
import product

# Beyond these, epochs make a trial as long as a test needs it: with one network of a fixed size all take about as long.
BASE = {"tune.window": 0, "tune.models": ["mlp_small"], "train.early_stopping_patience": 0}


def tune(url, changes, *words):
    """The words of `tcrops tune` on the study in the database at `url`."""
    return pipelines.stage("tune", {**BASE, **changes}, "--study", url, *words)


class Process:
    """A `tcrops tune`, started; what it says goes to a file, which many processes may share."""

    def __init__(self, words, store, log, env=None):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(product.command(words, store), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=product.environment(env))

    @property
    def number(self):
        return self.process.pid

    def status(self):
        """The exit status, or None as long as it runs."""
        return self.process.poll()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=None, seconds=120):
        """Sends a signal if one is given, and waits; the exit status."""
        if number is not None:
            self.send(number)
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {seconds} s:\n{self.text()}") from None

    def kill(self):
        self.process.kill()
        return self.process.wait()

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")


def checkpoints(store):
    """Trial -> epochs that its checkpoint in the store has."""
    found = {}
    for path in pathlib.Path(store).glob("work/*/trial-*.0.checkpoint"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        length = int.from_bytes(data[:8], "little")
        begin, end = json.loads(data[8:8 + length])["about"]["data_offsets"]
        found[int(path.name[len("trial-"):].partition(".")[0])] = json.loads(data[8 + length + begin:8 + length + end])["epoch"]
    return found


def wait_until(is_so, seconds, text=lambda: ""):
    """Asks until it is so; returns what it then was."""
    until = time.monotonic() + seconds
    while not (answer := is_so()):
        if time.monotonic() > until:
            raise AssertionError(f"not after {seconds} s\n{text()}")
        time.sleep(0.02)
    return answer


class SharedStudyCase(product.ProductCase):
    """A test case with a server, `self.server`, that has no database of its own yet."""

    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if postgres.programs() is None:
            product.skip("PostgreSQL is not installed")

    def setUp(self):
        super().setUp()
        self.server = postgres.Postgres(self.folder / "server", **self.SETTINGS).start()
        self.addCleanup(self.server.kill)
        self.url = self.server.url()
        self.processes = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.processes:
            if process.status() is None:
                process.kill()

    def start(self, words, store=None, log=None, env=None):
        """A process that ends with the test at the latest."""
        name = log or f"process-{len(self.processes)}.log"
        self.processes.append(Process(words, store or self.store, self.folder / name, env))
        return self.processes[-1]

    def sql(self, text):
        return [line.split("|") for line in self.server.sql(text).splitlines()]

    def trials_where(self, condition):
        """Numbers of trials; none before there are tables."""
        if self.sql("select to_regclass('tcrops_trial') is null") == [["t"]]:
            return []
        return [int(number) for number, in self.sql(f"select number from tcrops_trial where {condition}")]

    def ended(self):
        """How many trials have ended."""
        return len(self.trials_where("phase = 'ended'"))

    def trial_of(self, process):
        """The trial that a process has, or None."""
        return next(iter(self.trials_where(f"phase = 'running' and worker like '%:{process.number}'")), None)

    def study(self, store=None):
        """What `tcrops study show --json` says of the study in the database."""
        return json.loads(self.ok(["study", "show", "--study", self.url, "--json"], store=store or self.store).stdout)

    def assert_replays(self, store=None):
        """Every suggestion, decision and result comes again, bit by bit."""
        done = product.run(["study", "replay", "--study", self.url], store=store or self.store, timeout=900)
        self.assertEqual(done.returncode, product.OK, done.stdout + done.stderr)

    def assert_whole(self, study, trials):
        """All trials have ended well, each finished once, and no attempt is open."""
        self.assertEqual([trial["number"] for trial in study["trials"]], list(range(trials)))
        self.assertEqual(study["count"]["complete"] + study["count"]["pruned"], trials, study["count"])
        finished = sorted(each["trial"] for each in study["attempts"] if each["how"] == "finished")
        self.assertEqual(finished, list(range(trials)))
        self.assertEqual([each for each in study["attempts"] if each["how"] not in ("finished", "released", "lost")], [])


SIGNALS = {signal.SIGTERM: product.TERMINATED, signal.SIGINT: product.INTERRUPTED, signal.SIGUSR1: product.TEMPORARY}
