"""How searches judge their trials: pruners, repetitions, inner folds, failed trials, and the spread of the best."""

import json
import math
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from product import CONFIGURATION  # noqa: E402
from pipelines import stage  # noqa: E402

EPOCHS = {"tune.trials": 14, "tune.epochs_min": 9, "tune.epochs_max": 9, "tune.learning_rate_min": 1e-5, "tune.keep": 2,
          "tune.keep_seeds": 1}
PRUNERS = {
    "median": {"tune.pruner_startup_trials": 3, "tune.pruner_warmup_epochs": 2},
    "percentile": {"tune.pruner_percentile": 25, "tune.pruner_startup_trials": 3, "tune.pruner_interval_epochs": 2},
    "asha": {"tune.pruner_minimum_epochs": 1, "tune.pruner_reduction_factor": 2},
    "hyperband": {"tune.pruner_minimum_epochs": 1, "tune.pruner_maximum_epochs": 9},
}


def epochs(trials):
    return sum(len(trial["details"]["history"]) for trial in trials)


class Pruned(studies.StudyCase):
    def test_each_pruner(self):
        for name, settings in PRUNERS.items():
            with self.subTest(name):
                self.check({**EPOCHS, "tune.pruner": name, **settings})

    def check(self, changes):
        name = changes["tune.pruner"]
        one, two = self.folder / f"{name}-1", self.folder / f"{name}-2"
        self.tune(changes, "--jobs", 1, store=one)
        text = self.tune(changes, "--jobs", 2, store=two)
        self.assertNotIn("training its network again", text)
        self.assert_same_artifacts(one, two)
        trials = self.trials(one)
        pruned = [trial for trial in trials if trial["state"] == "pruned"]
        self.assertEqual({trial["state"] for trial in trials}, {"complete", "pruned"})
        self.assertEqual(self.manifest(store=one)["facts"]["pruned"], len(pruned))
        self.assertLess(epochs(trials), 9 * len(trials))
        for trial in trials:
            reports = trial["reports"]
            # One report per epoch, of the value that the history has, and none after the last decision.
            self.assertEqual([report["step"] for report in reports], list(range(1, len(reports) + 1)))
            self.assertEqual([report["value"] for report in reports],
                             [entry["objective"] for entry in trial["details"]["history"]])
            self.assertEqual([report["decision"]["prune"] for report in reports],
                             [False] * (len(reports) - 1) + [trial["state"] == "pruned"])
            self.assertTrue(all(report["decision"]["rule"] == name for report in reports))
            self.assertTrue(len(reports) == 9 or trial["state"] == "pruned")
            if name == "median":
                self.assertGreaterEqual(len(reports), 2)
        for trial in pruned:
            decision = trial["reports"][-1]["decision"]
            self.assertLess(decision["own"], decision["threshold"])
            self.assertGreaterEqual(decision["compared"], 1)
            self.assertTrue(decision["reason"])
            self.assertEqual(trial["value"], trial["reports"][-1]["value"])
        if name in ("median", "percentile"):
            self.assert_percentile(trials, 50 if name == "median" else 25)
        best = self.manifest(store=one)["facts"]["best"]
        self.assertTrue(all(trials[each["trial"]]["state"] == "complete" for each in best))
        self.store = one
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])
        self.assertIn(f"{len(pruned)} of them pruned", self.ok(["study", "show", "quickstart.study"], store=one).stdout)

    def assert_percentile(self, trials, percentile):
        """The threshold of a decision is the percentile of what the finished trials that count had at the step."""
        for trial in trials:
            if trial["state"] != "pruned":
                continue
            decision = trial["reports"][-1]["decision"]
            at = [other["reports"][decision["step"] - 1]["value"] for other in trials[:trial["number"] - 1]
                  if other["state"] == "complete"]
            at.sort()
            place = (100 - percentile) / 100 * (len(at) - 1)
            low = math.floor(place)
            high = min(low + 1, len(at) - 1)
            self.assertEqual(decision["compared"], len(at))
            self.assertAlmostEqual(decision["threshold"], at[low] + (place - low) * (at[high] - at[low]), places=12)
            self.assertEqual(decision["own"], max(report["value"] for report in trial["reports"]))

    def test_without_a_window(self):
        changes = {**EPOCHS, "tune.pruner": "asha", **PRUNERS["asha"], "tune.window": 0}
        self.tune(changes, "--jobs", 2)
        trials = self.trials()
        self.assertEqual(len(trials), 14)
        self.assertIn("pruned", {trial["state"] for trial in trials})
        for trial in trials:
            order = [trial["begun_at_event"], *(report["event"] for report in trial["reports"]), trial["ended_at_event"]]
            self.assertEqual(order, sorted(set(order)))
        begun = [trial["begun_at_event"] for trial in trials]
        self.assertEqual(begun, sorted(begun))
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])
        self.ok(["reproduce", "quickstart.study"], store=self.store)
        self.ok(["reproduce", self.manifest()["parents"]["model-1"]], store=self.store)

    def test_more_trials_keep_the_decisions(self):
        changes = {**EPOCHS, "tune.pruner": "asha", **PRUNERS["asha"]}
        self.tune({**changes, "tune.trials": 8})
        first = self.trials()
        self.tune(changes)
        self.assertEqual(self.trials()[:8], first)
        other = self.folder / "other"
        self.tune(changes, store=other)
        self.assertEqual(self.trials(), self.trials(other))

    def test_what_does_not_go_together(self):
        for field, value in (("tune.seeds", 2), ("tune.inner_folds", 3)):
            self.fails(CONFIGURATION, stage("tune", {"tune.pruner": "median", field: value}), "tune.pruner", field,
                       store=self.store)
        self.fails(CONFIGURATION, stage("tune", {"tune.pruner": "hyperband", "tune.pruner_minimum_epochs": 0}),
                   "hyperband", store=self.store)


class Repeated(studies.StudyCase):
    def test_seeds(self):
        self.tune({"tune.seeds": 3, "tune.keep_seeds": 1}, "--jobs", 1)
        for trial in self.trials():
            repetitions = trial["details"]["repetitions"]
            self.assertEqual(len({each["seed"] for each in repetitions}), 3)
            self.assertEqual(repetitions[0]["seed"], trial["details"]["seed"])
            self.assertAlmostEqual(trial["value"], statistics.fmean(each["value"] for each in repetitions), places=12)
            self.assertGreater(len({each["value"] for each in repetitions}), 1)
        other = self.folder / "other"
        self.tune({"tune.seeds": 3, "tune.keep_seeds": 1}, "--jobs", 2, store=other)
        self.assert_same_artifacts(self.store, other)
        # The first of them is the trial of a search with one.
        self.tune({"tune.keep_seeds": 1}, store=self.folder / "single")
        self.assertEqual([trial["value"] for trial in self.trials(self.folder / "single")],
                         [trial["details"]["repetitions"][0]["value"] for trial in self.trials()])
        self.ok(["reproduce", "quickstart.study"], store=self.store)

    def test_inner_folds(self):
        self.tune({"tune.inner_folds": 3, "tune.keep_seeds": 2}, "--jobs", 1)
        manifest = self.manifest()
        self.assertEqual(manifest["facts"]["select_on"], "inner_folds")
        for trial in self.trials():
            self.assertEqual(list(trial["details"]["metrics"]), ["inner_folds"])
        other = self.folder / "other"
        self.tune({"tune.inner_folds": 3, "tune.keep_seeds": 2}, "--jobs", 2, store=other)
        self.assert_same_artifacts(self.store, other)
        self.ok(["reproduce", manifest["parents"]["model-1"]], store=self.store)
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])

    def test_spread_of_the_best(self):
        self.tune({"tune.trials": 3, "tune.keep": 2, "tune.keep_seeds": 3})
        trials, best = self.trials(), self.manifest()["facts"]["best"]
        self.assertEqual(len(best), 2)
        for each in best:
            spread = each["spread"]
            self.assertEqual(spread["seeds"][0], trials[each["trial"]]["details"]["seed"])
            self.assertEqual(len(set(spread["seeds"])), 3)
            self.assertEqual(spread["values"][0], each["value"])
            self.assertEqual(len(set(spread["values"])), 3)
            self.assertAlmostEqual(spread["mean"], statistics.fmean(spread["values"]), places=12)
            self.assertAlmostEqual(spread["sd"], statistics.stdev(spread["values"]), places=12)
        self.ok(["reproduce", "quickstart.study"], store=self.store)
        other = self.folder / "other"
        self.tune({"tune.trials": 3, "tune.keep": 2, "tune.keep_seeds": 1}, store=other)
        alone = self.manifest(store=other)["facts"]["best"]
        self.assertEqual([(each["trial"], each["value"]) for each in alone],
                         [(each["trial"], each["value"]) for each in best])
        for each in alone:
            self.assertEqual(each["spread"], {"seeds": each["spread"]["seeds"], "values": [each["value"]],
                                              "mean": each["value"], "sd": None})
        # Two of the seeds are those of a search that tries fewer.
        self.tune({"tune.trials": 3, "tune.keep": 2, "tune.keep_seeds": 2}, store=self.folder / "two")
        for two, three in zip(self.manifest(store=self.folder / "two")["facts"]["best"], best):
            self.assertEqual(two["spread"]["values"], three["spread"]["values"][:2])


class Failed(studies.StudyCase):
    def test_settings_that_do_not_go_together(self):
        space = [{"name": "train.model", "type": "choice", "options": ["attention"]},
                 {"name": "network.width", "type": "choice", "options": [8, 9]}]
        self.tune({**studies.NO_BOUNDS, "preprocess.encoder": "onehot", "tune.space": json.dumps(space), "tune.trials": 6,
                   "train.epochs": 1, "tune.sampler": "random"})
        trials = self.trials()
        self.assertEqual([trial["state"] for trial in trials],
                         ["failed" if trial["point"]["network.width"] == 9 else "complete" for trial in trials])
        failed = [trial for trial in trials if trial["state"] == "failed"]
        self.assertTrue(0 < len(failed) < 6)
        self.assertTrue(all(trial["reason"].startswith("network.width: ") for trial in failed))
        facts = self.manifest()["facts"]
        self.assertEqual((facts["failed"], facts["not_acceptable"]), (len(failed), 0))
        shown = self.show("quickstart.study")
        self.assertEqual((shown["count"]["failed"], shown["count"]["complete"]), (len(failed), 6 - len(failed)))
        text = self.ok(["study", "show", "quickstart.study"], store=self.store).stdout
        self.assertIn(f"{len(failed)} failed", text)
        self.assertIn(f"trial {failed[0]['number']} failed: network.width", text)
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])
        self.ok(["reproduce", "quickstart.study"], store=self.store)

    def test_all_of_them(self):
        space = [{"name": "network.width", "type": "choice", "options": [9]}]
        self.fails(product.FAILURE, stage("tune", {**studies.NO_BOUNDS, "preprocess.encoder": "onehot", "train.model": "attention",
                                                   "train.epochs": 1, "tune.space": json.dumps(space)}),
                   "none of the 2 trials is acceptable", "network.width", store=self.store)


if __name__ == "__main__":
    product.main()
