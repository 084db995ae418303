"""Commands that are watched while they run, to kill and interrupt them at chosen moments."""

import collections
import contextlib
import functools
import http.server
import pathlib
import queue
import random
import re
import shutil
import signal
import tempfile
import threading
import time
import unittest

import product

STAGES = ["fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict"]
SMALL = ["--config", product.CONFIGS / "quickstart.json", "--set", "synthetic.tcrs=300", "--set", "tune.trials=6",
         "--set", "tune.epochs_max=6", "--set", "tune.lease_seconds=3"]
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


class WatchedCase(product.ProductCase):
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
