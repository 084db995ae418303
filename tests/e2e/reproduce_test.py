"""`reproduce`: every artifact comes out byte for byte the same, and what does not is named. TCROPS_BIN names the
program.
"""

import csv
import hashlib
import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import PipelineCase, own, stage  # noqa: E402


def canonical(value):
    """JSON as the program hashes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def append_to_log(store, entry):
    path = store / "log.jsonl"
    entry["previous"] = hashlib.sha256(path.read_bytes().splitlines()[-1]).hexdigest()
    with path.open("a") as log:
        log.write(canonical(entry) + "\n")


def forge(store, folder, change):
    """Publishes a changed copy of an artifact under the id that fits it, as a program with a fault would have."""
    manifest = json.loads((folder / "manifest.json").read_text())
    work = folder.parent / "forged"
    product.shutil.copytree(folder, work)
    for path in work.iterdir():
        path.chmod(0o644)
    change(work, manifest)
    for name in manifest["files"]:
        content = (work / name).read_bytes()
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    text = canonical(manifest)
    (work / "manifest.json").write_text(text)
    identifier = hashlib.sha256(text.encode()).hexdigest()
    target = store / "artifacts" / identifier[:2] / identifier
    target.parent.mkdir(exist_ok=True)
    work.rename(target)
    append_to_log(store, {"event": "publish", "time": "2026-01-01T00:00:00Z", "id": identifier,
                          "kind": manifest["kind"], "stage": manifest["stage"], "parents": manifest["parents"],
                          "bytes": sum(each["bytes"] for each in manifest["files"].values()),
                          "run_sha256": hashlib.sha256((target / "run.json").read_bytes()).hexdigest()})
    return identifier


class Reproduce(PipelineCase):
    def setUp(self):
        super().setUp()
        self.copy_of()
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def reproduce(self, reference, *words, code=product.OK):
        said = self.json(["reproduce", reference, *words], code=code, env={"TMPDIR": str(self.temporary)})
        self.assertEqual(list(self.temporary.iterdir()), [])
        return said

    def same(self, reference, *words):
        said = self.reproduce(reference, *words)
        self.assertTrue(said["same"])
        for step in said["steps"]:
            self.assertTrue(step["same"], step)
            self.assertEqual(step["artifact"], step["made"])
            self.assertEqual({file["name"] for file in step["files"]},
                             {path.name for path in product.directories(self.store)[step["artifact"]].iterdir()}
                             - {"run.json"})
        return said

    def test_every_kind(self):
        before = sorted((str(path), path.stat().st_mtime_ns) for path in self.store.rglob("*")
                       if path.name != "claims")
        expected = {"raw": ["raw"], "dataset": ["raw", "dataset"], "study": ["raw", "dataset", "study"]}
        expected["model"] = [*expected["study"], "model"]
        for kind in ("evaluation", "check", "predictions"):
            expected[kind] = [*expected["model"], kind]
        for kind in product.KINDS:
            with self.subTest(kind):
                said = self.same(f"quickstart.{kind}")
                self.assertEqual([step["kind"] for step in said["steps"]], expected[kind])
                self.assertFalse(any(step["copied"] for step in said["steps"]))
                self.assertEqual(said["artifact"], product.names(self.store)[f"quickstart.{kind}"])
        for version in ("quickstart@v1", "quickstart@v2"):
            self.assertEqual([step["kind"] for step in self.same(version)["steps"]], ["raw", "dataset", "model"])
        after = sorted((str(path), path.stat().st_mtime_ns) for path in self.store.rglob("*")
                       if path.name != "claims")
        self.assertEqual(after, before, "something was written to the store")
        text = self.ok(["reproduce", "quickstart.model"], store=self.store).stdout
        self.assertIn("came out byte for byte the same", text)

    def test_other_configurations(self):
        table = self.folder / "pairs.csv"
        product.shutil.copyfile(product.named(self.store, "quickstart.raw") / "table.csv", table)
        self.ok(stage("run", own(3, **{"fetch.source": "file", "fetch.file": str(table), "seed": 5, "train.model":
                                       "mlp_medium", "train.threshold": "half", "train.batch_size": 64,
                                       "preprocess.features": ["CDR3_beta", "Epitope"], "predict.examples": 3,
                                       "preprocess.split": "torch_random_split"})), store=self.store)
        table.unlink()
        for kind in ("evaluation", "predictions", "check"):
            said = self.same(f"quickstart.{kind}")
            self.assertEqual([step["kind"] for step in said["steps"] if step["copied"]], ["raw"])
        other = self.json(["evaluate", "--model", "quickstart@v1", "--dataset", "quickstart.dataset"])["artifact"]
        said = self.same(other)
        self.assertEqual([step["kind"] for step in said["steps"]].count("dataset"), 2)

    def test_only_and_scratch(self):
        for number, reference in enumerate(("quickstart.model", "quickstart.evaluation", "quickstart@v1",
                                            "quickstart.raw")):
            scratch = self.folder / f"scratch{number}"
            said = self.same(reference, "--only", "--scratch", scratch)
            self.assertEqual([step["copied"] for step in said["steps"]], [True] * (len(said["steps"]) - 1) + [False])
            self.assert_verifies(scratch)
        scratch = self.folder / "kept"
        said = self.same("quickstart.predictions", "--scratch", scratch)
        self.assert_verifies(scratch)
        mine = product.tree_digest(self.store)
        theirs = product.tree_digest(scratch)
        self.assertEqual(theirs, {name: mine.get(name) for name in theirs})
        self.assertEqual(product.leftovers(scratch), [])
        self.fails(product.USAGE, ["reproduce", "quickstart.raw", "--scratch", scratch], "not empty",
                   store=self.store)
        empty = self.folder / "empty"
        empty.mkdir()
        self.same("quickstart.raw", "--scratch", empty)

    def test_damaged_original(self):
        for kind, name in (("raw", "table.csv"), ("model", "weights.safetensors"), ("check", "checks.json")):
            with self.subTest(kind):
                self.copy_of()
                path = product.named(self.store, f"quickstart.{kind}") / name
                good = path.read_bytes()
                path.chmod(0o644)
                path.write_bytes(good[:60] + bytes([good[60] ^ 1]) + good[61:])
                for words in ([], ["--only"]):
                    self.fails(product.ARTIFACT, ["reproduce", "quickstart.check", *words], path,
                               store=self.store, env={"TMPDIR": str(self.temporary)})
        self.assertEqual(list(self.temporary.iterdir()), [])
        self.fails(product.ARTIFACT, ["reproduce", "quickstart.modle"], "did you mean", store=self.store)
        self.fails(product.ARTIFACT, ["reproduce", "x"], "no store here", store=self.folder / "none")

    def test_another_version_of_a_stage(self):
        def older(_, manifest):
            manifest["stage_version"] = 99

        identifier = forge(self.store, product.named(self.store, "quickstart.dataset"), older)
        self.assert_verifies(self.store)
        self.fails(product.ARTIFACT, ["reproduce", identifier], "version 99 of stage preprocess", store=self.store)

    def test_a_difference_is_named(self):
        def one_row(folder, manifest):
            rows = product.read_table(folder / "table.csv")
            rows[1][0] = "CAAAAAF"
            product.write_table(folder / "table.csv", rows)

        folder = product.named(self.store, "quickstart.dataset")
        good = (folder / "table.csv").read_bytes()
        identifier = forge(self.store, folder, one_row)
        self.assert_verifies(self.store)
        bad = (product.directories(self.store)[identifier] / "table.csv").read_bytes()
        at = next(i for i, (one, other) in enumerate(zip(good, bad)) if one != other)
        for words in ([], ["--only"]):
            said = self.reproduce(identifier, *words, code=product.CHECK_FAILED)
            self.assertFalse(said["same"])
            differ = {file["name"]: file["difference"] for file in said["steps"][-1]["files"] if not file["same"]}
            self.assertEqual(differ["table.csv"], f"first at byte {at}")
            self.assertEqual(set(differ), {"table.csv", "manifest.json"})
            self.assertEqual(said["steps"][-1]["made"], product.names(self.store)["quickstart.dataset"])
        done = product.run(["reproduce", identifier], store=self.store)
        self.assertEqual(done.returncode, product.CHECK_FAILED)
        self.assertRegex(done.stdout, rf"dataset +table.csv +first at byte {at}\n")
        self.assertRegex(done.stdout, rf"dataset +{identifier[:12]} .* DIFFERENT")
        self.assertIn(f"{identifier[:12]} came out differently", done.stderr)

        def other_parent(_, manifest):
            manifest["parents"]["dataset"] = identifier

        predictions = forge(self.store, product.named(self.store, "quickstart.predictions"), other_parent)
        said = self.reproduce(predictions, code=product.CHECK_FAILED)
        self.assertEqual([step["same"] for step in said["steps"] if step["artifact"] == identifier], [False])

    def test_score_that_differs(self):
        def one_score(folder, _):
            rows = list(csv.reader((folder / "scores.csv").read_text().splitlines()))
            rows[1][4] = "0.5"
            product.write_table(folder / "scores.csv", rows)

        identifier = forge(self.store, product.named(self.store, "quickstart.evaluation"), one_score)
        said = self.reproduce(identifier, "--only", code=product.CHECK_FAILED)
        self.assertEqual({file["name"] for file in said["steps"][-1]["files"] if not file["same"]},
                         {"scores.csv", "manifest.json"})

    def test_interrupt(self):
        long = own(4000)
        self.ok(stage("train", {**long, "train.epochs": 400}), store=self.store)
        for number, code in ((signal.SIGINT, product.INTERRUPTED), (signal.SIGTERM, product.TERMINATED)):
            process = product.start(["reproduce", "quickstart.model"], store=self.store,
                                    env={"TMPDIR": str(self.temporary)})
            for line in process.stderr:
                if line.startswith("info: model"):
                    break
            time.sleep(0.05)
            process.send_signal(number)
            _, text = process.communicate(timeout=60)
            self.assertIn(process.returncode, (code, product.OK), text)
            self.assertEqual(list(self.temporary.iterdir()), [])
            if process.returncode == product.OK:
                print("too fast to be interrupted")
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
