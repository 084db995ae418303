"""Tests of the pages: a server, a browser before it, and what such tests ask of both.

Pictures of what was seen lie in SCREENSHOTS_FOLDER (build/screenshots).
"""

import csv
import io
import os
import pathlib
import re

import page_checks
import product
from browser import Browser
from pipelines import RANKS, PipelineCase, prepared
from serving import Serving

TRAINED = RANKS + 1  # version of the model that the run trained
MODEL, OTHER = f"quickstart@v{TRAINED}", "quickstart@v1"
PICTURES = pathlib.Path(os.environ.get("SCREENSHOTS_FOLDER") or product.ROOT / "build" / "screenshots")
NINE = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "clone_id", "MHC"]
TABLE = "#table tbody tr"


class PagesCase(PipelineCase):
    """One server and one browser for the tests of a class; every test begins with a fresh page."""

    args = ()
    model = MODEL

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.serving = Serving(cls.store_of(), *cls.args, model=cls.model)
        cls.addClassCleanup(cls.serving.__exit__)
        cls.url = f"http://{cls.serving.line['address']}"

    @classmethod
    def store_of(cls):
        return prepared()

    def setUp(self):
        super().setUp()
        self.browser.size(1280)
        self.browser.prefer("light")
        raw = product.read_table((product.named(prepared(), "quickstart.raw") / "table.csv").read_text())
        places = [raw[0].index(name) for name in NINE]
        self.rows = [[row[i] for i in places] for row in raw[1:]]
        self.addCleanup(self.nothing_went_wrong_behind)

    def nothing_went_wrong_behind(self):
        self.assertEqual(self.complaints(), [])
        foreign = [url for url in self.browser.requests() if not url.startswith((self.url + "/", "blob:" + self.url, "data:"))]
        self.assertEqual([url for url in foreign if url not in ("about:blank",)], [])

    def complaints(self):
        return self.browser.complaints()

    def open(self, path="/"):
        self.browser.open(self.url + path)
        self.browser.wait_for("!document.getElementById('served').hidden")

    def csv_of(self, rows, header=NINE):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(([header] if header else []) + rows)
        return text.getvalue()

    def paste(self, text):
        """As from the clipboard: in one go, not key by key."""
        self.browser.run("""
          const field = document.getElementById("pairs");
          field.focus();
          field.select();
          document.execCommand("insertText", false, arguments[0]);
          """, text)

    def score(self):
        self.browser.run("document.getElementById('summary').textContent = ''")
        self.browser.one("#score").click()
        self.browser.wait_for("document.getElementById('summary').textContent !== ''")

    def column(self, label):
        """What a column of the results says, row by row."""
        heads = [re.sub(r"[↕↑↓]", "", text).strip() for text in self.browser.texts("#table thead th")]
        place = heads.index(label) + 1
        return self.browser.texts(f"{TABLE} > :nth-child({place})")

    def head(self, label, place="#table"):
        return next(each for each in self.browser.all(f"{place} thead button") if each.text.startswith(label))

    def answered(self, text, model=MODEL):
        return self.serving.post(f"/v1/predict?model={model}", text, "text/plain", Accept="application/json").json()

    def picture(self, name):
        self.browser.picture(PICTURES / f"{name}.png")

    def check_page(self, what):
        for name in ("WIDER", "NAMELESS", "PALE", "BLANK"):
            self.assertEqual(self.browser.run(getattr(page_checks, name)), [], (what, name))
