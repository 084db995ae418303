"""The pages Models, Queries and Monitor in a real browser, and what they let somebody do whose token has a role."""

import hashlib
import json
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import page_checks  # noqa: E402
import product  # noqa: E402
from pages import MODEL, OTHER, TRAINED, PagesCase  # noqa: E402
from pipelines import prepared  # noqa: E402


class Models(PagesCase):
    def test_a_version_is_shown_whole(self):
        self.open("/models")
        self.browser.wait_for("document.getElementById('detail-title')")
        self.assertEqual(self.browser.text("#detail-title"), f"quickstart version {TRAINED}")
        rows = self.browser.texts("#versions tbody tr")
        self.assertEqual(len(rows), TRAINED)
        self.assertIn("serving", rows[0])
        sections = self.browser.texts("#detail section h3")
        for title in ("Overview", "On test rows", "Curves", "Parameters", "Study", "Lineage", "Moves"):
            self.assertIn(title, sections)
        detail = self.serving.get(f"/v1/models/quickstart/versions/{TRAINED}").json()
        self.assertEqual(self.browser.texts("#evaluation th.sequence"), [each["epitope"] for each in detail["evaluation"]["epitopes"]])
        self.assertEqual(len(self.browser.all(".lineage li")), len(detail["lineage"]))
        kinds = self.browser.texts(".lineage .kind")
        self.assertEqual((kinds[0], {"dataset", "raw"} - set(kinds)), ("model", set()))
        self.assertIn("learning rate", self.browser.texts("#parameters dt"))
        self.browser.wait(lambda: len(self.browser.all("canvas")) >= 4 and not self.browser.run(page_checks.BLANK), "the curves")
        self.assertEqual(self.browser.all("#detail .primary"), [])  # nobody may promote without a token

    def test_another_version(self):
        self.open("/models")
        self.browser.wait_for("document.getElementById('detail-title')")
        self.browser.all("#versions button.link")[-1].click()
        self.browser.wait_for("document.getElementById('detail-title')?.textContent === 'quickstart version 1'")
        self.assertIn("version=quickstart%40v1", self.browser.url)
        self.browser.open(self.browser.url)
        self.browser.wait_for("document.getElementById('detail-title')?.textContent === 'quickstart version 1'")
        self.assertEqual(len(self.browser.all("#versions [aria-current]")), 1)
        self.check_page("another version")


class Shadow(PagesCase):
    args = ("--shadow", "quickstart@v2")

    def test_how_far_it_is(self):
        rows = self.rows[:20]
        self.assertEqual(self.serving.post("/v1/predict", self.csv_of(rows), "text/plain").status, 200)
        report = self.browser.wait(lambda: (found := self.serving.get("/v1/models").json()["shadow"]["report"])["compared"] >= len(rows) and found, "the shadow")
        self.assertGreater(report["mean_absolute_difference"], 0.001)
        self.open("/models")
        self.browser.wait_for("document.querySelector('#serving .facts')")
        self.assertIn(f"scores by {report['mean_absolute_difference']:.3f} on average", self.browser.text("#serving"))


class NoLog(PagesCase):
    args = ("--set", "serve.query_log=none")

    def test_both_pages_say_so(self):
        for path, place in (("/queries", "#list"), ("/monitor", "#charts")):
            self.open(path)
            self.browser.wait_for("!document.querySelector('.loading')")
            self.assertEqual(self.browser.text(place), "This server keeps no query log.")
            self.assertFalse(self.browser.one("#problem").is_shown())
            self.check_page(path)


class Queries(PagesCase):
    args = ("--log-sequences", "--set", "serve.keep_days=0")

    def asked(self, text, **headers):
        answer = self.serving.post("/v1/predict", text, "text/plain", Accept="application/json", **headers)
        self.assertIn("x-request-id", answer.headers)
        query = answer.headers["x-request-id"]
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.browser.wait(lambda: self.serving.get(f"/v1/queries/{query}").text.count(digest), "the log")
        return query

    def test_search_and_open(self):
        good = self.asked(self.csv_of(self.rows[:9]))
        bad = self.asked("a,b\n1,2\n")
        self.open("/queries")
        self.browser.wait_for("document.querySelectorAll('#list tbody tr').length >= 2")
        self.browser.choose("#valid", "false")
        self.browser.one("#search button").click()
        self.browser.wait_for("[...document.querySelectorAll('#list tbody tr')].every((row) => /failed|no row scored/.test(row.textContent))")
        self.assertIn(bad, self.browser.run("return [...document.querySelectorAll('#list button.link')].map((each) => each.title)"))
        self.browser.choose("#valid", "")
        self.browser.one("#text").type(good)
        self.browser.press("Enter")
        self.browser.wait_for("document.querySelectorAll('#list tbody tr').length === 1")
        self.browser.one("#list button.link").click()
        self.browser.wait_for("document.querySelector('#query pre')")
        self.assertEqual(self.browser.one("#query pre").property("textContent"), self.csv_of(self.rows[:9]))
        scores = self.browser.texts("#query .table-scroll tbody tr td:nth-child(2)")
        self.assertEqual(scores, [f"{row['score']:.3f}" for row in self.answered(self.csv_of(self.rows[:9]))["rows"]])
        self.assertIn("kept for ever", self.browser.text("#kept"))
        self.check_page("query")
        self.picture("query")

    def test_two_with_one_id(self):
        first, second = self.csv_of(self.rows[:3]), self.csv_of(self.rows[3:8])
        for text in (first, second):
            self.asked(text, **{"X-Request-Id": "twice"})
        self.open("/queries")
        self.browser.one("#text").type("twice")
        self.browser.press("Enter")
        self.browser.wait_for("[...document.querySelectorAll('#list button.link')].map((each) => each.title).join() === 'twice,twice'")
        self.browser.all("#list button.link")[1].click()
        self.browser.wait_for("document.querySelector('#query pre')")
        for again in (False, True):
            if again:
                self.browser.open(self.browser.url)
                self.browser.wait_for("document.querySelector('#query pre')")
            self.assertEqual(self.browser.one("#query pre").property("textContent"), first)
            self.assertEqual((len(self.browser.all("#list .is-chosen")), len(self.browser.all("#list [aria-current]"))), (1, 1))
        self.run_again()
        self.assertEqual(len(self.browser.all("#rerun-result tbody tr")), 3)

    def test_a_long_one(self):
        rows = (self.rows * (1001 // len(self.rows) + 1))[:1001]
        query = self.asked(self.csv_of(rows))
        self.open(f"/queries?query={query}")
        self.browser.wait_for("document.getElementById('rerun-model')")
        self.run_again()
        told = "Only the first 1,000 of 1,001 rows were kept, and are shown."
        self.assertEqual(self.browser.texts("#query .hint").count(told), 2)

    def test_no_row_scored(self):
        query = self.asked(self.csv_of([["CASSXF"] * 9]))
        self.open(f"/queries?query={query}")
        self.browser.wait_for("document.querySelector('#list .is-chosen')")
        self.assertEqual(self.browser.texts("#list .is-chosen .chip"), ["no row scored"])

    def test_scored_once(self):
        query = self.asked(self.csv_of(self.rows[:2]))
        self.open(f"/queries?query={query}")
        self.browser.wait_for("document.getElementById('rerun-model')")
        rows = [{"line": 2, "then": 0.5, "now": 0.5}, {"line": 3, "then": 0.5, "now": None}, {"line": 4, "then": None, "now": 0.5}]
        self.browser.run("window.fetch = async () => new Response(arguments[0])", json.dumps({"then": None, "now": None, "rows": rows}))
        self.run_again()
        self.assertEqual(self.browser.text("#rerun-result p"), "No score changed, of 1 given both times. 1 row had a score then and has none now. "
                                                               "1 row had no score then and has one now.")

    def test_a_log_that_cannot_be_written(self):
        self.open("/queries")
        self.assertFalse(self.browser.one("#log-problem").is_shown())
        logging = {"sequences": False, "keep_days": 1, "lost": 2, "problem": "disk is full"}
        self.browser.run("window.fetch = async () => new Response(arguments[0])", json.dumps({"logging": logging, "queries": [], "next": None}))
        self.browser.one("#search button").click()
        self.browser.wait_for("!document.getElementById('log-problem').hidden")
        self.assertEqual(self.browser.text("#log-problem"), "The query log cannot be written now: disk is full. "
                                                            "2 queries are missing from the log: they could not be written.")
        self.assertIn("forgotten after 1 day.", self.browser.text("#kept"))
        self.check_page("log problem")

    def run_again(self):
        next(each for each in self.browser.all("#query button.primary") if each.text == "Run again").click()
        self.browser.wait_for("document.querySelector('#rerun-result table')")

    def test_run_again(self):
        text = self.csv_of(self.rows[:6])
        query = self.asked(text)
        self.open(f"/queries?query={query}")
        self.browser.wait_for("document.getElementById('rerun-model')")
        self.browser.choose("#rerun-model", OTHER)
        self.run_again()
        shown = [re.sub(r"[↕↑↓]", "", head).strip() for head in self.browser.texts("#rerun-result thead th")]
        self.assertEqual(shown[:3], ["Line", f"Then, quickstart v{TRAINED}", "Now, quickstart v1"])
        for place, model in ((2, MODEL), (3, OTHER)):
            self.assertEqual(self.browser.texts(f"#rerun-result tbody tr > :nth-child({place})"),
                             [f"{row['score']:.3f}" for row in self.answered(text, model)["rows"]])
        self.picture("query-again")


class Monitor(PagesCase):
    def test_counts(self):
        for _ in range(3):
            self.serving.post("/v1/predict", self.csv_of(self.rows[:5]), "text/plain")
        self.serving.post("/v1/predict", "a,b\n1,2\n", "text/plain")
        totals = self.browser.wait(lambda: (found := self.serving.get("/v1/monitor?hours=1").json()["totals"])["requests"] >= 4 and found, "the log")
        self.open("/monitor")
        self.browser.choose("#hours", "1")
        self.browser.wait_for("document.querySelector('.tile-value')?.textContent === arguments[0]", str(totals["requests"]))
        self.assertEqual(self.browser.texts(".tile-value")[1], f"{totals['rows']:,}")
        self.browser.wait(lambda: len(self.browser.all("canvas")) == 5 and not self.browser.run(page_checks.BLANK), "charts")
        numbers = self.browser.texts("#charts figure:nth-of-type(1) tbody tr td:nth-child(2)")
        self.assertEqual(sum(int(each.replace(",", "")) for each in numbers), totals["requests"])
        self.check_page("monitor")


class Tokens(PagesCase):
    """A server that asks for tokens, and what the pages let each of them do."""

    ROLES = {"reader": "read", "asker": "predict", "mover": "read,predict,promote"}

    @classmethod
    def store_of(cls):
        cls.own_folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-pages-"))
        cls.addClassCleanup(shutil.rmtree, cls.own_folder, ignore_errors=True)
        store = cls.own_folder / "store"
        shutil.copytree(prepared(), store)
        done = product.run(["models", "promote", OTHER, "--skip-gates", "--reason", "to begin with"], store=store)
        assert done.returncode == product.OK, done.stderr
        tokens = cls.own_folder / "tokens"
        tokens.write_text("".join(f"{hashlib.sha256(name.encode()).hexdigest()} {roles} the {name}\n" for name, roles in cls.ROLES.items()))
        cls.model = "quickstart@champion"
        cls.args = ("--token-file", str(tokens), "--set", "serve.poll_seconds=0.05", "--set", "gates.minimum_positives=1",
                    "--set", "gates.champion=any")
        return store

    def complaints(self):
        # A browser notes every answer that refuses; those are asked for here.
        return [text for text in super().complaints() if not re.search(r"status of (401|403|409)", text)]

    def enter(self, token, path):
        self.browser.open(self.url + "/")
        self.browser.run("sessionStorage.clear()")
        self.browser.open(self.url + path)
        self.browser.wait_for("document.getElementById('sign-in').open")
        self.browser.one("#sign-in-token").type(token)
        self.browser.press("Enter")

    def test_a_wrong_token(self):
        self.enter("nobody", "/models")
        self.browser.wait_for("document.getElementById('sign-in-why').textContent.includes('not accepted')")
        self.check_page("sign in")
        self.picture("sign-in")
        self.browser.one("#sign-in-token").type("reader")
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('detail-title')")

    def test_a_token_that_cannot_be_sent(self):
        self.enter("tok\u0119n", "/models")
        self.browser.wait_for("document.getElementById('sign-in-why').textContent.includes('cannot be sent')")
        self.browser.one("#sign-in-token").clear()
        self.browser.one("#sign-in-token").type("reader")
        self.browser.press("Enter")
        self.browser.wait_for("document.getElementById('detail-title')")
        self.browser.run("sessionStorage.setItem('tcrops-token', 'tok\u0119n')")
        self.browser.open(self.url + "/models")
        self.browser.wait_for("!document.getElementById('token').hidden")
        self.assertEqual(self.browser.text("#token"), "Sign out")
        self.browser.one("#token").click()
        self.browser.wait_for("document.getElementById('sign-in').open")

    def test_a_reader_may_not_score(self):
        self.enter("reader", "/")
        self.browser.wait_for("!document.getElementById('problem').hidden")
        self.assertIn("may look, but not score", self.browser.text("#problem"))
        self.assertTrue(self.browser.one("#score").property("disabled"))

    def test_who_may_only_ask_can_score(self):
        self.enter("asker", "/")
        self.browser.wait_for("document.getElementById('model').options.length > 0")
        self.paste(self.csv_of(self.rows[:3]))
        self.score()
        self.assertEqual(len(self.column("Score")), 3)
        self.browser.one("#token").click()
        self.browser.wait_for("document.getElementById('sign-in').open")
        self.browser.press("Escape")
        self.browser.wait_for("!document.getElementById('sign-in').open")

    def test_promotion_and_back(self):
        self.enter("mover", "/models?version=quickstart%40v2")
        self.browser.wait_for("document.getElementById('detail-title')?.textContent === 'quickstart version 2'")
        self.move("Promote to champion", "the pages say so")
        champions = "[...document.querySelectorAll('#versions tr')].find((row) => row.textContent.includes('champion'))?.textContent"
        self.browser.wait_for(f"{champions}.startsWith('quickstart v2')")
        self.browser.wait_for("document.querySelector('#log td')?.textContent === 'promote version 2'")
        self.assertIn("the pages say so", self.browser.text("#log"))
        self.picture("models-promoted")
        self.move("Roll back to version 1", "and back")
        self.browser.wait_for(f"{champions}.startsWith('quickstart v1')")

    def move(self, button, reason):
        next(each for each in self.browser.all("#detail .detail-head button") if each.text == button).click()
        self.browser.wait_for("document.getElementById('move').open")
        self.browser.wait(lambda: not self.browser.run(page_checks.BLANK), "the curves")
        self.check_page("move")
        self.browser.one("#move-reason").type(reason)
        self.browser.one("#move-go").click()
        self.browser.wait_for("!document.getElementById('move').open")


if __name__ == "__main__":
    product.main()
