"""Equal configuration and seed give equal artifacts, to the byte, whatever the circumstances.

Everything is compared but run.json, which says when and where a run took place. TCROPS_BIN names the program.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

QUICKSTART = ["--config", product.CONFIGS / "quickstart.json"]
SMALL = [*QUICKSTART, "--set", "synthetic.tcrs=300", "--set", "tune.trials=6", "--set", "tune.epochs_max=6"]
VIRAL = ["--config", product.CONFIGS / "viral.json", "--set", "tune.trials=4", "--set", "tune.epochs_max=20"]
STAGES = ["fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict"]
ARTIFACTS = 10  # one per stage and the three models that the study keeps


def jobs_noted(store):
    """How many trials ran at once, from the study's run record."""
    study = product.directories(store)[product.names(store)["quickstart.study"]]
    return json.loads((study / "run.json").read_text())["notes"]["jobs"]


class Small(product.ProductCase):
    """One circumstance changed at a time, against one run that all tests share."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.reference = cls.shared / "store"
        done = product.run(["run", *SMALL, "--jobs", 1], store=cls.reference)
        if done.returncode != product.OK:
            raise RuntimeError(done.stderr)

    def assert_as_reference(self, store):
        self.assertEqual(len(product.ids(self.reference)), ARTIFACTS)
        self.assert_same_artifacts(store, self.reference)
        self.assertEqual(product.names(store), product.names(self.reference))

    def test_again(self):
        self.ok(["run", *SMALL, "--jobs", 1], store=self.store)
        self.assert_as_reference(self.store)

    def test_two_jobs(self):
        self.ok(["run", *SMALL, "--jobs", 2], store=self.store)
        self.assertEqual((jobs_noted(self.reference), jobs_noted(self.store)), (1, 2))
        self.assert_as_reference(self.store)

    def test_thread_variables(self):
        for count in ("1", "2"):
            with self.subTest(threads=count):
                store = self.folder / count
                self.ok(["run", *SMALL], store=store, env={name: count for name in product.THREADS})
                self.assert_as_reference(store)

    def test_kernel_variables(self):
        kernels = {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Prescott"}
        self.ok(["run", *SMALL], store=self.store, env=kernels)
        self.assert_as_reference(self.store)

    def test_single_stages(self):
        for stage in STAGES:
            self.ok([stage, *SMALL, "--require-inputs"], store=self.store)
        self.assert_as_reference(self.store)

    def test_last_stage_brings_the_others(self):
        for stage in ("evaluate", "predict", "serve-check"):
            self.ok([stage, *SMALL], store=self.store)
        self.assert_as_reference(self.store)

    def test_elsewhere(self):
        deep = self.folder / "a folder with spaces" / "ä" / "b"
        deep.mkdir(parents=True)
        self.ok(["run", *SMALL], store="../store", cwd=deep)
        self.assert_as_reference(deep.parent / "store")
        shutil.copy(product.CONFIGS / "quickstart.json", deep / "other.json")
        other = {"TCROPS_STORE": str(self.store), "TZ": "Asia/Kolkata", "LC_ALL": "C", "HOME": str(self.folder)}
        self.ok(["run", "--config", "other.json", *SMALL[2:]], env=other, cwd=deep)
        self.assert_as_reference(self.store)

    def test_run_again_makes_nothing_new(self):
        self.ok(["run", *SMALL], store=self.store)
        before = product.directories(self.store)
        times = {identifier: os.stat(folder).st_ino for identifier, folder in before.items()}
        self.ok(["run", *SMALL], store=self.store)
        self.assertEqual({i: os.stat(f).st_ino for i, f in product.directories(self.store).items()}, times)
        # Nor when a stage is made again by force.
        for stage in STAGES:
            self.ok([stage, *SMALL, "--force"], store=self.store)
        self.assert_as_reference(self.store)

    def test_another_seed(self):
        self.ok(["run", *SMALL, "--set", "seed=43"], store=self.store)
        old, new = product.names(self.reference), product.names(self.store)
        self.assertEqual(old.keys(), new.keys())
        for name in old:
            self.assertNotEqual(old[name], new[name], name)


class AsShipped(product.ProductCase):
    """Whole pipelines; the second run differs in all that must not matter."""

    def run_twice(self, *args, least=ARTIFACTS):
        first, second = self.folder / "first", self.folder / "second"
        (self.folder / "cwd").mkdir()
        self.ok(["run", *args, "--jobs", 1], store=first, env={name: "1" for name in product.THREADS})
        self.ok(["run", *args, "--jobs", 2], store="../second", cwd=self.folder / "cwd",
                env={name: "2" for name in product.THREADS})
        self.assertGreaterEqual(len(product.ids(first)), least)
        self.assert_same_artifacts(first, second)
        self.assert_verifies(second)

    def test_quickstart(self):
        self.run_twice(*QUICKSTART)

    def test_viral(self):
        self.run_twice(*VIRAL, "--mirror", product.test_data("viral").resolve(), least=6)  # no study


if __name__ == "__main__":
    product.main()
