"""Searches that get more trials, from a published study or from one that was cut off; and workers."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import stage  # noqa: E402
from product import ARTIFACT, USAGE  # noqa: E402


class More(studies.StudyCase):
    def setUp(self):
        super().setUp()
        self.other = self.folder / "other"

    def begun(self, url):
        """Trial -> how often it was begun, by the attempts in a database."""
        counts = {}
        for number, in studies.rows(url.removeprefix("sqlite:"), "SELECT number FROM tcrops_attempt"):
            counts[number] = counts.get(number, 0) + 1
        return counts

    def assert_same_study(self, changes):
        """As if it had been searched with so many trials from the start."""
        self.tune(changes, store=self.other)
        mine = product.tree_digest(self.store)
        self.assertEqual({name: mine.get(name) for name in product.tree_digest(self.other)},
                         product.tree_digest(self.other))

    def test_from_a_published_one(self):
        self.tune({"tune.trials": 3})
        first = self.trials()
        url = f"sqlite:{self.folder}/more.db"
        text = self.tune({"tune.trials": 5}, "--study", url)
        self.assertIn("goes on from 3 trials", text)
        self.assertEqual(self.begun(url), {3: 1, 4: 1})
        self.assertEqual(self.trials()[:3], first)
        self.assert_same_study({"tune.trials": 5})
        text = self.add(2)
        self.assertIn("5 trials so far, 7 in all", text)
        self.assertIn("goes on from 5 trials", text)
        self.assert_same_study({"tune.trials": 7})
        self.assertEqual(self.trials()[:3], first)
        # Fewer are the first of them.
        self.tune({"tune.trials": 4})
        self.assertEqual(len(self.trials()), 4)
        self.assert_same_study({"tune.trials": 4})

    def test_from_one_that_was_cut_off(self):
        status, _ = self.cut_off({"tune.trials": 40, "tune.jobs": 1}, 2)
        self.assertEqual(status, -9)
        before = {number for _, number in studies.ended(self.store)}
        self.assertLess(len(before), 40)
        text = self.add(1, {"tune.lease_seconds": 4})
        self.assertIn("40 trials so far, 41 in all", text)
        self.assertEqual(len(self.trials()), 41)
        self.assertEqual(product.leftovers(self.store), [])
        self.assert_same_study({"tune.trials": 41})

    def test_in_a_database(self):
        url = f"sqlite:{self.folder}/studies.db"
        self.tune({"tune.trials": 3}, "--study", url)
        self.add(2, {}, "--study", url)
        self.assertEqual(self.begun(url), {number: 1 for number in range(5)})
        listed, = self.json(["study", "list", "--study", url])["studies"]
        self.assertEqual((listed["trials"], listed["finished"]), (5, 5))
        self.assert_same_study({"tune.trials": 5})

    def test_without_a_window_and_with_a_pruner(self):
        changes = {"tune.window": 0, "tune.jobs": 2, "tune.pruner": "median", "tune.pruner_startup_trials": 2,
                   "tune.epochs_max": 8}
        self.tune({**changes, "tune.trials": 8})
        first = self.trials()
        self.assertIn("pruned", {trial["state"] for trial in first})
        self.add(4, changes)
        self.assertEqual(len(self.trials()), 12)
        self.assertEqual(self.trials()[:8], first)
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])

    def test_usage(self):
        self.fails(USAGE, stage("tune", {}, "--add", 2), "--add", "--trials", store=self.store)
        self.fails(USAGE, stage("tune", {}, "--add", 0), "--add", store=self.store)
        self.fails(USAGE, stage("tune", {}, "--worker", "--add", 2), "--worker", "--add", store=self.store)
        self.fails(USAGE, stage("tune", {}, "--name", "x"), "--worker", store=self.store)
        self.fails(USAGE, stage("tune", {}, "--force", "--study", f"sqlite:{self.folder}/x.db"), "--force",
                   store=self.store)
        self.fails(USAGE, ["tune", "--worker"], "--study", store=self.store)


class Worker(studies.StudyCase):
    def test_beside_and_alone(self):
        url = f"sqlite:{self.folder}/studies.db"
        self.fails(ARTIFACT, ["tune", "--worker", "--study", url], "no such file", store=self.store)
        changes = {"tune.trials": 4}
        # With a configuration it begins the study and makes the dataset, and publishes none.
        told = self.json(stage("tune", changes, "--worker", "--study", url))
        self.assertEqual((told["schema"], told["name"], told["ended_here"], told["finished"], told["trials"]),
                         ("tcrops.worker/1", "quickstart", 4, 4, 4))
        self.assertNotIn("quickstart.study", product.names(self.store))
        told = self.json(["tune", "--worker", "--study", url])
        self.assertEqual((told["ended_here"], told["finished"]), (0, 4))
        self.fails(ARTIFACT, ["tune", "--worker", "--study", url, "--name", "other"], 'no study "other"', store=self.store)
        self.tune(changes, "--study", url)
        other = self.folder / "other"
        self.tune(changes, store=other)
        self.assert_same_artifacts(self.store, other)

    def test_worker_takes_over_what_is_published(self):
        self.tune({"tune.trials": 3})
        url = f"sqlite:{self.folder}/studies.db"
        told = self.json(stage("tune", {"tune.trials": 5}, "--worker", "--study", url))
        self.assertEqual((told["ended_here"], told["finished"]), (2, 5))


if __name__ == "__main__":
    product.main()
