"""Every documented exit status has a real command that ends with it, and no command here has another."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CONFIGS, QUICKSTART, prepared  # noqa: E402

LONG = ["tune", "--config", CONFIGS / "quickstart.json", "--set", "tune.trials=1000000", "--set", "tune.jobs=1"]


def of(*args, **options):
    """A case: a command that runs to its end."""
    return lambda case: product.run(args, store=prepared(), cwd=case.folder, **options)


def mirror_that_is_down(case):
    return product.run(["fetch", "--config", CONFIGS / "viral.json", "--mirror", "http://127.0.0.1:1/", "--set",
                        "fetch.retries=0"], store=case.store)


def full_disk(case):
    words = [*product.namespace(), "sh", "-c", 'mount -t tmpfs -o size=4k tmpfs "$0" && exec "$@"', case.folder,
             *product.command(["fetch", *QUICKSTART], case.store)]
    return subprocess.run([str(word) for word in words], env=product.environment(), capture_output=True, text=True,
                          check=False)


def reader_gone(*args):
    """Nobody reads stdout any more when the command writes its result."""
    def run(case):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            return subprocess.run(product.command(args), env=product.environment({"TCROPS_STORE": str(prepared())}),
                                  stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, text=True,
                                  check=False)
        finally:
            os.close(writer)
    return run


def signalled(number):
    def run(case):
        process = product.start(LONG, store=case.store)
        deadline = time.monotonic() + 60
        while not list(case.store.glob("work/*/*")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        stderr = process.communicate(timeout=60)[1]
        return subprocess.CompletedProcess(process.args, process.returncode, "", stderr)
    return run


# exit status, what gives it, and what stderr says
CASES = (
    (0, of("artifacts", "verify"), ""),
    (0, of("--version"), ""),
    (1, of("serve-check", "--model", "quickstart.model", "--device", "cuda:255"), 'device "cuda:255"'),
    (2, of("trian"), "unknown command"),
    (2, of("completion", "tcsh"), "tcsh not in"),
    (3, of("run", *QUICKSTART, "--set", "train.epochs=-1"), "train.epochs: -1 is out of range"),
    (4, of("predict", "--model", "quickstart.model", "--input", "nowhere.csv"), "No such file"),
    (5, of("artifacts", "show", "nobody.model"), 'no artifact "nobody.model"'),
    (6, of("serve-check", "--model", "quickstart.model", "--max-p99-ms", "0.000001"), "do not serve this model"),
    (75, mirror_that_is_down, "127.0.0.1"),
    (75, full_disk, "free some space"),
    (130, signalled(signal.SIGINT), "interrupted"),
    (141, reader_gone("artifacts", "ls"), ""),
    (141, reader_gone("--help"), ""),
    (141, reader_gone("man"), ""),
    (143, signalled(signal.SIGTERM), "terminated"),
)


class ExitStatus(product.ProductCase):
    def test_each(self):
        for number, (status, give, words) in enumerate(CASES):
            with self.subTest(status=status, number=number):
                self.store = self.folder / f"store-{number}"
                done = give(self)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertEqual("error: " in done.stderr, bool(words), done.stderr)
                self.assertIn(words, done.stderr)

    def test_all_are_documented_and_tested(self):
        documented = json.loads(self.ok(["man", "--json"]).stdout)["exit_statuses"]
        self.assertEqual({case[0] for case in CASES}, {each["status"] for each in documented if each["used"]})


if __name__ == "__main__":
    product.main()
