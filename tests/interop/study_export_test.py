"""`tcrops study export` on a study of its own, and what Optuna makes of it. TCROPS_BIN names the program."""

import contextlib
import json
import os
import pathlib
import sqlite3
import sys

try:
    import optuna
    from optuna.trial import TrialState
    from optuna_plots import Plots
except ImportError as error:
    print(f"SKIPPED: {error}; install Debian's python3-optuna, -matplotlib and -plotly to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import USAGE  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)
SETTINGS = ("synthetic.tcrs=200", "tune.keep_seeds=1", "tune.trials=14", "tune.epochs_max=8", "tune.pruner=median",
            "tune.pruner_startup_trials=3", "tune.objective=average_precision")
TUNE = ["tune", "--config", product.CONFIGS / "quickstart.json", *(word for each in SETTINGS for word in ("--set", each))]


def load(path, name="quickstart"):
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def names(path):
    return sorted(each.study_name for each in optuna.get_all_study_summaries(f"sqlite:///{path}"))


def rows(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


class Export(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.ok(TUNE, store=self.store)
        self.database = self.folder / "x.db"

    def export(self, *args):
        return self.ok(["study", "export", *args], store=self.store, cwd=self.folder)

    def refused(self, *args):
        before = rows(self.database)
        done = self.fails(USAGE, ["study", "export", "quickstart.study", *args], store=self.store, cwd=self.folder)
        self.assertEqual(rows(self.database), before)
        return done.stderr

    def trials(self):
        return json.loads((product.named(self.store, "quickstart.study") / "trials.json").read_text())

    def shown(self):
        return json.loads(self.ok(["study", "show", "--json", "quickstart.study"], store=self.store).stdout)

    def assert_same(self, loaded):
        """Optuna has what the store has, to the last bit."""
        ours, shown = self.trials(), self.shown()
        self.assertEqual([each.number for each in loaded.trials], [each["number"] for each in ours])
        for theirs, trial in zip(loaded.trials, ours):
            pruned = trial["state"] == "pruned" or not trial["acceptable"]
            self.assertEqual(theirs.state, TrialState.PRUNED if pruned else TrialState.COMPLETE)
            self.assertEqual((theirs.value, theirs.params), (trial["value"], trial["point"]))
            self.assertEqual(theirs.intermediate_values,
                             {report["step"]: report["value"] for report in trial["reports"]})
            self.assertEqual(theirs.user_attrs["weights"], trial["trained_numbers"])
        self.assertEqual(loaded.best_trial.number, shown["best"][0])
        self.assertEqual((loaded.user_attrs["tcrops_study"], loaded.user_attrs["dataset"]), (shown["id"], shown["dataset"]))
        self.assertEqual(loaded.user_attrs["objective"], "average_precision")

    def check_plots(self, loaded):
        ours = self.trials()
        complete = [trial for trial in ours if trial["state"] == "complete" and trial["acceptable"]]
        self.assertTrue(0 < len(complete) < len(ours), "some are pruned")
        reports = {trial["number"]: {each["step"]: each["value"] for each in trial["reports"]} for trial in ours}
        Plots(loaded, complete, reports, self.folder).check(["learning_rate", "epochs"])

    def test_a_study(self):
        done = self.export("quickstart.study", "--optuna", "sqlite:///x.db", "--json")
        self.assertEqual(json.loads(done.stdout), {
            "schema": "tcrops.study_export/1", "study": self.shown()["id"], "name": "quickstart", "trials": 14,
            "database": "sqlite:x.db"})
        self.assertTrue(self.database.exists())
        loaded = load(self.database)
        self.assert_same(loaded)
        self.check_plots(loaded)

        # A study is never written over unless asked for.
        self.assertIn("replace it", self.refused("--optuna", "sqlite:///x.db"))
        absolute = f"sqlite:////{str(self.database)[1:]}"
        self.assertIn('"quickstart"', self.refused("--optuna", absolute))
        self.export("quickstart.study", "--optuna", absolute, "--as", "zweite 'Studie'")
        self.assertEqual(names(self.database), ["quickstart", "zweite 'Studie'"])
        self.assert_same(load(self.database, "zweite 'Studie'"))
        self.refused("--optuna", "sqlite:///x.db", "--as", "zweite 'Studie'")

        # The same study with more trials takes the place of the first alone.
        second = rows_of(self.database, "zweite 'Studie'")
        self.ok([*TUNE, "--set", "tune.trials=16"], store=self.store)
        self.export("quickstart.study", "--optuna", "sqlite:///x.db", "--replace")
        self.assertEqual(len(load(self.database).trials), 16)
        self.assert_same(load(self.database))
        self.assertEqual(rows_of(self.database, "zweite 'Studie'"), second)

    def test_where_to(self):
        self.export("quickstart.study", "--optuna", "sqlite:///x.db")
        for url in ("x.db", "sqlite:x.db", "sqlite://x.db", "sqlite:///", "",
                    "mysql://me:secret@host/studies", "postgresql+other://me:secret@host/studies"):
            with self.subTest(url=url):
                words = self.refused("--optuna", url)
                self.assertIn("--optuna takes what Optuna takes: sqlite:///FILE", words)
                self.assertNotIn("secret", words)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["store", "x.db"])

    def test_from_a_database(self):
        """A study that workers share, with the times at which its trials ran."""
        shared = f"sqlite:{self.folder}/shared.db"
        self.ok([*TUNE, "--set", "tune.trials=4", "--study", shared], store=self.folder / "other")
        done = self.ok(["study", "export", "--study", shared, "--optuna", "sqlite:///x.db"], cwd=self.folder)
        self.assertEqual(done.stdout.splitlines()[0].split(" are ")[1], '"quickstart" in sqlite:x.db')
        shown = json.loads(self.ok(["study", "show", "--study", shared, "--json"]).stdout)
        loaded = load(self.database)
        self.assertEqual(len(loaded.trials), 4)
        for theirs, trial in zip(loaded.trials, shown["trials"]):
            self.assertEqual((theirs.value, theirs.params), (trial["value"], trial["point"]))
            self.assertAlmostEqual(theirs.duration.total_seconds(), trial["seconds"], delta=2e-6)


def rows_of(path, name):
    return [(each.number, each.state, each.values, each.params, each.intermediate_values, each.user_attrs)
            for each in load(path, name).trials]


if __name__ == "__main__":
    product.main()
