"""What `serve-check` passes and refuses."""

import hashlib
import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CHECK_FAILED, QUICKSTART, run  # noqa: E402


CHECKS = ["hashes", "load", "signature", "golden", "round_trip", "malformed_rows", "answers", "server", "missing_values",
          "parity", "malformed_tables", "latency", "memory"]


class ServeCheck(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.copy()
        self.model = product.named(self.store, "quickstart.model")

    def refused(self, *parts, checks=None):
        """Both ways of asking say no, and the model stays as it is."""
        done = run(["serve-check", "--model", "quickstart.model", "--json"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        document = json.loads(done.stdout)
        failed = {check["name"]: check["problem"] for check in document["checks"] if not check["passed"]}
        self.assertFalse(document["passed"])
        self.assertIn("do not serve this model", done.stderr)
        if checks:
            self.assertEqual(list(failed), checks)
        for part in parts:
            self.assertIn(part, " ".join(failed.values()))
        before = product.names(self.store)["quickstart.model"]
        done = run(["serve-check", *QUICKSTART, "--require-inputs"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        self.assertIn("do not serve this model", done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertEqual(product.names(self.store)["quickstart.model"], before)
        self.assertEqual(product.leftovers(self.store), [])

    def damage(self, name, change):
        path = self.model / name
        data = change(path.read_bytes())
        path.chmod(0o644)
        path.write_bytes(data)
        path.chmod(0o444)

    def rebuild(self, name, change):
        """A model whose hashes and id are right, but one file is another: published by somebody else's hand."""
        folder = self.folder / "rebuilt"
        shutil.copytree(self.model, folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        data = change((folder / name).read_bytes())
        (folder / name).write_bytes(data)
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        (folder / "manifest.json").write_text(text)
        old, new = self.model.name, hashlib.sha256(text.encode()).hexdigest()
        target = self.store / "artifacts" / new[:2] / new
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
        (self.store / "names" / "quickstart.model").write_text(new + "\n")
        for path in self.store.glob("keys/*/*.json"):
            pointer = json.loads(path.read_text())
            if pointer["artifact"] == old:
                path.write_text(json.dumps(dict(pointer, artifact=new)))
        self.model = target

    @staticmethod
    def flip(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    def test_good_model(self):
        done = self.ok(["serve-check", "--model", "quickstart.model"], store=self.store)
        self.assertNotIn("FAILED", done.stdout)
        self.assertIn("single row: median", done.stdout)
        self.assertRegex(done.stdout, r"memory: \d+ MiB")
        self.ok(["serve-check", *QUICKSTART, "--require-inputs"], store=self.store)
        report = self.report()
        self.assertEqual([check["name"] for check in report["checks"]], CHECKS)
        self.assertTrue(report["passed"])
        self.assertTrue(all(check["passed"] and check["problem"] == "" for check in report["checks"]))

    def report(self):
        """The JSON report that the stage left in the store."""
        return json.loads((product.named(self.store, "quickstart.check") / "checks.json").read_text())

    def test_measured_figures_are_not_part_of_the_artifact(self):
        self.ok(["serve-check", *QUICKSTART], store=self.store)
        first = product.named(self.store, "quickstart.check")
        self.ok(["serve-check", *QUICKSTART], store=self.store)
        self.assertEqual(product.named(self.store, "quickstart.check"), first)
        notes = json.loads((first / "run.json").read_text())["notes"]
        self.assertGreater(notes["memory"]["resident_bytes"], 1e6)
        self.assertGreater(notes["latency"]["p99_ms"], 0)

    def test_other_models_of_the_study(self):
        study = json.loads((product.named(self.store, "quickstart.study") / "manifest.json").read_text())
        self.assertGreaterEqual(len(study["parents"]), 3)
        for role, identifier in study["parents"].items():
            if role.startswith("model-"):
                self.ok(["serve-check", "--model", identifier], store=self.store)

    def test_flipped_byte(self):
        for name in ("weights.safetensors", "encoder.json", "golden.json", "model.json", "examples.csv", "background.csv",
                     "training_tcrs.csv"):
            with self.subTest(name=name):
                shutil.rmtree(self.store)
                self.copy()
                self.damage(name, self.flip)
                self.refused(name, "SHA-256 differs")

    def test_truncated_weights(self):
        self.damage("weights.safetensors", lambda data: data[:-4])
        self.refused("weights.safetensors", checks=["artifact"])

    def test_missing_file(self):
        (self.model / "encoder.json").unlink()
        self.refused("encoder.json", checks=["artifact"])

    def test_changed_manifest(self):
        self.damage("manifest.json", lambda data: data.replace(b'"seed": 42', b'"seed": 43'))
        self.refused("the manifest was changed", checks=["artifact"])

    def test_other_weights(self):
        self.rebuild("weights.safetensors", lambda data: data[:-2] + bytes([data[-2] ^ 64]) + data[-1:])
        self.refused("row 1: logit", checks=["golden"])

    def test_other_golden_logits(self):
        def change(data):
            golden = json.loads(data)
            golden[3]["logit"] *= 1.000001
            return json.dumps(golden).encode()
        self.rebuild("golden.json", change)
        self.refused("row 4: logit", checks=["golden"])

    def test_other_companions(self):
        for name, part in (("background.csv", "background.csv"), ("training_tcrs.csv", "training_tcrs.csv")):
            with self.subTest(name):
                shutil.rmtree(self.store)
                self.copy()
                self.model = product.named(self.store, "quickstart.model")
                self.rebuild(name, lambda data: b"nothing,of,this\n" + data)
                self.refused(part, checks=["answers"])

    def test_calibration_that_is_none(self):
        def change(data):
            model = json.loads(data)
            model["calibration"]["method"] = "isotonic"
            model["calibration"]["epitopes"] = {}
            model["calibration"]["pooled"].update(logits=[1, 1], probabilities=[0, 1])
            return json.dumps(model).encode()
        self.rebuild("model.json", change)
        self.refused("knots", checks=["load"])

    def test_no_golden_rows(self):
        self.rebuild("golden.json", lambda data: b"[]")
        self.refused("golden.json is empty", checks=["golden"])

    def test_encoder_that_does_not_fit(self):
        def shorter(data):
            encoder = json.loads(data)
            encoder["widths"]["cdr3"] -= 1
            return json.dumps(encoder).encode()
        self.rebuild("encoder.json", shorter)
        self.refused("the encoder gives", checks=["load"])

    def test_encoder_of_another_alphabet(self):
        def other(data):
            encoder = json.loads(data)
            encoder["alphabet"] = encoder["alphabet"].replace("C", "B", 1) if "B" not in encoder["alphabet"] \
                else encoder["alphabet"].replace("Y", "Z")
            return json.dumps(encoder).encode()
        self.rebuild("encoder.json", other)
        self.refused("did not occur")

    def test_encoder_that_is_no_json(self):
        self.rebuild("encoder.json", lambda data: data[:-3])
        self.refused("encoder.json", "JSON", checks=["load"])

    def test_shapes_that_differ(self):
        def wider(data):
            model = json.loads(data)
            model["network"]["widths"][1] += 1
            return json.dumps(model).encode()
        self.rebuild("model.json", wider)
        self.refused(checks=["load"])

    def test_other_format(self):
        self.rebuild("model.json", lambda data: data.replace(b"tcrops.model/1", b"tcrops.model/9"))
        self.refused("format tcrops.model/9", checks=["load"])

    def change_signature(self, change):
        def changed(data):
            model = json.loads(data)
            change(model["signature"])
            return json.dumps(model).encode()
        self.rebuild("model.json", changed)

    def test_signature_of_other_columns(self):
        for part, change in (("but the encoder reads", lambda signature: signature["columns"].reverse()),
                             ("but the encoder reads", lambda signature: signature["columns"].pop()),
                             ("is none that the model reads", lambda signature: signature.update(optional=["CDR1_beta"])),
                             ("is named twice", lambda signature: signature.update(optional=["MHC", "MHC"])),
                             ("model.json: ", lambda signature: signature.pop("columns"))):
            with self.subTest(part):
                shutil.rmtree(self.store)
                self.copy()
                self.model = product.named(self.store, "quickstart.model")
                self.change_signature(change)
                self.refused(part, checks=["signature"])

    def test_signature_of_columns_that_nobody_knows(self):
        self.change_signature(lambda signature: signature.update(optional=["CDR4"]))
        self.refused("CDR4", checks=["load"])

    def limit(self, flag, field, reason):
        for args in (["--model", "quickstart.model"], QUICKSTART):
            done = run(["serve-check", *args, flag, "0.000001"], store=self.store)
            self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
            self.assertIn(reason, done.stdout + done.stderr)
        done = run(["serve-check", *QUICKSTART, "--set", f"serve_check.{field}=0.000001"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        failed = [check["name"] for check in self.failed_report()["checks"] if not check["passed"]]
        self.assertEqual(failed, ["memory" if "memory" in field else "latency"])
        self.ok(["serve-check", *QUICKSTART, flag, "60000"], store=self.store)
        self.ok(["serve-check", "--model", "quickstart.model", flag, "60000"], store=self.store)

    def failed_report(self):
        """Of the check that said no last; no name points at it."""
        failed = [folder for folder in product.directories(self.store).values()
                  if (folder / "checks.json").exists() and not json.loads((folder / "checks.json").read_text())["passed"]]
        return json.loads((max(failed, key=lambda folder: folder.stat().st_ctime_ns) / "checks.json").read_text())

    def test_half_of_the_rows_too_slow(self):
        self.limit("--max-p50-ms", "max_p50_ms", "half of the single rows take longer than 1e-06 ms")

    def test_too_much_memory(self):
        self.limit("--max-memory-mib", "max_memory_mib", "more than 1e-06 MiB")

    def test_no_model_at_all(self):
        for store, words in ((self.folder / "none", ()), (self.folder / "empty", ["fetch", *QUICKSTART])):
            if words:
                self.ok(words, store=store)
            for reference in ("quickstart.model", "quickstart@champion", "0123456789ab"):
                done = run(["serve-check", "--model", reference, "--json"], store=store)
                self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
                self.assertIn("do not serve this model", done.stderr)
                check, = json.loads(done.stdout)["checks"]
                self.assertEqual((check["name"], check["passed"]), ("model", False))
                self.assertIn("there is no model", check["problem"])
                self.assertIn(str(store), check["problem"])
        self.assertFalse((self.folder / "none").exists())

    def test_version_that_nobody_registered(self):
        for reference, part in (("quickstart@v99", "99"), ("quickstart@champion", "champion"), ("viral@champion", "viral")):
            done = run(["serve-check", "--model", reference, "--json"], store=self.store)
            self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
            check, = json.loads(done.stdout)["checks"]
            self.assertEqual((check["name"], check["passed"]), ("model", False))
            self.assertIn(part, check["problem"])
        self.ok(["models", "promote", "quickstart@v1", "--skip-gates", "--reason", "a test"], store=self.store)
        self.ok(["serve-check", "--model", "quickstart@champion"], store=self.store)

    def test_damaged_version(self):
        self.ok(["models", "promote", "quickstart@v1", "--skip-gates", "--reason", "a test"], store=self.store)
        done = self.ok(["models", "show", "quickstart@champion", "--json"], store=self.store)
        (pathlib.Path(json.loads(done.stdout)["path"]) / "encoder.json").unlink()
        done = run(["serve-check", "--model", "quickstart@champion", "--json"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        check, = json.loads(done.stdout)["checks"]
        self.assertEqual((check["name"], check["passed"]), ("artifact", False))
        self.assertIn("encoder.json", check["problem"])

    def test_too_slow(self):
        for args in (["--model", "quickstart.model"], QUICKSTART):
            done = run(["serve-check", *args, "--max-p99-ms", "0.000001"], store=self.store)
            self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
            self.assertIn("take longer than", done.stdout + done.stderr)
        done = run(["serve-check", *QUICKSTART, "--set", "serve_check.max_p99_ms=0.000001"], store=self.store)
        self.assertEqual(done.returncode, CHECK_FAILED, done.stderr)
        self.ok(["serve-check", *QUICKSTART, "--max-p99-ms", "60000"], store=self.store)

    def test_no_such_model(self):
        done = run(["serve-check", "--model", "quickstart.mdel"], store=self.store)
        self.assertEqual(done.returncode, product.ARTIFACT, done.stderr)
        self.assertIn('did you mean "quickstart.model"', done.stderr)


if __name__ == "__main__":
    product.main()
