"""Requests per second and latencies of `tcrops serve` beside the same network behind Flask, gunicorn and PyTorch.

usage: bench_serve.py BUILD/bin [--seconds 10] [--rounds 3] [--minutes 10] [--json FILE] [--only tcrops]

Trains a small model, starts both servers, checks that they give the same scores, then loads them by turns with http_load:
posts of one row on 1, 8 and 32 connections until no more are answered, the same at half of that rate in an open loop,
and posts of 1,000 rows. With --minutes a steady load at half of the rate, while the server's memory is looked at each
second. The peer runs as gunicorn's `sync` workers, which close each connection, and as `gthread`, which keep it; the
faster one counts. tcrops gives all its columns, the peer score and call.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = (1, 8, 32)
WARM_UP = 1  # seconds before those that count
TABLE_CONNECTIONS = (1, 2, 4)
SETTINGS = ("train.from=configuration", "train.model=mlp_small", "train.epochs=20", "name=bench")
WORKERS = {"sync": (), "gthread": ("--worker-class", "gthread", "--threads", "16")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=pathlib.Path, help="folder with tcrops and http_load")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="turns; the median counts")
    parser.add_argument("--minutes", type=float, default=0, help="of steady load")
    parser.add_argument("--only", choices=["tcrops"], help="leave out the peer")
    parser.add_argument("--set", action="append", default=[], help="passed on to tcrops serve")
    parser.add_argument("--json", type=pathlib.Path, help="file to write all figures to")
    return parser.parse_args()


options = arguments()
os.environ["TCROPS_BIN"] = str(options.bin.resolve() / "tcrops")
sys.path.insert(0, str(HERE.parent / "support"))
import product  # noqa: E402
from serving import Serving  # noqa: E402


class Peer:
    def __init__(self, worker, model, port):
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--workers", "2", *WORKERS[worker], "--bind", f"127.0.0.1:{port}",
             "--log-level", "error", f"flask_peer:make({str(model)!r})"], cwd=HERE,
            env=product.environment({"OMP_NUM_THREADS": "1"}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def processor_seconds(pid):
    """Of a process and its children, so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return ticks / os.sysconf("SC_CLK_TCK") + sum(processor_seconds(child) for child in children)


class Server:
    """Where a server listens, and its process."""

    def __init__(self, port, pid):
        self.port, self.pid = port, pid


def load(server, bodies, seconds, connections, *more):
    before = processor_seconds(server.pid)
    result = load_port(server.port, bodies, seconds, connections, *more)
    asked = result["answered"] * (1 + WARM_UP / seconds)
    result["processor_ms"] = 1000 * (processor_seconds(server.pid) - before) / max(asked, 1)
    return result


def load_port(port, bodies, seconds, connections, *more):
    done = subprocess.run([str(word) for word in (options.bin / "http_load", "--port", port, "--connections", connections,
                                                  "--seconds", seconds, "--warmup", WARM_UP, *more, *bodies)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def scores(port, body):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/predict", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return [row["score"] for row in answer["rows"]]


def wait_for(port, body):
    for _ in range(300):
        try:
            return scores(port, body)
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


def make_bodies(store, folder):
    """Files: posts of one row, posts of 1,000."""
    table = product.read_table(product.named(store, "bench.raw") / "table.csv")
    rows = [dict(zip(table[0], row)) for row in table[1:]]
    for row in rows:
        row.pop("Label", None)

    def write(name, part):
        path = folder / name
        path.write_text(json.dumps({"rows": part}))
        return path

    single = [write(f"one-{at}.json", [rows[at * 17 % len(rows)]]) for at in range(256)]
    many = [write(f"many-{at}.json", [rows[(at * 331 + each) % len(rows)] for each in range(1000)]) for at in range(4)]
    return single, many


def require_same_scores(servers, body):
    ours = scores(servers["tcrops"].port, body)
    for name, server in servers.items():
        away = max(abs(one - other) for one, other in zip(ours, scores(server.port, body), strict=True))
        print(f"{name}: scores of {len(ours)} rows at most {away:.1e} from those of tcrops", file=sys.stderr)
        if away > 1e-5:
            sys.exit("these are not the same models")


def median(results, *path):
    values = []
    for result in results:
        for key in path:
            result = result[key]
        values.append(result)
    return statistics.median(values)


class Figures:
    """All measurements, by what was asked of whom."""

    def __init__(self):
        self.all = {}

    def add(self, what, who, result):
        print(f"{what:>24} {who:>8}: {result['requests_per_second']:9.1f}/s  {result['processor_ms']:.3f} ms  {result['latency_ms']}  {result['errors']}",
              file=sys.stderr)
        self.all.setdefault(what, {}).setdefault(who, []).append(result)

    def rate(self, what, who):
        return median(self.all[what][who], "requests_per_second")

    def most(self, whats, who):
        return max(self.rate(what, who) for what in whats)


def in_turns(figures, servers, what, measure):
    for _ in range(options.rounds):
        for who, server in servers.items():
            figures.add(what, who, measure(who, server))


def measure_all(servers, single, many):
    figures = Figures()
    for connections in CONNECTIONS:
        in_turns(figures, servers, f"one row, {connections}",
                 lambda who, server: load(server, single, options.seconds, connections))
    ones = [f"one row, {connections}" for connections in CONNECTIONS]
    in_turns(figures, servers, "one row, half", lambda who, server: load(
        server, single, options.seconds, 32, "--rate", figures.most(ones, who) / 2))
    for connections in TABLE_CONNECTIONS:
        in_turns(figures, servers, f"1,000 rows, {connections}",
                 lambda who, server: load(server, many, options.seconds, connections))
    return figures


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def slope(samples):
    """Bytes per second, by least squares."""
    middle = (len(samples) - 1) / 2
    mean = statistics.fmean(samples)
    below = sum((at - middle) ** 2 for at in range(len(samples)))
    return sum((at - middle) * (value - mean) for at, value in enumerate(samples)) / below


def steady(serving, single, rate):
    """Memory under a steady load. The first tenth, in which caches fill, does not count for the slope."""
    words = [options.bin / "http_load", "--port", serving.port, "--connections", 32, "--rate", rate, "--seconds",
             options.minutes * 60, *single]
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    samples = []
    while process.poll() is None:
        samples.append(resident(serving.process.pid))
        time.sleep(1)
    result = json.loads(process.stdout.read())
    counted = samples[len(samples) // 10:]
    result["memory"] = {"samples": len(counted), "least": min(counted), "most": max(counted),
                        "bytes_per_second": slope(counted)}
    return result


def report(figures, servers):
    peers = [who for who in servers if who != "tcrops"]
    ones = [f"one row, {connections}" for connections in CONNECTIONS]
    manys = [f"1,000 rows, {connections}" for connections in TABLE_CONNECTIONS]
    print("| | " + " | ".join(servers) + " | times the faster peer |\n| --- |" + " --- |" * (len(servers) + 1))
    for what in (*ones, "one row, half", *manys):
        cells = []
        for who in servers:
            results = figures.all[what][who]
            cells.append(f"{figures.rate(what, who):.1f}/s, p50 {median(results, 'latency_ms', 'p50'):.2f} "
                         f"p99 {median(results, 'latency_ms', 'p99'):.2f} p99.9 {median(results, 'latency_ms', 'p99_9'):.2f} ms, "
                         f"processor {median(results, 'processor_ms'):.3f} ms")
        best = max((figures.rate(what, who) for who in peers), default=0)
        times = f"{figures.rate(what, 'tcrops') / best:.1f}" if best and what != "one row, half" else ""
        print(f"| {what} | " + " | ".join(cells) + f" | {times} |")
    for name, whats in (("one row", ones), ("1,000 rows", manys)):
        ours, theirs = figures.most(whats, "tcrops"), max((figures.most(whats, who) for who in peers), default=0)
        times = f", {ours / theirs:.1f} times the peer's {theirs:.1f}/s" if theirs else ""
        print(f"most of {name}: {ours:.1f}/s{times}")
    errors = {f"{what}, {who}": result["errors"] for what, of in figures.all.items() for who, results in of.items()
              for result in results if result["errors"]}
    print(f"errors: {errors or 'none'}")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        store = folder / "store"
        words = ["train", "--config", product.CONFIGS / "quickstart.json", "--quiet"]
        done = product.run(words + [word for setting in SETTINGS for word in ("--set", setting)], store=store)
        if done.returncode != 0:
            sys.exit(done.stderr)
        single, many = make_bodies(store, folder)
        model = product.named(store, "bench.model")
        more = [word for setting in options.set for word in ("--set", setting)]
        with Serving(store, *more, model="bench.model") as serving:
            servers, figures = {"tcrops": Server(serving.port, serving.process.pid)}, Figures()
            if options.only:
                figures = measure_all(servers, single, many)
            else:
                with Peer("sync", model, 18181) as one, Peer("gthread", model, 18182) as other:
                    servers.update(sync=Server(one.port, one.process.pid), gthread=Server(other.port, other.process.pid))
                    for server in servers.values():
                        wait_for(server.port, single[0].read_bytes())
                    require_same_scores(servers, many[0].read_bytes())
                    figures = measure_all(servers, single, many)
            report(figures, servers)
            if options.minutes:
                rate = figures.most([f"one row, {connections}" for connections in CONNECTIONS], "tcrops") / 2
                result = steady(serving, single, rate)
                figures.all["steady"] = result
                print("steady:", json.dumps(result))
            if options.json:
                options.json.write_text(json.dumps(figures.all, indent=1))


if __name__ == "__main__":
    main()
