"""What tests of the query log share: servers that write one, requests to be noted, and readers."""

import pathlib
import sqlite3
import time

import product
from pipelines import RANKS, PipelineCase
from serving import Serving

MODEL = f"quickstart@v{RANKS + 1}"
LOG = "queries.sqlite"
CSV = "text/csv"
# Sequences that occur nowhere else.
WANTED = "CASSWWHHWWYEQYF"
REFUSED = "CASSQQ1QQB"
PEPTIDE = "WMHWMHWML"


def bytes_of(folder):
    """All bytes of the log and of the files beside it."""
    return b"".join(path.read_bytes() for path in sorted(pathlib.Path(folder).glob(LOG + "*")))


def whole(path):
    database = sqlite3.connect(path)
    try:
        return [row[0] for row in database.execute("PRAGMA integrity_check")] == ["ok"]
    finally:
        database.close()


class QueriesCase(PipelineCase):
    def setUp(self):
        super().setUp()
        self.copy_of()
        self.log = self.store / LOG
        table = product.read_table((product.named(self.store, "quickstart.raw") / "table.csv").read_text())
        self.header, self.rows = table[0], table[1:]
        self.epitope = self.rows[0][self.header.index("Epitope")]

    def serving(self, *args, **options):
        return Serving(self.store, *args, model=MODEL, **options)

    def body(self, rows=None):
        rows = self.rows[:3] if rows is None else rows
        return "".join(",".join(row) + "\n" for row in [self.header, *rows])

    def row(self, **values):
        """The first row with other values."""
        return [values.get(name, value) for name, value in zip(self.header, self.rows[0])]

    def ask(self, serving, request_id, body=None, path="/v1/predict"):
        return serving.post(path, self.body() if body is None else body, CSV, **{"X-Request-Id": request_id,
                                                                              "Accept": "application/json"})

    def listed(self, serving, count, query="limit=1000"):
        """The entries of the log, once there are so many."""
        for _ in range(100):
            answer = serving.get(f"/v1/queries?{query}").json()
            if len(answer["queries"]) >= count:
                break
            time.sleep(0.05)
        self.assertEqual(len(answer["queries"]), count)
        return answer["queries"]

    def check(self, serving, name, value):
        """The value is what the description of the API says."""
        import jsonschema
        document = serving.get("/openapi.json").json()
        jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document}).validate(value)

    def queries(self, *args, code=product.OK):
        return self.json(["queries", *args], code)
