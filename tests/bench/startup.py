"""How long every command takes that needs no tensors, and one that does.

usage: startup.py TCROPS [RUNS]
Prints one line per command: minimum, median and maximum of RUNS (default 30) whole processes, in milliseconds.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

TENSORS = ["train", "--config", product.CONFIGS / "quickstart.json", "--set", "train.from=configuration",
           "--set", "train.epochs=1", "--set", "synthetic.tcrs=50", "--force", "--quiet"]


def milliseconds(command):
    begin = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                   env=product.environment())
    return 1000 * (time.perf_counter() - begin)


def main():
    program, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory() as folder:
        store = pathlib.Path(folder) / "store"
        milliseconds([program, *TENSORS, "--store", store])  # makes the store
        print(f"{'command':42} {'min':>7} {'median':>7} {'max':>7}  ms")
        for arguments in (*product.light_commands(store), [*TENSORS, "--store", store]):
            times = sorted(milliseconds([program, *arguments]) for _ in range(runs))
            shown = arguments[:2] if arguments[0] != "train" else ["train", "(loads LibTorch)"]
            if "--dry-run" in arguments:
                shown = ["run", "--dry-run"]
            shown += ["…"] if arguments[0].startswith("__") else []
            print(f"{' '.join(map(str, shown)):42} {times[0]:7.1f} {statistics.median(times):7.1f} {times[-1]:7.1f}")


if __name__ == "__main__":
    main()
