"""How long the commands take that need no tensors, and one that does.

usage: startup.py TCROPS [RUNS]
Prints one line per command: minimum, median and maximum of RUNS (default 30) whole processes, in milliseconds.
"""

import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = [["--help"], ["--version"], ["tune", "--help"], ["config", "schema"], ["artifacts", "ls"]]
TENSORS = ["train", "--config", "configs/quickstart.json", "--set", "train.from=configuration",
           "--set", "train.epochs=1", "--set", "synthetic.tcrs=50", "--force", "--quiet"]


def milliseconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - begin)


def main():
    program, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", f"{folder}/store"]
        milliseconds([program, *TENSORS, *store])  # makes the store
        for arguments in COMMANDS + [TENSORS]:
            with_store = arguments + store if arguments[0] in ("artifacts", "train") else arguments
            times = sorted(milliseconds([program, *with_store]) for _ in range(runs))
            print(f"{' '.join(arguments[:2]):20} min {times[0]:7.1f}  median {statistics.median(times):7.1f}  "
                  f"max {times[-1]:7.1f} ms")


if __name__ == "__main__":
    main()
