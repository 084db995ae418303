"""Killing, interrupting and doubling commands: nothing is lost, damaged or left behind.

Kills come at random moments inside each stage. After each the store verifies, and in the end the same
command gives what an undisturbed run gives. TCROPS_BIN names the program.
"""

import collections
import contextlib
import functools
import http.server
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

STAGES = ["fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict"]
SMALL = ["--config", product.CONFIGS / "quickstart.json", "--set", "synthetic.tcrs=300", "--set", "tune.trials=6",
         "--set", "tune.epochs_max=6"]
SEEDS = [1, 2, 3, 4]
KILLS_PER_STAGE = 5
KILLS = 35
ARTIFACTS = 10  # one per stage and the three models that the study keeps
MOST_ATTEMPTS = 40  # to hit one stage, for a machine that is very fast or very busy


def with_seed(seed):
    return [*SMALL, "--set", f"seed={seed}"]


class Watched:
    """A started command; tells the stages that it begins, with the time at which each line came."""

    def __init__(self, args, store):
        self.began = time.monotonic()
        self.process = product.start(args, store=store)
        self.stages = []  # (name, seconds since the start)
        self.text = ""
        self.news = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.text += line
            match = re.fullmatch(r"info: (\S+) …\n", line)
            if match and match.group(1) in STAGES:
                self.stages.append((match.group(1), time.monotonic() - self.began))
                self.news.put(match.group(1))
        self.news.put(None)

    def wait_for(self, stage):
        """Waits until `stage` or a later one begins; False when the command ended before."""
        while (name := self.news.get(timeout=120)) is not None:
            if STAGES.index(name) >= STAGES.index(stage):
                return True
        return False

    def end(self, number=None):
        """Sends a signal, if any, and waits; returns the exit status."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(timeout=120)
        self.reader.join()
        self.process.stderr.close()
        self.seconds = time.monotonic() - self.began
        return status

    def last_stage(self):
        return self.stages[-1][0] if self.stages else "start"


@functools.cache
def undisturbed():
    """A store with an undisturbed run of every seed, and how long each stage took at most."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    duration = collections.defaultdict(float)
    for seed in SEEDS:
        watched = Watched(["run", *with_seed(seed)], folder / "store")
        if watched.end() != product.OK:
            raise RuntimeError(watched.text)
        ends = [at for _, at in watched.stages[1:]] + [watched.seconds]
        for (stage, begin), end in zip(watched.stages, ends):
            duration[stage] = max(duration[stage], end - begin)
        duration["start"] = max(duration["start"], watched.stages[0][1])
    return folder / "store", duration


class Case(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference, cls.duration = undisturbed()

    def assert_part_of_reference(self, store):
        digests, mine = product.tree_digest(self.reference), product.tree_digest(store)
        self.assertEqual(mine, {name: digests.get(name) for name in mine})

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.hits = collections.Counter()

    def assert_nothing_left(self, store):
        self.assertEqual([path for path in product.leftovers(store) if path.startswith(("drafts", "work"))], [])

    def kill(self, watched, within):
        """Kills at a random moment of the next `within` seconds, and checks the store."""
        time.sleep(self.random.uniform(0, within))
        status = watched.end(signal.SIGKILL)
        self.assertIn(status, (-signal.SIGKILL, product.OK), watched.text)
        if status != product.OK:
            self.hits[watched.last_stage()] += 1
        if (self.store / "FORMAT").exists():
            self.assert_verifies(self.store)


class Kill(Case):
    def aim(self, stage, args):
        watched = Watched(args, self.store)
        if watched.wait_for(stage):
            self.kill(watched, self.duration[stage])
        else:
            self.assertEqual(watched.end(), product.OK, watched.text)

    def test_every_stage(self):
        for seed in SEEDS:
            self.kill(Watched(["run", *with_seed(seed)], self.store), self.duration["start"])
            for stage in STAGES:
                command = "run" if seed % 2 == 0 else stage
                self.aim(stage, [command, *with_seed(seed)])
        for stage in STAGES:
            for _ in range(MOST_ATTEMPTS):
                if self.hits[stage] >= KILLS_PER_STAGE:
                    break
                self.aim(stage, [stage, *with_seed(self.random.choice(SEEDS)), "--force"])
        print("kills:", ", ".join(f"{stage} {self.hits[stage]}" for stage in ["start", *STAGES]))
        for stage in STAGES:
            self.assertGreaterEqual(self.hits[stage], KILLS_PER_STAGE, stage)
        self.assertGreaterEqual(self.hits.total(), KILLS)

        for seed in SEEDS:
            self.ok(["run", *with_seed(seed)], store=self.store)
        self.assert_verifies(self.store)
        self.assert_same_artifacts(self.store, self.reference)
        self.assertEqual(product.names(self.store), product.names(self.reference))
        self.assert_nothing_left(self.store)
        print("half-written files left elsewhere:", product.leftovers(self.store) or "none")

    def test_download(self):
        data = product.test_data("viral")
        viral = ["fetch", "--config", product.CONFIGS / "viral.json"]
        other = self.folder / "other"
        self.ok([*viral, "--mirror", data], store=other)
        with slow_server(data) as (url, ranges):
            for _ in range(6):
                watched = Watched([*viral, "--mirror", url], self.store)
                if watched.wait_for("fetch"):
                    self.kill(watched, 0.8)
                else:
                    self.assertEqual(watched.end(), product.OK, watched.text)
            self.ok([*viral, "--mirror", url], store=self.store)
        print("kills while downloading:", self.hits["fetch"])
        self.assertGreaterEqual(self.hits["fetch"], 3)
        self.assertTrue(any(begin > 0 for begin in ranges), "no download was continued")
        self.assert_same_artifacts(self.store, other)
        self.assert_nothing_left(self.store)


@contextlib.contextmanager
def slow_server(folder, bytes_per_second=25_000):
    """Serves a folder on the loopback, slowly; gives its URL and the list of where each answer began."""
    ranges = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 (the name is given)
            body = (folder / self.path.rsplit("/", 1)[-1]).read_bytes()
            match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            begin = int(match.group(1)) if match else 0
            ranges.append(begin)
            self.send_response(206 if match else 200)
            self.send_header("Content-Length", str(len(body) - begin))
            if match:
                self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            step = bytes_per_second // 50
            with contextlib.suppress(OSError):  # the client was killed
                for at in range(begin, len(body), step):
                    self.wfile.write(body[at:at + step])
                    time.sleep(0.02)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", ranges
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Interrupt(Case):
    TUNE = ["tune", *with_seed(SEEDS[0])]

    def kept(self):
        """The records of finished trials: name -> what changes when it is written again."""
        found = {}
        for path in self.store.glob("work/*/trial-*.json"):
            status = os.stat(path)
            found[path.name] = (status.st_ino, status.st_mtime_ns)
        return found

    def stop_after_more_trials(self, number, expected):
        """Runs tune until another trial is kept, sends the signal; returns what is kept then."""
        before = self.kept()
        watched = Watched(self.TUNE, self.store)
        while len(self.kept()) <= len(before):
            self.assertIsNone(watched.process.poll(), watched.text)
            time.sleep(0.002)
        self.assertEqual(watched.end(number), expected, watched.text)
        after = self.kept()
        self.assertEqual({name: after.get(name) for name in before}, before, "a finished trial was run again")
        self.assert_verifies(self.store)
        return watched.text

    def test_tune_continues(self):
        for number, expected in ((signal.SIGTERM, product.TERMINATED), (signal.SIGINT, product.INTERRUPTED)):
            text = self.stop_after_more_trials(number, expected)
            self.assertIn("the same command continues", text)
        kept = self.kept()
        print(f"trials kept after two interrupts: {len(kept)} of 6")
        self.assertGreaterEqual(len(kept), 2)
        self.assertEqual([path for path in product.leftovers(self.store) if path.startswith("drafts")], [])
        self.ok(["run", *with_seed(SEEDS[0])], store=self.store)
        self.assertEqual(len(product.ids(self.store)), ARTIFACTS)
        self.assert_part_of_reference(self.store)
        self.assert_nothing_left(self.store)


    def test_killed_before_the_work_was_dropped(self):
        self.stop_after_more_trials(signal.SIGKILL, -signal.SIGKILL)
        copy = self.folder / "work"
        shutil.copytree(self.store / "work", copy)
        self.ok(self.TUNE, store=self.store)
        shutil.copytree(copy, self.store / "work", dirs_exist_ok=True)
        self.ok(self.TUNE, store=self.store)
        self.assert_nothing_left(self.store)

    def test_record_without_weights(self):
        self.stop_after_more_trials(signal.SIGKILL, -signal.SIGKILL)
        for path in self.store.glob("work/*/trial-*.safetensors"):
            path.unlink()
        self.ok(["run", *with_seed(SEEDS[0])], store=self.store)
        self.assert_part_of_reference(self.store)


class Epochs(product.ProductCase):
    """A training that is cut off goes on after its last checkpoint and gives the same model."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())

    @staticmethod
    def train(epochs, seed=1, patience=None):
        return ["train", *with_seed(seed), "--set", "train.from=configuration", "--set", f"train.epochs={epochs}",
                "--set", f"train.early_stopping_patience={patience if patience is not None else epochs - 1}"]

    def reference(self, command):
        store = self.folder / "reference"
        began = time.monotonic()
        done = self.ok(command, store=store)
        self.assertNotIn("continues", done.stderr)
        return store, time.monotonic() - began

    def checkpoint(self):
        """Path of the store's checkpoint, and what changes when it is written again."""
        for path in (self.store / "work").rglob("epoch.safetensors"):
            return path, path.stat().st_ino
        return None, None

    def cut_off(self, command, number, wait=0.0):
        """Sends the signal up to `wait` seconds after a checkpoint was written; returns the command and its status."""
        before = self.checkpoint()
        watched = Watched(command, self.store)
        while self.checkpoint() == before and watched.process.poll() is None:
            time.sleep(0.002)
        time.sleep(self.random.uniform(0, wait))
        return watched, watched.end(number)

    def continued(self, text):
        match = re.search(r"info: train continues after epoch (\d+) of", text)
        return int(match.group(1)) if match else 0

    def kept(self, command):
        """Cuts a training off after its first checkpoint; returns the path and the bytes of its checkpoint."""
        for _ in range(MOST_ATTEMPTS):
            _, status = self.cut_off(command, signal.SIGKILL)
            if status == -signal.SIGKILL:
                path, _ = self.checkpoint()
                return path, path.read_bytes()
            shutil.rmtree(self.store)
        return self.fail("no training could be cut off")

    def test_continues(self):
        signals = ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, product.TERMINATED),
                   (signal.SIGINT, product.INTERRUPTED))
        for patience in (0, 199):
            with self.subTest(patience=patience):
                command = self.train(200, patience=patience)
                shutil.rmtree(self.store, ignore_errors=True)
                shutil.rmtree(self.folder / "reference", ignore_errors=True)
                reference, seconds = self.reference(command)
                epochs = []
                for turn in range(MOST_ATTEMPTS):
                    number, expected = signals[turn % len(signals)]
                    watched, status = self.cut_off(command, number, wait=seconds / 5)
                    if watched.last_stage() == "train":  # not when the one before was cut off after publishing
                        epochs.append(self.continued(watched.text))
                    self.assertIn(status, (expected, product.OK), watched.text)
                    if status == product.OK:
                        break
                    self.assert_verifies(self.store)
                self.ok(command, store=self.store)
                print("continued after the epochs", epochs)
                self.assertEqual(epochs, sorted(epochs), "went back")
                self.assertGreater(epochs[-1], 0)
                self.assert_same_artifacts(self.store, reference)
                self.assertEqual(product.leftovers(self.store), [])

    def test_damaged(self):
        command = self.train(60)
        reference, _ = self.reference(command)
        foreign = {"another seed": self.kept(self.train(60, seed=2))[1]}
        shutil.rmtree(self.store)
        foreign["other parameters"] = self.kept(self.train(61))[1]
        shutil.rmtree(self.store)
        path, good = self.kept(command)
        middle = len(good) // 2
        damaged = {"empty": b"", "short": good[:middle], "one byte short": good[:-1], "longer": good + b"\0",
                   "garbage": random.Random(1).randbytes(len(good)),
                   "one bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:]}
        cut = self.folder / "cut"
        shutil.copytree(self.store, cut)
        for what, content in {**damaged, **foreign}.items():
            with self.subTest(what):
                shutil.rmtree(self.store)
                shutil.copytree(cut, self.store)
                path.write_bytes(content)
                done = self.ok(command, store=self.store)
                self.assertIn("warning: the checkpoint is not used", done.stderr)
                self.assertEqual(self.continued(done.stderr), 0)
                self.assert_same_artifacts(self.store, reference)
                self.assertEqual(product.leftovers(self.store), [])
        shutil.rmtree(self.store)
        shutil.copytree(cut, self.store)
        self.assertGreater(self.continued(self.ok(command, store=self.store).stderr), 0)

    def test_forced(self):
        command = self.train(60)
        path, good = self.kept(command)
        self.ok(command, store=self.store)
        before = product.tree_digest(self.store)
        path.parent.mkdir()
        path.write_bytes(good)
        done = self.ok([*command, "--force"], store=self.store)
        self.assertEqual(self.continued(done.stderr), 0)
        self.assertEqual(product.tree_digest(self.store), before)
        self.ok(command, store=self.store)
        self.assertEqual(product.leftovers(self.store), [])


class AtOnce(Case):
    """Several processes on one store."""

    def test_twin_is_done_first(self):
        # The study keeps every trial, so the slow one needs weights that its twin has dropped.
        command = ["tune", *SMALL, "--set", "tune.trials=3", "--jobs", 1]
        slow = Watched(command, self.store)
        while not list(self.store.glob("work/*/trial-*.json")):
            self.assertIsNone(slow.process.poll(), slow.text)
            time.sleep(0.002)
        slow.process.send_signal(signal.SIGSTOP)
        try:
            self.ok(command, store=self.store)
        finally:
            slow.process.send_signal(signal.SIGCONT)
        before = product.tree_digest(self.store)
        self.assertEqual(slow.end(), product.OK, slow.text)
        self.assertEqual(product.tree_digest(self.store), before)
        self.assert_verifies(self.store)
        self.assert_nothing_left(self.store)

    def test_two_downloads(self):
        data = product.test_data("viral")
        with slow_server(data, bytes_per_second=200_000) as (url, _):
            command = ["fetch", "--config", product.CONFIGS / "viral.json", "--mirror", url]
            fetches = [Watched(command, self.store) for _ in range(2)]
            for each in fetches:
                self.assertEqual(each.end(), product.OK, each.text)
        self.assertEqual(len(product.ids(self.store)), 1)
        self.assert_verifies(self.store)
        self.assert_nothing_left(self.store)

    def test_two_runs(self):
        for turn in range(3):
            store = self.folder / str(turn)
            seed = SEEDS[turn]
            runs = [Watched(["run", *with_seed(seed)], store) for _ in range(2)]
            while not (store / "FORMAT").exists():
                time.sleep(0.001)
            verified = 0
            while any(each.process.poll() is None for each in runs):
                self.assert_verifies(store)
                verified += 1
                time.sleep(0.01)
            for each in runs:
                self.assertEqual(each.end(), product.OK, each.text)
            self.assertGreater(verified, 0)
            self.assert_verifies(store)
            self.assert_nothing_left(store)
            self.assertEqual(len(product.ids(store)), ARTIFACTS)
            self.assert_part_of_reference(store)

    def test_many_make_the_store(self):
        command = ["fetch", *SMALL, "--set", "synthetic.tcrs=20"]
        for turn in range(10):
            store = self.folder / str(turn)
            starts = [Watched(command, store) for _ in range(4)]
            for each in starts:
                self.assertEqual(each.end(), product.OK, each.text)
            self.assertEqual(len(product.ids(store)), 1)
            self.assert_verifies(store)
            self.assert_nothing_left(store)


if __name__ == "__main__":
    product.main()
