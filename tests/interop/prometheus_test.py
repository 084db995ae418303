"""A Prometheus scrapes the server: its queries give what was asked of the server, and promtool finds nothing to say.

TCROPS_BIN names the program. Needs Debian's prometheus.
"""

import hashlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import PipelineCase, prepared  # noqa: E402
from serving import Serving  # noqa: E402

TOKEN = "scrapes-only"
CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: tcrops
    static_configs: [{{targets: ["{target}"]}}]
    authorization: {{credentials: {token}}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Prometheus:
    """One of our own, in a folder; a context that ends it."""

    def __init__(self, folder, target, token=TOKEN):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(target=target, token=token))
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.url.removeprefix('http://')}", "--log.level=warn"],
            stdout=self.log, stderr=subprocess.STDOUT, env=product.environment(), cwd=folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def query(self, text):
        """[(labels, value)] now; None when it does not answer yet."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': text})}") as answer:
                document = json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            return None
        return [(series["metric"], float(series["value"][1])) for series in document["data"]["result"]]


class Scrape(PipelineCase):
    def setUp(self):
        super().setUp()
        for program in ("prometheus", "promtool"):
            if shutil.which(program) is None:
                product.skip(f"{program} is not installed; Debian's package is prometheus")
        tokens = self.folder / "tokens"
        tokens.write_text(hashlib.sha256(TOKEN.encode()).hexdigest() + "\n")
        self.serving = Serving(prepared(), "--token-file", str(tokens))
        self.addCleanup(self.serving.__exit__)
        self.token = {"Authorization": f"Bearer {TOKEN}"}
        table = product.named(prepared(), "quickstart.raw") / "table.csv"
        self.rows = product.read_table(table.read_text())

    def ask(self, times, rows=3):
        sent = {"rows": [dict(zip(self.rows[0], row)) for row in self.rows[1:1 + rows]]}
        for _ in range(times):
            self.assertEqual(self.serving.post("/v1/predict", sent, **self.token).status, 200)

    def wait_for(self, prometheus, query, reached):
        """The series of a query, as soon as they are as they should be."""
        deadline = time.monotonic() + 60
        while True:
            series = prometheus.query(query)
            if series and reached(series):
                return series
            self.assertIsNone(prometheus.process.poll(), prometheus.said())
            self.assertLess(time.monotonic(), deadline, (query, series, prometheus.said()))
            time.sleep(0.2)

    def test_queries_give_what_was_asked(self):
        self.ask(7)
        self.serving.get("/no/such/path", **self.token)
        with Prometheus(self.folder, f"127.0.0.1:{self.serving.port}") as prometheus:
            self.wait_for(prometheus, "up", lambda series: series[0][1] == 1)
            answered = 'sum by (code) (tcrops_requests_total{route="/v1/predict"})'
            self.assertEqual(self.wait_for(prometheus, answered, bool), [({"code": "200"}, 7)])
            self.ask(5)
            self.wait_for(prometheus, answered, lambda series: series == [({"code": "200"}, 12)])
            scored = self.wait_for(prometheus, 'sum(tcrops_sequences_total{outcome="scored"})', bool)
            self.assertEqual(scored[0][1], 36)
            info, = self.wait_for(prometheus, "tcrops_model_info", bool)
            self.assertEqual((info[0]["sha256"], info[1]), (self.serving.line["artifact"], 1))
            late = 'histogram_quantile(0.99, sum by (le) (tcrops_request_duration_seconds_bucket{route="/v1/predict"}))'
            self.assertTrue(0 < self.wait_for(prometheus, late, bool)[0][1] < 10)
            missed = prometheus.query('tcrops_requests_total{code="404"}')
            self.assertEqual([value for _, value in missed], [1])
            alive = self.wait_for(prometheus, "rate(process_cpu_seconds_total[5s])", bool)
            self.assertGreaterEqual(alive[0][1], 0)

    def test_a_wrong_token_is_a_target_that_is_down(self):
        with Prometheus(self.folder, f"127.0.0.1:{self.serving.port}", token="wrong") as prometheus:
            self.wait_for(prometheus, "up", lambda series: series[0][1] == 0)
            self.assertEqual(prometheus.query("tcrops_requests_total"), [])

    def test_promtool_has_nothing_to_say(self):
        self.ask(2)
        text = self.serving.get("/metrics", **self.token).body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


if __name__ == "__main__":
    product.main()
