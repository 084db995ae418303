"""What strangers send: the server stays up, says what is wrong, answers others meanwhile, and keeps nothing of it."""

import gzip
import json
import os
import pathlib
import random
import socket
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import PipelineCase, prepared  # noqa: E402
from serving import Serving  # noqa: E402

SEED = 20240607
BODY_BYTES = 1 << 20
READ_SECONDS = 2
MOST_GROWTH = 64 << 20
MARK = "smuggled"
LIMITS = [word for setting in (f"serve.body_bytes={BODY_BYTES}", f"serve.read_seconds={READ_SECONDS}",
                               "serve.idle_seconds=2", "serve.connections=64") for word in ("--set", setting)]


def responses(data):
    """(status, headers, body) of each answer; raises ValueError where the bytes are none."""
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        version, status, *_ = lines[0].split(" ")
        if version != "HTTP/1.1" or not end or not 100 <= int(status) <= 599:
            raise ValueError(lines[0])
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise ValueError(line)
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            raise ValueError(f"{len(rest)} bytes of {length}")
        if status != "100":
            found.append((int(status), headers, rest[:length]))
        data = rest[length:]
    return found


class Fuzz(PipelineCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What allocators keep for threads that have ended would look like growth.
        cls.serving = Serving(prepared(), *LIMITS, env={"MALLOC_ARENA_MAX": "2"})
        cls.stderr = []
        cls.reader = threading.Thread(target=lambda: cls.stderr.extend(cls.serving.process.stderr))
        cls.reader.start()
        table = product.named(prepared(), "quickstart.raw") / "table.csv"
        cls.rows = product.read_table(table.read_text())
        cls.known = json.dumps({"rows": [dict(zip(cls.rows[0], row)) for row in cls.rows[1:6]]}).encode()
        cls.answer = cls.known_rows()
        for _ in range(20):
            cls.known_rows()
        cls.memory, cls.descriptors = cls.resident(), cls.open_descriptors()

    @classmethod
    def tearDownClass(cls):
        with cls.serving:
            cls.serving.process.terminate()
            status = cls.serving.process.wait(timeout=30)
            cls.reader.join()
        said = "".join(cls.stderr)
        if status != product.OK or "error" in said:
            raise AssertionError((status, said[-2000:]))

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def tearDown(self):
        """As it was before, whatever the test sent."""
        self.assertIsNone(self.serving.process.poll(), "the server ended")
        self.assertEqual(self.known_rows(), self.answer)
        deadline = time.monotonic() + 15
        while self.open_descriptors() > self.descriptors:
            self.assertLess(time.monotonic(), deadline, "connections are left open")
            time.sleep(0.1)
        self.assertLess(self.resident() - self.memory, MOST_GROWTH)

    @classmethod
    def known_rows(cls):
        answer = cls.serving.post("/v1/predict", cls.known)
        if answer.status != 200:
            raise AssertionError(answer.body)
        return answer.json()["rows"]

    @classmethod
    def resident(cls):
        with open(f"/proc/{cls.serving.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    @classmethod
    def open_descriptors(cls):
        return len(os.listdir(f"/proc/{cls.serving.process.pid}/fd"))

    def send(self, data, end=True, timeout=10):
        """What comes back until the server closes; with `end`, it is told that no more will come."""
        back = b""
        with socket.create_connection((self.serving.host, self.serving.port), timeout=timeout) as sock:
            try:
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
                while block := sock.recv(1 << 16):
                    back += block
            except ConnectionError:
                pass  # refused before all of it was read
        return back

    def refused(self, data, *statuses, most=1, **options):
        """Sends; every answer is an error in JSON, of these statuses where any are given. The first one's text."""
        found = responses(self.send(data, **options))
        self.assertLessEqual(len(found), most, (data[:300], found))
        for status, headers, body in found:
            self.assertTrue(400 <= status < 600 and status != 500, (data[:300], status, body))
            self.assertEqual(headers["content-type"], "application/json", body)
            self.assertEqual(set(json.loads(body)), {"error", "request_id"})
        if statuses:
            self.assertTrue(found, data[:300])
            self.assertIn(found[0][0], statuses, (data[:300], found[0][2]))
        return found[0][2].decode() if found else ""

    @staticmethod
    def post(body, *headers, path="/v1/predict", length=None):
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
        if length is not False:
            lines.append(f"Content-Length: {len(body) if length is None else length}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    @staticmethod
    def chunked(chunks, *headers):
        return Fuzz.post(b"", "Transfer-Encoding: chunked", *headers, length=False) + chunks


class Requests(Fuzz):
    def test_first_lines_that_are_none(self):
        for line in (b"", b"\r\n", b"GET\r\n", b"GET /\r\n", b"GET / HTTP/1.1 more\r\n", b"GET / HTTP/2.0\r\n", b"/ GET HTTP/1.1\r\n",
                     b"GET / HTTP/9.9\r\n", b"\0\0\0\0\r\n", b"GET \x7f\x80\xff HTTP/1.1\r\n",
                     b"G\xc3\x89T / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
                     b"GET http://elsewhere/ HTTP/1.1\r\n", b"CONNECT elsewhere:443 HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n",
                     b"TRACE / HTTP/1.1\r\n", b"DELETE /v1/models HTTP/1.1\r\n", b"PUT /v1/predict HTTP/1.1\r\n",
                     b"BREW /pot HTTP/1.1\r\n", b"get /v1/models HTTP/1.1\r\n"):
            with self.subTest(line=line):
                self.refused(line + b"Host: localhost\r\n\r\n", most=2)

    def test_headers_that_are_none(self):
        for header in (b"no colon", b": no name", b"Na me: x", b"X\0: x", b"X: \0", b"X: a\rb", b"X: \xff\xfe", b" folded: x",
                       b"X: a\r\n continued", b"Content-Length", b"Content-Length: ", b"Content-Length: x", b"Content-Length: -1",
                       b"Content-Length: 99999999999999999999999", b"Content-Length: 1e3", b"Transfer-Encoding: ",
                       b"Content-Type: \xff", b"Accept: ;;;,,,q=", b"Expect: 200-ok", b"Host: \xff", b"Range: bytes=0-0,5-1"):
            with self.subTest(header=header):
                back = self.send(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
                for status, _, _ in responses(back):
                    self.assertTrue(400 <= status < 500 or status in (501, 505), (header, status))

    def test_one_request_does_not_hide_another(self):
        """Where two readers could disagree about a body's end, there is one answer, and the connection ends."""
        hidden = f"GET /{MARK} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        bodies = (
            ("Content-Length: 0\r\nContent-Length: %d" % len(hidden), hidden),
            ("Content-Length: %d\r\nContent-Length: 0" % len(hidden), hidden),
            ("Content-Length: 0, %d" % len(hidden), hidden),
            ("Content-Length: +0", hidden), ("Content-Length: 0x0", hidden), ("Content-Length: 00\t,0", hidden),
            ("Content-Length : 0", hidden), ("Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding: chunked\r\nContent-Length: 4", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding: xchunked\r\nContent-Length: 0", hidden), ("Transfer-Encoding: xchunked", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding: identity, chunked", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n" + hidden),
            ("Transfer-Encoding : chunked", b"0\r\n\r\n" + hidden), ("Transfer-Encoding:\x0bchunked", b"0\r\n\r\n" + hidden),
            ("X: a\nTransfer-Encoding: chunked", b"0\r\n\r\n" + hidden), ("X: a\rContent-Length: 0", hidden))
        for header, body in bodies:
            with self.subTest(header=header):
                head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{header}\r\n\r\n"
                self.refused(head.encode("latin-1") + body)
        for header in ("Content-Length: %d" % len(hidden), "Transfer-Encoding: chunked", "Content-Length: 0, 5"):
            with self.subTest(get=header):
                self.refused(f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode() + hidden, 400, 501)

    def test_requests_in_one_go_are_answered_in_turn(self):
        one = self.post(self.known)
        found = responses(self.send(one * 3 + b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" + one))
        self.assertEqual([status for status, _, _ in found], [200] * 5)
        for index in (0, 1, 2, 4):
            self.assertEqual(json.loads(found[index][2])["rows"], self.answer)

    def test_large_headers_and_paths(self):
        self.refused(b"GET /v1/models HTTP/1.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431)
        self.refused(b"GET /v1/models HTTP/1.1\r\n" + b"".join(b"X%d: a\r\n" % i for i in range(50_000)) + b"\r\n", 431)
        self.refused(b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 414)
        self.refused(b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 414, 431)
        self.refused(b"GET /v1/models?" + b"a=b&" * 2_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 414)
        self.refused(b"A" * 3_000_000, 400, 431)

    def test_large_bodies(self):
        self.refused(self.post(b"{", length=10**12), 413, end=False)
        self.refused(self.post(b"{", length=BODY_BYTES + 1), 413, end=False)
        self.refused(self.post(b" " * (BODY_BYTES + 1)), 413)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        self.refused(self.chunked(chunk * 40 + b"0\r\n\r\n"), 413)
        self.refused(self.post(b" " * BODY_BYTES), 400)  # as large as may be, and no JSON

    def test_paths_that_lead_elsewhere(self):
        for path in ("/v1/models/../../../../etc/passwd", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/../../etc/passwd",
                     "/v1/models/..%2f..%2fnames", "/v1/models/%00", "/v1/models/a%00b/versions/1", "/v1/models/%ff%fe",
                     "/v1/models/quickstart/versions/..%2f1", "/v1/models/quickstart/versions/-1", "/v1/models/.",
                     "/v1/models/quickstart/versions/99999999999999999999", "/assets/../models", "/assets/%2e%2e/%2e%2e/etc/passwd",
                     "/assets/..%5c..%5cetc", "//etc/passwd", "/v1//models", "/v1/models/" + "%41" * 300, "/%", "/%zz", "/v1/models/%"):
            with self.subTest(path=path):
                text = self.refused(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(), 400, 404, 414)
                self.assertNotIn("root:", text)
        for model in ("../../etc/passwd", "%2e%2e%2fquickstart", "quickstart@../x", "a%00b", "%ff"):
            with self.subTest(model=model):
                self.refused(self.post(self.known, path=f"/v1/predict?model={model}"), 400, 404)


class Bodies(Fuzz):
    def test_chunks_that_are_none(self):
        for chunks in (b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
                       b"fffffffffffffffffffff\r\nabc", b"5\r\nabc\r\n0\r\n\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"3\r\nabc0\r\n\r\n",
                       b"3\r\nabc", b"3", b"", b"\r\n\r\n", b"3 \r\nabc\r\n", b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
                       b"0x3\r\nabc\r\n0\r\n\r\n", b"+3\r\nabc\r\n0\r\n\r\n", b"3\nabc\n0\n\n"):
            with self.subTest(chunks=chunks[:40]):
                self.refused(self.chunked(chunks))

    def test_text_that_is_none(self):
        deep = b"[" * 200_000
        for body in (b"", b"{", b"null", b"[]", b"{}", b'{"rows":null}', b'{"rows":[]}', b'{"rows":[1]}', b'{"rows":[{}]}',
                     b'{"rows":[{"CDR3_beta":{}}]}', b'{"rows":[{"CDR3_beta":[[]]}]}', deep, b'{"rows":' + deep,
                     b'{"a":' * 100_000, b'{"rows":[{"CDR3_beta":"\xff\xfe"}]}', b'{"rows":[{"\xff":"x"}]}', b"\xef\xbb\xbf{}",
                     b'{"rows":[{"CDR3_beta":"\\ud800"}]}', b'{"rows":[{"CDR3_beta":1e99999}]}', b'{"rows":NaN}', b"\0" * 1000,
                     json.dumps({"rows": [{f"c{i}": "x" for i in range(5_000)}]}).encode()):
            with self.subTest(body=body[:60]):
                self.refused(self.post(body), 400)

    def test_values_that_are_none(self):
        """Rows that can be read and not scored: no score, a problem in UTF-8."""
        row = dict(zip(self.rows[0], self.rows[1]))
        bad = ["\u202e", "é" * 300, "\ufffd", "A" * 100_000, "=cmd()", "<script>", "../..", "'; drop table x", "\r\n", " "]
        sent = [{**row, "CDR3_beta": row["CDR3_beta"] + value + "*"} for value in bad]
        answer = self.serving.post("/v1/predict", {"rows": sent})
        self.assertEqual(answer.status, 200, answer.body[:300])
        self.assertEqual(len(answer.json()["rows"]), len(bad))
        for got in answer.json()["rows"]:
            self.assertIsNone(got["score"])
            self.assertTrue(got["problem"])

    def test_tables_that_are_none(self):
        for body in (b"", b"\n", b"\0" * 5000, bytes(range(256)) * 20, b"\xff\xfe" * 100, b"a,b,c\n", b"CDR3_beta\n\"open",
                     ",".join(self.rows[0]).encode(), b"A" * 900_000, (",".join(self.rows[0]) + "\n" + "," * 500_000).encode()):
            with self.subTest(body=body[:40]):
                request = self.post(body).replace(b"application/json", b"text/csv")
                for status, _, text in responses(self.send(request)):
                    if status == 200:  # read, and nothing in it has a score
                        self.assertNotRegex(text, rb",0\.\d+,")
                    else:
                        self.assertEqual(status, 400, text)

    def test_compressed(self):
        gzipped = "Content-Encoding: gzip"
        bomb = gzip.compress(b" " * (200 << 20), 9)
        self.refused(self.post(bomb, gzipped), 400, 413)
        self.refused(self.post(gzip.compress(bomb), gzipped), 400, 413)
        self.assertLess(self.resident() - self.memory, MOST_GROWTH)
        good = gzip.compress(self.known)
        for body in (good[:-1], good[:20], good[:-8] + b"\0" * 8, b"\x1f\x8b" + b"\xff" * 100, b"", self.known,
                     zlib.compress(self.known)):
            with self.subTest(body=body[:20]):
                self.refused(self.post(body, gzipped), 400)
        table = gzip.compress("\n".join(",".join(row) for row in self.rows).encode())
        for end in (len(table) // 2, len(table) - 9, len(table) - 1):  # what can be read of it is not all of it
            request = self.post(table[:end], gzipped).replace(b"application/json", b"text/csv")
            self.refused(request, 400)
        for encoding in ("br", "deflate", "gzip, gzip", "zstd", "\xff"):
            self.refused(self.post(good, f"Content-Encoding: {encoding}"), 400, 415)
        found, = responses(self.send(self.post(good, gzipped)))
        self.assertEqual(json.loads(found[2])["rows"], self.answer)

    def test_random_bytes(self):
        for _ in range(150):
            size = self.random.choice((1, 5, 60, 1_000, 20_000))
            self.refused(self.random.randbytes(size), most=size)

    def test_requests_with_mistakes(self):
        """A good request, a few of its bytes changed, lost, doubled or moved."""
        good = [self.post(self.known), self.post(gzip.compress(self.known), "Content-Encoding: gzip"),
                self.chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(self.known), self.known)),
                b"GET /v1/models/quickstart HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        statuses = {}
        for turn in range(600):
            data = bytearray(self.random.choice(good))
            for _ in range(self.random.randint(1, 4)):
                at = self.random.randrange(len(data))
                change = self.random.randrange(4)
                if change == 0:
                    data[at] = self.random.randrange(256)
                elif change == 1:
                    del data[at:at + self.random.randint(1, 30)]
                elif change == 2:
                    data[at:at] = data[at:at + self.random.randint(1, 30)]
                else:
                    data[at:at] = self.random.randbytes(self.random.randint(1, 8))
                if not data:
                    break
            for status, _, body in responses(self.send(bytes(data))):
                statuses[status] = statuses.get(status, 0) + 1
                self.assertTrue(200 <= status < 500 or status in (501, 505), (turn, bytes(data), body))
                self.assertNotIn(b"internal error", body)
        self.assertGreater(statuses.get(400, 0), 50, statuses)


class Slow(Fuzz):
    def test_those_who_send_a_letter_at_a_time(self):
        sockets = [socket.create_connection((self.serving.host, self.serving.port), timeout=20) for _ in range(40)]
        begun, ended = time.monotonic(), {}
        head = self.post(self.known)
        try:
            for turn in range(200):
                for sock in sockets:
                    if sock in ended:
                        continue
                    try:
                        sock.sendall(head[turn:turn + 1])
                    except ConnectionError:
                        ended[sock] = time.monotonic() - begun
                if turn == 5:
                    self.assertEqual(self.known_rows(), self.answer)
                if len(ended) == len(sockets):
                    break
                time.sleep(0.1)
            self.assertEqual(len(ended), len(sockets), "the server waits for ever")
            self.assertLess(max(ended.values()), READ_SECONDS + 8)
        finally:
            for sock in sockets:
                sock.close()

    def test_those_who_send_half_and_wait(self):
        for data in (b"GET /v1/mo", self.post(self.known)[:-100], self.chunked(b"5\r\nab"), b"POST /v1/predict HTTP/1.1\r\n"):
            with self.subTest(data=data[:30]):
                begun = time.monotonic()
                self.refused(data, 408, 400, end=False)
                self.assertLess(time.monotonic() - begun, READ_SECONDS + 4)

    def test_those_who_say_nothing_or_leave(self):
        begun = time.monotonic()
        self.assertEqual(self.send(b"", end=False), b"")
        self.assertLess(time.monotonic() - begun, 6)
        for data in (b"", b"G", self.post(self.known)[:-5], self.post(self.known)):
            for _ in range(30):
                with socket.create_connection((self.serving.host, self.serving.port)) as sock:
                    sock.sendall(data)
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # resets

    def test_those_who_do_not_read(self):
        """Answers that nobody takes do not pile up."""
        many = json.dumps({"rows": [dict(zip(self.rows[0], row)) for row in (self.rows[1:] * 20)[:2000]]}).encode()
        sockets = []
        for _ in range(5):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(2)
            sock.connect((self.serving.host, self.serving.port))
            sockets.append(sock)
            try:
                sock.sendall(self.post(many) * 3)
            except OSError:
                pass  # as far as the server takes it
        self.assertEqual(self.known_rows(), self.answer)
        for sock in sockets:
            sock.close()


if __name__ == "__main__":
    product.main()
