"""How long commands take in a store with many artifacts, a tenth of them versions of four registered models.

usage: large_store.py TCROPS [ARTIFACTS [FOLDER]]
Makes the store in FOLDER (default: a temporary one) with ARTIFACTS (default 100000) unless it is there already, which
takes minutes. Prints for each command the first time after the kernel was asked to forget the store's files (cold; root
alone may drop folders too), and the best of five more (warm).
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import big_store  # noqa: E402
import product  # noqa: E402

WARM = 5
COMMANDS = (["artifacts", "ls"], ["artifacts", "ls", "--json"], ["artifacts", "ls", "--last", "20"],
            ["models", "list"], ["models", "show", "model1"], ["models", "show", "model1@champion"],
            ["artifacts", "show", "model1.model", "--json"],
            ["run", "--dry-run", "--config", product.CONFIGS / "quickstart.json"],
            ["artifacts", "gc", "--keep-models"])


def forget(folder):
    """Takes the store's logs out of memory, and, where that is allowed, everything else too."""
    for path in (folder / "log.jsonl", *(folder / "models").iterdir()):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return


def times(command):
    """Wall and processor seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                   env=product.environment())
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(program, store):
    print(f"{'command':38} {'cold':>7} {'warm':>7} {'processor':>10}  s")
    for words in COMMANDS:
        command = [program, *words, "--store", store]
        forget(store)
        cold, _ = times(command)
        warm, processor = min(times(command) for _ in range(WARM))
        shown = ["run", "--dry-run"] if words[0] == "run" else words
        print(f"{' '.join(map(str, shown)):38} {cold:7.2f} {warm:7.2f} {processor:10.2f}")


def main():
    program, artifacts = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory() as temporary:
        store = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else temporary) / f"store-{artifacts}"
        if not store.exists():
            print(f"making {store} …", file=sys.stderr)
            big_store.make(store, artifacts - 1)  # and the dataset
        measure(program, store)


if __name__ == "__main__":
    main()
