"""The page Predict, and what holds for every page, in a real browser: at a desk, on a phone and without a mouse."""

import csv
import gzip
import io
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import page_checks  # noqa: E402
import product  # noqa: E402
from pages import MODEL, NINE, OTHER, TABLE, TRAINED, PagesCase  # noqa: E402

PAGES = {"/": "predict", "/models": "models", "/queries": "queries", "/monitor": "monitor"}
PHONE, DESK = 360, 1280


class Predict(PagesCase):
    def test_paste(self):
        self.open()
        text = self.csv_of(self.rows[:7])
        self.paste(text)
        self.assertEqual(self.browser.text("#count"), "8 lines")
        self.score()
        wanted = self.answered(text)["rows"]
        self.assertEqual(self.column("Line"), [str(row["line"]) for row in wanted])
        self.assertEqual(self.column("Score"), [f"{row['score']:.3f}" for row in wanted])
        self.assertEqual(self.column("Call"), ["binder" if row["call"] else "no" for row in wanted])
        self.assertEqual(self.column("Probability"), [f"{row['probability']:.3f}" for row in wanted])
        self.assertEqual(self.column("CDR3 beta"), [row[1] for row in self.rows[:7]])
        binders = sum(row["call"] for row in wanted)
        self.assertIn(f"7 rows: 7 scored, {binders} called", self.browser.text("#summary"))
        self.assertFalse(self.browser.one("#errors").is_shown())

    def test_errors_name_their_line(self):
        self.open()
        lines = [",".join(row) for row in self.rows[:4]]
        self.paste("\n".join(["CASSIRF,only,three", *lines, ",".join([*self.rows[4], "more"]), "CAXB," + lines[0].split(",", 1)[1]]))
        self.score()
        said = self.browser.texts("#error-lines li")
        self.assertEqual(said[:2], [f"Error in line {line}: must contain 9 comma-separated values." for line in (1, 6)])
        self.assertTrue(said[2].startswith("Error in line 7: "), said)
        self.assertEqual(self.browser.text("#errors-title"), "3 rows have no score")
        self.assertEqual(self.column("Call"), ["no score", *(["binder", "no"][not row["call"]] for row in self.answered("\n".join(lines))["rows"]),
                                               "no score", "no score"])
        self.check_page("errors")
        self.picture("predict-errors")

    def test_nothing_to_score(self):
        self.open()
        self.browser.one("#score").click()
        self.assertIn("no pairs yet", self.browser.text("#problem"))
        self.assertEqual(self.browser.focused(), "pairs")
        self.paste("a,b\n1,2\n")
        self.assertFalse(self.browser.one("#problem").is_shown())

    def test_examples(self):
        self.open()
        self.browser.one("#examples").click()
        self.browser.wait_for("document.getElementById('pairs').value !== ''")
        first = self.browser.one("#pairs").property("value")
        self.assertEqual(len(first.splitlines()), 11)
        known = {tuple(row[:2]) for row in self.rows}
        for row in csv.DictReader(io.StringIO(first)):
            self.assertIn((row["CDR3_alpha"], row["CDR3_beta"]), known)
        self.score()
        self.assertEqual(len(self.column("Score")), 10)
        self.assertLessEqual(set(self.column("Measured")), {"binder", "no"})
        self.check_page("examples")
        self.picture("predict-examples")
        self.browser.one("#examples").click()
        self.browser.wait_for("document.getElementById('pairs').value !== arguments[0]", first)

    def test_sort(self):
        self.open()
        self.paste(self.csv_of(self.rows[:40]))
        self.score()
        as_sent = self.column("Score")
        self.head("Score").click()
        falling = sorted(as_sent, key=float, reverse=True)
        self.assertEqual(self.column("Score"), falling)
        self.assertEqual(self.browser.run("return document.querySelector('#table [aria-sort=descending]').innerText.trim()")[:5], "Score")
        self.assertIn("largest first", self.browser.texts("#status")[0])
        self.head("Score").click()
        self.assertEqual(self.column("Score"), falling[::-1])
        self.head("Score").click()
        self.assertEqual(self.column("Score"), as_sent)
        self.head("CDR3 beta").click()
        self.assertEqual(self.column("CDR3 beta"), sorted(row[1] for row in self.rows[:40]))

    def test_filter(self):
        self.open()
        rows = self.rows[:60]
        self.paste(self.csv_of([*rows, ["CASSXF"] * 9]))
        self.score()
        epitope = rows[0][6]
        self.browser.one("#filter").type(epitope.lower())
        self.assertEqual(set(self.column("Epitope")), {epitope})
        self.assertEqual(len(self.column("Epitope")), sum(row[6] == epitope for row in rows))
        self.browser.one("#filter").clear()
        self.browser.choose("#shown", "problems")
        self.assertEqual(self.column("Line"), ["62"])
        self.browser.choose("#shown", "binders")
        self.assertEqual(set(self.column("Call")) - {"binder"}, set())
        self.browser.one("#filter").type("no such thing")
        self.assertEqual(self.browser.texts(TABLE), ["No row fits the filter."])

    def test_download(self):
        self.open()
        text = self.csv_of([*self.rows[:20], ["CASSXF"] * 9])
        self.paste(text)
        self.score()
        self.browser.one("#downloads button").click()
        name, content = self.browser.downloaded()
        self.assertEqual(name, f"pairs-quickstart-v{TRAINED}.csv")
        wanted = self.serving.post(f"/v1/predict?model={MODEL}", text, "text/csv", Accept="text/csv")
        self.assertEqual(wanted.status, 200)
        self.assertEqual(content.decode(), wanted.text)

    def test_files(self):
        text = self.csv_of(self.rows[:5])
        for name, content in (("mine.csv", text.encode()), ("mine.csv.gz", gzip.compress(text.encode()))):
            self.open()
            self.browser.drop("#drop", name, content)
            self.browser.wait_for("document.getElementById('pairs').value === arguments[0]", text)
            self.assertEqual(self.browser.text("#count"), f"{name}, 6 lines")
        self.score()
        self.browser.one("#downloads button").click()
        self.assertEqual(self.browser.downloaded()[0], f"mine-quickstart-v{TRAINED}.csv")
        chosen = product.write_table(self.folder / "chosen.csv", [NINE, *self.rows[:3]])
        self.browser.one("#choose").type(chosen)
        self.browser.wait_for("document.getElementById('count').textContent === 'chosen.csv, 4 lines'")
        self.browser.drop("#drop", "many.zip", b"PK\3\4nothing")
        self.browser.wait_for("!document.getElementById('problem').hidden")
        self.assertIn("unpack it", self.browser.text("#problem"))

    def test_other_formats(self):
        converted = self.folder / "airr.tsv"
        table = product.write_table(self.folder / "rows.csv", [NINE, *self.rows[:6]])
        self.ok(["convert", table, "--to", "airr", "--output", converted])
        self.open()
        self.browser.drop("#drop", "airr.tsv", converted.read_bytes(), "text/tab-separated-values")
        self.browser.wait_for("document.getElementById('pairs').value !== ''")
        self.score()
        self.assertIn("format airr", self.browser.text("#summary"))
        self.paste(json.dumps([dict(zip(NINE[:6], self.rows[0]))]))
        self.browser.run("document.querySelector('.settings details').open = true")
        self.browser.one("#epitope").type(self.rows[0][6])
        self.browser.one("#mhc").type(self.rows[0][8])
        self.score()
        self.assertEqual(self.column("Epitope"), [self.rows[0][6]])
        self.assertEqual(self.column("MHC"), [self.rows[0][8]])

    def test_many_rows_are_paged(self):
        self.open()
        rows = (self.rows * (10_000 // len(self.rows) + 1))[:10_000]
        self.browser.drop("#drop", "many.csv", self.csv_of(rows).encode())
        self.browser.wait_for("!document.getElementById('file').hidden")
        self.assertIn("many.csv", self.browser.text("#file-name"))
        self.score()
        self.assertIn("10,000 rows: 10,000 scored", self.browser.text("#summary"))
        self.assertEqual(len(self.browser.all(TABLE)), 100)
        self.assertEqual(self.browser.text("#table .range"), "Rows 1 to 100 of 10,000")
        self.head("Score").click()
        self.browser.run("[...document.querySelectorAll('#table .pager button')].at(-1).click()")
        self.assertEqual(self.browser.text("#table .range"), "Rows 101 to 200 of 10,000")
        self.assertEqual(self.column("Score"), sorted(self.column("Score"), key=float, reverse=True))
        self.check_page("many rows")

    def test_models(self):
        self.open()
        text = self.csv_of(self.rows[:30])
        self.paste(text)
        self.assertEqual(self.browser.one("#model").property("value"), MODEL)
        self.browser.choose("#model", OTHER)
        self.score()
        self.assertIn("quickstart version 1", self.browser.text("#summary"))
        here, there = self.answered(text, OTHER)["rows"], self.answered(text)["rows"]
        self.assertEqual(self.column("Score"), [f"{row['score']:.3f}" for row in here])
        self.browser.choose("#other", MODEL)
        self.score()
        self.assertEqual(self.column("Score, quickstart v1"), [f"{row['score']:.3f}" for row in here])
        self.assertEqual(self.column(f"Score, quickstart v{TRAINED}"), [f"{row['score']:.3f}" for row in there])
        agree = sum(a["call"] == b["call"] for a, b in zip(here, there))
        self.assertIn(f"They agree on {agree} of 30 calls", self.browser.text("#comparison"))
        self.browser.choose("#shown", "differ")
        self.assertEqual(len(self.column("Difference")) if agree < 30 else 30 - agree, 30 - agree)
        self.browser.choose("#shown", "")
        self.browser.wait(lambda: not self.browser.run(page_checks.BLANK), "the chart")
        self.check_page("comparison")
        self.picture("predict-comparison")
        self.assertEqual(len(self.browser.all("#downloads button")), 2)


class Everywhere(PagesCase):
    """What holds for each page, whatever it shows."""

    def setUp(self):
        super().setUp()
        text = self.csv_of([*self.rows[:30], ["CASSXF"] * 9])
        self.assertEqual(self.serving.post("/v1/predict", text, "text/plain").status, 200)

    def settle(self, path):
        self.open(path)
        self.browser.wait_for("!document.querySelector('.loading')")
        if path == "/":
            self.browser.one("#examples").click()
            self.browser.wait_for("document.getElementById('pairs').value !== ''")
            self.score()
        self.browser.wait(lambda: not self.browser.run(page_checks.BLANK), "charts")

    def walk(self, width, scheme):
        self.browser.size(width)
        self.browser.prefer(scheme)
        dark = {"light": "false", "dark": "true"}[scheme]
        for path, name in PAGES.items():
            self.settle(path)
            self.assertEqual(self.browser.one("#theme").attribute("aria-pressed"), dark)
            self.check_page((path, width, scheme))
            self.picture(f"{name}-{width}-{scheme}")

    def test_desk_light(self):
        self.walk(DESK, "light")

    def test_desk_dark(self):
        self.walk(DESK, "dark")

    def test_phone_light(self):
        self.walk(PHONE, "light")

    def test_phone_dark(self):
        self.walk(PHONE, "dark")

    def test_a_chosen_theme_stays(self):
        self.open()
        ground = "getComputedStyle(document.body).backgroundColor"
        light = self.browser.run(f"return {ground}")
        self.browser.one("#theme").click()
        dark = self.browser.run(f"return {ground}")
        self.assertNotEqual(dark, light)
        self.open("/monitor")
        self.assertEqual(self.browser.run(f"return {ground}"), dark)
        self.browser.one("#theme").click()
        self.assertEqual(self.browser.run(f"return {ground}"), light)
        self.browser.run("localStorage.clear()")

    def test_titles_and_places(self):
        for path, name in PAGES.items():
            self.open(path)
            self.assertEqual(self.browser.title, f"{name.capitalize()} - tcrops")
            self.assertEqual(self.browser.texts("nav [aria-current=page]"), [name.capitalize()])

    def tab_to(self, what, most=40):
        for _ in range(most):
            self.browser.press("Tab")
            if self.browser.focused() == what:
                return
        self.fail(f"the keyboard does not get to {what}")

    def test_keyboard_alone(self):
        self.open()
        self.browser.press("Tab")
        self.assertEqual(self.browser.focused(), "Skip to content")
        self.browser.press("Enter")
        self.assertEqual(self.browser.focused(), "main")
        self.tab_to("examples")
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('pairs').value !== ''")
        self.tab_to("score")
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('summary').textContent !== ''")
        self.assertEqual(self.browser.focused(), "results-title")
        for _ in range(30):
            self.browser.press("Tab")
            if self.browser.focused() == "Score":
                break
        self.assertNotEqual(self.browser.run("return getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.browser.press("Enter")
        self.assertEqual(len(self.browser.all("#table [aria-sort=descending]")), 1)
        self.browser.press("Space")
        self.assertEqual(len(self.browser.all("#table [aria-sort=ascending]")), 1)

    def test_headers(self):
        for path in [*PAGES, "/assets/style.css"]:
            answer = self.serving.get(path)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';"))
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            again = self.serving.get(path, **{"If-None-Match": answer.headers["etag"]})
            self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(self.serving.get("/assets/none.js").status, 404)


if __name__ == "__main__":
    product.main()
