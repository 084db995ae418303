"""Pipeline files: how they are read, and what is said about wrong ones."""

import json
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipeline_file import Case  # noqa: E402
from product import CONFIGURATION  # noqa: E402


class Values(Case):
    def test_order(self):
        """default < file < environment < command line"""
        path = self.file('{"train": {"epochs": 3, "batch_size": 4, "learning_rate": 0.5}}')
        environment = {"TCROPS_TRAIN_LEARNING_RATE": "0.125", "TCROPS_TRAIN_BATCH_SIZE": "8",
                       "TCROPS_PREPROCESS_FEATURES": "CDR3_beta, Epitope"}
        args = ["--config", path, "--set", "train.learning_rate=0.25"]
        shown = self.shown(*args, env=environment)
        values, origins = shown["configuration"], shown["origins"]
        self.assertEqual((values["train"]["learning_rate"], origins["train.learning_rate"]), (0.25, "command line"))
        self.assertEqual((values["train"]["batch_size"], origins["train.batch_size"]), (8, "environment"))
        self.assertEqual((values["train"]["epochs"], origins["train.epochs"]), (3, "file"))
        self.assertEqual((values["train"]["from"], origins["train.from"]), ("study", "default"))
        self.assertEqual(values["preprocess"]["features"], ["CDR3_beta", "Epitope"])
        table = self.ok(["config", "show", *args], env=environment).stdout
        self.assertRegex(table, r"(?m)^train.learning_rate +0.25 +--set  ")
        self.assertRegex(table, r"(?m)^train.batch_size +8 +TCROPS_TRAIN_BATCH_SIZE  ")
        self.assertRegex(table, rf"(?m)^train.epochs +3 +{re.escape(str(path))}:1:12  ")
        self.assertRegex(table, r"(?m)^train.from +\"study\" +default  ")

    def test_no_password_is_shown(self):
        secret = "Yh3kQw"
        for url, wanted in ((f"postgresql://carol:{secret}@db/studies", "postgresql://carol@db/studies"),
                            (f"postgresql://db/studies?password={secret}&connect_timeout=3",
                             "postgresql://db/studies?connect_timeout=3"),
                            (f"postgresql://carol:{secret}/x@db/studies", "***"),
                            (f"Postgresql://carol:{secret}@db", "***"),
                            ("postgresql://carol@db/studies", "postgresql://carol@db/studies"),
                            ("sqlite:/a:b@c=d.db", "sqlite:/a:b@c=d.db"), ("studies.db", "studies.db"), ("", "")):
            for how in ({"env": {"TCROPS_TUNE_STORAGE": url}}, {"args": ["--set", f"tune.storage={url}"]},
                        {"args": ["--config", self.file(json.dumps({"tune": {"storage": url}}))]}):
                args, env = how.get("args", []), how.get("env", {})
                with self.subTest(url=url, how=how):
                    self.assertEqual(self.shown(*args, env=env)["configuration"]["tune"]["storage"], wanted)
                    said = [self.ok(["config", command, *args, *more], env=env) for command in ("show", "validate")
                            if command == "show" or "--config" in args for more in ([], ["--json"], ["-v"])]
                    self.assertNotIn(secret, "".join(each.stdout + each.stderr for each in said))

    def test_top_level(self):
        shown = self.shown(env={"TCROPS_SEED": "7"})
        self.assertEqual((shown["configuration"]["seed"], shown["origins"]["seed"]), (7, "environment"))

    def test_comments_and_byte_order_mark(self):
        path = self.file(b'\xef\xbb\xbf// one\n{"seed": /* two */ 7 // three "\n}\n')
        self.assertEqual(self.shown("--config", path)["configuration"]["seed"], 7)

    def test_pipe(self):
        for more in ([], ["--json"]):
            reading, writing = os.pipe()
            os.write(writing, b'{"seed": 7}')
            os.close(writing)
            self.ok(["config", "validate", "--config", f"/dev/fd/{reading}", *more], pass_fds=(reading,))
            os.close(reading)

    def test_whole_numbers(self):
        path = self.file('{"tune": {"trials": 1e3}, "train": {"epochs": 5.0}}')
        values = self.shown("--config", path)["configuration"]
        self.assertEqual(repr((values["tune"]["trials"], values["train"]["epochs"])), "(1000, 5)")


class Wrong(Case):
    TEXT = """{
  // every kind of mistake
  "seed": "x",
  "train": {
    "epoch": 3, "batch_size": 0,
    "model": "mlp_smal"
  },
  "trials": 3,
  "tune": {"epochs_min": 30, "keep": 1, "keep": 2}
}
"""
    EXPECTED = [
        (3, 3, "seed", 'must be a whole number, not "x"'),
        (5, 5, "train.epoch", 'unknown key; did you mean "epochs"?'),
        (5, 17, "train.batch_size", "0 is out of range; must be at least 2 and at most 1000000 rows"),
        (6, 5, "train.model", '"mlp_smal" is not one of mlp_small, mlp_medium, mlp_large, mlp, cnn, attention, kernel_mlp, '
         'two_tower; did you mean "mlp_small"?'),
        (8, 3, "trials", 'unknown key; did you mean "tune.trials"?'),
        (9, 41, "tune.keep", "given twice, first in line 9 column 30; keep one"),
        (9, 12, "tune.epochs_min",
         "30 is above tune.epochs_max, which is 25 (default); change one or exchange them"),
    ]

    def test_all_at_once_for_people(self):
        path = self.file(self.TEXT)
        lines = [f"  {path}:{line}:{column}: {key}: {text}" for line, column, key, text in self.EXPECTED]
        for command in (["config", "validate"], ["config", "show"], ["run", "--store", self.store]):
            done = self.fails(CONFIGURATION, [*command, "--config", path])
            self.assertEqual(done.stderr.splitlines(), ["error: what is wrong with the configuration:", *lines])
        self.assertFalse(self.store.exists())

    def test_all_at_once_for_programs(self):
        path = self.file(self.TEXT)
        expected = [{"file": str(path), "line": line, "column": column, "key": key, "message": text}
                    for line, column, key, text in self.EXPECTED]
        self.assertEqual(self.problems(path), expected)

    def test_a_single_one_is_one_line(self):
        path = self.file('{"seed": -1}')
        done = self.fails(CONFIGURATION, ["config", "validate", "--config", path])
        self.assertEqual(done.stderr, f"error: {path}:1:2: seed: -1 is out of range; must be at least 0\n")

    def test_every_source_at_once(self):
        path = self.file('{"sed": 1}')
        done = self.fails(CONFIGURATION, ["config", "validate", "--config", path, "--set", "train.epochs=-1", "--set",
                                          "x.y=1", "--set", "tune.epochs_max=1"],
                          env={"TCROPS_TRIAN_EPOCHS": "3", "TCROPS_SEED": "many"})
        self.assertEqual(done.stderr.splitlines()[1:], [
            f'  {path}:1:2: sed: unknown key; did you mean "seed"?',
            '  environment variable TCROPS_SEED: seed: must be a whole number, not "many"',
            '  environment variable TCROPS_TRIAN_EPOCHS: no such setting; did you mean "TCROPS_TRAIN_EPOCHS"?',
            "  --set train.epochs: -1 is out of range; must be at least 0 and at most 100000",
            "  --set x.y: unknown key",
            "  --set tune.epochs_max: 1 is below tune.epochs_min, which is 5 (default); change one or exchange them"])
        problems = self.problems(path, "--set", "x.y=1", env={"TCROPS_TRIAN_EPOCHS": "3"})
        self.assertEqual([(problem["file"], problem["line"], problem["key"]) for problem in problems],
                         [(str(path), 1, "sed"), (None, None, None), (None, None, "x.y")])
        self.assertTrue(problems[1]["message"].startswith("TCROPS_TRIAN_EPOCHS: no such setting"))
        self.assertEqual(problems[2]["message"], "--set: unknown key")

    def test_the_full_key_is_suggested(self):
        for wrong, meant in (("trials=3", "tune.trials"), ("tran.epochs=3", "train.epochs"),
                             ("train.epoch=3", "train.epochs"), ("train.trials=3", "tune.trials"),
                             ("jobs=3", "tune.jobs"), ("sed=3", "seed"), ("latency=3", None)):
            part = f'unknown key; did you mean "{meant}"?' if meant else "unknown key\n"
            self.fails(CONFIGURATION, ["config", "show", "--set", wrong], f"--set {wrong.split('=')[0]}: {part}")

    def test_cross_field_problems_say_where(self):
        for text, expected in (
                ('{"tune": {"epochs_min": 9,\n"epochs_max": 8}}',
                 "FILE:1:11: tune.epochs_min: 9 is above tune.epochs_max, which is 8 (FILE:2:1)"),
                ('{"tune": {"epochs_max": 2}}',
                 "FILE:1:11: tune.epochs_max: 2 is below tune.epochs_min, which is 5 (default)"),
                ('{"preprocess": {"test_fraction": 0.85}}',
                 "FILE:1:17: preprocess.test_fraction: validation_fraction and test_fraction together"),
                ('{"fetch": {"source": "file"}}', 'FILE:1:12: fetch.source: source is "file" but no file is named')):
            path = self.file(text)
            self.fails(CONFIGURATION, ["config", "validate", "--config", path], expected.replace("FILE", str(path)))
            self.assertEqual(len(self.problems(path)), 1)

    def test_a_refused_value_makes_no_second_problem(self):
        problems = self.problems('{"tune": {"epochs_min": 30, "epochs_max": "many"}}')
        self.assertEqual([problem["key"] for problem in problems], ["tune.epochs_max"])

    def test_files_that_are_none(self):
        deep = 100_000
        for content, place, part in (
                ("", (None, None), "empty"), (" \n\t", (None, None), "empty"), (b"\xef\xbb\xbf", (1, 1), "not valid"),
                ("[]", (1, 1), "must be a JSON object"), ('{"name": "a\n"}', (1, 12), "not valid JSON"),
                (b'{"name": "\xff"}', (1, 11), "UTF-8"), ('{"seed": 1}'.encode("utf-16"), None, "NUL"),
                (b'{}\0{"x"', (1, 3), "NUL"), ('{"serve_check": {"max_p99_ms": NaN}}', (1, 32), "not valid JSON"),
                ('{"serve_check": {"max_p99_ms": 1e999}}', None, "overflow"),
                ("[" * deep, (1, deep + 1), "not valid JSON"), ("[" * deep + "]" * deep, (1, 1), "JSON object"),
                ('{"a":' * deep + "1" + "}" * deep, (1, 2), "unknown key"),
                ('{"tune": {"models": ' + "[" * deep + "]" * deep + "}}", (1, 11), "list of texts"),
                ('{"seed": 9223372036854775808}', (1, 2), "at most 9223372036854775807"),
                ('{"seed": 1e30}', (1, 2), "at most 9223372036854775807"),
                ('{"seed": 1, "seed": 1}', (1, 13), "given twice, first in line 1 column 2"),
                ('{"train": {}, "train": {}}', (1, 15), "given twice, first in line 1 column 2"),
                ('{"seed": 1,}', (1, 12), "not valid JSON"), ('{"a\\n\\u001b[31m": 1}', (1, 2), "unknown key")):
            with self.subTest(content=content[:40]):
                problems = self.problems(content)
                self.assertEqual(len(problems), 1)
                self.assertIn(part, problems[0]["message"])
                if place:
                    self.assertEqual((problems[0]["line"], problems[0]["column"]), place)
                path = self.folder / "own.json"
                said = self.fails(CONFIGURATION, ["config", "validate", "--config", path], part).stderr
                self.assertLess(len(said), 500)
                self.assertNotIn("\x1b", said)

    def test_files_that_cannot_be_read(self):
        for path, part in ((self.folder / "no.json", "No such file"), (self.folder, "Is a directory")):
            problems = self.problems(path)
            self.assertEqual([(problem["file"], problem["line"], problem["key"]) for problem in problems],
                             [(str(path), None, None)])
            self.assertIn(part, problems[0]["message"])
            self.fails(CONFIGURATION, ["config", "validate", "--config", path], path, part, "check the path")
        path = self.file("{}")
        path.chmod(0)
        if not os.access(path, os.R_OK):  # root may read everything
            self.fails(CONFIGURATION, ["config", "validate", "--config", path], path, "Permission denied")

    def test_large_files(self):
        size = 10_000_000
        self.assertEqual(self.problems("// " + "x" * size + '\n{"seed": 3}'), [])
        self.assertEqual(self.problems('{"name": "' + "x" * size + '/"}')[0]["key"], "name")
        self.assertEqual(self.problems('{"' + "x" * size + '": 3}')[0]["line"], 1)
        many = self.problems("{" + ",".join(f'"k{i}": 1' for i in range(size // 12)) + "}")
        self.assertEqual(len(many), 101)
        self.assertIn("and more", many[-1]["message"])

    def test_deep_nesting_on_the_command_line(self):
        deep = 50_000
        self.fails(CONFIGURATION, ["config", "show", "--set", "tune.models=" + "[" * deep + "]" * deep],
                   "--set tune.models: must be a list of texts")


if __name__ == "__main__":
    product.main()
