"""Killing and interrupting commands: nothing is lost, damaged or left behind.

Kills come at random moments inside each stage. After each the store verifies, and in the end the same
command gives what an undisturbed run gives. TCROPS_BIN names the program.
"""

import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from watched import (STAGES, SEEDS, KILLS_PER_STAGE, KILLS, ARTIFACTS, MOST_ATTEMPTS, Watched,  # noqa: E402
                     WatchedCase, slow_server, with_seed)


class Kill(WatchedCase):
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


class Interrupt(WatchedCase):
    TUNE = ["tune", *with_seed(SEEDS[0])]

    def kept(self):
        return studies.ended(self.store)

    def stop_after_more_trials(self, number, expected):
        """Runs tune until another trial has ended, sends the signal; returns what is kept then."""
        before = self.kept()
        watched = Watched(self.TUNE, self.store)
        while len(self.kept()) <= len(before):
            self.assertIsNone(watched.process.poll(), watched.text)
            time.sleep(0.002)
        self.assertEqual(watched.end(number), expected, watched.text)
        after = self.kept()
        self.assertEqual({trial: after.get(trial) for trial in before}, before, "a finished trial was run again")
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


if __name__ == "__main__":
    product.main()
