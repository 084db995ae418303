"""`run --dry-run` says what a run would do, and the run does it; from, until, force and keep-going. TCROPS_BIN names
the program.
"""

import json
import pathlib
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import BASE, stage  # noqa: E402

MANY = {"tune.trials": 600, "tune.jobs": 1}


def run(changes=None, *words):
    return stage("run", changes, *words)


def snapshot(folder):
    """Every path below a folder with its bytes and its time of change."""
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
            for path in sorted(folder.rglob("*"))}


class Case(product.ProductCase):
    def plan(self, changes=None, *words, code=product.OK, **options):
        """name -> what the dry run says of each stage."""
        done = product.run(run(changes, "--dry-run", "--json", *words), store=self.store, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return {each["stage"]: each for each in json.loads(done.stdout)["stages"]}

    def outcomes(self, changes=None, *words, code=product.OK):
        done = product.run(run(changes, "--json", *words), store=self.store)
        self.assertEqual(done.returncode, code, done.stderr)
        return {each["stage"]: each for each in json.loads(done.stdout)["stages"]}

    def actions(self, plan):
        return {name: each["action"] for name, each in plan.items()}


class DryRun(Case):
    def test_writes_nothing(self):
        plan = self.plan()
        self.assertFalse(self.store.exists(), "a dry run made a store")
        self.assertEqual(self.actions(plan), {name: "always" if name == "serve-check" else "make"
                                              for name in product.STAGES})
        self.assertEqual({each["reason"] for name, each in plan.items() if name != "serve-check"},
                         {"never made under this name"})
        self.ok(run(), store=self.store)
        before = snapshot(self.store)
        for changes in ({}, {"seed": 9}, {"tune.trials": 3}):
            self.plan(changes)
            self.plan(changes, "--force")
        self.ok(run({}, "--dry-run"), store=self.store)
        self.assertEqual(snapshot(self.store), before)

    def test_read_only_store(self):
        self.ok(run(), store=self.store)
        with_mount = product.namespace()
        words = " ".join(f"'{word}'" for word in product.command(run({}, "--dry-run", "--json"), self.store))
        done = product.subprocess.run(
            [*with_mount, "sh", "-c", f"mount --bind {self.store} {self.store} && mount -o remount,bind,ro "
             f"{self.store} && ! touch {self.store}/x 2>/dev/null && {words}"],
            capture_output=True, text=True, env=product.environment(), check=False)
        self.assertEqual(done.returncode, product.OK, done.stderr)
        actions = {each["stage"]: each["action"] for each in json.loads(done.stdout)["stages"]}
        self.assertEqual(actions["predict"], "reuse")

    def test_each_changed_value_is_named(self):
        table = self.folder / "pairs.csv"
        self.ok(run(), store=self.store)
        source = product.named(self.store, "quickstart.raw") / "table.csv"
        features = ["CDR3_alpha", "CDR3_beta", "Epitope", "MHC", "V_alpha"]
        old_features = json.loads((product.named(self.store, "quickstart.dataset") / "manifest.json").read_text())[
            "configuration"]["features"]
        fields = {
            ("tune.trials", 3): {"tune": ("tune.trials", 2, 3)},
            ("tune.models", ("mlp_small",)): {"tune": ("tune.models", ["mlp_small", "mlp_medium"], ["mlp_small"])},
            ("seed", 7): {name: ("seed", 42, 7) for name in ("fetch", "tune", "train", "predict")},
            ("predict.examples", 5): {"predict": ("predict.examples", 10, 5)},
            ("preprocess.features", tuple(features)): {
                "preprocess": ("preprocess.features", old_features,
                               [name for name in old_features if name in features])},
            ("preprocess.split_seed", 1): {"preprocess": ("preprocess.split_seed", 42, 1)},
            ("synthetic.tcrs", 130): {"fetch": ("synthetic.tcrs", BASE["synthetic.tcrs"], 130)},
            ("serve_check.max_p99_ms", 9e9): {"serve-check": ("serve_check.max_p99_ms", 0.0, 9e9)},
            ("train.batch_size", 64): {name: ("train.batch_size", 256, 64) for name in ("tune", "train")},
            ("tune.jobs", 2): {},
            ("gates.minimum", 0.5): {},
        }
        for (field, value), wanted in fields.items():
            with self.subTest(field):
                plan = self.plan({field: list(value) if isinstance(value, tuple) else value})
                found = {name: [(c["field"], c["was"], c["now"]) for c in each["changes"]]
                         for name, each in plan.items() if each["changes"]}
                self.assertEqual(found, {name: [change] for name, change in wanted.items()})
                for name, (path, *_) in wanted.items():
                    self.assertEqual(plan[name]["action"], "always" if name == "serve-check" else "make")
                    if name != "serve-check":
                        self.assertTrue(plan[name]["reason"].startswith(f"{path}: "), plan[name]["reason"])

        file = {"fetch.source": "file", "fetch.file": str(table)}
        shutil.copyfile(source, table)
        self.ok(run(file, "--until", "preprocess"), store=self.store)
        was = product.hashlib.sha256(table.read_bytes()).hexdigest()
        table.chmod(0o644)
        table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
        now = product.hashlib.sha256(table.read_bytes()).hexdigest()
        plan = self.plan(file, "--until", "preprocess")
        self.assertEqual([(c["was"], c["now"]) for c in plan["fetch"]["changes"]], [(was, now)])
        self.assertIn("sha256", plan["fetch"]["changes"][0]["field"])
        self.assertEqual(plan["preprocess"]["action"], "follow")
        table.unlink()
        self.fails(product.INPUT, run(file, "--dry-run"), table, store=self.store)

    def test_changed_parent_and_damage(self):
        self.ok(run(), store=self.store)
        old = product.names(self.store)["quickstart.dataset"]
        self.ok(stage("preprocess", {"preprocess.split_seed": 1}), store=self.store)
        new = product.names(self.store)["quickstart.dataset"]
        plan = self.plan({"preprocess.split_seed": 1})
        self.assertEqual(plan["preprocess"]["action"], "reuse")
        self.assertEqual([(c["field"], c["was"], c["now"]) for c in plan["tune"]["changes"]],
                         [("parents.dataset", old, new)])
        model = product.named(self.store, "quickstart.model")
        (model / "manifest.json").chmod(0o644)
        (model / "manifest.json").write_text("{}")
        plan = self.plan()
        self.assertEqual(plan["train"]["action"], "make")
        self.assertEqual(plan["train"]["reason"], "its result is damaged or was removed")
        self.assertEqual(plan["tune"]["action"], "reuse")

    def test_half_done_work(self):
        self.ok(stage("preprocess", MANY), store=self.store)
        trials = kill_tune(self)
        resumes = self.plan(MANY)["tune"]["resumes"]
        self.assertEqual(resumes, [f"{trials} trials"])
        self.assertEqual(self.plan(MANY, "--force")["tune"]["resumes"], [])
        done = self.ok(run(MANY, "--dry-run"), store=self.store)
        self.assertIn(f"goes on from {trials} trials", done.stdout)

    def test_the_plan_is_true(self):
        changes = {}
        self.ok(run(), store=self.store)
        steps = [{}, {"tune.trials": 3}, {"seed": 7}, {"predict.examples": 5},
                 {"preprocess.features": ["CDR3_alpha", "CDR3_beta", "Epitope", "clone_id"]},
                 {"preprocess.split_seed": 3}, {"synthetic.tcrs": 130}, {"train.threshold": "half"},
                 {"tune.jobs": 2, "serve_check.max_p99_ms": 1e6}, {"train.from": "configuration", "train.epochs": 2},
                 {"train.from": "study"}, "damage train", "damage preprocess", "remove evaluate", "force tune"]
        kinds = dict(zip(product.STAGES, product.KINDS))
        for step in steps:
            words = []
            if isinstance(step, dict):
                changes.update(step)
            elif step.startswith("force"):
                words = ["--force", "--from", "tune", "--until", "train"]
            else:
                folder = product.named(self.store, "quickstart." + kinds[step.split()[1]])
                if step.startswith("damage"):
                    (folder / "manifest.json").chmod(0o644)
                    (folder / "manifest.json").write_text("{}")
                else:
                    shutil.rmtree(folder)
            with self.subTest(step):
                plan = self.plan(changes, *words)
                did = self.outcomes(changes, *words)
                made = {name for name, each in did.items() if each["result"] == "made"}
                expected = {name for name, each in plan.items() if each["action"] in ("make", "always")}
                for name, each in plan.items():
                    news = [needed for needed in each["waits_for"]
                            if did[needed]["artifact"] != plan[needed]["previous"]]
                    if each["action"] == "follow" and news:
                        expected.add(name)
                self.assertEqual(made, expected)
                self.assertEqual([name for name in did if name in plan], list(plan))
                for name, each in plan.items():
                    if each["action"] == "reuse":
                        self.assertEqual(each["artifact"], did[name]["artifact"])
        self.assert_verifies(self.store)


def kill_tune(case, words=()):
    """Kills a tune of many trials after the second one; how many had ended then."""
    process = product.start(stage("tune", MANY, *words), store=case.store)
    while len(studies.ended(case.store)) < 2:
        case.assertIsNone(process.poll())
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return len(studies.ended(case.store))


class Range(Case):
    def test_from_and_until(self):
        did = self.outcomes({}, "--until", "tune")
        self.assertEqual(list(did), ["fetch", "preprocess", "tune"])
        for words in (["--from", "train"], ["--from", "train", "--until", "evaluate"], ["--from", "train", "--force"]):
            plan = self.plan({}, *words)
            self.assertNotIn("tune", plan)
        did = self.outcomes({}, "--from", "train", "--until", "evaluate")
        self.assertEqual([name for name, each in did.items() if each["result"] == "made"], ["train", "evaluate"])
        self.assertEqual(len(product.names(self.store)), 5)
        self.outcomes({}, "--from", "predict")
        self.assertEqual(len(product.names(self.store)), 6)

    def test_wrong(self):
        for words in ([], ["--dry-run"]):
            self.fails(product.USAGE, run({}, "--from", "train", "--until", "tune", *words), "train", "tune",
                       store=self.store)
            self.fails(product.USAGE, run({}, "--from", "tran", *words), 'did you mean "train"?', store=self.store)
            self.fails(product.USAGE, run({}, "--until", "evalute", *words), 'did you mean "evaluate"?',
                       store=self.store)
        self.assertFalse(self.store.exists())

    def test_missing_inputs(self):
        self.ok(stage("preprocess"), store=self.store)
        self.fails(product.ARTIFACT, run({}, "--from", "train"), "stage tune", store=self.store)
        plan = self.plan({}, "--from", "train", code=product.ARTIFACT)
        self.assertEqual(plan["tune"]["action"], "missing")
        self.fails(product.ARTIFACT, run({"seed": 8}, "--from", "preprocess", "--until", "preprocess"), "stage fetch",
                   store=self.store)
        self.assertEqual(len(product.ids(self.store)), 2)


class Force(Case):
    def test_everything_in_range_is_made_again(self):
        self.ok(run(), store=self.store)
        before = product.tree_digest(self.store)
        did = self.outcomes({}, "--force")
        self.assertEqual({each["result"] for each in did.values()}, {"made"})
        did = self.outcomes({}, "--force", "--from", "preprocess", "--until", "tune")
        self.assertEqual({name: each["result"] for name, each in did.items()},
                         {"fetch": "reused", "preprocess": "made", "tune": "made"})
        plan = self.plan({}, "--force", "--from", "tune", "--until", "train")
        self.assertEqual({each["reason"] for name, each in plan.items()}, {"forced"})
        self.assertEqual(product.tree_digest(self.store), before)
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])

    def test_trials_of_a_killed_tune_are_not_read(self):
        few = {"tune.trials": 3, "tune.jobs": 1}
        other = self.folder / "other"
        self.ok(stage("tune", few), store=other)
        self.ok(stage("preprocess", few), store=self.store)
        process = product.start(stage("tune", few), store=self.store)
        while not studies.ended(self.store):
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        database, = studies.databases(self.store)
        for number, outcome in studies.rows(database, "SELECT number, outcome FROM tcrops_trial WHERE phase = 'ended'"):
            changed = re.sub(r'"value":[^,}]*', '"value":77.5', outcome)  # whoever reads it shows it
            studies.rows(database, "UPDATE tcrops_trial SET outcome = ? WHERE number = ?", changed, number)
        done = self.ok(stage("tune", few, "--force", "--json"), store=self.store)
        self.assertNotIn("77.5", done.stdout)
        self.assert_same_artifacts(self.store, other)
        said = studies.rows(database, "SELECT outcome FROM tcrops_trial WHERE number = 0")
        self.assertIn("77.5", said[0][0])

    def test_checkpoint_of_a_killed_train_is_not_read(self):
        long = {"train.from": "configuration", "train.epochs": 300, "train.early_stopping_patience": 0}
        self.ok(stage("preprocess", long), store=self.store)
        for _ in range(40):
            process = product.start(stage("train", long), store=self.store)
            while process.poll() is None and not list(self.store.glob("work/*/epoch.safetensors")):
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            if process.returncode == -signal.SIGKILL:
                break
            shutil.rmtree(self.store)
        checkpoint, = self.store.glob("work/*/epoch.safetensors")
        self.assertEqual(self.plan(long)["train"]["resumes"], ["epoch.safetensors"])
        done = self.ok(stage("train", long, "--force"), store=self.store)
        self.assertNotIn("train continues after epoch", done.stderr)
        made = product.tree_digest(self.store)
        self.assertTrue(checkpoint.exists())
        self.ok(stage("train", {**long, "seed": 42}, "--force"), store=self.store)
        self.assertEqual(product.tree_digest(self.store), made)

    def test_two_at_once(self):
        self.ok(stage("tune"), store=self.store)
        before = product.tree_digest(self.store)
        both = [product.start(stage("tune", {}, "--force"), store=self.store) for _ in range(2)]
        for process in both:
            _, text = process.communicate(timeout=120)
            self.assertEqual(process.returncode, product.OK, text)
        self.assertEqual(product.tree_digest(self.store), before)
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])


class KeepGoing(Case):
    SLOW = {"serve_check.max_p99_ms": 1e-9}
    DIVERGES = {"tune.objective": "paper", "tune.minimum_positive_share": 900, "tune.maximum_positive_share": 1000}

    def test_a_check_that_says_no(self):
        self.fails(product.CHECK_FAILED, run(self.SLOW), "serve-check says no", store=self.store)
        self.assertNotIn("quickstart.predictions", product.names(self.store))
        for word in ("--keep-going", "-k"):
            did = self.outcomes(self.SLOW, word, code=product.CHECK_FAILED)
            self.assertEqual(list(did), list(product.STAGES))
            check = did["serve-check"]
            self.assertEqual(check["result"], "failed")
            self.assertIn("latency", check["problem"])
            self.assertIsNotNone(check["artifact"])
            self.assertIn(did["predict"]["result"], ("made", "reused"))
        done = product.run(run(self.SLOW, "-k"), store=self.store)
        self.assertRegex(done.stdout, r"serve-check +failed")
        self.assertIn("quickstart.predictions", product.names(self.store))
        self.assert_verifies(self.store)

    def test_a_failure_blocks_what_needs_it(self):
        done = self.fails(product.FAILURE, run(self.DIVERGES), "trials", store=self.store)
        self.assertNotIn("not run", done.stdout)
        did = self.outcomes(self.DIVERGES, "--keep-going", code=product.FAILURE)
        self.assertEqual({name: (each["result"], each["blocked_by"]) for name, each in did.items()},
                         {"fetch": ("reused", None), "preprocess": ("reused", None), "tune": ("failed", None),
                          **{name: ("not run", "tune") for name in product.STAGES[3:]}})
        self.assertIn("acceptable", did["tune"]["problem"])
        done = product.run(run(self.DIVERGES, "--keep-going"), store=self.store)
        self.assertRegex(done.stdout, r"predict +not run")
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
