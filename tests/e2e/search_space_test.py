"""Search spaces of any fields: what a study makes of them, and what is said about wrong ones."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipeline_file import Case  # noqa: E402
from product import CONFIGURATION  # noqa: E402

SPACE = [
    {"name": "train.model", "type": "choice", "options": ["mlp_small", "mlp", "cnn"]},
    {"name": "network.hidden", "type": "choice", "options": ["16,8", "24"],
     "when": {"parameter": "train.model", "values": ["mlp"]}},
    {"name": "network.filters", "type": "integer", "low": 2, "high": 8, "step": 3,
     "when": {"parameter": "train.model", "values": ["cnn"]}},
    {"name": "network.dropout", "type": "float", "low": 0, "high": 0.4, "step": 0.2},
    {"name": "train.loss", "type": "choice", "options": ["bce", "focal"]},
    {"name": "train.optimiser", "type": "choice", "options": ["adam", "sgd"]},
    {"name": "train.learning_rate", "type": "float", "low": 0.001, "high": 0.1, "log": True},
    {"name": "train.epochs", "type": "integer", "low": 1, "high": 3},
]


def pipeline(space, **tune):
    return {"name": "searched", "synthetic": {"tcrs": 200}, "preprocess": {"encoder": "onehot"},
            "train": {"batch_size": 256}, "tune": {"trials": 8, "space": space, **tune}}


class Study(Case):
    def run_until(self, stage, content, *more):
        self.ok(["run", "--config", self.file(content), "--until", stage, *more], store=self.store)
        return self.trials()

    def trials(self):
        folder = product.named(self.store, "searched.study")
        return json.loads((folder / "trials.json").read_text())

    def facts(self, name):
        return json.loads((product.named(self.store, name) / "manifest.json").read_text())["facts"]

    def test_many_fields(self):
        trials = self.run_until("train", pipeline(SPACE, objective="macro_average_precision"))
        self.assertEqual(len(trials), 8)
        written = json.loads((product.named(self.store, "searched.study") / "space.json").read_text())
        self.assertEqual([parameter["name"] for parameter in written], [parameter["name"] for parameter in SPACE])
        for trial in trials:
            point, parameters = trial["point"], trial["details"]["parameters"]
            model = point["train.model"]
            self.assertEqual("network.hidden" in point, model == "mlp")
            self.assertEqual("network.filters" in point, model == "cnn")
            self.assertIn(point.get("network.filters", 2), (2, 5, 8))
            self.assertIn(round(point["network.dropout"], 9), (0, 0.2, 0.4))
            self.assertTrue(0.001 <= point["train.learning_rate"] <= 0.1)
            self.assertEqual(parameters["model"], model)
            self.assertEqual(len(trial["details"]["history"]), point["train.epochs"])
            for name in ("loss", "optimiser", "learning_rate", "epochs"):
                self.assertEqual(parameters[name], point["train." + name])
            self.assertEqual(parameters["network"]["dropout"], point["network.dropout"])
            hidden = [int(width) for width in point["network.hidden"].split(",")] if model == "mlp" else []
            self.assertEqual(parameters["network"]["hidden"], hidden)
        for name in ("train.model", "train.loss", "train.optimiser", "network.dropout"):
            self.assertGreater(len({trial["point"][name] for trial in trials}), 1, name)
        best = max((trial for trial in trials if trial["acceptable"]), key=lambda trial: trial["value"])
        self.assertEqual(self.facts("searched.study")["best"][0]["point"], best["point"])
        # Stage train takes all that was searched, not only model, learning_rate and epochs.
        self.assertEqual(self.facts("searched.model")["parameters"], best["details"]["parameters"])

    def test_values_that_do_not_go_together_fail_their_trial_alone(self):
        space = [{"name": "train.model", "type": "choice", "options": ["attention"]},
                 {"name": "network.width", "type": "choice", "options": [8, 9]},
                 {"name": "train.epochs", "type": "integer", "low": 1, "high": 1}]
        trials = self.run_until("tune", pipeline(space, sampler="random", trials=6))
        seen = set()
        for trial in trials:
            width = trial["point"]["network.width"]
            seen.add(width)
            self.assertEqual(trial["acceptable"], width == 8)
            self.assertEqual(trial["reason"], "" if width == 8 else
                             "network.width: attention divides its width 9 among 4 heads, which leaves a rest; change one")
        self.assertEqual(seen, {8, 9})

    def test_objectives_of_which_less_is_better(self):
        trials = self.run_until("tune", pipeline(SPACE, objective="brier", trials=4))
        self.assertTrue(all(-1 <= trial["value"] < 0 for trial in trials))
        best = self.facts("searched.study")["best"][0]
        self.assertEqual(best["value"], max(trial["value"] for trial in trials))

    def test_what_makes_another_study(self):
        content = pipeline(SPACE, trials=2)
        self.run_until("tune", content)

        def plan(*more):
            done = self.ok(["run", "--config", self.file(content), "--dry-run", "--json", *more], store=self.store)
            return next(stage for stage in json.loads(done.stdout)["stages"] if stage["stage"] == "tune")
        self.assertEqual(plan()["action"], "reuse")
        self.assertEqual(plan("--set", "tune.lease_seconds=9", "--set", "tune.pruner_percentile=9")["action"], "reuse")
        other = plan("--set", "tune.space=" + json.dumps(SPACE[:1]))
        self.assertEqual((other["action"], [change["field"] for change in other["changes"]]),
                         ("make", ["train.epochs", "train.learning_rate", "tune.space"]))

    def test_what_is_not_searched_counts_too(self):
        """A space without the epochs takes those of section train, or those are what a condition leaves."""
        never = {"parameter": "train.model", "values": ["mlp"]}
        for space in (SPACE[:3], [*SPACE[:3], {**SPACE[-1], "when": never}]):
            space = [{**space[0], "options": ["mlp_small", "cnn", "mlp"]}, *space[1:]]
            content = pipeline(space, trials=3, sampler="random")
            histories = {}
            for epochs in (1, 2):
                content["train"]["epochs"] = epochs
                trials = self.run_until("train", content)
                self.assertEqual({len(trial["details"]["history"]) for trial in trials if "train.epochs" not in trial["point"]},
                                 {epochs})
                histories[epochs] = product.names(self.store)["searched.study"]
                self.ok(["reproduce", "searched.study"], store=self.store)
            self.assertNotEqual(histories[1], histories[2])


class Spaces(Case):
    def shown_space(self, *args, **options):
        return self.shown(*args, **options)["configuration"]["tune"]["space"]

    def test_from_every_source(self):
        text = json.dumps(SPACE)
        self.assertEqual(self.shown_space("--config", self.file(pipeline(SPACE))), SPACE)
        self.assertEqual(self.shown_space("--set", "tune.space=" + text), SPACE)
        self.assertEqual(self.shown_space(env={"TCROPS_TUNE_SPACE": text}), SPACE)
        self.assertEqual(self.shown_space("--config", self.file(pipeline(SPACE)), "--set", "tune.space="), [])

    def test_every_problem_with_its_place(self):
        path = self.file("""{
  "tune": {
    "epochs_max": 9,
    "space": [
      {"name": "train.modl", "type": "choice", "options": ["mlp"]},
      {"name": "train.loss", "type": "choice",
       "options": ["bce", "focl"]},
      {"name": "train.epochs", "type": "float", "low": 1, "high": 9},
      {
        "name": "network.dropout", "type": "float",
        "low": -0.5,
        "high": 0.96
      }
    ]
  }
}
""")
        lines = [
            'tune.epochs_max: tune.space says what is searched, and tune.epochs_max counts without it only; leave one of '
            'them out',
            'tune.space[0].name: there is no field "train.modl"; did you mean "train.model"?',
            'tune.space[1].options[1]: "focl" is not one of bce, weighted_bce, focal, squared, softmax; did you mean '
            '"focal"?',
            "tune.space[2].type: train.epochs takes whole numbers; take the type integer, or choice",
            "tune.space[3].low: -0.5 is out of range; must be at least 0 and at most 0.95",
            "tune.space[3].high: 0.96 is out of range; must be at least 0 and at most 0.95"]
        places = ["3:5", "5:8", "7:8", "8:32", "11:9", "12:9"]
        expected = [f"  {path}:{place}: {line}" for place, line in zip(places, lines)]
        for command in (["config", "validate"], ["config", "show"], ["tune", "--store", self.store]):
            done = self.fails(CONFIGURATION, [*command, "--config", path])
            self.assertEqual(done.stderr.splitlines(), ["error: what is wrong with the configuration:", *expected])
        self.assertFalse(self.store.exists())
        told = self.problems(path)
        self.assertEqual([f"{problem['line']}:{problem['column']}" for problem in told], places)
        self.assertEqual([f"{problem['key']}: {problem['message']}" for problem in told], lines)

    def test_wrong_keys_with_their_place(self):
        path = self.file('{"tune": {"space": [{"name": "train.epochs", "type": "integer",\n "low": 1, "high": 2, "lg": true},\n'
                         ' {"name": "train.loss", "tpe": "choice"}]}}')
        done = self.fails(CONFIGURATION, ["config", "validate", "--config", path])
        self.assertEqual(done.stderr.splitlines()[1:], [
            f'  {path}:2:23: tune.space[0].lg: unknown key of a parameter of type integer; did you mean "log"?',
            f'  {path}:3:2: tune.space[1]: the key "type" is missing'])

    def test_on_the_command_line(self):
        self.fails(CONFIGURATION, ["config", "show", "--set", 'tune.space=[{"name":"train.epochs","type":"float","low":1}]'],
                   '--set tune.space[0]: the key "high" is missing')
        self.fails(CONFIGURATION, ["config", "show", "--set", "tune.space=train.epochs"],
                   '--set tune.space: must be a list of objects, not "train.epochs"')
        deep = 50_000
        self.fails(CONFIGURATION, ["config", "show", "--set", 'tune.space=[{"name":' + "[" * deep + "]" * deep + "}]"],
                   '--set tune.space[0]: the key "type" is missing')
        self.fails(CONFIGURATION, ["config", "show"], "environment variable TCROPS_TUNE_PRUNER: tune.pruner:",
                   'did you mean "hyperband"?', env={"TCROPS_TUNE_PRUNER": "hyperbnd"})


class Schema(Case):
    def setUp(self):
        super().setUp()
        self.schema = json.loads(self.ok(["config", "schema"]).stdout)
        self.tune = self.schema["properties"]["tune"]["properties"]

    def test_names(self):
        self.assertEqual(self.tune["preset"]["enum"], ["optuna-5.0", "optuna-4.9", "optuna-4.8", "hyperopt", "paper"])
        self.assertEqual(self.tune["pruner"]["enum"], ["none", "median", "percentile", "asha", "hyperband"])
        self.assertLessEqual({"paper", "auroc", "mcc", "macro_auroc01", "macro_rank"}, set(self.tune["objective"]["enum"]))
        names = self.tune["space"]["items"]["properties"]["name"]["enum"]
        self.assertLessEqual({"train.model", "train.learning_rate", "network.hidden", "network.dropout"}, set(names))
        self.assertEqual({"train.device", "train.from", "train.refit", "train.threshold"} & set(names), set())

    def test_it_judges_spaces_as_the_program_does(self):
        try:
            import jsonschema
        except ImportError:
            product.skip("python3-jsonschema is not installed")
        jsonschema.Draft202012Validator.check_schema(self.schema)
        checker = jsonschema.Draft202012Validator(self.schema)
        real = {"name": "network.dropout", "type": "float", "low": 0, "high": 0.5}
        choice = SPACE[0]
        when = {"parameter": "train.model", "values": ["mlp"]}
        right = ([], SPACE, [real], [choice], [choice, {**real, "when": when}], [{**real, "log": False, "step": 0.1}])
        wrong = ([1], [{}], {}, [{**real, "type": "number"}], [{**real, "name": "network.drop"}], [{**real, "options": [1]}],
                 [{**choice, "low": 1}], [{**choice, "options": []}], [{**choice, "options": [True]}],
                 [{**real, "when": {}}], [{**real, "when": {**when, "x": 1}}], [{**real, "low": "0"}], [{**real, "log": 1}],
                 [{key: real[key] for key in ("name", "type", "low")}], [{key: choice[key] for key in ("name", "type")}])
        for space in (*right, *wrong):
            with self.subTest(space=space):
                document = {"tune": {"space": space}}
                self.assertEqual(checker.is_valid(document), space in right)
                self.assertEqual(self.problems(document) == [], space in right)


if __name__ == "__main__":
    product.main()
