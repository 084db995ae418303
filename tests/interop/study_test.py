"""Studies that many workers share, on a real PostgreSQL and on SQLite, through restarts, crashes and a wrong clock.

Usage: study_test.py TUNE_TESTS STUDY_PROBE
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import postgres  # noqa: E402
import product  # noqa: E402

TUNE_TESTS, PROBE = sys.argv[1:3]
SHARED = ("storage_test", "storage_report_test", "replay_test", "worker_test", "worker_failure_test")
INTERRUPTED = 130
LIMIT = 240


def clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


class Crew:
    """Workers on one study, of which any may be killed and replaced."""

    def __init__(self, url, trials, window, lease=1.5, pause=20, jobs=1):
        self.words = [url, "work"]
        self.rest = [str(word) for word in (trials, window, jobs, lease, pause)]
        self.check_words = [url, "check", str(trials), str(window)]
        self.workers = []
        self.random = random.Random(7)
        self.kills = 0

    def hire(self, count=1, prefix=(), **environment):
        for _ in range(count):
            name = f"worker {self.kills + len(self.workers)}"
            self.workers.append(subprocess.Popen([*prefix, PROBE, *self.words, name, *self.rest], text=True,
                                                 env={**clean(), **environment}, stdout=subprocess.PIPE,
                                                 stderr=subprocess.PIPE))

    def replace_one(self):
        """Kills a worker in whatever it does, and sends another."""
        victim = self.random.choice(self.workers)
        if victim.poll() is not None:
            raise AssertionError(f"ended after {self.kills} kills with {victim.returncode}: {victim.stderr.read()}")
        victim.kill()
        self.dismiss(victim)
        self.kills += 1
        self.hire()

    def dismiss(self, worker):
        self.workers.remove(worker)
        worker.communicate(timeout=LIMIT)

    def end(self):
        """How many trials each worker has ended."""
        counts = []
        for worker in self.workers:
            words, errors = worker.communicate(timeout=LIMIT)
            if worker.returncode != 0:
                raise AssertionError(f"{worker.returncode}: {errors}")
            counts.append(int(words))
        return counts

    def stop(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.communicate()

    def check(self):
        done = subprocess.run([PROBE, *self.check_words], capture_output=True, text=True, env=clean(), check=False,
                              timeout=LIMIT)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)


class StudyCase(unittest.TestCase):
    maxDiff = None

    def crew(self, *arguments, **options):
        crew = Crew(*arguments, **options)
        self.addCleanup(crew.stop)
        return crew

    def whole(self, crew, trials):
        """Every trial has ended once, and all of it can be repeated."""
        found = crew.check()
        self.assertEqual(found["problems"], [])
        self.assertEqual(found["ended"], trials)
        self.assertEqual(sorted(found["finished"]), list(range(trials)))
        self.assertEqual(found["best"], found["again"])
        self.assertGreater(found["pruned"], trials // 10)
        return found


class PostgresCase(StudyCase):
    @classmethod
    def setUpClass(cls):
        if postgres.programs() is None:
            product.skip("PostgreSQL is not installed")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = postgres.Postgres(cls.folder / "server").start()
        cls.addClassCleanup(cls.server.kill)

    def test_unit_tests(self):
        url = self.server.create_database("units")
        done = subprocess.run([TUNE_TESTS, "-#", ",".join(f"[#{name}]" for name in SHARED)], capture_output=True,
                              env={**clean(), "TCROPS_TEST_POSTGRES": url}, text=True, check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("All tests passed", done.stdout)
        self.assertNotEqual(self.server.sql("select count(*) from tcrops_study", "units"), "0")

    def test_through_restarts_and_kills(self):
        crew = self.crew(self.server.create_database("storm"), 200, 0)
        crew.hire(4)
        for mode in (None, "fast", "immediate", "kill"):
            if mode:
                self.server.restart(mode)
            while crew.kills < {None: 12, "fast": 25, "immediate": 38, "kill": 50}[mode]:
                time.sleep(crew.random.uniform(0.05, 0.15))
                crew.replace_one()
        crew.end()
        self.assertGreater(self.whole(crew, 200)["lost"], 10)

    def test_a_worker_whose_clock_is_an_hour_fast(self):
        if not shutil.which("faketime"):
            self.skipTest("faketime is not installed")
        crew = self.crew(self.server.create_database("clock"), 40, 0, lease=20)
        crew.hire(2)
        crew.hire(1, prefix=["faketime", "-f", "+1h"], FAKETIME_DONT_FAKE_MONOTONIC="1")
        counts = crew.end()
        self.assertEqual(sum(counts), 40)
        self.assertGreater(counts[2], 0)
        found = self.whole(crew, 40)
        self.assertEqual((found["lost"], found["late"]), (0, 0))

    def test_workers_give_what_one_alone_gives(self):
        crew = self.crew(self.server.create_database("window"), 40, 3, pause=5)
        crew.hire(3)
        for mode in ("fast", "immediate", "kill"):
            time.sleep(0.4)
            self.server.restart(mode)
        self.assertEqual(sum(crew.end()), 40)
        self.whole(crew, 40)

    def test_a_server_that_is_away_for_longer_than_a_lease(self):
        """The training goes on, and what was to be told meanwhile is told later."""
        crew = self.crew(self.server.create_database("away"), 24, 0, lease=1, pause=100)
        crew.hire(3)
        time.sleep(1.5)
        self.server.stop()
        time.sleep(2.5)
        self.server.start()
        crew.end()
        self.whole(crew, 24)


class Sqlite(StudyCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_through_kills(self):
        crew = self.crew(f"sqlite:{self.folder}/a.db", 80, 0)
        crew.hire(3)
        while crew.kills < 20:
            time.sleep(crew.random.uniform(0.05, 0.15))
            crew.replace_one()
        crew.end()
        self.assertGreater(self.whole(crew, 80)["lost"], 4)

    def test_a_signal_costs_no_attempt(self):
        crew = self.crew(f"sqlite:{self.folder}/a.db", 12, 2, lease=600, pause=60)
        crew.hire()
        time.sleep(1)
        worker = crew.workers.pop()
        worker.send_signal(signal.SIGINT)
        _, errors = worker.communicate(timeout=LIMIT)
        self.assertEqual(worker.returncode, INTERRUPTED, errors)
        crew.hire(2)
        crew.end()
        self.assertEqual(self.whole(crew, 12)["lost"], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
