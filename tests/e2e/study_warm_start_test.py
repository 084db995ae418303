"""Searches that begin with the best trials of earlier ones."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import stage  # noqa: E402
from product import ARTIFACT  # noqa: E402


class WarmStart(studies.StudyCase):
    RANDOM = {"tune.sampler": "random", "tune.trials": 4}
    NEXT = {"tune.trials": 4, "tune.warm_start_trials": 2}

    def short_id(self, name="quickstart.study"):
        return product.names(self.store)[name][:12]

    def origins(self):
        return [trial.get("origin", "") for trial in self.trials()]

    def best(self, trials):
        return sorted(trials, key=lambda trial: (-trial["value"], trial["trained_numbers"], trial["number"]))

    def test_best_trials_first(self):
        for warm in ("quickstart.study", "auto"):
            with self.subTest(warm):
                self.store = self.folder / warm
                self.second_begins_with(warm)

    def second_begins_with(self, warm):
        self.tune(self.RANDOM)
        earlier, before = product.names(self.store)["quickstart.study"], self.best(self.trials())
        changes = {**self.NEXT, "tune.preset": "hyperopt", "name": "second", "tune.warm_start": warm}
        self.assertIn("begins with 2 points", self.tune(changes))
        manifest = self.manifest("second.study")
        self.assertEqual(manifest["parents"]["warm-start-1"], earlier)
        trials = json.loads((product.named(self.store, "second.study") / "trials.json").read_text())
        self.assertEqual([trial["point"] for trial in trials[:2]], [trial["point"] for trial in before[:2]])
        self.assertEqual([trial.get("origin") for trial in trials],
                         [f"trial {trial['number']} of study {earlier[:12]}" for trial in before[:2]] + [None, None])
        self.assertEqual([trial["origin"] or None for trial in self.show("second.study")["trials"]],
                         [trial.get("origin") for trial in trials])
        self.assertIn(f"of study {earlier[:12]}", self.ok(["study", "show", "second.study"], store=self.store).stdout)
        self.assertTrue(self.json(["study", "replay", "second.study"])["same"])
        self.ok(["reproduce", "second.study"], store=self.store)
        self.ok(["reproduce", manifest["parents"]["model-1"]], store=self.store)
        plan = self.ok(stage("run", {**changes, "tune.jobs": 2}, "--dry-run", "--until", "tune"), store=self.store)
        self.assertRegex(plan.stdout, "(?m)^tune +reuse")
        plan = self.ok(stage("run", {**changes, "tune.trials": 5}, "--dry-run", "--until", "tune"), store=self.store)
        self.assertRegex(plan.stdout, "(?m)^tune +make.* tune.trials: 4 -> 5$")
        self.ok(["artifacts", "gc", "--keep", "second.study", "--delete"], store=self.store)
        self.assertIn(earlier, product.ids(self.store), "what a study began with is part of its history")

    def test_more_trials_begin_with_the_same(self):
        self.tune(self.RANDOM)
        changes = {**self.NEXT, "tune.trials": 1, "tune.warm_start_trials": 3, "tune.warm_start": "auto"}
        self.tune(changes)
        first = self.short_id()
        self.assertEqual(len(self.origins()), 1)
        self.tune({**self.RANDOM, "tune.trials": 6})  # a better one may come meanwhile
        self.add(4, changes)
        self.assertEqual(len(self.origins()), 5)
        self.assertEqual([bool(origin) for origin in self.origins()], [True, True, True, False, False])
        parents = {role: parent for role, parent in self.manifest()["parents"].items() if role.startswith("warm-start-")}
        self.assertEqual(len(parents), 1)
        self.assertNotIn(first, {parent[:12] for parent in parents.values()})
        self.assertTrue(self.json(["study", "replay", "quickstart.study"])["same"])

    def test_none_and_far_ones(self):
        self.tune(self.RANDOM)
        for words in ((), ("--warm-start", "none")):
            self.tune(self.NEXT, *words)
            self.assertEqual(self.origins(), [""] * 4)
            self.assertNotIn("warm-start-1", self.manifest()["parents"])
        far = {**self.NEXT, "synthetic.epitopes": 3, "tune.warm_start_distance": 0}
        text = self.tune(far, "--warm-start", "auto")
        self.assertIn("begins cold", text)
        self.assertEqual(self.origins(), [""] * 4)
        text = self.tune({**far, "tune.warm_start_distance": 1}, "--warm-start", "auto")
        self.assertEqual(len([origin for origin in self.origins() if origin]), 2)
        self.fails(ARTIFACT, stage("tune", self.NEXT, "--warm-start", "quickstart.dataset"), "not a study",
                   store=self.store)
        self.fails(ARTIFACT, stage("tune", self.NEXT, "--warm-start", "nothing.study"), "nothing.study",
                   store=self.store)

    def test_not_from_itself(self):
        changes = {**self.NEXT, "tune.warm_start": "auto"}
        self.assertIn("begins cold", self.tune(changes))
        before = self.trials()
        self.tune({**changes, "tune.trials": 6})
        self.assertEqual(self.origins(), [""] * 6)
        self.assertEqual(self.trials()[:4], before)
        self.assertNotIn("warm-start-1", self.manifest()["parents"])

    def test_points_of_another_space(self):
        self.tune(self.RANDOM)
        space = [{"name": "train.loss", "type": "choice", "options": ["bce", "focal"]}]
        text = self.tune({**self.NEXT, **studies.NO_BOUNDS, "train.epochs": 1, "tune.space": json.dumps(space)}, "--warm-start",
                         "quickstart.study")
        self.assertIn("begins cold", text)
        self.assertEqual(self.origins(), [""] * 4)

    def test_a_kept_model_whose_study_is_gone(self):
        self.tune({**self.RANDOM, "tune.keep": 1})
        cold = self.manifest()["parents"]["model-1"]
        self.tune({**self.NEXT, "tune.keep": 1}, "--warm-start", "auto")
        warm = self.manifest()["parents"]["model-1"]
        self.ok(["artifacts", "gc", "--keep", cold, "--keep", warm, "--delete"], store=self.store)
        self.assertEqual([each["id"] for each in self.json(["study", "list"])["studies"]], [])
        self.ok(["reproduce", cold], store=self.store)
        self.fails(ARTIFACT, ["reproduce", warm], "no longer has", "which points it began with", store=self.store)


if __name__ == "__main__":
    product.main()
