"""Eight processes with one store, doing anything, some of them killed: nobody is disturbed, nothing is lost.

Which commands meet depends on the machine; what each does is drawn from a fixed seed. TCROPS_BIN names the program.
"""

import collections
import contextlib
import functools
import hashlib
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from product import ARTIFACT, CHECK_FAILED, OK, TEMPORARY, USAGE  # noqa: E402

WORKERS = 8
COMMANDS = 40  # by each worker
KILLED = 0.2  # share of the commands that may be killed, within so many seconds:
KILLED_WITHIN = 1.5
SEEDS = (1, 2, 3)
SMALL = ["--config", product.CONFIGS / "quickstart.json", "--set", "synthetic.tcrs=120", "--set", "tune.trials=2",
         "--set", "tune.epochs_max=5", "--set", "serve_check.latency_requests=20"]
STRAIGHT = ["--set", "train.from=configuration", "--set", "train.epochs=2"]
GATES = ["--set", "gates.fair_test=false", "--set", "gates.beat_nearest_neighbour=false",
         "--set", "gates.serve_check=false", "--set", "gates.resamples=100",
         "--set", "gates.minimum_positives=0"]
NAME = "quickstart"  # of the pipeline and of its registered model

# What each command may end with, when others move, promote and remove at the same time.
MADE = {OK}  # nobody can take away what a command claims, or make it fail
# A name, a champion or a candidate may not be there (yet, or any more), or be removed after it was looked up by a
# command that only reads and so claims nothing.
LOOKED_UP = {OK, ARTIFACT}
# No candidate is left or it is the champion already (USAGE), the gates say no, the champion moved meanwhile.
PROMOTED = {OK, ARTIFACT, USAGE, CHECK_FAILED, TEMPORARY}


def pipeline(choice):
    """Settings of one of a few pipelines: half of them train without a study."""
    return [*SMALL, "--set", f"seed={choice.choice(SEEDS)}", *(STRAIGHT if choice.random() < 0.5 else [])]


def draw(choice, examples):
    """One command line and the exit statuses that it may end with."""
    runs = [(["run", *pipeline(choice)], MADE),
            (["tune", *pipeline(choice), "--force"], MADE),
            (["train", *pipeline(choice), "--force"], MADE),
            (["evaluate", *pipeline(choice)], MADE)]
    moves = [(["models", "promote", NAME, *GATES], PROMOTED),
             (["models", "promote", f"{NAME}@v{choice.randint(1, 6)}", "--skip-gates", "--reason", "test"], PROMOTED),
             (["models", "rollback", NAME], LOOKED_UP),
             (["models", "register", f"{NAME}.model", "--name", "own"], LOOKED_UP)]
    removes = [(["artifacts", "gc", "--keep-models"], MADE),
               (["artifacts", "gc", "--keep-names", "--delete"], MADE),
               (["artifacts", "gc", "--keep-names", "--keep-models", "--delete", "--work"], MADE),
               (["artifacts", "gc", "--keep-last", "1", "--delete"], MADE)]
    reads = [(["artifacts", "ls"], MADE), (["artifacts", "verify"], MADE), (["models", "list"], MADE),
             (["artifacts", "show", f"{NAME}.model"], LOOKED_UP),
             (["models", "log", NAME], LOOKED_UP), (["models", "show", NAME], LOOKED_UP),
             (["models", "show", f"{NAME}@champion"], LOOKED_UP), (["run", *pipeline(choice), "--dry-run"], MADE),
             (["predict", "--model", f"{NAME}@champion", "--input", examples], LOOKED_UP),
             (["config", "validate", *SMALL], MADE)]
    return choice.choice(choice.choices([runs, moves, removes, reads], [4, 3, 2, 3])[0])


@functools.cache
def undisturbed():
    """A store that nobody disturbed, with every result of every pipeline above, and rows to predict."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    for seed in SEEDS:
        for more in ([], STRAIGHT):
            done = product.run(["run", *SMALL, "--set", f"seed={seed}", *more], store=folder / "store")
            if done.returncode != OK:
                raise AssertionError(done.stderr)
    shutil.copy(product.named(folder / "store", f"{NAME}.model") / "examples.csv", folder / "examples.csv")
    return folder / "store", folder / "examples.csv"


def chain(path):
    """The entries of a hash-chained log; fails where one does not follow from the line before it."""
    previous, entries = "0" * 64, []
    for line in path.read_bytes().splitlines():
        entry = json.loads(line)
        if entry["previous"] != previous:
            raise AssertionError(f"{path}: line {len(entries) + 1} does not follow")
        previous = hashlib.sha256(line).hexdigest()
        entries.append(entry)
    return entries


class Case(product.ProductCase):
    def assert_well(self, store):
        """What must be true of a store at the end, whatever was done with it."""
        self.assert_verifies(store)
        chain(store / "log.jsonl")
        for path in (store / "models").glob("*.jsonl"):
            registered = [entry for entry in chain(path) if entry["event"] == "register"]
            self.assertEqual([entry["version"] for entry in registered], list(range(1, len(registered) + 1)))
            artifacts = [entry["artifact"] for entry in registered]
            self.assertEqual(len(set(artifacts)), len(artifacts), "registered twice")


class Many(Case):
    def work(self, worker, problems, tally):
        choice = random.Random(worker)
        _, examples = undisturbed()
        for _ in range(COMMANDS):
            args, allowed = draw(choice, examples)
            killed_after = choice.uniform(0, KILLED_WITHIN) if choice.random() < KILLED else None
            process = product.start(args, store=None if args[0] == "config" else self.store)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=killed_after) if killed_after is not None else None
            if killed_after is not None and process.returncode is None:
                process.kill()
                process.communicate()
                tally[f"{args[0]} killed"] += 1
                continue
            said = process.communicate(timeout=120)[1] if process.returncode is None else ""
            tally[f"{args[0]} {process.returncode}"] += 1
            if process.returncode not in allowed or "internal error" in said:
                problems.append(f"{' '.join(map(str, args))}: exit status {process.returncode}: {said}")

    def test_anything(self):
        reference, _ = undisturbed()
        problems, tally = [], collections.Counter()
        threads = [threading.Thread(target=self.work, args=(worker, problems, tally)) for worker in range(WORKERS)]
        product.run(["fetch", *SMALL], store=self.store)  # so that what only reads has a store
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(", ".join(f"{what}: {count}" for what, count in sorted(tally.items())))
        self.assertEqual(problems, [])
        self.assertGreater(sum(count for what, count in tally.items() if "killed" in what), 0)
        # The next command that makes something removes what killed ones left, and finishes what they began.
        for seed in SEEDS:
            for more in ([], STRAIGHT):
                self.ok(["run", *SMALL, "--set", f"seed={seed}", *more], store=self.store)
        self.assert_well(self.store)
        expected, found = product.tree_digest(reference), product.tree_digest(self.store)
        # Promoting and serve-check look at models in ways that the undisturbed store has not seen.
        shared = {path: digest for path, digest in found.items() if path.split("/")[0] not in ("evaluation", "check")}
        self.assertEqual(shared, {path: expected.get(path) for path in shared})
        kinds = ("raw", "dataset", "study", "model", "predictions")
        self.assertEqual({path for path in expected if path.split("/")[0] in kinds} - set(found), set())
        self.ok(["artifacts", "gc", "--keep-names", "--work", "--delete"], store=self.store)
        self.assertEqual(product.leftovers(self.store), [])
        self.assertEqual(list((self.store / "claims").iterdir()), [])
        self.assert_well(self.store)

    def test_one_name_registered_at_once(self):
        """The versions and moves of one model by eight processes: no gap, nothing twice, nothing lost."""
        shutil.copytree(undisturbed()[0], self.store)
        models = [identifier for identifier, folder in product.directories(self.store).items()
                  if json.loads((folder / "manifest.json").read_text())["kind"] == "model"][:WORKERS]
        started = [product.start(["models", "register", model, "--name", "own"], store=self.store)
                   for model in models * 2]
        for process in started:
            self.assertEqual((process.wait(), process.stderr.read()), (OK, ""))
            process.stderr.close()
        moves = chain(self.store / "models" / "own.jsonl")
        self.assertEqual(sum(move["event"] == "register" for move in moves), len(models))
        started = [product.start(["models", "promote", f"own@v{version}", "--skip-gates", "--reason", "test"],
                                 store=self.store) for version in range(1, len(models) + 1)]
        for process in started:
            self.assertEqual(process.wait(), OK, process.stderr.read())
            process.stderr.close()
        promoted = [move["version"] for move in chain(self.store / "models" / "own.jsonl")
                    if move["event"] == "promote"]
        self.assertEqual(sorted(promoted), list(range(1, len(models) + 1)))
        shown = json.loads(self.ok(["models", "show", "own", "--json"], store=self.store).stdout)
        self.assertEqual((shown["aliases"]["champion"], shown["aliases"]["previous"]), tuple(promoted[:-3:-1]))
        self.assert_well(self.store)


class Stopped(Case):
    """A process that stands still, whatever it holds, holds up nobody."""

    SLOW = ["tune", *SMALL, "--set", "seed=99", "--set", "tune.trials=12", "--jobs", 1]

    def test_nobody_waits_for_another(self):
        self.ok(["run", *SMALL, *STRAIGHT], store=self.store)
        slow = product.start(self.SLOW, store=self.store)
        while not studies.ended(self.store):
            self.assertIsNone(slow.poll())
            time.sleep(0.002)
        studies.stop(slow, self.store)
        try:
            for args in (["run", *SMALL, *STRAIGHT, "--set", "seed=2"],
                         ["models", "promote", f"{NAME}@v2", *GATES],
                         ["artifacts", "gc", "--keep-last", "1", "--work", "--delete"],
                         ["artifacts", "verify"], ["models", "rollback", NAME]):
                done = product.run(args, store=self.store, timeout=60)
                self.assertIn(done.returncode, (OK, ARTIFACT) if "rollback" in args else (OK,), done.stderr)
            self.assertTrue(studies.ended(self.store), "the work of a living process was removed")
        finally:
            slow.send_signal(signal.SIGCONT)
        self.assertEqual(slow.wait(timeout=120), OK, slow.stderr.read())
        slow.stderr.close()
        self.ok([*self.SLOW, "--require-inputs"], store=self.store)
        self.assert_well(self.store)
        self.assertEqual(product.leftovers(self.store), [])


if __name__ == "__main__":
    product.main()
