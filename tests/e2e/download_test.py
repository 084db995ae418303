"""The downloader against a server on the loopback that misbehaves.

DOWNLOAD_PROBE names the program of tests/unit/stages/download_probe.cpp. Standard library only.
Tests that need a file system or a trusted certificate of their own print SKIPPED where the system
does not allow that; under CI=true they fail instead.
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
import bad_http_server  # noqa: E402

PROBE = os.environ.get("DOWNLOAD_PROBE", "")
BODY = bad_http_server.body()
SIZE = len(BODY)
HASH = hashlib.sha256(BODY).hexdigest()
INPUT, CONFIGURATION, TEMPORARY, INTERRUPTED, TERMINATED = 4, 3, 75, 130, 143
CLEAN = {name: value for name, value in os.environ.items()
         if not name.lower().endswith("_proxy")}


def start_server(folder, *arguments):
    log = folder / "requests.jsonl"
    log.touch()
    process = subprocess.Popen(
        [sys.executable, "-B", str(SUPPORT / "bad_http_server.py"), "--log", str(log), *arguments],
        stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline()), log


def stop_server(process):
    process.kill()
    process.wait()
    process.stdout.close()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server_folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-download-"))
        cls.process, cls.port, cls.log = start_server(cls.server_folder)

    @classmethod
    def tearDownClass(cls):
        stop_server(cls.process)
        shutil.rmtree(cls.server_folder)

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-download-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.target = self.folder / "made" / "file.csv"
        self.part = self.folder / "made" / "file.csv.part"

    def url(self, kind, **query):
        text = urllib.parse.urlencode({"id": self.id(), **query})
        return f"http://127.0.0.1:{self.port}/{kind}?{text}"

    def command(self, source, *, size=SIZE, sha256=HASH, retries=2, pause=0.01, stall=20):
        return [PROBE, str(source), sha256, str(self.target), "--bytes", str(size), "--retries",
                str(retries), "--pause", str(pause), "--stall", str(stall)]

    def run_probe(self, source, environment=None, **options):
        done = subprocess.run(self.command(source, **options), capture_output=True, text=True,
                              timeout=60, env={**CLEAN, **(environment or {})}, check=False)
        self.assertEqual(done.stdout, "")
        self.message = done.stderr
        return done.returncode

    def ranges(self):
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line["range"] for line in lines if line["id"] == self.id()]

    def skip(self, reason):
        if os.environ.get("CI") == "true":
            self.fail(reason)
        print(f"SKIPPED {self.id()}: {reason}", file=sys.stderr)
        self.skipTest(reason)

    def assert_done(self, code):
        self.assertEqual(code, 0, self.message)
        self.assertEqual(self.target.read_bytes(), BODY)
        self.assertEqual(os.listdir(self.target.parent), [self.target.name])

    def assert_nothing(self, code, expected):
        self.assertEqual(code, expected, self.message)
        left = os.listdir(self.target.parent) if self.target.parent.exists() else []
        self.assertEqual(left, [])

    def keep(self, contents):
        self.part.parent.mkdir(exist_ok=True)
        self.part.write_bytes(contents)


class Good(Case):
    def test_whole_file(self):
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), [None])

    def test_unknown_size(self):
        self.assert_done(self.run_probe(self.url("ok"), size=0))

    def test_hash_in_capitals(self):
        self.assert_done(self.run_probe(self.url("ok"), sha256=HASH.upper()))

    def test_nothing_to_do(self):
        self.target.parent.mkdir()
        self.target.write_bytes(BODY)
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), [])

    def test_wrong_target_is_replaced(self):
        self.target.parent.mkdir()
        self.target.write_bytes(b"old")
        self.assert_done(self.run_probe(self.url("ok")))

    def test_wrong_target_does_not_stay(self):
        self.target.parent.mkdir()
        self.target.write_bytes(b"old")
        self.assert_nothing(self.run_probe(self.url("status", code=404)), INPUT)

    def test_redirect(self):
        self.assert_done(self.run_probe(self.url("redirect", to=self.url("ok"))))

    def test_resumes_through_a_redirect(self):
        self.keep(BODY[:1000])
        self.assert_done(self.run_probe(self.url("redirect", to=self.url("ok"))))
        self.assertEqual(self.ranges(), ["bytes=1000-"] * 2)

    def test_no_length(self):
        for size in (0, SIZE):
            with self.subTest(size=size):
                self.target.unlink(missing_ok=True)
                self.assert_done(self.run_probe(self.url("until_close"), size=size))

    def test_two_at_once(self):
        # The second waits for the first, which holds the part, and then finds the work done.
        first = subprocess.Popen(self.command(self.url("stall", n=1000), stall=1.5), env=CLEAN,
                                 stderr=subprocess.DEVNULL)
        wait_for_size(self.part, 1000)
        code = self.run_probe(self.url("ok"))
        self.assertEqual(first.wait(timeout=30), 0)
        self.assert_done(code)
        self.assertEqual(self.ranges(), [None, "bytes=1000-"])


class Resume(Case):
    def test_cut_body(self):
        self.assert_done(self.run_probe(self.url("cut", n=100_000)))
        self.assertEqual(self.ranges(), [None, "bytes=100000-"])

    def test_cut_twice(self):
        self.assert_done(self.run_probe(self.url("cut", n=100_000, times=2), size=0))
        self.assertEqual(self.ranges(), [None, "bytes=100000-", "bytes=200000-"])

    def test_cut_without_a_length(self):
        self.assert_done(self.run_probe(self.url("until_close", n=1000)))
        self.assertEqual(self.ranges(), [None, f"bytes={SIZE - 1000}-"])

    def test_stall(self):
        self.assert_done(self.run_probe(self.url("stall", n=100_000), stall=0.2))
        self.assertEqual(self.ranges(), [None, "bytes=100000-"])

    def test_server_errors(self):
        for status in (408, 429, 500, 503):
            with self.subTest(status=status):
                self.target.unlink(missing_ok=True)
                url = self.url("status", code=status) + f"&id={status}"
                self.assert_done(self.run_probe(url))
                self.assertIn(f"answered {status}", self.message)

    def test_server_without_range(self):
        self.keep(BODY[:1000])
        self.assert_done(self.run_probe(self.url("norange")))
        self.assertEqual(self.ranges(), ["bytes=1000-"])

    def test_stale_part_and_server_without_range(self):
        self.keep(b"x" * (SIZE - 1))
        self.assert_done(self.run_probe(self.url("norange")))

    def test_416(self):
        self.keep(BODY[:1000])
        self.assert_done(self.run_probe(self.url("416")))
        self.assertEqual(self.ranges(), ["bytes=1000-", None])

    def test_part_that_is_too_long_for_the_server(self):
        self.keep(BODY + b"more")
        self.assert_done(self.run_probe(self.url("ok"), size=0))
        self.assertEqual(self.ranges(), [f"bytes={SIZE + 4}-", None])

    def test_part_longer_than_pinned(self):
        self.keep(BODY + b"more")
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), [None])

    def test_whole_part_needs_no_server(self):
        self.keep(BODY)
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), [])

    def test_another_range_than_asked_for(self):
        self.keep(BODY[:1000])
        self.assert_done(self.run_probe(self.url("range_elsewhere")))
        self.assertEqual(self.ranges(), ["bytes=1000-", None])

    def test_stale_part(self):
        self.keep(b"x" * 1000)
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), ["bytes=1000-", None])

    def test_killed(self):
        for number, expected in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, TERMINATED),
                                 (signal.SIGINT, INTERRUPTED)):
            with self.subTest(signal=number.name):
                self.target.unlink(missing_ok=True)
                before = len(self.ranges())
                url = self.url("stall", n=150_000, times=before + 1)
                probe = subprocess.Popen(self.command(url), env=CLEAN, stderr=subprocess.DEVNULL)
                wait_for_size(self.part, 150_000)
                probe.send_signal(number)
                self.assertEqual(probe.wait(timeout=10), expected)
                self.assertFalse(self.target.exists())
                self.assertEqual(self.part.read_bytes(), BODY[:150_000])
                self.assert_done(self.run_probe(url))
                self.assertEqual(self.ranges()[before:], [None, "bytes=150000-"])

    def test_interrupt_between_attempts(self):
        probe = subprocess.Popen(self.command(self.url("cut", n=1000), pause=20), env=CLEAN,
                                 stderr=subprocess.DEVNULL)
        wait_for_size(self.part, 1000)
        probe.send_signal(signal.SIGTERM)
        self.assertEqual(probe.wait(timeout=5), TERMINATED)
        self.assertEqual(self.part.stat().st_size, 1000)


class Refused(Case):
    def test_wrong_bytes(self):
        self.assert_nothing(self.run_probe(self.url("wrong")), INPUT)
        self.assertEqual(self.ranges(), [None])
        self.assertIn(HASH, self.message)
        self.assertIn(hashlib.sha256(bytes(SIZE)).hexdigest(), self.message)
        self.assertIn("nothing was kept", self.message)

    def test_wrong_bytes_after_resuming(self):
        self.keep(BODY[:1000])
        self.assert_nothing(self.run_probe(self.url("wrong")), INPUT)
        self.assertEqual(self.ranges(), ["bytes=1000-", None])

    def test_fewer_bytes(self):
        self.assert_nothing(self.run_probe(self.url("ok", size=1000)), INPUT)
        self.assertEqual(self.ranges(), [None])

    def test_no_bytes(self):
        self.keep(BODY[:1000])
        self.assert_nothing(self.run_probe(self.url("status", code=200)), INPUT)
        self.assertIn(hashlib.sha256(b"").hexdigest(), self.message)

    def test_more_bytes(self):
        self.assert_nothing(self.run_probe(self.url("long")), INPUT)
        self.assertIn(f"more than its {SIZE} bytes", self.message)

    def test_more_bytes_after_resuming(self):
        self.keep(BODY[:1000])
        self.assert_nothing(self.run_probe(self.url("long")), INPUT)
        self.assertEqual(self.ranges(), ["bytes=1000-", None])

    def test_endless(self):
        self.assert_nothing(self.run_probe(self.url("endless")), INPUT)

    def test_client_errors_are_not_tried_again(self):
        for status in (400, 401, 403, 404, 410, 416):
            with self.subTest(status=status):
                before = len(self.ranges())
                self.assert_nothing(self.run_probe(self.url("status", code=status, times=0)), INPUT)
                self.assertEqual(len(self.ranges()), before + 1)
                self.assertIn(f"answered {status}", self.message)

    def test_answers_that_are_no_file(self):
        for status in (204, 300, 304):
            with self.subTest(status=status):
                code = self.run_probe(self.url("status", code=status, times=0))
                self.assert_nothing(code, INPUT)
                self.assertIn(f"answered {status} instead", self.message)

    def test_endless_redirects(self):
        self.assert_nothing(self.run_probe(self.url("redirect")), INPUT)
        self.assertEqual(len(self.ranges()), 6)

    def test_redirect_to_a_file(self):
        secret = self.folder / "secret"
        secret.write_bytes(BODY)
        self.assert_nothing(self.run_probe(self.url("redirect", to=f"file://{secret}")), INPUT)

    def test_locations_that_cannot_be_meant(self):
        for location in ("ftp://127.0.0.1/a", "file:///etc/hostname", "https:/"):
            with self.subTest(location=location):
                self.assertIn(self.run_probe(location), (CONFIGURATION, INPUT))
                self.assertFalse(self.target.exists())
        self.assertEqual(self.run_probe(self.url("ok"), sha256="12"), CONFIGURATION)


class GaveOut(Case):
    def test_connection_refused(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            self.assert_nothing(self.run_probe(f"http://127.0.0.1:{port}/a"), TEMPORARY)
        self.assertIn("(2 of 2)", self.message)
        self.assertIn("--mirror", self.message)

    def test_server_error_for_ever(self):
        code = self.run_probe(self.url("status", code=503, times=0), retries=1)
        self.assert_nothing(code, TEMPORARY)
        self.assertEqual(len(self.ranges()), 2)

    def test_part_is_kept(self):
        code = self.run_probe(self.url("short", n=SIZE - 1000), retries=0)
        self.assertEqual(code, TEMPORARY)
        self.assertEqual(self.part.read_bytes(), BODY[:1000])
        self.assertFalse(self.target.exists())
        self.assertIn("1000 bytes are kept", self.message)
        self.assert_done(self.run_probe(self.url("ok")))
        self.assertEqual(self.ranges(), [None, "bytes=1000-"])

    def test_proxy(self):
        # The server takes the place of the proxy; the name of the host never gets resolved.
        environment = {"http_proxy": f"http://127.0.0.1:{self.port}"}
        url = f"http://files.invalid/ok?id={self.id()}"
        self.assert_done(self.run_probe(url, environment))

    def test_no_credentials_in_messages(self):
        url = self.url("status", code=503, token="HUSH", times=0)
        self.run_probe(url.replace("http://", "http://me:HUSH@"))
        self.assertIn("503", self.message)
        self.assertNotIn("HUSH", self.message)
        self.run_probe(self.url("ok", token="HUSH").replace("http://", "ftp://me:HUSH@"))
        self.assertNotIn("HUSH", self.message)

    def test_full_disk(self):
        # In a mount namespace of its own, so that nothing stays mounted.
        unshare = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
        folder = self.target.parent
        folder.mkdir()
        if subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", folder],
                          capture_output=True, check=False).returncode != 0:
            self.skip("cannot mount a small file system")
        script = """
            mount -t tmpfs -o size=320k tmpfs "$FOLDER"
            head -c 150000 /dev/zero >"$FOLDER/filler"
            "$@"; echo "code $?"
            ls "$FOLDER"
            rm "$FOLDER/filler"
            "$@"; echo "code $?"
            ls "$FOLDER"
            sha256sum <"$FOLDER/file.csv"
        """
        done = subprocess.run([*unshare, "sh", "-c", script, "sh", *self.command(self.url("ok"))],
                              env={**CLEAN, "FOLDER": str(folder)}, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.stdout.split("\n"), [
            "code 75", "file.csv.part", "filler", "code 0", "file.csv", f"{HASH}  -", ""])
        self.assertIn("free some space", done.stderr)
        first, second = self.ranges()
        self.assertIsNone(first)
        self.assertRegex(second, r"bytes=1\d{5}-")


class Local(Case):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "source.csv"
        self.source.write_bytes(BODY)

    def test_copy(self):
        self.assert_done(self.run_probe(self.source))

    def test_copy_over_a_kept_part(self):
        self.keep(b"x" * SIZE * 2)
        self.assert_done(self.run_probe(self.source, size=0))

    def test_wrong_bytes(self):
        self.source.write_bytes(BODY[:-1])
        for size in (0, SIZE):
            self.assert_nothing(self.run_probe(self.source, size=size), INPUT)
            self.assertIn(HASH, self.message)

    def test_more_bytes(self):
        self.source.write_bytes(BODY + b"x")
        self.assert_nothing(self.run_probe(self.source), INPUT)

    def test_no_file(self):
        for source in (self.folder / "missing.csv", self.folder, "/dev/zero"):
            with self.subTest(source=str(source)):
                self.assert_nothing(self.run_probe(source, size=0), INPUT)
                self.assertIn(str(source), self.message)

    def test_its_own_source(self):
        self.target = self.source
        self.source.write_bytes(b"mine")
        self.assertEqual(self.run_probe(self.source), INPUT)
        self.assertEqual(self.source.read_bytes(), b"mine")


class Secure(Case):
    def setUp(self):
        super().setUp()
        key, self.certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-out", self.certificate, "-days", "2", "-subj",
             "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
            capture_output=True, check=False)
        self.assertEqual(made.returncode, 0, made.stderr)
        folder = self.folder / "secure"
        folder.mkdir()
        process, self.secure_port, _ = start_server(folder, "--tls", str(self.certificate),
                                                    str(key))
        self.addCleanup(stop_server, process)

    def secure_url(self, kind, **query):
        return self.url(kind, **query).replace(f"http://127.0.0.1:{self.port}",
                                               f"https://127.0.0.1:{self.secure_port}")

    def trusting(self, command):
        """The command where the certificate stands in for those of the system."""
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        unshare = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
        bind = ["mount", "--bind", str(self.certificate), bundle]
        if subprocess.run([*unshare, *bind], capture_output=True, check=False).returncode != 0:
            self.skip("cannot make a certificate trusted")
        script = 'mount --bind "$CERTIFICATE" "$BUNDLE" && exec "$@"'
        done = subprocess.run([*unshare, "sh", "-c", script, "sh", *command], capture_output=True,
                              env={**CLEAN, "CERTIFICATE": str(self.certificate),
                                   "BUNDLE": bundle}, text=True, timeout=60, check=False)
        self.message = done.stderr
        return done.returncode

    def test_unknown_certificate(self):
        self.assert_nothing(self.run_probe(self.secure_url("ok")), INPUT)
        self.assertIn("certificate", self.message)

    def test_trusted_certificate(self):
        self.assert_done(self.trusting(self.command(self.secure_url("ok"))))

    def test_redirect_to_https(self):
        url = self.url("redirect", to=self.secure_url("ok"))
        self.assert_done(self.trusting(self.command(url)))

    def test_no_redirect_to_http(self):
        url = self.secure_url("redirect", to=self.url("ok"))
        self.assert_nothing(self.trusting(self.command(url)), INPUT)
        self.assertEqual(self.ranges(), [])
        self.assertIn("redirects", self.message)


def wait_for_size(path, size):
    end = time.monotonic() + 10
    while not path.exists() or path.stat().st_size < size:
        if time.monotonic() > end:
            raise AssertionError(f"{path} does not grow to {size} bytes")
        time.sleep(0.01)


if __name__ == "__main__":
    if not PROBE:
        sys.exit("set DOWNLOAD_PROBE to the program download_probe")
    unittest.main()
