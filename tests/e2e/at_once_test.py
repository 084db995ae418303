"""Two and more processes that do the same at once."""

import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import studies  # noqa: E402
from watched import SMALL, SEEDS, ARTIFACTS, Watched, WatchedCase, slow_server, with_seed  # noqa: E402


class AtOnce(WatchedCase):
    """Several processes on one store."""

    def test_twin_is_done_first(self):
        # The study keeps every trial, so the slow one needs weights that its twin has dropped.
        command = ["tune", *SMALL, "--set", "tune.trials=3", "--jobs", 1]
        slow = Watched(command, self.store)
        while not studies.ended(self.store):
            self.assertIsNone(slow.process.poll(), slow.text)
            time.sleep(0.002)
        studies.stop(slow.process, self.store)
        try:
            self.ok(command, store=self.store)
        finally:
            slow.process.send_signal(signal.SIGCONT)
        before = product.tree_digest(self.store)
        self.assertEqual(slow.end(), product.OK, slow.text)
        self.assertEqual(product.tree_digest(self.store), before)
        self.assert_verifies(self.store)
        self.assert_nothing_left(self.store)

    def test_two_downloads(self):
        data = product.test_data("viral")
        with slow_server(data, bytes_per_second=200_000) as (url, _):
            command = ["fetch", "--config", product.CONFIGS / "viral.json", "--mirror", url]
            fetches = [Watched(command, self.store) for _ in range(2)]
            for each in fetches:
                self.assertEqual(each.end(), product.OK, each.text)
        self.assertEqual(len(product.ids(self.store)), 1)
        self.assert_verifies(self.store)
        self.assert_nothing_left(self.store)

    def test_two_runs(self):
        for turn in range(3):
            store = self.folder / str(turn)
            seed = SEEDS[turn]
            runs = [Watched(["run", *with_seed(seed)], store) for _ in range(2)]
            while not (store / "FORMAT").exists():
                time.sleep(0.001)
            verified = 0
            while any(each.process.poll() is None for each in runs):
                self.assert_verifies(store)
                verified += 1
                time.sleep(0.01)
            for each in runs:
                self.assertEqual(each.end(), product.OK, each.text)
            self.assertGreater(verified, 0)
            self.assert_verifies(store)
            self.assert_nothing_left(store)
            self.assertEqual(len(product.ids(store)), ARTIFACTS)
            self.assert_part_of_reference(store)

    def test_many_make_the_store(self):
        command = ["fetch", *SMALL, "--set", "synthetic.tcrs=20"]
        for turn in range(10):
            store = self.folder / str(turn)
            starts = [Watched(command, store) for _ in range(4)]
            for each in starts:
                self.assertEqual(each.end(), product.OK, each.text)
            self.assertEqual(len(product.ids(store)), 1)
            self.assert_verifies(store)
            self.assert_nothing_left(store)


if __name__ == "__main__":
    product.main()
