"""A shared study where a COMMIT takes effect and its answer is lost: what is done again must change nothing.

Usage: lost_answers_test.py STUDY_PROBE
"""

import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import postgres  # noqa: E402
import product  # noqa: E402

PROBE = sys.argv[1]
LIMIT = 240
TRIALS, JOBS, LEASE, PAUSE = 60, 2, 600, 3  # a lease that nobody loses


class Forgetful:
    """Stands before a server and passes all on, but loses the connection at every few answers to a COMMIT."""

    def __init__(self, port, every):
        self.port, self.every = port, every
        self.commits = self.lost = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                for source, sink, is_answer in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self.pass_on, args=(source, sink, is_answer), daemon=True).start()

    def pass_on(self, source, sink, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer and b"COMMIT\0" in data and self.is_lost():
                    break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def is_lost(self):
        with self.lock:
            self.commits += 1
            is_lost = self.commits % self.every == 0
            self.lost += is_lost
            return is_lost


class LostAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if postgres.programs() is None:
            product.skip("PostgreSQL is not installed")
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.server = postgres.Postgres(folder / "server").start()
        cls.addClassCleanup(cls.server.kill)

    def probe(self, *words):
        process = subprocess.Popen([PROBE, *map(str, words)], env=product.environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        words, errors = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 0, errors)
        return json.loads(words)

    def work_through(self, name, window, every):
        url = self.server.create_database(name)
        between = Forgetful(self.server.port, every)
        self.addCleanup(between.listener.close)
        there = url.replace(f":{self.server.port}/", f":{between.own_port}/")
        workers = [self.probe(there, "work", f"worker {i}", TRIALS, window, JOBS, LEASE, PAUSE) for i in range(2)]
        # A result that was kept and is told once more is the worker's own.
        self.assertEqual(sum(self.end(worker) for worker in workers), TRIALS)
        found = self.end(self.probe(url, "check", TRIALS, window))
        self.assertGreater(between.lost, TRIALS)
        self.assertEqual(found["problems"], [])
        self.assertEqual(sorted(found["finished"]), list(range(TRIALS)))
        self.assertEqual((found["ended"], found["lost"], found["late"]), (TRIALS, 0, 0))
        # A claim that was kept and is told once more begins nothing twice.
        self.assertEqual(self.server.sql("select number from tcrops_attempt group by number having count(*) > 1", name), "")

    def test_without_a_window(self):
        self.work_through("free", 0, 7)

    def test_with_a_window(self):
        self.work_through("window", 3, 5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
