"""Searches that are killed, asked to stop or run out of disk in the middle of a trial, and go on."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import stage  # noqa: E402
from product import OK, TEMPORARY, TERMINATED  # noqa: E402

# Two trials, each long enough that its checkpoint is written while it is trained.
LONG = {"tune.trials": 2, "tune.jobs": 1, "tune.window": 1, "tune.epochs_min": 1200, "tune.epochs_max": 1200,
        "train.early_stopping_patience": 0, "tune.models": ["mlp_small"], "tune.keep": 1, "tune.keep_seeds": 1, "tune.lease_seconds": 4}


class Cut(studies.StudyCase):
    def setUp(self):
        super().setUp()
        self.url = f"sqlite:{self.folder}/studies.db"

    def rows(self, sql):
        return studies.rows(self.url.removeprefix("sqlite:"), sql)

    def stop_in_a_trial(self, number):
        """Sends a signal while the first trial is trained and has a checkpoint; status and what it said."""
        process = product.start(stage("tune", LONG, "--study", self.url), store=self.store)
        while (not list(self.store.glob("work/*/trial-000000.0.checkpoint"))
               or self.rows("SELECT phase FROM tcrops_trial WHERE number = 0") != [("running",)]):
            self.assertIsNone(process.poll())
            time.sleep(0.002)
        process.send_signal(number)
        _, text = process.communicate(timeout=120)
        return process.returncode, text

    def attempts(self, number):
        return [(each["attempt"], each["how"]) for each in self.show("--study", self.url)["attempts"]
                if each["trial"] == number]

    def go_on(self, attempts):
        """The same command: the trial goes on under its number, and the study is that of an undisturbed search."""
        text = self.tune(LONG, "--study", self.url)
        self.assertRegex(text, r"trial 0 goes on after epoch [1-9]")
        self.assertEqual(self.attempts(0), attempts)
        self.assertEqual(self.attempts(1), [(1, "finished")])
        other = self.folder / "other"
        self.tune(LONG, store=other)
        self.assert_same_artifacts(self.store, other)
        self.assertEqual(product.leftovers(self.store), [])
        return text

    def test_kill(self):
        status, _ = self.stop_in_a_trial(signal.SIGKILL)
        self.assertEqual(status, -signal.SIGKILL)
        self.assertEqual(self.attempts(0), [(1, "")])
        text = self.go_on([(1, "lost"), (2, "finished")])
        self.assertIn("trial 0: attempt 2", text)
        self.assertIn("1 attempts of workers that died", self.ok(["study", "show", "--study", self.url],
                                                                 store=self.store).stdout)

    def test_warned_and_terminated(self):
        """A trial that is given back costs no attempt."""
        for number, expected in ((signal.SIGUSR1, TEMPORARY), (signal.SIGTERM, TERMINATED)):
            status, text = self.stop_in_a_trial(number)
            self.assertEqual(status, expected, text)
            self.assertIn("the same command continues", text)
            shown = self.show("--study", self.url)
            self.assertEqual([(each["state"], each["attempt"]) for each in shown["trials"]], [("waiting", 0)])
        self.assertEqual(self.attempts(0), [(1, "released"), (1, "released")])
        self.go_on([(1, "released"), (1, "released"), (1, "finished")])

    def test_attempts_run_out(self):
        """A trial whose workers die each time counts as failed, and the study goes on."""
        words = ["--set", "tune.attempts=2"]
        for _ in range(2):
            process = product.start(stage("tune", LONG, "--study", self.url, *words), store=self.store)
            begun = len(self.rows("SELECT number FROM tcrops_attempt WHERE number = 0"))
            while len(self.rows("SELECT number FROM tcrops_attempt WHERE number = 0")) <= begun:
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.kill()
            process.communicate(timeout=60)
        self.tune(LONG, "--study", self.url, *words)
        self.assertEqual(self.attempts(0), [(1, "lost"), (2, "lost")])
        failed, whole = self.trials()
        self.assertEqual((failed["state"], failed["acceptable"], whole["state"]), ("failed", False, "complete"))
        self.assertIn("begun 2 times and never finished", failed["reason"])
        self.assertIn("trial 0 failed: begun 2 times", self.ok(["study", "show", "quickstart.study"],
                                                              store=self.store).stdout)
        self.assertEqual(self.manifest()["facts"]["failed"], 1)
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])

    def test_without_its_checkpoint(self):
        """One that cannot be used costs time only."""
        status, _ = self.stop_in_a_trial(signal.SIGKILL)
        self.assertEqual(status, -signal.SIGKILL)
        path, = self.store.glob("work/*/trial-000000.0.checkpoint")
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        text = self.tune(LONG, "--study", self.url)
        self.assertIn("training starts at epoch 1", text)
        other = self.folder / "other"
        self.tune(LONG, store=other)
        self.assert_same_artifacts(self.store, other)


FULL = {"tune.trials": 8, "tune.jobs": 2, "tune.lease_seconds": 4, "tune.patience_seconds": 1}


class FullDisk(studies.StudyCase):
    def test_in_the_middle_of_a_study(self):
        words = [*product.namespace(), sys.executable, "-B", __file__, "--full-disk", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["code"], TEMPORARY, report["stderr"])
        self.assertIn("free some space", report["stderr"])
        self.assertEqual(report["verify"], OK)
        self.assertGreaterEqual(report["ended"], 1)
        self.assertEqual(report["again"], OK, report["said"])
        self.assertEqual(report["leftovers"], [])
        self.tune(FULL)
        self.assertEqual(report["digest"], product.tree_digest(self.store))


def full_disk(folder):
    """In a mount namespace of its own: a disk that is full from the second trial on, and then is not."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    store = disk / "store"
    process = product.start(stage("tune", FULL), store=store)
    while not studies.ended(store) and process.poll() is None:
        time.sleep(0.002)
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    _, text = process.communicate(timeout=120)
    report = {"code": process.returncode, "stderr": text, "verify": product.run(["artifacts", "verify"], store=store).returncode}
    filler.unlink()
    report["ended"] = len(studies.ended(store))
    again = product.run(stage("tune", FULL), store=store)
    report.update(again=again.returncode, said=again.stderr, leftovers=product.leftovers(store),
                  digest=product.tree_digest(store))
    print(json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--full-disk"]:
        full_disk(pathlib.Path(sys.argv[2]))
    else:
        product.main()
