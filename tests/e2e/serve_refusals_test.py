"""What the server refuses: bodies, paths, bytes that are no request, and clients that are slow."""

import gzip
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from serve_cases import CSV, JSON, ServeCase  # noqa: E402


class Refusals(ServeCase):
    args = ("--set", "serve.body_bytes=100000", "--set", "serve.request_rows=50", "--set", "serve.read_seconds=1.5",
            "--set", "serve.idle_seconds=3", "--set", "serve.header_bytes=4096")

    def raw(self, *parts, pause=0.0):
        """What comes back until the server closes, for bytes as they are."""
        with socket.create_connection((self.serving.host, self.serving.port), timeout=20) as sock:
            for part in parts:
                sock.sendall(part)
                time.sleep(pause)
            back = b""
            while block := sock.recv(65536):
                back += block
        return back

    def alive(self):
        self.assertEqual(self.serving.get("/v2/health/ready").status, 200)

    def test_bodies_that_are_none(self):
        for body, part in (("{", "byte"), ("", "byte"), ("[]", "rows"), ('{"rows": []}', "at least one row"),
                           ('{"rows": [1]}', "row 1"), (b'{"rows": [{"a": "\xff\xfe"}]}', "byte"), ("[" * 50_000, "byte")):
            self.error(self.serving.post("/v1/predict", body), 400, part)
        self.error(self.serving.post("/v1/predict", "a,b\n1,2\n", CSV), 400, "body")
        self.error(self.serving.post("/v1/predict", b"\0\0\0", CSV), 400)
        self.error(self.serving.post("/v1/predict?format=nonsense", "a,b\n1,2\n", CSV), 400, "nonsense")
        self.error(self.serving.post("/v1/predict?no=1", "a,b\n1,2\n", CSV), 400, "?no")
        bad = b"CDR3_alpha,CDR3_beta,V_alpha,V_beta,J_alpha,J_beta,Epitope,MHC\n" + b"\xff\xfe,CASSF,,,,,GILGFVFTL,\n"
        answer = self.serving.post("/v1/predict", bad, CSV, Accept=JSON)
        self.assertEqual(answer.status, 200)
        self.assertIn("CDR3_alpha", answer.json()["rows"][0]["problem"])
        self.alive()

    def test_too_much(self):
        _, text = self.table(self.rows[:52])
        self.error(self.serving.post("/v1/predict", text, CSV), 413, "50 rows")
        self.error(self.serving.post("/v1/predict", "x" * 3_000_000, CSV), 413, "100000")
        connection = self.serving.connect()
        connection.request("POST", "/v1/predict", iter([b"x" * 10_000] * 300), {"Content-Type": CSV}, encode_chunked=True)
        self.assertEqual(connection.getresponse().status, 413)
        connection.close()
        bomb = gzip.compress(b"0" * 50_000_000)
        self.error(self.serving.post("/v1/predict", bomb, CSV, **{"Content-Encoding": "gzip"}), 413)
        self.error(self.serving.get("/v2", **{"X-Long": "y" * 3000, "X-Longer": "y" * 3000}), 431, "4096")
        self.error(self.serving.get("/" + "z" * 2000), 414)
        waits = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\nExpect: 100-continue\r\n\r\n"
        self.assertTrue(self.raw(waits).startswith(b"HTTP/1.1 413"))
        self.alive()

    def test_an_endless_chunk_line(self):
        head = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;"
        self.assertTrue(self.raw(head + b"a" * 400_000).startswith(b"HTTP/1.1 413"))
        self.alive()

    def test_paths_and_methods(self):
        self.error(self.serving.get("/v1/predit"), 404, "/v1/predict")
        self.error(self.serving.post("/v1/nothing", {"rows": []}), 404)
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
            answer = self.serving.ask(method, "/v1/predict", "x" if method == "PUT" else None)
            self.error(answer, 405)
            self.assertEqual(answer.headers["allow"], "POST")
        answer = self.serving.ask("DELETE", "/v1/models")
        self.error(answer, 405)
        self.assertEqual(answer.headers["allow"], "GET, HEAD")
        head = self.serving.ask("HEAD", "/v1/models")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertGreater(int(head.headers["content-length"]), 100)
        answer = self.serving.get("/v2", **{"X-Request-Id": "no spaces"})
        self.assertRegex(answer.headers["x-request-id"], r"^[0-9a-f]{28}$")

    def test_requests_that_are_none(self):
        for sent, status in ((b"nonsense\r\n\r\n", 400), (b"GET /v2 HTTP/1.1\nHost: x\n\n", 400),
                             (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n\r\n", 411),
                             (b"POST /v1/predict HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
                             (b"POST /v1/predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
                             (b"GET /v2 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400),
                             (b"GET /v2 HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello", 400),
                             (b"GET /v2 HTTP/1.1\r\nX: 1\r\n Content-Length: 5\r\n\r\nhello", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400),
                             (b"POST /v1/predict HTTP/1.1\r\nContent-Length: %32\r\n\r\n{}", 400),
                             (b"GET /v2 HTTP/1.1\r\nno colon\r\n\r\n", 400),
                             (b"POST /v2/models/a%0Ab/infer HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404)):
            with self.subTest(sent=sent):
                back = self.raw(sent)
                self.assertTrue(back.startswith(b"HTTP/1.1 %d " % status), back)
                self.assertEqual(back.count(b"HTTP/1.1 "), 1, "the rest was taken for another request")
                self.assertIn("request_id", json.loads(back.split(b"\r\n\r\n", 1)[1]))
        self.alive()

    def test_slow_clients(self):
        begin = time.monotonic()
        self.assertTrue(self.raw(b"GET /v2 HT").startswith(b"HTTP/1.1 408"))
        self.assertTrue(self.raw(*[b"x"] * 40, pause=0.05).startswith(b"HTTP/1.1 408"))
        half = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
        self.assertTrue(self.raw(half).startswith(b"HTTP/1.1 408"))
        self.assertEqual(self.raw(), b"", "an idle connection is just closed")
        self.assertLess(time.monotonic() - begin, 20)
        self.alive()

    def test_a_connection_serves_many(self):
        connection = self.serving.connect()
        for _ in range(30):
            connection.request("GET", "/v2")
            response = connection.getresponse()
            self.assertEqual((response.status, response.headers["Connection"]), (200, None))
            response.read()
            connection.request("POST", "/v1/predict", "{", {"Content-Type": JSON})
            self.assertEqual(connection.getresponse().read()[:9], b'{"error":')
        connection.close()
        together = b"GET /v2 HTTP/1.1\r\n\r\n" * 3 + b"GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n"
        self.assertEqual(self.raw(together).count(b"HTTP/1.1 200"), 4)


if __name__ == "__main__":
    product.main()
