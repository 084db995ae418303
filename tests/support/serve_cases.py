"""What tests of a server's answers share: a server of the prepared store, and rows to ask about."""

import csv
import io

import product
from pipelines import RANKS, PipelineCase, prepared
from serving import Serving

TRAINED = RANKS + 1  # version of the model that the run trained
MODEL = f"quickstart@v{TRAINED}"
CSV, TSV, JSON = "text/csv", "text/tab-separated-values", "application/json"


def rows_of(text, separator=","):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


class ServeCase(PipelineCase):
    args = ()
    model = MODEL

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serving = Serving(prepared(), *cls.args, model=cls.model)

    @classmethod
    def tearDownClass(cls):
        with cls.serving:
            status, stderr = cls.serving.stop()
        if status != product.OK or "error" in stderr:
            raise AssertionError((status, stderr))

    def setUp(self):
        super().setUp()
        table = product.named(prepared(), "quickstart.raw") / "table.csv"
        self.rows = product.read_table(table.read_text())

    def table(self, rows, separator=","):
        path = product.write_table(self.folder / "rows.csv", rows, separator)
        return path, path.read_text()

    def predicted(self, path, *args, model=MODEL):
        return self.ok(["predict", "--model", model, "--input", path, *args], store=prepared()).stdout

    def error(self, answer, status, *parts):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["content-type"], JSON)
        self.assertEqual(set(answer.json()), {"error", "request_id"})
        self.assertEqual(answer.headers["x-request-id"], answer.json()["request_id"])
        for part in parts:
            self.assertIn(part, answer.json()["error"])
