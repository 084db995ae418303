"""scripts/slurm on a Slurm and a PostgreSQL of the test's own: an array whose tasks are killed, cancelled and requeued."""

import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import slurm  # noqa: E402
from checkout import ROOT  # noqa: E402
from shared_study import SharedStudyCase, checkpoints, tune, wait_until  # noqa: E402

TRIALS = 12
CHANGES = {"tune.trials": TRIALS, "tune.epochs_min": 400, "tune.epochs_max": 600, "tune.pruner": "median",
           "tune.lease_seconds": 4}
KILLED, WARNED, CANCELLED, LEFT_ALONE = TASKS = (1, 2, 3, 4)


class Array(SharedStudyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not slurm.is_installed():
            product.skip("Slurm is not installed")

    def setUp(self):
        super().setUp()
        self.cluster = slurm.Slurm(self.folder / "slurm", cpus=len(TASKS)).start()
        self.addCleanup(self.cluster.stop)
        self.options = [*tune(self.url, CHANGES)[1:], "--store", self.store]

    def sbatch(self, script, *options, output):
        return self.cluster.sbatch(ROOT / "scripts" / "slurm" / script, *self.options, options=[*options, f"--output={output}"],
                                   env={**product.environment(), "TCROPS_BIN": product.PROGRAM})

    def text(self):
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join([*(f"{path.name}: {path.read_text()[-2000:]}" for path in logs), self.cluster.call("squeue")])

    def wait_until(self, is_so, seconds=120):
        return wait_until(is_so, seconds, self.text)

    def holder(self, task):
        """Process and trial of a task that has a checkpoint to continue from."""
        rows = self.sql("select worker, number from tcrops_trial where phase = 'running' and lease_until > "
                        f"extract(epoch from clock_timestamp()) and job = '{self.array}_{task}'")
        found = [(int(worker.rpartition(":")[2]), int(number)) for worker, number in rows]
        return found[0] if found and found[0][1] in checkpoints(self.store) else None

    def attempts(self, trial, job):
        return [each["how"] for each in self.study()["attempts"] if each["trial"] == trial and each["job"] == job]

    def test_study_survives_what_happens_to_its_jobs(self):
        self.array = self.sbatch("tune.sbatch", f"--array=1-{len(TASKS)}", output=self.folder / "task-%a.log")
        publishing = self.sbatch("publish.sbatch", f"--dependency=afterany:{self.array}", output=self.folder / "publish.log")
        job = {task: f"{self.array}_{task}" for task in TASKS}
        self.wait_until(lambda: self.ended() >= 1)

        warned, given_back = self.wait_until(lambda: self.holder(WARNED))
        self.cluster.call("scancel", "--batch", "--signal=USR1", job[WARNED])
        self.wait_until(lambda: self.cluster.job(job[WARNED])["Restarts"] == "1")
        self.wait_until(lambda: self.cluster.state(job[WARNED]) == "PENDING")

        killed, lost = self.wait_until(lambda: self.holder(KILLED))
        os.kill(killed, signal.SIGKILL)
        self.wait_until(lambda: self.cluster.has_ended(job[KILLED]))
        self.assertEqual(self.cluster.job(job[KILLED])["ExitCode"], "137:0")

        cancelled, also_given_back = self.wait_until(lambda: self.holder(CANCELLED))
        self.cluster.call("scancel", job[CANCELLED])
        self.wait_until(lambda: self.cluster.has_ended(job[CANCELLED]))

        self.assertEqual(self.cluster.state(publishing), "PENDING")
        self.cluster.run_now(job[WARNED])
        self.wait_until(lambda: self.cluster.has_ended(publishing), 300)
        self.assertEqual({task: self.cluster.state(job[task]) for task in TASKS},
                         {KILLED: "FAILED", WARNED: "COMPLETED", CANCELLED: "CANCELLED", LEFT_ALONE: "COMPLETED"}, self.text())
        self.assertEqual(self.cluster.state(publishing), "COMPLETED", self.text())

        study = self.study()
        self.assert_whole(study, TRIALS)
        self.assertIn("released", self.attempts(given_back, job[WARNED]))
        self.assertIn("lost", self.attempts(lost, job[KILLED]))
        self.assertIn("released", self.attempts(also_given_back, job[CANCELLED]))
        self.assertGreater(study["trials"][lost]["attempt"], 1)
        for number, trial in enumerate(study["trials"]):  # what is given back costs no attempt, whoever takes it next
            charged = [each["how"] for each in study["attempts"] if each["trial"] == number and each["how"] != "released"]
            self.assertEqual(trial["attempt"], len(charged), (number, study["attempts"]))
        jobs = {each["job"] for each in study["attempts"]}
        self.assertLessEqual(set(job.values()), jobs)
        self.assertIn(f"{job[WARNED]} (restart 1)", jobs)
        self.assertLessEqual(jobs, {*job.values(), f"{job[WARNED]} (restart 1)", publishing})
        logs = "".join((self.folder / f"task-{task}.log").read_text() for task in TASKS)
        for trial in (given_back, lost, also_given_back):
            self.assertIn(f"trial {trial} goes on after epoch", logs)
        self.assertEqual(logs.count("the worker stopped with status 75, back into the queue"), 1)

        self.assert_replays()
        published = self.ok(["artifacts", "show", "quickstart.study", "--json"], store=self.store)
        best = study["trials"][study["best"][0]]
        self.assertEqual(json.loads(published.stdout)["manifest"]["facts"]["best"][0]["value"], best["value"])
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
