"""A study of many trials, whose workers are killed and frozen, whose clocks are wrong, and whose database is restarted.

In the end every trial has ended once, and all of it can be repeated bit by bit.
"""

import json
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from shared_study import SharedStudyCase, tune  # noqa: E402

TRIALS = 200
KILLS = 50
FREEZES = 4
OUTAGES = {40: ("fast", 0), 90: ("immediate", 60), 140: ("kill", 0)}  # ended trials -> how, seconds without
CHANGES = {"tune.trials": TRIALS, "tune.epochs_min": 40, "tune.epochs_max": 100, "tune.models": ["mlp_small", "mlp_medium"],
           "tune.pruner": "median", "tune.pruner_startup_trials": 30, "tune.lease_seconds": 3, "tune.patience_seconds": 120,
           "tune.attempts": 100}
MOST_SECONDS = 1200
FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


def wrong_clock(offset):
    """The environment of a process whose clock is wrong; how fast time goes by stays."""
    return {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Worker:
    """One that is started again whenever it was killed."""

    def __init__(self, case, name, store, env=None):
        self.case, self.name, self.store, self.env = case, name, store, env
        self.names = set()  # of all its processes
        self.starts = 0
        self.start()

    def start(self):
        self.process = self.case.start(self.case.words, self.store, f"{self.name}.log", self.env)
        self.names.add(self.process.number)
        self.starts += 1

    def look_after(self):
        """Starts it again if it was killed; anything else but the end of the study must not be."""
        status = self.process.status()
        if status == -signal.SIGKILL:
            self.start()
        elif status not in (None, product.OK):
            raise AssertionError(f"{self.name}: exit status {status}\n{self.process.text()[-3000:]}")

    def is_at_work(self):
        return self.process.status() is None


class Frozen:
    def __init__(self, process, trial):
        self.process, self.trial = process, trial
        self.goes_on = False


class Faults(SharedStudyCase):
    SETTINGS = {"idle_in_transaction_session_timeout": "5s"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not FAKETIME:
            product.skip("libfaketime is not installed")

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())
        self.words = tune(self.url, CHANGES, "--worker", "--jobs", 1)
        # The second has a store of its own, so it finds none of the others' checkpoints.
        self.workers = [Worker(self, "on time", self.store),
                        Worker(self, "an hour ahead", self.folder / "other", wrong_clock("+1h")),
                        Worker(self, "an hour behind", self.store, wrong_clock("-1h"))]
        self.kills = self.freezes = 0
        self.frozen = None
        self.outages = dict(OUTAGES)

    def at_work(self):
        """Those that run and are not frozen."""
        return [worker for worker in self.workers
                if worker.is_at_work() and not (self.frozen and worker.process is self.frozen.process)]

    def kill_one(self):
        time.sleep(self.random.uniform(0, 0.2))
        if candidates := self.at_work():
            self.random.choice(candidates).process.send(signal.SIGKILL)
            self.kills += 1

    def freeze_one(self):
        """Stops a worker that has a trial."""
        process = self.random.choice(self.at_work()).process
        trial = self.trial_of(process)
        if trial is not None:
            process.send(signal.SIGSTOP)
            self.frozen = Frozen(process, trial)

    def thaw(self):
        """Lets it go on once another worker has begun its trial again, and awaits what it says of that."""
        process, trial = self.frozen.process, self.frozen.trial
        whose = f"worker like '%:{process.number}'"
        if not self.frozen.goes_on:
            if not self.sql(f"select 1 from tcrops_trial where number = {trial} and phase = 'running' and {whose}"):
                process.send(signal.SIGCONT)
                self.frozen.goes_on = True
        elif self.sql(f"select 1 from tcrops_late_result where number = {trial} and {whose}"):
            self.freezes += 1
            self.frozen = None
        elif self.trial_of(process) is not None:  # it had just ended the trial
            self.frozen = None

    def outage(self, mode, seconds):
        if mode == "kill":
            self.server.kill()
        else:
            self.server.stop(mode)
        time.sleep(seconds)
        self.server.start()

    def disturb(self, ended):
        if self.kills < KILLS and ended >= self.kills * (TRIALS - 15) / KILLS:
            self.kill_one()
        if self.frozen:
            self.thaw()
        elif self.freezes < FREEZES and ended >= 10 + 25 * self.freezes and self.at_work():
            self.freeze_one()
        for at in [at for at in self.outages if ended >= at]:
            self.outage(*self.outages.pop(at))

    def test_nothing_is_lost(self):
        begun = time.monotonic()
        while any(worker.process.status() != product.OK for worker in self.workers):
            for worker in self.workers:
                worker.look_after()
            self.disturb(ended := self.ended())
            self.assertLess(time.monotonic() - begun, MOST_SECONDS, f"{ended} trials have ended, {self.kills} kills")
            time.sleep(0.05)
        searched = time.monotonic()
        published = json.loads(self.ok(tune(self.url, CHANGES, "--json"), store=self.store, timeout=600).stdout)
        study = self.study()
        lost = [each for each in study["attempts"] if each["how"] == "lost"]
        print(f"{TRIALS} trials in {searched - begun:.0f} s, {self.kills} kills, {self.freezes} frozen workers, "
              f"{sum(worker.starts for worker in self.workers)} starts, {len(lost)} lost attempts, "
              f"{study['count']['pruned']} pruned, {len(study['late_results'])} late results")
        self.assertEqual((self.kills, self.outages), (KILLS, {}))
        # A frozen worker may have ended its trial just before, so not each try is one.
        self.assertGreaterEqual(self.freezes, 1)

        self.assert_whole(study, TRIALS)
        self.assertGreater(study["count"]["pruned"], 0)
        self.assertGreater(study["count"]["complete"], 0)
        self.assertGreaterEqual(len(lost), 10)
        self.assertGreaterEqual(len(study["late_results"]), self.freezes)
        for late in study["late_results"]:
            attempts = [each for each in study["attempts"] if each["trial"] == late["trial"]]
            self.assertIn((late["worker"], "lost"), [(each["worker"], each["how"]) for each in attempts])
        # A wrong clock kept nobody from working, and took no trial from those who had it.
        for worker in self.workers:
            mine = [each for each in study["attempts"] if int(each["worker"].rpartition(":")[2]) in worker.names]
            finished = sum(each["how"] == "finished" for each in mine)
            print(f"{worker.name}: {finished} trials finished by {worker.starts} processes")
            self.assertGreaterEqual(finished, 10, worker.name)
            for each in mine:
                self.assertLess(abs(each["started"] - time.time()), 1800, each)

        best = study["trials"][study["best"][0]]
        self.assertEqual(published["facts"]["best"][0]["value"], best["value"])
        self.assertEqual(published["facts"]["trials"], TRIALS)
        self.assert_replays()
        print(f"replayed in {time.monotonic() - searched:.0f} s")
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
