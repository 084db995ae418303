"""Writes a store with many artifacts as the program itself would, without running it.

Most artifacts are evaluations, the rest models that are versions of a few registered models; every one of them
hangs on a single dataset. Manifests, run records, keys and both hash chains are right, so `artifacts verify` is clean.
"""

import hashlib
import json
import pathlib

PUBLISHED = "2026-11-01T00:00:00Z"
NO_PREVIOUS = "0" * 64


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def canonical(value):
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


class Log:
    """A log.jsonl: `add` returns the hash of the line."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.previous = NO_PREVIOUS

    def add(self, entry):
        line = json.dumps({**entry, "previous": self.previous}, sort_keys=True, separators=(",", ":")).encode()
        self.file.write(line + b"\n")
        self.previous = sha256(line)
        return self.previous


class BigStore:
    """A store in the making; `fill`, then `close`."""

    def __init__(self, root, models=4):
        self.root = pathlib.Path(root)
        for folder in ("artifacts", "keys", "names", "models", "claims", "drafts", "work"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "FORMAT").write_text("tcrops-store 1\n")
        self.log = Log(self.root / "log.jsonl")
        self.models = {f"model{number}": Log(self.root / "models" / f"model{number}.jsonl")
                       for number in range(models)}
        self.versions = dict.fromkeys(self.models, 0)
        self.dataset = self.publish("dataset", "preprocess", 0, {}, {"rows": 1})

    def publish(self, kind, stage, seed, parents, facts):
        content = f"{kind} {seed}\n".encode()
        inputs = {"backend_class": "", "configuration": {}, "parents": parents, "seed": seed, "stage": stage,
                  "stage_version": 1}
        manifest = canonical({**inputs, "facts": facts, "format": "tcrops.manifest/1", "kind": kind,
                              "files": {"data.bin": {"bytes": len(content), "sha256": sha256(content)}}})
        run = canonical({"schema": "tcrops.run_record/1", "seconds": 1.5, "started": PUBLISHED})
        artifact, key = sha256(manifest), sha256(canonical(inputs))
        folder = self.root / "artifacts" / artifact[:2] / artifact
        folder.mkdir(parents=True)
        for name, text in (("manifest.json", manifest), ("run.json", run), ("data.bin", content)):
            (folder / name).write_bytes(text)
        (self.root / "keys" / key[:2]).mkdir(exist_ok=True)
        (self.root / "keys" / key[:2] / f"{key}.json").write_bytes(canonical({"artifact": artifact, "inputs": inputs}))
        self.log.add({"event": "publish", "time": PUBLISHED, "id": artifact, "kind": kind, "stage": stage, "key": key,
                      "parents": parents, "bytes": len(content), "run_sha256": sha256(run)})
        return artifact

    def move(self, name, entry):
        line = self.models[name].add({"time": PUBLISHED, "by": "somebody@somewhere", **entry})
        self.log.add({"event": "model", "name": name, "line_sha256": line})

    def register(self, name, artifact):
        self.versions[name] += 1
        number = self.versions[name]
        self.move(name, {"event": "register", "version": number, "artifact": artifact, "source": "trained",
                         "candidate": True})
        if number % 10 == 1:
            self.move(name, {"event": "promote", "version": number, "reason": "good enough"})

    def fill(self, artifacts, each_model=10):
        """Adds so many artifacts, every tenth of them a model."""
        model = self.dataset
        for seed in range(1, artifacts + 1):
            if seed % each_model == 1:
                name = list(self.models)[seed // each_model % len(self.models)]
                model = self.publish("model", "tune", seed, {"dataset": self.dataset},
                                     {"parameters": {"model": "mlp_small", "learning_rate": 0.01, "epochs": 3},
                                      "metrics": {"validation": {"average_precision": 0.5}}})
                self.register(name, model)
                (self.root / "names" / f"{name}.model").write_text(model + "\n")
            else:
                self.publish("evaluation", "evaluate", seed, {"dataset": self.dataset, "model": model},
                             {"rows": 1, "positives": 1, "model": {}, "caveats": [],
                              "baselines": {"nearest_neighbour": {}}})

    def close(self):
        for log in (self.log, *self.models.values()):
            log.file.close()


def make(root, artifacts):
    store = BigStore(root)
    store.fill(artifacts)
    store.close()
