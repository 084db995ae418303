"""What editors get: the JSON Schema of pipeline files, and `config init`."""

import copy
import itertools
import json
import os
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipeline_file import Case, plain  # noqa: E402
from product import CONFIGURATION, FAILURE, USAGE  # noqa: E402

SCHEMA = "tcrops.schema.json"
PIPELINES = sorted(path for path in product.CONFIGS.glob("*.json") if path.name != SCHEMA)
# What only several keys together show, which JSON Schema cannot say.
CROSS_FIELD = re.compile(r"change one or exchange them|together leave less than a tenth|but no file is named|need a file"
                         r"|is not COLUMN=THEIRS|there is no fold|at least 3 are needed"
                         r"|the same fold|has no folds|embedding layer|cannot have clone_id"
                         r"|a file to test on needs|the same table cannot|a table of its own tests"
                         r"|the loss softmax needs|missing pairs count with|would make up for their numbers once more"
                         r"|keeps its models as they are|is not CHAINS:SCALE"
                         r"|judges the epochs of one training|one fold leaves no rows|must be 0 or at least 2"
                         r"|the folds judge a trial|only asha takes 0|says what is searched")


def validator(schema):
    try:
        import jsonschema
    except ImportError:
        product.skip("python3-jsonschema is not installed")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def schema_keys(checker, document):
    """The keys ("train.epochs") that jsonschema finds fault with."""
    keys = set()
    for error in checker.iter_errors(document):
        at = [str(part) for part in error.absolute_path][:2]
        if error.validator == "additionalProperties":
            extra = set(error.instance) - set(error.schema["properties"])
            keys |= {".".join([*at, key]) for key in extra}
        else:
            keys.add(".".join(at))
    return keys


class Init(Case):
    def init(self, *args, **options):
        return json.loads(self.ok(["config", "init", *args, "--json"], **options).stdout)

    def test_reads_back_to_the_defaults(self):
        checker = validator(json.loads(self.ok(["config", "schema"]).stdout))
        defaults = self.shown()["configuration"]
        for source, name in itertools.product((None, "synthetic", "viral", "file"), (None, "other")):
            with self.subTest(source=source, name=name):
                path = self.folder / "my own.json"
                more = [*(["--source", source] if source else []), *(["--name", name] if name else [])]
                self.assertEqual(self.init(path, "--force", *more),
                                 {"schema": "tcrops.config_init/1", "file": str(path),
                                  "schema_file": str(self.folder / SCHEMA)})
                expected = copy.deepcopy(defaults)
                expected["name"] = name or "my-own"
                expected["fetch"]["source"] = source or "synthetic"
                expected["fetch"]["file"] = "pairs.csv" if source == "file" else ""
                shown = self.shown("--config", path)
                self.assertEqual(shown["configuration"], expected)
                self.assertEqual(set(shown["origins"].values()), {"file"}, "a key is left out")
                self.assertEqual(self.problems(path), [])
                document = plain(path.read_text())
                self.assertEqual(document.pop("$schema"), SCHEMA)
                self.assertEqual(document, expected)
                self.assertEqual(list(checker.iter_errors(plain(path.read_text()))), [])
        self.assertEqual(sorted(os.listdir(self.folder)), ["my own.json", SCHEMA])

    def test_schema_beside_it(self):
        path = self.folder / "own.json"
        self.ok(["config", "init", path])
        written = self.folder / plain(path.read_text())["$schema"]
        self.assertEqual(written.read_text(), self.ok(["config", "schema"]).stdout)
        self.assertEqual(list(validator(json.loads(written.read_text())).iter_errors(plain(path.read_text()))), [])

    def test_every_key_is_explained(self):
        text = self.ok(["config", "init"]).stdout
        helps = {field["title"]: field for section in json.loads(self.ok(["config", "schema"]).stdout)
                 ["properties"].values() for field in section.get("properties", {}).values()}
        self.assertGreater(len(helps), 30)
        joined = re.sub(r"\n *// ", " ", text)
        for field in helps.values():
            self.assertIn(field["description"].split(" [")[0], joined)
        self.assertIn("// rows per step; also used by tune [at least 2 and at most 1000000 rows]\n", text)
        self.assertIn("// how trials are chosen [tpe, random]\n", text)
        for line in text.splitlines():
            self.assertLessEqual(len(line), 110)

    def test_to_stdout(self):
        text = self.ok(["config", "init", "--source", "viral"], cwd=self.folder).stdout
        self.assertEqual(self.ok(["config", "init", "-", "--source", "viral"], cwd=self.folder).stdout, text)
        self.assertEqual(os.listdir(self.folder), [])
        self.assertEqual(self.problems(text), [])
        document = plain(text)
        self.assertEqual((document["name"], document["fetch"]["source"]), ("quickstart", "viral"))
        self.fails(USAGE, ["config", "init", "--json"], "--json needs a FILE")
        self.fails(USAGE, ["config", "init", "--force"], "--force needs a FILE")

    def test_in_the_current_folder(self):
        self.ok(["config", "init", "own.json"], cwd=self.folder)
        self.assertEqual(sorted(os.listdir(self.folder)), ["own.json", SCHEMA])

    def test_nothing_is_lost(self):
        path = self.file("mine")
        self.fails(USAGE, ["config", "init", path], path, "is there already", "--force")
        (self.folder / "link.json").symlink_to("nowhere")
        self.fails(USAGE, ["config", "init", self.folder / "link.json"], "is there already")
        self.fails(USAGE, ["config", "init", self.folder, "--force"], "a folder, not a file")
        self.fails(USAGE, ["config", "init", self.folder / SCHEMA], SCHEMA)
        self.assertEqual(path.read_text(), "mine")
        self.assertEqual(sorted(os.listdir(self.folder)), ["link.json", "own.json"])

    def test_schemas_of_others_are_left_alone(self):
        schema = self.folder / SCHEMA
        for text in ("", "mine", "[]", "{}", '{"title": "mine"}', '{"title": 3}'):
            schema.write_text(text)
            self.fails(USAGE, ["config", "init", self.folder / "own.json", "--force"], schema, "not replaced")
            self.assertEqual(schema.read_text(), text)
        schema.unlink()
        schema.mkdir()
        self.fails(USAGE, ["config", "init", self.folder / "own.json"], schema, "a folder")
        self.assertEqual(os.listdir(self.folder), [SCHEMA])

    def test_schema_is_replaced_when_it_is_another_one(self):
        self.ok(["config", "init", self.folder / "one.json"])
        schema = self.folder / SCHEMA
        before = (schema.stat().st_ino, schema.read_text())
        self.ok(["config", "init", self.folder / "two.json"])
        self.assertEqual((schema.stat().st_ino, schema.read_text()), before)
        old = json.loads(before[1])
        del old["properties"]["tune"]
        schema.write_text(json.dumps(old))
        self.ok(["config", "init", self.folder / "three.json"])
        self.assertEqual(schema.read_text(), before[1])

    def test_what_cannot_be_written(self):
        self.fails(FAILURE, ["config", "init", self.folder / "no" / "own.json"], "No such file", "check the path")
        path = self.folder / "own.json"
        self.fails(CONFIGURATION, ["config", "init", path, "--source", "virl"], '--source', 'did you mean "viral"')
        self.fails(CONFIGURATION, ["config", "init", path, "--name", "a/b"], "--name name:", '"a/b" is not allowed')
        self.assertEqual(os.listdir(self.folder), [])


class Schema(Case):
    def setUp(self):
        super().setUp()
        self.text = self.ok(["config", "schema"]).stdout
        self.validator = validator(json.loads(self.text))

    def test_the_committed_one_is_current(self):
        self.assertEqual((product.CONFIGS / SCHEMA).read_text(), self.text,
                         "run: build/release/bin/tcrops config schema > configs/tcrops.schema.json")
        self.assertEqual(json.loads(self.ok(["config", "schema", "--json"]).stdout), json.loads(self.text))

    def test_configs(self):
        self.assertGreaterEqual(len(PIPELINES), 4)
        for path in PIPELINES:
            document = plain(path.read_text())
            named = path.parent / document["$schema"]
            checker = validator(json.loads(named.read_text()))
            self.assertEqual([error.message for error in checker.iter_errors(document)], [], path)
            self.assertEqual(self.problems(path), [])

    def test_says_what_an_editor_needs(self):
        root = json.loads(self.text)
        self.assertEqual((root["allowComments"], root["allowTrailingCommas"]), (True, False))
        for name, section in root["properties"].items():
            self.assertTrue(section["description"], name)
            for field in section.get("properties", {}).values():
                self.assertLessEqual({"title", "type", "description", "default"}, set(field))

    def test_defaults_are_valid(self):
        self.assertTrue(self.validator.is_valid(self.shown()["configuration"]))

    def test_wrong_ones_are_refused_by_both(self):
        for wrong in ({"trian": {}}, {"train": {"epoch": 3}}, {"train": {"epochs": -1}}, {"train": {"epochs": 1.5}},
                      {"train": {"epochs": "3"}}, {"tune": {"sampler": "grid"}}, {"tune": {"models": ["mlpp"]}},
                      {"tune": {"models": "mlp_small"}}, {"preprocess": {"test_fraction": 0}},
                      {"preprocess": {"strict": 1}}, {"seed": -1}, {"train": 3}, [], {"name": "a/b"}, {"name": ""},
                      {"tune": {"models": []}}, {"preprocess": {"features": []}}, {"$schema": 3},
                      {"seed": 2 ** 63}, {"seed": 2.0 ** 63}, {"train.epochs": 3}, {"": {}}):
            with self.subTest(wrong=wrong):
                self.assertFalse(self.validator.is_valid(wrong))
                self.assertTrue(self.problems(wrong))

    def test_mutations_are_judged_alike(self):
        """Both accept, or both find fault with the same keys; but for what only several keys together show."""
        rng = random.Random("mutations")
        accepted = 0
        for _ in range(300):
            document = plain(rng.choice([path.read_text() for path in PIPELINES]))
            for _ in range(rng.choice((1, 1, 2, 3))):
                mutate(document, rng, json.loads(self.text)["properties"])
            with self.subTest(document=document):
                problems = self.problems(document)
                ours = {problem["key"].split("[")[0] for problem in problems if not CROSS_FIELD.search(problem["message"])}
                self.assertEqual(ours, schema_keys(self.validator, document))
                accepted += not problems
        self.assertGreater(accepted, 20)
        self.assertLess(accepted, 280)


def mutate(document, rng, sections):
    """One random change: a value, a key left out, a key of another name, or a new one."""
    values = (None, True, False, 0, 1, -1, 2, 5.0, 1e3, 0.5, 1.5, -0.5, 10 ** 6, 10 ** 20, "", "x", "3", "mlp_small",
              "a/b", "tpe", "file", [], ["mlp_small"], ["mlp_small", "x"], ["Epitope"], [1], {}, {"x": 1})
    inside = [key for key, value in document.items() if isinstance(value, dict)]
    where = document[rng.choice(inside)] if inside and rng.random() < 0.8 else document
    key = rng.choice(list(where) or ["new"])
    kind = rng.randrange(6)
    if kind == 0:
        where.pop(key, None)
    elif kind == 1 and key in where:
        where[key + rng.choice(("s", "_", " ", "x"))] = where.pop(key)
    elif kind in (2, 3):
        name = rng.choice([name for name in sections if "properties" in sections[name]])
        field = rng.choice(list(sections[name]["properties"].items()))
        if isinstance(document.setdefault(name, {}), dict):
            document[name][field[0]] = rng.choice((*values, field[1]["default"], field[1].get("minimum", 1)))
    else:
        where[key] = rng.choice(values)



if __name__ == "__main__":
    product.main()
