"""The query log of a server: what stands in it, what never does, and what may be asked of it."""

import hashlib
import json
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import RANKS  # noqa: E402
from query_cases import CSV, LOG, MODEL, PEPTIDE, REFUSED, WANTED, QueriesCase, bytes_of, whole  # noqa: E402


class Entries(QueriesCase):
    def test_an_answer_is_noted(self):
        body = self.body([self.rows[0], self.row(CDR3_beta="CA1"), self.row(Epitope=PEPTIDE)])
        begin = time.time()
        with self.serving() as serving:
            answer = self.ask(serving, "mine.1", body)
            self.assertEqual(answer.status, 200)
            entry, = self.listed(serving, 1)
            detail = serving.get("/v1/queries/mine.1").json()
            self.check(serving, "Query", detail)
        rows = answer.json()["rows"]
        self.assertEqual(entry["id"], "mine.1")
        self.assertTrue(begin - 0.01 <= entry["time"] <= time.time())
        self.assertEqual((entry["route"], entry["status"], entry["valid"], entry["error"]),
                         ("/v1/predict", 200, True, None))
        self.assertEqual((entry["rows"], entry["scored"], entry["rejected"], entry["unseen"]), (3, 2, 1, 1))
        self.assertEqual(entry["digest"], hashlib.sha256(body.encode()).hexdigest())
        self.assertEqual((entry["model"], entry["version"]), ("quickstart", str(RANKS + 1)))
        self.assertEqual(entry["artifact"], answer.headers["x-model-id"])
        self.assertEqual(entry["data_version"], answer.headers["x-data-version"])
        self.assertGreater(entry["seconds"], 0)
        self.assertEqual([(row["line"], row["score"]) for row in detail["outputs"]],
                         [(row["line"], row["score"]) for row in rows])
        self.assertEqual([row["problem_kind"] for row in detail["outputs"]], [None, "CDR3_beta", None])
        self.assertIsNone(detail["input"])
        # The same by the command, without the server.
        listed, = self.queries("list")["queries"]
        self.assertEqual(listed, entry)
        shown = self.queries("show", "mine.1")
        self.assertEqual(shown, detail)
        self.assertIn("mine.1", self.ok(["queries", "list"], store=self.store).stdout)
        self.assertIn("CDR3_beta", self.ok(["queries", "show", "mine.1"], store=self.store).stdout)

    def test_failures_are_noted(self):
        with self.serving("--set", "serve.request_rows=2") as serving:
            self.assertEqual(self.ask(serving, "many", self.body(self.rows[:5])).status, 413)
            self.assertEqual(self.ask(serving, "none", "").status, 400)
            for name, path, status in (("unknown", "?model=nothing@v1", 404), ("what", "?what=1", 400)):
                self.assertEqual(self.ask(serving, name, path=f"/v1/predict{path}").status, status)
            entries = {entry["id"]: entry for entry in self.listed(serving, 4)}
            self.listed(serving, 4, "valid=false")
            self.check(serving, "Query", serving.get("/v1/queries/unknown").json())
        self.assertEqual({name: (entry["status"], entry["error"], entry["valid"]) for name, entry in entries.items()},
                         {"many": (413, "too large", False), "none": (400, "bad request", False),
                          "unknown": (404, "not found", False), "what": (400, "bad request", False)})
        # No model was found that could have answered.
        self.assertEqual([entries[name]["model"] for name in ("many", "unknown", "what")], ["quickstart", "", ""])
        lineage = self.json(["artifacts", "lineage", "unknown"])
        self.assertEqual(([node["id"] for node in lineage["nodes"]], lineage["edges"]), (["unknown"], []))

    def test_pages_filters_and_the_monitor(self):
        with self.serving() as serving:
            for number in range(7):
                self.ask(serving, f"r{number}")
            self.listed(serving, 7)
            seen, query = [], "limit=3"
            while True:
                page = serving.get(f"/v1/queries?{query}").json()
                seen += [entry["id"] for entry in page["queries"]]
                if page["next"] is None:
                    break
                query = f"limit=3&before={page['next']}"
            self.assertEqual(seen, [f"r{number}" for number in reversed(range(7))])
            self.assertEqual(self.listed(serving, 1, "search=R5")[0]["id"], "r5")
            self.listed(serving, 0, "model=other")
            monitor = serving.get("/v1/monitor?hours=1").json()
            self.check(serving, "Queries", page)
            self.check(serving, "Monitor", monitor)
            metrics = serving.get("/metrics").text
        self.assertIn('tcrops_query_log_entries_total{outcome="written"} 7\n', metrics)
        self.assertIn('tcrops_query_log_entries_total{outcome="lost"} 0\n', metrics)
        self.assertIn("tcrops_query_log_waiting 0\n", metrics)
        self.assertEqual(monitor["bucket_seconds"], 60)
        self.assertEqual((monitor["totals"]["requests"], monitor["totals"]["rows"], monitor["totals"]["errors"]),
                         (7, 21, 0))
        self.assertEqual(sum(monitor["totals"]["scores"]), 21)
        self.assertEqual(sum(bucket["requests"] for bucket in monitor["buckets"]), 7)
        self.assertGreater(monitor["totals"]["p99_seconds"], 0)

    def test_no_log(self):
        with self.serving("--set", "serve.query_log=none") as serving:
            self.assertEqual(self.ask(serving, "one").status, 200)
            none = serving.get("/v1/queries").json()
            self.assertIsNone(none["logging"])
            self.check(serving, "Queries", none)
            self.assertEqual(serving.stop()[0], product.OK)
        self.assertFalse(self.log.exists())
        self.fails(product.ARTIFACT, ["queries", "list"], "no query log", store=self.store)

    def test_another_file(self):
        file = self.folder / "elsewhere.sqlite"
        with self.serving("--set", f"serve.query_log={file}") as serving:
            self.ask(serving, "one")
            self.listed(serving, 1)
        self.assertFalse(self.log.exists())
        self.assertEqual(self.queries("list", "--log", file)["queries"][0]["id"], "one")

    def test_files_that_cannot_be_used(self):
        self.log.write_text("x" * 5000)
        serve = ["serve", "--model", MODEL, "--listen", "127.0.0.1:0"]
        self.fails(product.ARTIFACT, serve, LOG, store=self.store)
        self.fails(product.ARTIFACT, ["queries", "list"], LOG, store=self.store)
        self.log.unlink()
        with self.serving() as serving:
            self.assertEqual(serving.stop()[0], product.OK)
        database = sqlite3.connect(self.log)
        database.execute("UPDATE tcrops_schema SET version = 2")
        database.commit()
        database.close()
        self.fails(product.ARTIFACT, serve, "format 2", "newer tcrops", store=self.store)
        self.fails(product.ARTIFACT, ["queries", "list"], "format 2", store=self.store)
        self.fails(product.ARTIFACT, ["queries", "purge", "--all"], "format 2", store=self.store)


class Sequences(QueriesCase):
    def requests(self, serving):
        """Requests with sequences everywhere that they could be."""
        rows = [self.row(CDR3_beta=WANTED), self.row(CDR3_beta=REFUSED), self.row(Epitope=PEPTIDE)]
        self.assertEqual(self.ask(serving, "table", self.body(rows)).status, 200)
        self.assertEqual(self.ask(serving, "query", path=f"/v1/predict?epitope={PEPTIDE}&mhc={PEPTIDE}").status, 200)
        broken = json.dumps({"rows": [{"CDR3_beta": [WANTED]}]})
        self.assertEqual(serving.post("/v1/predict", broken, **{"X-Request-Id": "broken"}).status, 400)
        self.assertEqual(serving.post("/v1/predict", WANTED, f"text/{WANTED}", **{"X-Request-Id": "type"}).status, 415)
        return self.listed(serving, 4)

    def test_none_are_kept(self):
        with self.serving("-v") as serving:
            entries = self.requests(serving)
            self.assertFalse(any(entry["has_input"] for entry in entries))
            live = bytes_of(self.store)
            answer = serving.post("/v1/queries/table/rerun", "")
            self.assertEqual(answer.status, 409)
            self.assertIn("--log-sequences", answer.json()["error"])
            status, stderr = serving.stop()
            self.assertEqual(status, product.OK)
        shown = self.ok(["queries", "show", "table"], store=self.store).stdout
        for name, text in (("live", live), ("closed", bytes_of(self.store)), ("log", stderr.encode()),
                           ("command", shown.encode())):
            for sequence in (WANTED, REFUSED, PEPTIDE, self.rows[0][self.header.index("CDR3_alpha")]):
                with self.subTest(where=name, sequence=sequence):
                    self.assertNotIn(sequence.encode(), text.upper())
        self.assertIn(b"/v1/predict", live)

    def test_kept_when_asked_for(self):
        with self.serving("--log-sequences") as serving:
            self.requests(serving)
            detail = serving.get("/v1/queries/table").json()
            self.assertIn(WANTED, detail["input"])
            self.assertEqual(detail["content_type"], CSV)
            self.assertEqual(self.listed(serving, 3, f"search={WANTED[3:9]}")[0]["id"], "type")
            again = serving.post("/v1/queries/table/rerun", "").json()
            self.assertEqual(len(again["rows"]), 3)
            for row in again["rows"]:
                self.assertEqual(row["then"], row["now"])
            self.assertIsNone(again["rows"][1]["now"])
            self.check(serving, "Rerun", again)
            other = serving.post("/v1/queries/table/rerun?model=quickstart@v2", "").json()
            self.assertEqual((other["then"]["model"]["version"], other["now"]["model"]["version"]),
                             (str(RANKS + 1), "2"))
            self.assertNotEqual(other["rows"][0]["then"], other["rows"][0]["now"])
            self.assertEqual(serving.post("/v1/queries/table/rerun?model=quickstart@v99", "").status, 404)
            # What is asked of the log is not a request for predictions.
            self.listed(serving, 4)
            query = serving.post("/v1/queries/query/rerun", "").json()
            self.assertEqual([row["then"] for row in query["rows"]], [row["now"] for row in query["rows"]])

    def test_purge_of_sequences_and_of_entries(self):
        with self.serving("--log-sequences") as serving:
            self.requests(serving)
            self.assertIn(WANTED.encode(), bytes_of(self.store))
            said = self.queries("purge", "--sequences-only", "--dry-run")
            self.assertEqual((said["removed_now"], said["queries"], said["inputs"]), (False, 0, 4))
            self.assertIn(WANTED.encode(), bytes_of(self.store))
            done = self.queries("purge", "--sequences-only")
            self.assertEqual((done["removed_now"], done["queries"], done["inputs"], done["erased"]),
                             (True, 0, 4, True))
            for sequence in (WANTED, REFUSED, PEPTIDE):
                self.assertNotIn(sequence.encode(), bytes_of(self.store))
            self.assertEqual(len(self.listed(serving, 4)), 4)
            self.assertIsNone(serving.get("/v1/queries/table").json()["input"])
            self.ask(serving, "after")
            self.assertIn("after", [entry["id"] for entry in self.listed(serving, 5)])
            self.assertEqual(self.queries("purge", "--all")["queries"], 5)
            self.listed(serving, 0)
            self.assertEqual(serving.get("/v1/monitor").json()["totals"]["requests"], 0)
            self.assertEqual(serving.stop()[0], product.OK)
        self.assertTrue(whole(self.log))

    def test_purge_needs_to_know_what(self):
        with self.serving() as serving:
            self.ask(serving, "one")
            self.listed(serving, 1)
            self.assertEqual(serving.stop()[0], product.OK)
        purge = ["queries", "purge"]
        self.fails(product.USAGE, purge, "what is to go?", store=self.store)
        self.fails(product.USAGE, [*purge, "--all", "--older-than", "3"], "one of", store=self.store)
        self.fails(product.USAGE, [*purge, "--before", "yesterday"], "2026-01-31", store=self.store)
        self.fails(product.USAGE, [*purge, "--before", "2026-02-30"], "no time", store=self.store)
        self.assertEqual(self.queries("purge", "--before", "2020-01-01")["queries"], 0)
        self.assertEqual(self.queries("purge", "--older-than", "1")["queries"], 0)
        self.assertEqual(len(self.queries("list")["queries"]), 1)
        self.assertEqual(self.queries("purge", "--older-than", "0")["queries"], 1)


class Lineage(QueriesCase):
    def test_from_a_prediction_to_the_raw_data(self):
        with self.serving() as serving:
            answer = self.ask(serving, "patient-7")
            generated = serving.post("/v1/predict", self.body(), CSV).headers["x-request-id"]
            self.listed(serving, 2)
        for request in ("patient-7", generated):
            lineage = self.json(["artifacts", "lineage", request])
            self.assertEqual(lineage["root"], request)
            nodes = {node["id"]: node for node in lineage["nodes"]}
            self.assertEqual(nodes[request]["kind"], "query")
            parents = {edge["from"] for edge in lineage["edges"] if edge["to"] == request}
            self.assertEqual(parents, {answer.headers["x-model-id"]})
            raw, = (node for node in nodes.values() if node["kind"] == "raw")
            table = (product.named(self.store, "quickstart.raw") / "table.csv").read_bytes()
            self.assertIn(hashlib.sha256(table).hexdigest(), [file["sha256"] for file in raw["files"]])
        tree = self.ok(["artifacts", "lineage", "patient-7"], store=self.store).stdout
        self.assertTrue(tree.startswith("request patient-7\n"), tree)
        self.assertIn(hashlib.sha256(table).hexdigest(), tree)
        self.assertIn("patient-7", self.ok(["artifacts", "lineage", "patient-7", "--format", "dot"],
                                           store=self.store).stdout)
        self.fails(product.ARTIFACT, ["artifacts", "lineage", "patient-8"], "patient-8", store=self.store)

    def test_the_store_is_well_with_a_log_in_it(self):
        serving = self.serving()
        with serving:
            self.ask(serving, "one")
            self.listed(serving, 1)
            serving.process.kill()
            serving.process.wait()
        beside = sorted(path.name for path in self.store.glob(LOG + "*"))
        self.assertIn(LOG + "-wal", beside)
        self.assert_verifies(self.store)
        self.ok(["artifacts", "gc", "--keep-models", "--keep-names", "--delete"], store=self.store)
        self.assertEqual(sorted(path.name for path in self.store.glob(LOG + "*")), beside)
        self.ok(["artifacts", "ls"], store=self.store)
        self.assertEqual(product.run(["doctor"], store=self.store).returncode, product.OK)
        self.assertEqual(self.queries("list")["queries"][0]["id"], "one")


if __name__ == "__main__":
    product.main()
