"""How long converting a large AIRR table takes, and the memory it needs.

usage: convert_rows.py TCROPS [ROWS] [FOLDER]
Makes a table of ROWS (default 10,000,000) rows of scattered cells in a folder of its own in FOLDER, converts it with
and without --profile, prints seconds and the largest resident memory, and deletes it.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import airr_rows  # noqa: E402
import product  # noqa: E402


def measured(words):
    """(seconds, processor seconds, MiB) of a whole process."""
    begin = time.perf_counter()
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, env=product.environment())
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"ended with status {status}: {words}")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    program = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as folder:
        table, output = pathlib.Path(folder) / "big.tsv", pathlib.Path(folder) / "out.tsv"
        airr_rows.write(table, rows)
        print(f"{rows} rows, {table.stat().st_size / 1e6:.0f} MB")
        command = [program, "convert", table, "-o", output, "--to", "airr", "--report", "/dev/null", "--quiet"]
        for more in ([], ["--profile", pathlib.Path(folder) / "profile.json"]):
            seconds, processor, memory = measured([*command, *more])
            print(f"convert{' --profile' if more else '':10} {seconds:7.1f} s, processor {processor:7.1f} s, "
                  f"largest resident memory {memory:6.0f} MiB")


if __name__ == "__main__":
    main()
