"""Small pipelines for tests of the whole program: a run takes about a second, a model of its own a tenth."""

import atexit
import functools
import json
import pathlib
import shutil
import tempfile

import product

BASE = {"synthetic.tcrs": 200, "preprocess.test_fraction": 0.12, "tune.trials": 2, "tune.epochs_min": 2, "tune.epochs_max": 3,
        "serve_check.latency_requests": 5}
RANKS = 2  # models that the study keeps


def stage(name, changes=None, *words):
    """The words of a command that takes a pipeline: the quickstart's with `changes`."""
    settings = [word for field, value in {**BASE, **(changes or {})}.items()
                for word in ("--set", f"{field}={value if isinstance(value, str) else json.dumps(value)}")]
    return [name, "--config", product.CONFIGS / "quickstart.json", *settings, *words]


def own(epochs=1, **changes):
    """Changes that train without a study; another number of epochs is another model."""
    return {"train.from": "configuration", "train.model": "mlp_small", "train.epochs": epochs,
            "train.early_stopping_patience": 0, **changes}


@functools.cache
def prepared(own_models=0):
    """A store with a run of the pipeline, then `own_models` more trained, of 1, 2, … epochs; copy it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-prepared-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    commands = [stage("run"), *(stage("train", own(epochs)) for epochs in range(1, own_models + 1))]
    for words in commands:
        done = product.run(words, store=folder / "store")
        if done.returncode != product.OK:
            raise AssertionError(done.stderr)
    return folder / "store"


class PipelineCase(product.ProductCase):
    """A test case whose `self.store` can be made a copy of a prepared store."""

    def copy_of(self, own_models=0):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(prepared(own_models), self.store)
        return self.store

    def json(self, args, code=product.OK, **options):
        """What a command says with --json."""
        done = product.run([*args, "--json"], store=self.store, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def aliases(self, name="quickstart"):
        return self.json(["models", "show", name])["aliases"]

    def log_bytes(self, name="quickstart"):
        return (self.store / "models" / f"{name}.jsonl").read_bytes()
