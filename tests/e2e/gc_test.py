"""`artifacts gc`: what a root needs stays, all else goes, whatever runs or is killed meanwhile. TCROPS_BIN names the
program.
"""

import json
import pathlib
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from pipelines import RANKS, PipelineCase, own, stage  # noqa: E402

SKIP = ["--skip-gates", "--reason", "a test"]
TRAINED = RANKS + 1
KILLS = 15


def with_parents(store, roots):
    """The ids and everything they were made from."""
    here, found, open_ids = product.directories(store), set(), list(roots)
    while open_ids:
        identifier = open_ids.pop()
        if identifier not in found:
            found.add(identifier)
            open_ids += json.loads((here[identifier] / "manifest.json").read_text())["parents"].values()
    return found


class Case(PipelineCase):
    def gc(self, *words, code=product.OK):
        return self.json(["artifacts", "gc", *words], code=code)

    def assert_kept(self, ids, *words):
        """gc with these words keeps these and what they need, says so, and the store is well."""
        wanted = with_parents(self.store, ids)
        before = set(product.ids(self.store))
        for deleted in (False, True):
            said = self.gc(*words, *(["--delete"] if deleted else []))
            self.assertEqual(said["removed_now"], deleted)
            self.assertEqual({item["id"] for item in said["kept"]}, wanted)
            self.assertEqual({item["id"] for item in said["removed"]}, before - wanted)
            self.assertTrue(all(item["why"] for item in said["kept"]))
            self.assertEqual(said["bytes"], sum(item["bytes"] for item in said["removed"]))
        self.assertEqual(set(product.ids(self.store)), wanted)
        self.assertTrue(set(product.names(self.store).values()) <= wanted)
        for path in self.store.glob("keys/*/*.json"):
            self.assertIn(json.loads(path.read_text())["artifact"], wanted)
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])
        self.assertEqual(self.gc(*words, "--delete")["removed"], [])
        return said


class Roots(Case):
    def test_needs_a_root_and_says_first(self):
        self.copy_of(own_models=1)
        self.fails(product.USAGE, ["artifacts", "gc"], "--keep-names", store=self.store)
        self.fails(product.USAGE, ["artifacts", "gc", "--delete", "--work"], "--keep-names", store=self.store)
        self.fails(product.USAGE, ["artifacts", "gc", "--keep-last", "-1"], store=self.store)
        self.fails(product.USAGE, ["artifacts", "gc", "--keep-newer", "-1"], store=self.store)
        self.fails(product.ARTIFACT, ["artifacts", "gc", "--keep", "nothing"], 'no artifact "nothing"',
                   store=self.store)
        before = {path: path.stat().st_mtime_ns for path in self.store.rglob("*")}
        for words in (["--keep-last", "0"], ["--keep-names"], ["--keep-last", "0", "--work"]):
            done = self.ok(["artifacts", "gc", *words], store=self.store)
            self.assertIn("nothing was removed; the same command with --delete does it", done.stdout)
            self.assertEqual("would be removed because" in done.stdout, "--keep-last" in words)
        self.assertEqual({path: path.stat().st_mtime_ns for path in self.store.rglob("*")}, before)

    def test_each_root(self):
        digests = product.tree_digest(self.copy_of(own_models=2))
        named = product.names(self.store)
        versions = {v["version"]: v["artifact"] for v in self.json(["models", "show", "quickstart"])["versions"]}
        candidate = versions[TRAINED + 2]
        self.assert_kept({candidate, *named.values()}, "--keep-names")
        self.assertEqual(set(product.names(self.store)), set(named))
        for words, ids in ((["--keep-models"], versions.values()),
                           (["--keep-last", "0"], [candidate]),
                           (["--keep", "quickstart.predictions", "--keep", versions[1][:8], "--keep",
                             f"quickstart@v{TRAINED}"], [candidate, named["quickstart.predictions"], versions[1],
                                                         versions[TRAINED]]),
                           (["--keep-newer", "1"], product.ids(self.copy_of(own_models=2))),
                           (["--keep-newer", "1e300"], product.ids(self.store))):
            with self.subTest(words):
                self.copy_of(own_models=2)
                self.assert_kept({candidate, *ids}, *words)
        self.copy_of(own_models=2)
        newest = {}
        for entry in map(json.loads, (self.store / "log.jsonl").read_text().splitlines()):
            if entry["event"] == "publish":
                newest.setdefault(entry["kind"], []).append(entry["id"])
        self.assert_kept({candidate, *(i for ids in newest.values() for i in ids[-2:])}, "--keep-last", "2")
        self.copy_of(own_models=2)
        time.sleep(1.1)
        self.ok(stage("evaluate", own(1)), store=self.store)
        new = product.names(self.store)["quickstart.evaluation"]
        self.assert_kept({candidate, new}, "--keep-newer", str(1 / 86400))
        # What was removed comes back as it was.
        self.ok(stage("run"), store=self.store)
        for epochs in (1, 2):
            self.ok(stage("train", own(epochs)), store=self.store)
        again = product.tree_digest(self.store)
        self.assertEqual({name: again.get(name) for name in digests}, digests)
        self.assert_verifies(self.store)

    def test_models_and_evidence(self):
        self.copy_of(own_models=3)
        for version in (TRAINED, TRAINED + 1):
            self.ok(["models", "promote", f"quickstart@v{version}"], store=self.store)
        shown = {alias: self.json(["models", "show", f"quickstart@{alias}"])["artifact"]
                 for alias in ("champion", "previous", "candidate")}
        evidence = [e["evidence"] for e in self.json(["models", "log", "quickstart"])["events"] if e["evidence"]]
        ids = {each[name] for each in evidence for name in ("evaluation", "check")}
        ids |= {i for each in evidence if "champion" in each
                for compared in each["champion"]["compared"] for i in compared["evaluations"]}
        self.assertEqual(len(ids), 4)
        said = self.assert_kept({*shown.values(), *ids}, "--keep-last", "0")
        why = {item["id"]: item["why"] for item in said["kept"]}
        self.assertEqual(why[shown["champion"]], "quickstart@champion")
        self.assertEqual(why[shown["candidate"]], "quickstart@candidate")
        self.assertIn("evidence for quickstart@v", why[evidence[-1]["check"]])
        self.ok(["models", "rollback", "quickstart"], store=self.store)
        self.ok(["models", "show", "quickstart"], store=self.store)
        self.assertIn("not in the store any more",
                      self.ok(["models", "show", "quickstart"], store=self.store).stdout)
        self.fails(product.ARTIFACT, ["models", "promote", f"quickstart@v{TRAINED + 2}", *SKIP], store=self.store)

    def test_reasons(self):
        self.copy_of()
        named = product.names(self.store)
        said = self.gc("--keep", "quickstart.evaluation")
        why = {item["id"]: item["why"] for item in said["kept"]}
        self.assertEqual(why[named["quickstart.evaluation"]], "asked for as quickstart.evaluation")
        self.assertEqual(why[named["quickstart.model"]], "quickstart@candidate")
        self.assertRegex(why[named["quickstart.raw"]], r"^raw of dataset [0-9a-f]{12}, for ")
        text = self.ok(["artifacts", "gc", "--keep", "quickstart.evaluation"], store=self.store).stdout
        self.assertRegex(text, r"predictions .* no root needs it\n")
        self.assertIn("the name quickstart.predictions goes with what it means", text)
        self.assertEqual(said["names"], ["quickstart.check", "quickstart.predictions"])

    def test_unreadable_root(self):
        for kind in ("dataset", "model"):
            with self.subTest(kind):
                self.copy_of()
                path = product.named(self.store, f"quickstart.{kind}") / "manifest.json"
                path.chmod(0o644)
                path.write_text(path.read_text().replace("rows", "rowz").replace("seed", "sead"))
                before = product.tree_digest(self.store)
                for words in (["--keep-names"], ["--keep", "quickstart.model"], ["--keep-last", "0"]):
                    self.fails(product.ARTIFACT, ["artifacts", "gc", *words, "--delete"], store=self.store)
                self.assertEqual(product.tree_digest(self.store), before)

    def test_damaged_and_unneeded(self):
        self.copy_of()
        path = product.named(self.store, "quickstart.predictions") / "manifest.json"
        path.chmod(0o644)
        path.write_text("{}")
        said = self.gc("--keep-last", "0", "--delete")
        self.assertIn(path.parent.name, {item["id"] for item in said["removed"]})
        self.assert_verifies(self.store)


class Running(Case):
    def test_half_done_work_and_hidden_files(self):
        self.copy_of()
        many = {"tune.trials": 600, "tune.jobs": 1, "seed": 3}
        process = self.tune_begun(many)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        work, = (self.store / "work").iterdir()
        for hidden in ("names/.x.tmp-1", "keys/00/.x.json.tmp-1", ".FORMAT.tmp-1", "models/.x.tmp-1"):
            (self.store / hidden).parent.mkdir(exist_ok=True)
            (self.store / hidden).write_text("half")
        said = self.gc("--keep-names")
        self.assertEqual((said["work_kept"], said["work"]), ([work.name], []))
        self.assertEqual(said["left_behind"],
                         [".FORMAT.tmp-1", "keys/00/.x.json.tmp-1", "models/.x.tmp-1", "names/.x.tmp-1"])
        self.gc("--keep-names", "--delete")
        self.assertTrue(work.exists())
        self.assertFalse([path for path in product.leftovers(self.store) if not path.startswith("work")])
        self.assertEqual(self.gc("--keep-names", "--work", "--delete")["work"], [work.name])
        self.assertEqual(product.leftovers(self.store), [])
        self.assert_verifies(self.store)

    def tune_begun(self, changes):
        before = set(studies.ended(self.store))
        process = product.start(stage("tune", changes), store=self.store)
        while not set(studies.ended(self.store)) - before:
            self.assertIsNone(process.poll())
            time.sleep(0.002)
        return process

    def test_inputs_of_running_commands_stay(self):
        changes = {"tune.trials": 40, "tune.jobs": 1, "seed": 3}
        self.copy_of()
        process = self.tune_begun(changes)
        process.send_signal(signal.SIGSTOP)
        try:
            inputs = {product.names(self.store)[name] for name in ("quickstart.raw", "quickstart.dataset")}
            candidate = self.json(["models", "show", "quickstart@candidate"])["artifact"]
            said = self.gc("--keep-last", "0", "--work", "--delete")
            kept = {item["id"]: item["why"] for item in said["kept"]}
            self.assertEqual(set(kept), with_parents(self.store, {*inputs, candidate}))
            self.assertEqual({kept[identifier] for identifier in inputs}, {"in use by a running command"})
            self.assertEqual(len(said["work_kept"]), 1)
        finally:
            process.send_signal(signal.SIGCONT)
        _, text = process.communicate(timeout=120)
        self.assertEqual(process.returncode, product.OK, text)
        self.assert_verifies(self.store)
        self.assertIn("quickstart.study", product.names(self.store))
        other = self.folder / "other"
        self.ok(stage("tune", changes), store=other)
        mine = product.tree_digest(self.store)
        self.assertEqual({name: mine.get(name) for name in product.tree_digest(other)}, product.tree_digest(other))

    def test_gc_and_runs_at_once(self):
        self.copy_of()
        runs = [product.start(stage("run", {"seed": seed}), store=self.store) for seed in (1, 2)]
        while any(process.poll() is None for process in runs):
            self.gc("--keep-last", "0", "--work", "--delete")
            self.assert_verifies(self.store)
        for process in runs:
            _, text = process.communicate(timeout=60)
            self.assertEqual(process.returncode, product.OK, text)
        self.assert_verifies(self.store)


class Killed(Case):
    def test_killed_while_it_removes(self):
        choose = random.Random(8)
        keep = ["--keep-last", "0", "--delete"]
        self.copy_of(own_models=3)
        began = time.monotonic()
        self.gc(*keep)
        whole = time.monotonic() - began
        wanted = product.tree_digest(self.store)
        hits = 0
        for _ in range(200):
            if hits >= KILLS:
                break
            self.copy_of(own_models=3)
            before = len(product.ids(self.store))
            process = product.start(["artifacts", "gc", *keep], store=self.store)
            if hits % 2:  # not before it has begun to remove
                log = self.store / "log.jsonl"
                size = log.stat().st_size
                while log.stat().st_size == size and process.poll() is None:
                    pass
                time.sleep(choose.uniform(0, 0.002))
            else:
                time.sleep(choose.uniform(0, whole))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            hits += process.returncode == -signal.SIGKILL
            part = len(product.ids(self.store))
            self.assert_verifies(self.store)
            self.gc(*keep)
            self.assertEqual(product.tree_digest(self.store), wanted)
            self.assertEqual(product.leftovers(self.store), [], f"{before} to {part}")
            self.assert_verifies(self.store)
        print("kills:", hits)
        self.assertGreaterEqual(hits, KILLS)
        self.ok(stage("run"), store=self.store)
        self.assert_same_artifacts_as_before()

    def assert_same_artifacts_as_before(self):
        whole = product.tree_digest(self.store)
        shutil.rmtree(self.store)
        fresh = product.tree_digest(self.copy_of())
        self.assertEqual({name: whole.get(name) for name in fresh}, fresh)


if __name__ == "__main__":
    product.main()
