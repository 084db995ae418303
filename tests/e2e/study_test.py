"""What `tcrops study` says of searches: published, half done, and in a database."""

import json
import pathlib
import sqlite3
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import stage  # noqa: E402
from product import ARTIFACT, CHECK_FAILED, CONFIGURATION, USAGE  # noqa: E402

MANY = {"tune.trials": 600, "tune.jobs": 1}
PARAMETERS = {"model", "learning_rate", "epochs"}


class Published(studies.StudyCase):
    def test_list_and_show(self):
        self.tune({"tune.trials": 5})
        facts, trials = self.manifest()["facts"], self.trials()
        identifier = product.names(self.store)["quickstart.study"]
        self.assertEqual(self.json(["study", "list"])["studies"],
                         [{"id": identifier, "name": "quickstart", "place": "store", "trials": 5, "finished": 5,
                           "running": 0, "best": facts["best"][0]["value"]}])
        shown = self.show("quickstart.study")
        self.assertEqual(shown, self.show(identifier))
        self.assertEqual((shown["id"], shown["name"], shown["place"], shown["total"]),
                         (identifier, "quickstart", "store", 5))
        self.assertEqual(shown["count"], {"complete": 5, "pruned": 0, "failed": 0, "running": 0, "waiting": 0,
                                          "not_acceptable": 0})
        self.assertEqual([(each["number"], each["point"], each["value"]) for each in shown["trials"]],
                         [(each["number"], each["point"], each["value"]) for each in trials])
        by_value = sorted(trials, key=lambda trial: (-trial["value"], trial["trained_numbers"], trial["number"]))
        self.assertEqual(shown["best"], [trial["number"] for trial in by_value])
        self.assertEqual(shown["kept"], facts["best"])
        self.assertEqual({each["parameter"] for each in shown["importance"]}, PARAMETERS)
        text = self.ok(["study", "show", "quickstart.study", "--best", "2"], store=self.store).stdout
        for part in (identifier[:12], "5 of 5 trials have ended", *PARAMETERS, "kept trial"):
            self.assertIn(part, text)
        rows = [line.split()[0] for line in text.split("\n\n")[1].splitlines()[1:]]
        self.assertEqual(rows, [str(number) for number in shown["best"][:2]])
        self.assertIn("5 of 5", self.ok(["study", "list"], store=self.store).stdout)

    def test_table_of_tune_has_what_was_searched(self):
        space = [{"name": "train.loss", "type": "choice", "options": ["bce", "focal"]},
                 {"name": "network.dropout", "type": "float", "low": 0.1, "high": 0.3}]
        text = self.ok(stage("tune", {"tune.space": json.dumps(space), "tune.keep_seeds": 2, **studies.NO_BOUNDS}),
                       store=self.store).stdout
        header = next(line for line in text.splitlines() if line.startswith("trial "))
        self.assertEqual(header.split(), ["trial", "dropout", "loss", "value", "mean", "of", "2", "sd", "AP", "AUROC",
                                          "precision", "recall", "weights"])
        self.assertRegex(text, r"(?m)^ +\d+ +0\.[12]\d* +(bce|focal) ")

    def test_wrong_references(self):
        self.fails(ARTIFACT, ["study", "list"], "no store", store=self.folder / "none")
        self.tune()
        self.fails(ARTIFACT, ["study", "show", "quickstart.dataset"], "is a dataset, not a study", store=self.store)
        self.fails(ARTIFACT, ["study", "show", "quick.study"], "quick.study", store=self.store)
        self.fails(USAGE, ["study", "show"], "name a study", store=self.store)
        self.fails(USAGE, ["study"], store=self.store)


class HalfDone(studies.StudyCase):
    def test_after_a_kill(self):
        self.cut_off(MANY, 3)
        done = len(studies.ended(self.store))
        listed, = self.json(["study", "list"])["studies"]
        self.assertEqual((listed["name"], listed["place"], listed["trials"], listed["finished"]),
                         ("quickstart", "half done", 600, done))
        shown = self.show()
        self.assertEqual((shown["id"], shown["place"], shown["total"], shown["count"]["complete"]),
                         (listed["id"], "half done", 600, done))
        for reference in ("quickstart", listed["id"], listed["id"][:8]):
            self.assertEqual(self.show(reference)["trials"], shown["trials"])
        self.assertIn(f"{done} of 600 trials have ended", self.ok(["study", "show"], store=self.store).stdout)
        replayed = self.json(["study", "replay"])
        self.assertEqual((replayed["trials"], replayed["trained"], replayed["same"], replayed["problems"]),
                         (done, True, True, []))
        exported = self.json(["study", "export", "--optuna", f"sqlite:///{self.folder}/optuna.db"])
        self.assertEqual((exported["name"], exported["trials"]), ("quickstart", len(shown["trials"])))

    def test_two_of_them(self):
        for seed in (1, 2):
            self.cut_off({**MANY, "seed": seed}, len(studies.ended(self.store)) + 1)
        both = [each["id"] for each in self.json(["study", "list"])["studies"]]
        self.assertEqual(len(both), 2)
        for words in ([], ["quickstart"]):
            self.fails(ARTIFACT, ["study", "show", *words], "several studies", both[0][:12], both[1][:12],
                       store=self.store)
        self.assertEqual([self.show(each)["id"] for each in both], both)


class Database(studies.StudyCase):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "studies.db"
        self.url = f"sqlite:{self.file}"

    def test_list_show_and_replay(self):
        self.tune({"tune.trials": 4}, "--study", self.url)
        self.assertEqual(product.leftovers(self.store), [])
        listed, = self.json(["study", "list", "--study", self.url])["studies"]
        self.assertEqual((listed["name"], listed["place"], listed["trials"], listed["finished"], listed["running"]),
                         ("quickstart", self.url, 4, 4, 0))
        shown = self.show("--study", self.url)
        self.assertEqual(shown, self.show("quickstart", "--study", self.url))
        self.assertEqual(shown, self.show(listed["id"][:10], "--study", self.url))
        published = self.show("quickstart.study")
        same = ("number", "state", "value", "acceptable", "point", "trained_numbers")
        self.assertEqual([[trial[key] for key in same] for trial in shown["trials"]],
                         [[trial[key] for key in same] for trial in published["trials"]])
        self.assertEqual([(each["trial"], each["attempt"], each["how"]) for each in shown["attempts"]],
                         [(number, 1, "finished") for number in range(4)])
        self.assertTrue(self.json(["study", "replay", "--study", self.url])["same"])
        # Points and decisions need no rows.
        done = self.ok(["study", "replay", "--no-training", "--study", self.url], store=self.folder / "none")
        self.assertIn("4 trials", done.stdout)
        self.fails(ARTIFACT, ["study", "replay", "--study", self.url], "no store", store=self.folder / "none")

    def test_what_is_not_there(self):
        for words in (["list"], ["show"], ["replay"], ["export", "--optuna", f"sqlite:///{self.folder}/optuna.db"]):
            self.fails(ARTIFACT, ["study", *words, "--study", self.url], "no such file", store=self.store)
        self.assertFalse(self.file.exists())
        sqlite3.connect(self.file).close()
        self.assertEqual(self.json(["study", "list", "--study", self.url])["studies"], [])
        self.fails(ARTIFACT, ["study", "show", "--study", self.url], "has no study", store=self.store)
        self.tune({}, "--study", self.url)
        self.fails(ARTIFACT, ["study", "show", "other", "--study", self.url], 'no study "other"', store=self.store)
        self.file.write_text("no database" * 1000)
        self.fails(ARTIFACT, ["study", "list", "--study", self.url], "not a database", store=self.store)
        self.fails(CONFIGURATION, ["study", "list", "--study", "mysql://host/name"], "sqlite:PATH", store=self.store)

    def test_changed_by_hand(self):
        """Whoever changes a trial in the database is told of by a replay, whoever changes the study is refused."""
        self.tune({"tune.trials": 3}, "--study", self.url)
        replay = ["study", "replay", "--study", self.url]
        kept = self.file.read_bytes()

        def change(sql):
            self.file.write_bytes(kept)
            studies.rows(self.file, sql)

        for sql, part in (
                ("UPDATE tcrops_trial SET outcome = replace(outcome, '\"value\":0.', '\"value\":0.9') WHERE number = 1",
                 "the result was"),
                ("UPDATE tcrops_trial SET details = replace(details, '\"epoch\":1,', '\"epoch\":7,') WHERE number = 1",
                 "details differ"),
                ("UPDATE tcrops_trial SET point = replace(point, 'learning_rate\":0.0', 'learning_rate\":0.02') "
                 "WHERE number = 1", "the point was")):
            with self.subTest(part):
                change(sql)
                told = self.json(replay, CHECK_FAILED)
                self.assertFalse(told["same"])
                self.assertEqual({each["trial"] for each in told["problems"]}, {1})
                self.assertIn(part, told["problems"][0]["problem"])
                text = product.run(replay, store=self.store)
                self.assertEqual(text.returncode, CHECK_FAILED)
                self.assertIn("NOT the same", text.stdout)
                self.assertIn("trial 1: ", text.stdout)
        change("UPDATE tcrops_study SET definition = replace(definition, '\"window\": 2', '\"window\": 3')")
        for words in (replay, ["study", "show", "--study", self.url], ["tune", "--worker", "--study", self.url]):
            self.fails(ARTIFACT, words, "changed by hand", store=self.store)
        self.fails(ARTIFACT, stage("tune", {"tune.trials": 5}, "--study", self.url), "changed by hand", store=self.store)
        change("UPDATE tcrops_schema SET version = 99")
        self.fails(ARTIFACT, replay, "newer", "99", store=self.store)


class Files(studies.StudyCase):
    def test_changed_artifact_is_refused(self):
        self.tune()
        path = product.named(self.store, "quickstart.study") / "trials.json"
        path.chmod(0o644)
        path.write_text(path.read_text().replace('"acceptable": true', '"acceptable": false'))
        for command in ("show", "replay"):
            self.fails(ARTIFACT, ["study", command, "quickstart.study"], "trials.json", store=self.store)
        self.fails(ARTIFACT, ["reproduce", "quickstart.study"], "trials.json", store=self.store)

    def test_replay(self):
        self.tune({"tune.trials": 4})
        told = self.json(["study", "replay", "quickstart.study"])
        self.assertEqual((told["trials"], told["trained"], told["same"], told["problems"]), (4, True, True, []))
        text = self.ok(["study", "replay", "quickstart.study"], store=self.store).stdout
        self.assertIn("bit by bit", text)
        text = self.ok(["study", "replay", "quickstart.study", "--no-training"], store=self.store).stdout
        self.assertNotIn("result", text)


class Export(studies.StudyCase):
    def test_optuna(self):
        self.tune({"tune.trials": 4})
        file = self.folder / "optuna.db"
        export = ["study", "export", "quickstart.study", "--optuna", f"sqlite:///{file}"]
        told = self.json(export)
        self.assertEqual((told["name"], told["trials"]), ("quickstart", 4))
        self.json([*export, "--as", "other"])
        self.assertEqual([name for name, in studies.rows(file, "SELECT study_name FROM studies ORDER BY study_id")],
                         ["quickstart", "other"])
        values = [value for value, in studies.rows(
            file, "SELECT v.value FROM trial_values v JOIN trials t USING (trial_id) WHERE t.study_id = 1 ORDER BY number")]
        self.assertEqual(values, [trial["value"] for trial in self.trials()])
        done = product.run(export, store=self.store)
        self.assertNotEqual(done.returncode, product.OK)
        self.assertIn("--replace", done.stderr)
        self.ok([*export, "--replace"], store=self.store)
        self.assertEqual(studies.rows(file, "SELECT count(*) FROM trials"), [(8,)])
        self.fails(USAGE, ["study", "export", "quickstart.study", "--optuna", f"sqlite:{file}"], "sqlite:///FILE",
                   store=self.store)


if __name__ == "__main__":
    product.main()
