"""What the query log of a server survives: a kill, a lock, a full disk; and how old entries leave it."""

import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from query_cases import CSV, LOG, MODEL, WANTED, QueriesCase, bytes_of, whole  # noqa: E402
from serving import Serving  # noqa: E402

DAY = 86400.0


class Survival(QueriesCase):
    def test_killed_under_load(self):
        """What was answered a second before a kill -9 is in the log, and the file is whole."""
        for attempt in range(2):
            answered, lock = {}, threading.Lock()
            with self.serving("--log-sequences") as serving:
                def client(number):
                    connection, count = serving.connect(), 0
                    try:
                        while True:
                            count += 1
                            name = f"k{attempt}-{number}-{count}"
                            connection.request("POST", "/v1/predict", self.body(), {
                                "Content-Type": CSV, "X-Request-Id": name})
                            connection.getresponse().read()
                            with lock:
                                answered[name] = time.monotonic()
                    except OSError:
                        pass
                    except Exception as error:  # the end of the server is seen in several ways
                        if "http.client" not in type(error).__module__:
                            raise

                threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
                for thread in threads:
                    thread.start()
                time.sleep(2.5)
                serving.process.send_signal(signal.SIGKILL)
                killed = time.monotonic()
                for thread in threads:
                    thread.join()
            self.assertGreater(len(answered), 100)
            self.assertTrue(whole(self.log))
            database = sqlite3.connect(self.log)
            logged = [row[0] for row in database.execute("SELECT id FROM query")]
            kept = database.execute("SELECT count(*) FROM query JOIN input USING (number) JOIN output USING (number)")
            self.assertEqual(kept.fetchone()[0], len(logged))
            sums = database.execute("SELECT sum(requests) FROM sums WHERE span = 60").fetchone()[0]
            self.assertEqual(sums, len(logged))
            database.close()
            self.assertEqual(len(logged), len(set(logged)))
            early = {name for name, at in answered.items() if at < killed - 1.0}
            self.assertEqual(early - set(logged), set())
        with self.serving() as serving:
            self.assertEqual(len(self.queries("list", "--limit", 1000000)["queries"]), len(logged))
            self.assertEqual(self.ask(serving, "alive").status, 200)

    def test_the_end_writes_everything(self):
        with self.serving() as serving:
            for number in range(50):
                self.ask(serving, f"e{number}")
            self.assertEqual(serving.stop()[0], product.OK)
        self.assertEqual(len(self.queries("list", "--limit", 100)["queries"]), 50)

    def test_old_entries_go(self):
        with self.serving("--log-sequences") as serving:
            self.ask(serving, "old", self.body([self.row(CDR3_beta=WANTED)]))
            self.ask(serving, "new")
            self.listed(serving, 2)
            self.assertEqual(serving.stop()[0], product.OK)
        database = sqlite3.connect(self.log)
        database.execute("DROP TRIGGER query_stays")
        database.execute("UPDATE query SET time = time - ? WHERE id = 'old'", (181 * DAY,))
        database.commit()
        database.close()
        with self.serving("--set", "serve.keep_days=0") as serving:
            self.listed(serving, 2)
        with self.serving() as serving:
            for _ in range(100):
                if WANTED.encode() not in bytes_of(self.store):
                    break
                time.sleep(0.05)
            self.assertEqual([entry["id"] for entry in self.listed(serving, 1)], ["new"])
            self.assertNotIn(WANTED.encode(), bytes_of(self.store))
            self.assertEqual(serving.get("/v1/queries").json()["logging"],
                             {"sequences": False, "keep_days": 180, "lost": 0, "problem": None})

    def test_locked_by_somebody(self):
        with self.serving() as serving:
            holder = sqlite3.connect(self.log, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            for number in range(20):
                self.assertEqual(self.ask(serving, f"w{number}").status, 200)
            for _ in range(100):
                logging = serving.get("/v1/queries").json()["logging"]
                if logging["problem"]:
                    break
                time.sleep(0.05)
            self.assertIn("locked", logging["problem"])
            holder.execute("ROLLBACK")
            holder.close()
            for _ in range(200):
                if len(serving.get("/v1/queries").json()["queries"]) == 20:
                    break
                time.sleep(0.05)
            self.listed(serving, 20)
            status, stderr = serving.stop()
        self.assertEqual(status, product.OK)
        self.assertEqual(len(re.findall("error: the query log cannot be written", stderr)), 1)
        self.assertIn("the query log is written again", stderr)

    def test_full_disk(self):
        words = [*product.namespace(), sys.executable, "-B", __file__, "--full-disk", str(self.folder), str(self.store)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(set(report["statuses"]), {200})
        self.assertRegex(report["problem"], "full|No space|I/O error")
        self.assertGreater(report["before"], 0)
        self.assertEqual(len(re.findall("error: the query log cannot be written", report["stderr"])), 1)
        self.assertIn("the query log is written again", report["stderr"])
        self.assertEqual(report["lost"], 0)
        self.assertEqual(report["entries"], len(report["statuses"]))
        self.assertTrue(report["whole"])


def full_disk(folder, store):
    """Runs in a mount namespace of its own: a log on a disk that fills up, and later has room again."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=True)
    table = (product.named(store, "quickstart.raw") / "table.csv").read_text().splitlines(keepends=True)
    body = "".join(table[:40])
    report = {"statuses": []}
    with Serving(store, "--log-sequences", "--set", f"serve.query_log={disk / LOG}", model=MODEL) as serving:
        logging = {"problem": None}
        report["statuses"].append(serving.post("/v1/predict", body, CSV).status)
        while serving.get("/v1/monitor").json()["totals"]["requests"] == 0:
            time.sleep(0.05)
        while not logging["problem"] and len(report["statuses"]) < 2000:
            for _ in range(10):
                report["statuses"].append(serving.post("/v1/predict", body, CSV).status)
            logging = serving.get("/v1/monitor").json()["logging"]
        report["problem"] = logging["problem"]
        report["before"] = serving.get("/v1/monitor").json()["totals"]["requests"]
        report["statuses"] += [serving.post("/v1/predict", body, CSV).status for _ in range(20)]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        for _ in range(300):
            if not serving.get("/v1/monitor").json()["logging"]["problem"]:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        monitor = serving.get("/v1/monitor").json()
        report["entries"], report["lost"] = monitor["totals"]["requests"], monitor["logging"]["lost"]
        report["stderr"] = serving.stop()[1]
    report["whole"] = whole(disk / LOG)
    print(json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--full-disk"]:
        full_disk(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
    else:
        product.main()
