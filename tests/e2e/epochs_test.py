"""A training that is cut off goes on after its last epoch, bit for bit."""

import pathlib
import random
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from watched import MOST_ATTEMPTS, Watched, with_seed  # noqa: E402


class Epochs(product.ProductCase):
    """A training that is cut off goes on after its last checkpoint and gives the same model."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(self.id())

    @staticmethod
    def train(epochs, seed=1, patience=None):
        return ["train", *with_seed(seed), "--set", "train.from=configuration", "--set", f"train.epochs={epochs}",
                "--set", f"train.early_stopping_patience={patience if patience is not None else epochs - 1}"]

    def reference(self, command):
        store = self.folder / "reference"
        began = time.monotonic()
        done = self.ok(command, store=store)
        self.assertNotIn("continues", done.stderr)
        return store, time.monotonic() - began

    def checkpoint(self):
        """Path of the store's checkpoint, and what changes when it is written again."""
        for path in (self.store / "work").rglob("epoch.safetensors"):
            return path, path.stat().st_ino
        return None, None

    def cut_off(self, command, number, wait=0.0):
        """Sends the signal up to `wait` seconds after a checkpoint was written; returns the command and its status."""
        before = self.checkpoint()
        watched = Watched(command, self.store)
        while self.checkpoint() == before and watched.process.poll() is None:
            time.sleep(0.002)
        time.sleep(self.random.uniform(0, wait))
        return watched, watched.end(number)

    def continued(self, text):
        match = re.search(r"info: train continues after epoch (\d+) of", text)
        return int(match.group(1)) if match else 0

    def kept(self, command):
        """Cuts a training off after its first checkpoint; returns the path and the bytes of its checkpoint."""
        for _ in range(MOST_ATTEMPTS):
            _, status = self.cut_off(command, signal.SIGKILL)
            if status == -signal.SIGKILL:
                path, _ = self.checkpoint()
                return path, path.read_bytes()
            shutil.rmtree(self.store)
        return self.fail("no training could be cut off")

    def test_continues(self):
        signals = ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, product.TERMINATED),
                   (signal.SIGINT, product.INTERRUPTED))
        for patience in (0, 199):
            with self.subTest(patience=patience):
                command = self.train(200, patience=patience)
                shutil.rmtree(self.store, ignore_errors=True)
                shutil.rmtree(self.folder / "reference", ignore_errors=True)
                reference, seconds = self.reference(command)
                epochs = []
                for turn in range(MOST_ATTEMPTS):
                    number, expected = signals[turn % len(signals)]
                    watched, status = self.cut_off(command, number, wait=seconds / 5)
                    if watched.last_stage() == "train":  # not when the one before was cut off after publishing
                        epochs.append(self.continued(watched.text))
                    self.assertIn(status, (expected, product.OK), watched.text)
                    if status == product.OK:
                        break
                    self.assert_verifies(self.store)
                self.ok(command, store=self.store)
                print("continued after the epochs", epochs)
                self.assertEqual(epochs, sorted(epochs), "went back")
                self.assertGreater(epochs[-1], 0)
                self.assert_same_artifacts(self.store, reference)
                # A kill in the middle of writing a name leaves a hidden file that nobody reads.
                self.ok(["artifacts", "gc", "--keep-names", "--delete"], store=self.store)
                self.assertEqual(product.leftovers(self.store), [])

    def test_damaged(self):
        command = self.train(60)
        reference, _ = self.reference(command)
        foreign = {"another seed": self.kept(self.train(60, seed=2))[1]}
        shutil.rmtree(self.store)
        foreign["other parameters"] = self.kept(self.train(61))[1]
        shutil.rmtree(self.store)
        path, good = self.kept(command)
        middle = len(good) // 2
        damaged = {"empty": b"", "short": good[:middle], "one byte short": good[:-1], "longer": good + b"\0",
                   "garbage": random.Random(1).randbytes(len(good)),
                   "one bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:]}
        cut = self.folder / "cut"
        shutil.copytree(self.store, cut)
        for what, content in {**damaged, **foreign}.items():
            with self.subTest(what):
                shutil.rmtree(self.store)
                shutil.copytree(cut, self.store)
                path.write_bytes(content)
                done = self.ok(command, store=self.store)
                self.assertIn("warning: the checkpoint is not used", done.stderr)
                self.assertEqual(self.continued(done.stderr), 0)
                self.assert_same_artifacts(self.store, reference)
                self.assertEqual(product.leftovers(self.store), [])
        shutil.rmtree(self.store)
        shutil.copytree(cut, self.store)
        self.assertGreater(self.continued(self.ok(command, store=self.store).stderr), 0)

    def test_forced(self):
        command = self.train(60)
        path, good = self.kept(command)
        self.ok(command, store=self.store)
        before = product.tree_digest(self.store)
        path.parent.mkdir()
        path.write_bytes(good)
        done = self.ok([*command, "--force"], store=self.store)
        self.assertEqual(self.continued(done.stderr), 0)
        self.assertEqual(product.tree_digest(self.store), before)
        self.ok(command, store=self.store)
        self.assertEqual(product.leftovers(self.store), [])


if __name__ == "__main__":
    product.main()
