"""Several networks as one model: trained, cut off and continued, predicted, carried away, checked."""

import json
import pathlib
import random
import shutil
import signal
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import stage  # noqa: E402
from product import read_table, write_table  # noqa: E402
from watched import Watched  # noqa: E402

OWN = {"train.from": "configuration", "train.model": "mlp_small", "train.epochs": 4, "train.early_stopping_patience": 3}
KINDS = {
    "seeds": {**OWN, "ensemble.from": "seeds", "ensemble.members": 3},
    # A few hundred rows are enough to learn from with these, so that there is something to calibrate.
    "folds": {**OWN, "ensemble.from": "folds", "ensemble.members": 3, "train.model": "mlp", "network.hidden": 16,
              "preprocess.encoder": "blosum", "train.batch_size": 32},
    "study": {"ensemble.from": "study", "ensemble.members": 2, "tune.keep": 2},
}


class Ensemble(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())

    def made(self, kind, command="train", **changes):
        words = stage(command, {**KINDS[kind], **changes})
        done = self.ok(words, store=self.store)
        model = product.named(self.store, "quickstart.model")
        return done, model, json.loads((model / "model.json").read_text())

    def table(self):
        return read_table((product.named(self.store, "quickstart.raw") / "table.csv").read_text())

    def predict(self, reference="quickstart.model", store=None):
        path = write_table(self.folder / "in.csv", self.table()[:61])
        done = self.ok(["predict", "--model", reference, "--input", path], store=store or self.store)
        return read_table(done.stdout)

    def test_every_kind(self):
        for kind, changes in KINDS.items():
            with self.subTest(kind):
                shutil.rmtree(self.store, ignore_errors=True)
                _, model, description = self.made(kind, "run")
                count = changes["ensemble.members"]
                self.assertEqual(description["format"], "tcrops.model/2")
                self.assertEqual((description["ensemble"]["from"], len(description["ensemble"]["members"])), (kind, count))
                self.assertEqual(len(json.loads((model / "history.json").read_text())), count)
                origin = "out_of_fold" if kind == "folds" else "validation"
                self.assertEqual(description["calibration"]["rows"], origin)
                facts = json.loads((model / "manifest.json").read_text())["facts"]
                self.assertEqual((facts["ensemble"], list(facts["metrics"])), ({"from": kind, "members": count}, [origin]))
                rows = self.predict()
                self.assertEqual(rows[0][-9:], [*product.ANSWERS[:3], "spread", *product.ANSWERS[3:]])
                spreads = [float(row[-6]) for row in rows[1:]]
                self.assertTrue(all(spread >= 0 for spread in spreads))
                self.assertGreater(max(spreads), 0)
                self.ok(["serve-check", "--model", "quickstart.model"], store=self.store)
                shown = self.ok(["artifacts", "show", "quickstart.model"], store=self.store).stdout
                version = 1 + changes.get("tune.keep", 0)  # behind the study's
                registered = self.ok(["models", "show", f"quickstart@v{version}"], store=self.store).stdout
                for part in (f"ensemble of {count} networks, from {kind}", "probabilities: platt", "percentiles: among",
                             "far from training: similarity below"):
                    self.assertIn(part, shown)
                    self.assertIn(part, registered)
                # The pipeline's own predictions have the same columns.
                predicted = read_table((product.named(self.store, "quickstart.predictions") / "predictions.csv").read_text())
                self.assertIn("spread", predicted[0])
                # Carried to another store it says the same.
                archive = self.folder / f"{kind}.tar.zst"
                self.ok(["artifacts", "export", "quickstart.model", "--output", archive], store=self.store)
                other = self.folder / f"other-{kind}"
                self.ok(["artifacts", "import", archive], store=other)
                self.assertEqual(self.predict(model.name, other), rows)
                if kind == "study":  # the members are what the study kept
                    logits = [json.loads((product.directories(self.store)[member["model"]] / "golden.json").read_text())
                              for member in description["ensemble"]["members"]]
                    mine = json.loads((model / "golden.json").read_text())
                    for entry in mine:
                        each = [golden["logit"] for own in logits for golden in own if golden["row"] == entry["row"]]
                        if len(each) == count:
                            self.assertAlmostEqual(entry["logit"], statistics.mean(each), delta=1e-4)

    def test_folds_leave_clusters_out(self):
        """Every training and validation row is judged once; members differ."""
        _, model, description = self.made("folds")
        sides = json.loads((product.named(self.store, "quickstart.dataset") / "manifest.json").read_text())["facts"]["sides"]
        left_out = [member["rows_left_out"] for member in description["ensemble"]["members"]]
        self.assertEqual(sum(left_out), sides["train"] + sides["validation"])
        self.assertEqual(description["calibration"]["pooled"]["rows"], sum(left_out))
        self.assertEqual(len({member["seed"] for member in description["ensemble"]["members"]}), 3)

    def test_cut_off(self):
        """Killed again and again, it ends with the same bytes, and no member that was done is trained again."""
        for kind in ("seeds", "folds"):
            with self.subTest(kind):
                command = stage("train", {**KINDS[kind], "train.epochs": 120, "train.early_stopping_patience": 0})
                began = time.monotonic()
                reference = self.folder / f"reference-{kind}"
                self.ok(command, store=reference)
                seconds = time.monotonic() - began
                shutil.rmtree(self.store, ignore_errors=True)
                members, continued = 0, 0
                for _ in range(12):
                    watched = Watched(command, self.store)
                    time.sleep(self.random.uniform(0.3, 0.6) * seconds)
                    status = watched.end(signal.SIGKILL)
                    self.assertIn(status, (-signal.SIGKILL, product.OK), watched.text)
                    members = max(members, watched.text.count("was done before"))
                    continued += "continues after epoch" in watched.text
                    if status == product.OK:
                        break
                    self.assert_verifies(self.store)
                done = self.ok(command, store=self.store)
                members = max(members, done.stderr.count("was done before"))
                print(kind, "members done before:", members, "continued:", continued)
                self.assertGreater(members + continued, 0)
                self.assert_same_artifacts(self.store, reference)
                self.assertEqual(product.leftovers(self.store), [])

    def test_damaged_member(self):
        """A kept member that is not as it was written is trained again."""
        command = stage("train", {**KINDS["seeds"], "train.epochs": 60, "train.early_stopping_patience": 0})
        reference = self.folder / "reference"
        self.ok(command, store=reference)
        for _ in range(20):
            shutil.rmtree(self.store, ignore_errors=True)
            watched = Watched(command, self.store)
            while not (kept := list(self.store.glob("work/*/member-0.json"))) and watched.process.poll() is None:
                time.sleep(0.002)
            if watched.end(signal.SIGKILL) == -signal.SIGKILL and kept:
                break
        weights = kept[0].with_name("member-0.safetensors")
        data = bytearray(weights.read_bytes())
        data[len(data) // 2] ^= 1
        weights.write_bytes(data)
        done = self.ok(command, store=self.store)
        self.assertIn("member 1 is trained again", done.stderr)
        self.assert_same_artifacts(self.store, reference)

    def test_refused(self):
        self.fails(product.CONFIGURATION, stage("train", {**OWN, "ensemble.from": "study"}), "train.from", store=self.store)
        self.fails(product.CONFIGURATION, stage("train", {"ensemble.from": "study", "ensemble.members": 4}), "tune.keep",
                   store=self.store)
        self.fails(product.CONFIGURATION, stage("train", {"ensemble.from": "study", "train.refit": True}), "train.refit",
                   "an ensemble of a study keeps", store=self.store)
        for part in ("train.refit=true", "train.threshold=half", "train.from=study"):
            variants = {"ensemble.from": "variants", "ensemble.variants": ["train.epochs=2", f"network.dropout=0.1;{part}"]}
            self.fails(product.CONFIGURATION, stage("train", {**OWN, **variants}), "ensemble.variants", part.split("=")[0],
                       "the same for all members", store=self.store)
        self.fails(product.CONFIGURATION, stage("train", {**OWN, "background.from": "controls"}),
                   "preprocess.negatives", store=self.store)

    def test_a_study_does_not_refit(self):
        self.ok(stage("train", {"train.refit": True}), store=self.store)
        kept = json.loads((product.named(self.store, "quickstart.study") / "manifest.json").read_text())["parents"]["model-1"]
        folders = product.directories(self.store)
        model, study_model = (json.loads((folder / "manifest.json").read_text())["facts"]["parameters"]
                              for folder in (product.named(self.store, "quickstart.model"), folders[kept]))
        self.assertEqual((model["refit"], study_model["refit"]), (True, False))

    def test_one_network_is_as_before(self):
        """A model of one network has the format, the files and the tensor names that it always had."""
        self.ok(stage("train", OWN), store=self.store)
        model = product.named(self.store, "quickstart.model")
        description = json.loads((model / "model.json").read_text())
        self.assertEqual(description["format"], "tcrops.model/1")
        self.assertNotIn("ensemble", description)
        self.assertEqual(description["tensors"][0]["name"], "0.weight")


if __name__ == "__main__":
    product.main()
