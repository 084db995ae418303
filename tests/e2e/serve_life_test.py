"""The server's life: how it starts, whom it lets in, how it follows a model that moves, and how it ends."""

import csv
import hashlib
import http.client
import io
import json
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import RANKS, PipelineCase  # noqa: E402
from serving import Serving  # noqa: E402

SKIP = ["--skip-gates", "--reason", "a test"]
TRAINED = RANKS + 1
QUICK = ["--set", "serve.poll_seconds=0.05"]


class LifeCase(PipelineCase):
    def setUp(self):
        super().setUp()
        self.copy_of(own_models=1)
        table = product.named(self.store, "quickstart.raw") / "table.csv"
        self.rows = product.read_table(table.read_text())
        self.body = json.dumps({"rows": [dict(zip(self.rows[0], row)) for row in self.rows[1:9]]})

    def promote(self, version):
        self.ok(["models", "promote", f"quickstart@v{version}", *SKIP], store=self.store)

    def ask_until(self, serving, done, clients=6):
        """Clients that ask until `done` is set; [(model id, scores)] and what went wrong."""
        answers, faults = [], []

        def client():
            connection = serving.connect()
            while not done.is_set():
                try:
                    connection.request("POST", "/v1/predict", self.body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    body = response.read()
                    if response.status != 200:
                        faults.append((response.status, body))
                        break
                    scores = tuple(row["score"] for row in json.loads(body)["rows"])
                    answers.append((response.headers["X-Model-Id"], scores))
                except OSError as error:
                    faults.append(error)
                    break
            connection.close()

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        return threads, answers, faults


class Start(LifeCase):
    def test_one_line_says_where(self):
        for words in ([], ["--quiet"]):
            with Serving(self.store, *words) as serving:
                self.assertEqual(serving.line["url"], f"http://127.0.0.1:{serving.port}")
                self.assertEqual((serving.line["name"], serving.line["version"], serving.line["golden"]),
                                 ("quickstart", "1", "bit_equal"))
                self.assertEqual(serving.stop(), (product.OK, serving_log(words)))

    def test_a_model_by_its_name_or_id(self):
        named = product.names(self.store)["quickstart.model"]
        for reference, name in (("quickstart.model", "quickstart.model"), (named[:12], named[:12])):
            with Serving(self.store, model=reference) as serving:
                self.assertEqual((serving.line["artifact"], serving.line["name"], serving.line["version"]),
                                 (named, name, named[:12]))

    def test_the_champion_is_served_when_nothing_is_said(self):
        self.fails(product.ARTIFACT, ["serve"], "champion", "--model", store=self.store)
        self.promote(2)
        with Serving(self.store, model=None) as serving:
            self.assertEqual((serving.line["name"], serving.line["version"]), ("quickstart", "2"))

    def test_what_cannot_be_served(self):
        serve = ["serve", "--listen", "127.0.0.1:0", "--model"]
        self.fails(product.ARTIFACT, [*serve, "quickstart@v99"], "version", store=self.store)
        self.fails(product.ARTIFACT, [*serve, "quickstart.dataset"], "not a model", store=self.store)
        self.fails(product.ARTIFACT, [*serve, "x.model"], "no store here", store=self.folder / "none")
        self.fails(product.CONFIGURATION, [*serve, "quickstart.model", "--set", "serve.connections=0"], "connections",
                   store=self.store)
        weights = product.named(self.store, "quickstart.model") / "weights.safetensors"
        weights.chmod(0o644)
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
        self.fails(product.ARTIFACT, [*serve, "quickstart.model"], "weights.safetensors", store=self.store)

    def test_an_address_that_is_taken_or_none(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.fails(product.FAILURE, ["serve", "--model", "quickstart@v1", "--listen",
                                         "127.0.0.1:%d" % taken.getsockname()[1]], "cannot listen", store=self.store)
        self.fails(product.CONFIGURATION, ["serve", "--model", "quickstart@v1", "--listen", "8080"], "HOST:PORT",
                   store=self.store)


def serving_log(words):
    return "" if "--quiet" in words else "info: stopping; requests that were accepted are answered first\n"


class Access(LifeCase):
    def test_others_need_a_token(self):
        serve = ["serve", "--model", "quickstart@v1", "--listen", "0.0.0.0:0"]
        self.fails(product.CONFIGURATION, serve, "serve.token_file", store=self.store)
        tokens = self.folder / "tokens"
        tokens.write_text("my-secret\n")
        self.fails(product.CONFIGURATION, [*serve, "--token-file", tokens], f"{tokens}:1", "sha256sum", store=self.store)
        tokens.write_text(hashlib.sha256(b"my-secret").hexdigest() + "  -\n")
        with Serving(self.store, "--token-file", str(tokens), "--set", "serve.listen=0.0.0.0:0") as serving:
            self.assertEqual(serving.line["address"].split(":")[0], "0.0.0.0")
            for path in ("/v2/health/live", "/v2/health/ready", "/openapi.json", "/v1/me"):
                self.assertEqual(serving.get(path).status, 200)
            for path in ("/v2", "/v1/models", "/metrics"):
                for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic my-secret"}):
                    answer = serving.get(path, **headers)
                    self.assertEqual((answer.status, answer.headers["www-authenticate"]), (401, "Bearer"))
                self.assertEqual(serving.get(path, Authorization="Bearer my-secret").status, 200)
            self.assertEqual(serving.post("/v1/predict", self.body).status, 401)
            self.assertEqual(serving.post("/v1/predict", self.body, Authorization="Bearer my-secret").status, 200)

    def test_roles(self):
        """A token may do what its roles say, and the log of a model says who moved it."""
        self.promote(1)
        tokens = self.folder / "tokens"
        roles = {"reader": "read", "asker": "predict", "mover": "read,promote", "both": "-"}
        tokens.write_text("".join(f"{hashlib.sha256(name.encode()).hexdigest()} {roles[name]} the {name}\n"
                                  for name in roles))
        move = json.dumps({"version": 2, "reason": "a test of roles"})
        asked = {"read": ("GET", "/v1/models", None), "predict": ("POST", "/v1/predict", self.body),
                 "promote": ("POST", "/v1/models/quickstart/promote", move)}
        gates = ["--set", "gates.minimum_positives=1", "--set", "gates.champion=any"]
        with Serving(self.store, "--token-file", str(tokens), *QUICK, *gates, model="quickstart@champion") as serving:
            def status(name, role):
                method, path, body = asked[role]
                return serving.ask(method, path, body, {"Authorization": f"Bearer {name}"}).status

            self.assertEqual(serving.get("/v1/me").json()["roles"], [])
            me = serving.get("/v1/me", Authorization="Bearer mover").json()
            self.assertEqual((me["token_needed"], me["name"], me["roles"]), (True, "the mover", ["read", "promote"]))
            self.assertEqual([status(name, "read") for name in ("reader", "asker", "mover", "both", "x")],
                             [200, 403, 200, 200, 401])
            self.assertEqual([status(name, "predict") for name in ("reader", "asker", "mover", "both", "x")],
                             [403, 200, 403, 200, 401])
            for name, wanted in (("reader", 403), ("both", 404)):  # scoring again is predicting
                again = serving.post("/v1/queries/none/rerun", "", Authorization=f"Bearer {name}")
                self.assertEqual(again.status, wanted)
            self.assertEqual([status(name, "promote") for name in ("reader", "asker", "both", "x")],
                             [403, 403, 403, 401])
            mover = {"Authorization": "Bearer mover"}
            answer = serving.post("/v1/models/quickstart/promote", move, **mover)
            moved = answer.status == 200
            self.assertTrue(moved or (answer.status == 409 and answer.json()["gates"]), answer.text)
            if not moved:
                self.promote(2)
            again = serving.post("/v1/models/quickstart/promote", move, **mover)
            self.assertEqual((again.status, "champion already" in again.json()["error"]), (409, True))
            self.assertEqual(serving.post("/v1/models/quickstart/rollback", {}, **mover).status, 400)
            back = serving.post("/v1/models/quickstart/rollback", {"reason": "and back"}, **mover)
            self.assertEqual((back.status, back.json()["aliases"]["champion"]), (200, 1))
            for body in ({"version": 99, "reason": "x"}, {"version": "2", "reason": "x"}, {"version": 2},
                         {"version": 2, "reason": "two\nlines"}, {"version": 2, "reason": "x" * 1001}):
                self.assertEqual(serving.post("/v1/models/quickstart/promote", body, **mover).status, 400)
            self.assertEqual(serving.post("/v1/models/nothing/promote", {"version": 1, "reason": "x"}, **mover).status, 404)
        last = self.json(["models", "log", "quickstart"])["events"][-1]
        self.assertEqual((last["event"], last["reason"]), ("rollback", "and back"))
        self.assertIn("the mover", last["by"])

    def test_a_browser_is_not_led_here_by_another_site(self):
        with Serving(self.store) as serving:
            for host, status in (("localhost", 200), ("127.0.0.1:9", 200), ("[::1]:80", 200), ("LocalHost:80", 200),
                                 ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("[::2]", 421)):
                self.assertEqual(serving.get("/v1/models", Host=host).status, status, host)
            own = f"http://127.0.0.1:{serving.port}"
            for origin, status in ((own, 200), ("https://evil.example", 403), ("null", 403)):
                self.assertEqual(serving.post("/v1/predict", self.body, Origin=origin).status, status, origin)
            answer = serving.post("/v1/models/quickstart/rollback", {"reason": "x"})
            self.assertEqual((answer.status, "serve.token_file" in answer.json()["error"]), (403, True))

    def test_tls(self):
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        half = ["serve", "--model", "quickstart@v1", "--tls-certificate", certificate]
        self.fails(product.CONFIGURATION, half, "certificate and its key", store=self.store)
        self.fails(product.CONFIGURATION, [*half, "--tls-key", certificate], "serve.tls_key", store=self.store)
        context = ssl.create_default_context(cafile=certificate)
        with Serving(self.store, "--tls-certificate", str(certificate), "--tls-key", str(key),
                     "--set", "serve.idle_seconds=2") as serving:
            self.assertTrue(serving.line["url"].startswith("https://127.0.0.1:"))
            connection = http.client.HTTPSConnection("127.0.0.1", serving.port, context=context, timeout=30)
            for _ in range(3):
                connection.request("POST", "/v1/predict", self.body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                self.assertEqual((response.status, len(json.loads(response.read())["rows"])), (200, 8))
            many = json.dumps({"rows": json.loads(self.body)["rows"] * 1000})
            connection.request("POST", "/v1/predict", many, {"Content-Type": "application/json"})
            self.assertEqual(len(json.loads(connection.getresponse().read())["rows"]), 8000)
            connection.close()
            with self.assertRaises((OSError, http.client.HTTPException)):  # without TLS
                serving.get("/v2")
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.load_verify_locations(certificate)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            with self.assertRaises((ssl.SSLError, OSError)):
                http.client.HTTPSConnection("127.0.0.1", serving.port, context=old, timeout=10).request("GET", "/v2")
            with socket.create_connection(("127.0.0.1", serving.port)) as silent:  # no handshake in time
                self.assertEqual(silent.recv(1), b"")
            self.assertEqual(serving.stop()[0], product.OK)

    def test_one_client_too_many(self):
        with Serving(self.store, "--set", "serve.connections=2") as serving:
            held = [serving.connect() for _ in range(2)]
            for connection in held:
                connection.request("GET", "/v2")
                self.assertEqual(connection.getresponse().read()[:1], b"{")
            answer = serving.get("/v2")
            self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
            self.assertIn("serve.connections", answer.json()["error"])
            for connection in held:
                connection.close()
            deadline = time.monotonic() + 10
            while serving.get("/v2").status != 200:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)


class Shadow(LifeCase):
    def test_a_candidate_sees_what_the_champion_answers(self):
        self.promote(1)
        table = self.folder / "rows.csv"
        product.write_table(table, self.rows[:9])
        scores = {}
        for version in (1, TRAINED):
            said = self.ok(["predict", "--model", f"quickstart@v{version}", "--input", table], store=self.store).stdout
            scores[version] = [float(row["score"]) for row in csv.DictReader(io.StringIO(said))]
        away = [b - a for a, b in zip(scores[1], scores[TRAINED])]
        with Serving(self.store, "--shadow", f"quickstart@v{TRAINED}", model="quickstart@champion") as serving:
            for _ in range(5):
                answer = serving.post("/v1/predict", self.body).json()
                self.assertEqual((answer["model"]["version"], [row["score"] for row in answer["rows"]]), ("1", scores[1]))
            deadline = time.monotonic() + 20
            while (report := serving.get("/v1/shadow").json()["report"])["compared"] < 40:
                self.assertLess(time.monotonic(), deadline, report)
                time.sleep(0.02)
            self.assertEqual((report["compared"], report["unscored"], report["failed"], report["skipped"]), (40, 0, 0, 0))
            self.assertAlmostEqual(report["mean_difference"], sum(away) / 8, places=6)
            self.assertAlmostEqual(report["mean_absolute_difference"], sum(map(abs, away)) / 8, places=6)
            self.assertAlmostEqual(report["largest_difference"], max(map(abs, away)), places=6)
            self.assertEqual(serving.get("/v1/models").json()["shadow"]["version"], str(TRAINED))
            self.assertIn("tcrops_shadow_score_difference_count 40", serving.get("/metrics").text)
            self.assertEqual(serving.stop()[0], product.OK)
        self.fails(product.ARTIFACT, ["serve", "--model", "quickstart@v1", "--shadow", "nothing@v1"], "nothing",
                   store=self.store)
        with Serving(self.store) as serving:
            self.assertEqual(serving.get("/v1/shadow").status, 404)


class Move(LifeCase):
    def test_promotions_are_followed_without_a_failed_request(self):
        self.promote(1)
        artifacts = {v["version"]: v["artifact"] for v in self.json(["models", "show", "quickstart"])["versions"]}
        done = threading.Event()
        with Serving(self.store, *QUICK, model="quickstart@champion") as serving:
            threads, answers, faults = self.ask_until(serving, done)
            try:
                for version in (2, TRAINED, 1):
                    self.promote(version)
                    deadline = time.monotonic() + 30
                    while serving.get("/v2").headers["x-model-id"] != artifacts[version]:
                        self.assertLess(time.monotonic(), deadline)
                        time.sleep(0.02)
            finally:
                done.set()
                for thread in threads:
                    thread.join()
            self.assertEqual(faults, [])
            self.assertEqual({model for model, _ in answers}, {artifacts[each] for each in (1, 2, TRAINED)})
            self.assertEqual(len(set(answers)), 3, "a model answered in two ways")
            self.assertIn('tcrops_model_swaps_total{outcome="done"} 3', serving.get("/metrics").text)
            self.assertEqual(serving.stop()[0], product.OK)

    def test_a_damaged_successor_does_not_answer(self):
        self.promote(1)
        successor = self.json(["models", "show", "quickstart@v2"])
        weights = pathlib.Path(successor["path"]) / "weights.safetensors"
        weights.chmod(0o644)
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
        with Serving(self.store, *QUICK, model="quickstart@champion") as serving:
            first = serving.line["artifact"]
            self.promote(2)
            deadline = time.monotonic() + 30
            while serving.get("/v1/models").json()["serving"]["problem"] is None:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            self.assertEqual(serving.get("/v2/health/ready").headers["x-model-id"], first)
            self.assertEqual(serving.post("/v1/predict", self.body).status, 200)
            self.ok(["models", "rollback", "quickstart"], store=self.store)
            while serving.get("/v1/models").json()["serving"]["problem"] is not None:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            status, stderr = serving.stop()
            self.assertEqual(status, product.OK)
            self.assertIn("weights.safetensors", stderr)


class End(LifeCase):
    def test_what_was_accepted_is_answered(self):
        """Requests that the server has begun to read when the signal comes get their answers."""
        many = json.dumps({"rows": [dict(zip(self.rows[0], row)) for row in (self.rows[1:] * 20)[:5000]]}).encode()
        head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        for number in (signal.SIGTERM, signal.SIGINT):
            with Serving(self.store) as serving:
                sockets = []
                for _ in range(6):
                    sock = socket.create_connection((serving.host, serving.port), timeout=60)
                    sock.sendall(head % len(many) + many[:1000])
                    sockets.append(sock)
                idle = serving.connect()
                idle.request("GET", "/v2")
                idle.getresponse().read()
                serving.process.send_signal(number)
                time.sleep(0.3)
                with self.assertRaises(OSError):
                    serving.get("/v2")
                for sock in sockets:
                    sock.sendall(many[1000:])
                for sock in sockets:
                    back = b""
                    while block := sock.recv(1 << 20):
                        back += block
                    sock.close()
                    header, body = back.split(b"\r\n\r\n", 1)
                    self.assertTrue(header.startswith(b"HTTP/1.1 200"), header)
                    self.assertIn(b"Connection: close", header)
                    self.assertEqual(len(json.loads(body)["rows"]), 5000)
                self.assertEqual(serving.process.wait(timeout=20), product.OK)
                idle.close()

    def test_under_load(self):
        """Whoever gets an answer gets a whole one, and nobody an error."""
        done = threading.Event()
        with Serving(self.store) as serving:
            threads, answers, faults = self.ask_until(serving, done, clients=8)
            while len(answers) < 100:
                time.sleep(0.01)
            status, _ = serving.stop()
            done.set()
            for thread in threads:
                thread.join()
            self.assertEqual(status, product.OK)
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual([fault for fault in faults if not isinstance(fault, OSError)], [])

    def test_a_second_signal_ends_it_at_once(self):
        with Serving(self.store) as serving:
            with socket.create_connection((serving.host, serving.port)) as sock:
                sock.sendall(b"POST /v1/predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
                time.sleep(0.3)
                serving.process.send_signal(signal.SIGTERM)
                time.sleep(0.5)
                self.assertIsNone(serving.process.poll(), "it did not wait for the request")
                serving.process.send_signal(signal.SIGTERM)
                self.assertEqual(serving.process.wait(timeout=10), -signal.SIGTERM)


if __name__ == "__main__":
    product.main()
