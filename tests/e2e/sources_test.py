"""Fetch of every source: what is kept, from where, on what terms, and when it is taken again."""

import collections
import contextlib
import functools
import gzip
import hashlib
import http.server
import json
import pathlib
import sys
import threading
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
import sources  # noqa: E402
from product import CONFIGURATION, INPUT, directories, named, read_table, write_table  # noqa: E402
from sources import configuration, dataset, manifest, write_immrep22, write_vdjdb  # noqa: E402

BENCHMARK = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "MHC", "Label"]
PAIRS = [["CAGAGSQGNLIF", "CASSIRSSYEQYF", "TRAV27*01", "TRBV19*01", "TRAJ42*01", "TRBJ2-7*01"],
         ["CARNTGNQFYF", "CASSPVTGGIYGYTF", "TRAV24*01", "TRBV6-5*01", "TRAJ49*01", "TRBJ1-2*01"],
         ["CILDNNNDMRF", "CASSLAPGTTNEKLFF", "TRAV26-2*01", "TRBV7-6*01", "TRAJ43*01", "TRBJ1-4*01"],
         ["CAEDNNARLMF", "CSARDGTGNGYTF", "TRAV5*01", "TRBV20-1*01", "TRAJ31*01", "TRBJ1-2*01"],
         ["CILPLAGGTSYGKLTF", "CASSLGQAYEQYF", "TRAV26-2*01", "TRBV7-8*01", "TRAJ52*01", "TRBJ2-7*01"],
         ["CAVNFGGGKLIF", "CASSLSFGTEAFF", "TRAV12-2*01", "TRBV6-4*01", "TRAJ23*01", "TRBJ1-1*01"]]
GIVEN = {"negatives": ["given"], "split": "given"}


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def server_of(folder):
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Case(product.ProductCase):
    def fetch(self, fetch, *arguments, **options):
        return self.ok(["fetch", *configuration(self.folder, fetch=fetch), *arguments], store=self.store, **options)

    def fetch_fails(self, code, fetch, *parts):
        return self.fails(code, ["fetch", *configuration(self.folder, fetch=fetch)], *parts, store=self.store)

    def preprocess(self, fetch, preprocess, *arguments):
        return self.ok(["preprocess", *configuration(self.folder, fetch=fetch, preprocess=preprocess), *arguments],
                       store=self.store)

    def kept(self, name):
        return (named(self.store, "made.raw") / name).read_bytes()


class Vdjdb(Case):
    def setUp(self):
        super().setUp()
        self.table = sources.vdjdb_table(lambda row: row["antigen.epitope"] in ("RAKFKQLL", "YVLDHLIVV"))
        self.mirror = self.folder / "mirror"
        self.archive = write_vdjdb(self.mirror, self.table)
        self.source = {"source": "vdjdb", "mirror": str(self.mirror)}

    def test_kept_whole_with_its_terms(self):
        done = self.fetch(self.source)
        facts = manifest(self.store, "made.raw")["facts"]
        for text in ("AGPL-3.0", "10.1038/s41592-022-01578-0", "github.com/antigenomics/vdjdb-db"):
            self.assertIn(text, done.stdout)
            self.assertIn(text, facts["licence"] + facts["citation"] + facts["origin"])
        self.assertEqual(self.kept(self.archive.name), self.archive.read_bytes())
        files = manifest(self.store, "made.raw")["files"]
        self.assertEqual(files[self.archive.name]["sha256"], hashlib.sha256(self.archive.read_bytes()).hexdigest())

    def test_the_table_in_the_archive_is_read(self):
        self.preprocess(self.source, {"features": ["CDR3_beta", "Epitope"], "negatives": ["swapped"],
                                      "negative_ratio": 1})
        facts = manifest(self.store, "made.dataset")["facts"]
        self.assertEqual(facts["rows_read"], self.table.count("\n") - 1)
        betas = {row.split("\t")[2] for row in self.table.splitlines()[1:] if row.split("\t")[1] == "TRB"}
        read = {row["CDR3_beta"] for row in dataset(self.store)}
        report = read_table(named(self.store, "made.dataset") / "cleaning.csv")[1:]
        self.assertEqual({row[0] for row in report}, {self.archive.name})
        mended = sum(row[2:4] == ["changed", "cdr3"] for row in report)
        self.assertLessEqual(len(read - betas), mended)
        self.assertGreater(len(read & betas), 0.9 * len(betas))

    def test_a_pinned_hash(self):
        right = hashlib.sha256(self.archive.read_bytes()).hexdigest()
        self.fetch_fails(INPUT, {**self.source, "sha256": "0" * 64}, right, "0" * 64, self.archive.name)
        self.assertEqual(directories(self.store), {})
        self.fetch({**self.source, "sha256": right})
        self.fetch_fails(CONFIGURATION, {**self.source, "sha256": "abc"}, "abc", "64 hexadecimal digits")

    def test_what_changed_is_taken_again(self):
        self.assertIn("(made)", self.fetch(self.source).stdout)
        first = product.names(self.store)["made.raw"]
        self.assertIn("(reused)", self.fetch(self.source).stdout)
        # The same bytes from elsewhere, and pinned, are the same thing.
        copy = self.folder / "copy"
        copy.mkdir()
        (copy / self.archive.name).write_bytes(self.archive.read_bytes())
        pinned = {"sha256": hashlib.sha256(self.archive.read_bytes()).hexdigest()}
        self.assertIn("(reused)", self.fetch({**self.source, "mirror": str(copy), **pinned}).stdout)
        write_vdjdb(self.mirror, self.table + self.table.splitlines()[1] + "\n")
        self.assertIn("(made)", self.fetch(self.source).stdout)
        self.assertNotEqual(product.names(self.store)["made.raw"], first)
        self.assertEqual(self.kept(self.archive.name), self.archive.read_bytes())

    def test_other_releases_and_missing_ones(self):
        self.fetch_fails(INPUT, {**self.source, "release": "2099-01-01"}, "vdjdb-2099-01-01.zip")
        other = write_vdjdb(self.mirror, self.table, release="2099-01-01")
        self.fetch({**self.source, "release": "2099-01-01"})
        self.assertEqual(self.kept(other.name), other.read_bytes())

    def test_over_http(self):
        with server_of(self.mirror) as url:
            done = self.fetch({"source": "vdjdb", "mirror": url})
            self.assertIn("(made)", done.stdout)
            self.assertEqual(self.kept(self.archive.name), self.archive.read_bytes())
            missing = {"source": "vdjdb", "mirror": url, "release": "2099-01-01", "retries": 0}
            self.fetch_fails(INPUT, missing, "vdjdb-2099-01-01.zip", "404")
            right = hashlib.sha256(self.archive.read_bytes()).hexdigest()
            self.fetch({"source": "vdjdb", "mirror": url, "sha256": right}, "--force")
            wrong = {"source": "vdjdb", "mirror": url, "sha256": "1" * 64, "retries": 0}
            self.fetch_fails(INPUT, wrong, right)
            self.assertIn("(reused)", self.fetch({"source": "vdjdb", "mirror": url}).stdout)

    def test_an_archive_without_the_table(self):
        with zipfile.ZipFile(self.archive, "w") as archive:
            archive.writestr("vdjdb-2025-07-30/other.txt", "none")
            archive.writestr("vdjdb-2025-07-30/another.txt", "none")
        arguments = ["preprocess", *configuration(self.folder, fetch=self.source)]
        self.fails(INPUT, arguments, self.archive.name, "vdjdb.txt", store=self.store)


class Immrep22(Case):
    def setUp(self):
        super().setUp()
        self.mirror = self.folder / "mirror"
        self.files = write_immrep22(self.mirror)
        self.source = {"source": "immrep22", "mirror": str(self.mirror)}

    def check_kept(self):
        for epitope in self.files:
            self.assertEqual(self.kept(f"{epitope}.txt"), (self.mirror / f"{epitope}.txt").read_bytes())
        self.assertEqual(len(self.files), 17)

    def test_kept_and_read(self):
        done = self.fetch(self.source)
        self.assertIn("10.1016/j.immuno.2023.100024", done.stdout)
        self.assertIn("none stated", manifest(self.store, "made.raw")["facts"]["licence"])
        self.check_kept()
        self.preprocess(self.source, {"features": [*sources.TCR, "Epitope"]})
        facts = manifest(self.store, "made.dataset")["facts"]
        self.assertEqual(facts["rows_read"], sum(map(len, self.files.values())))
        table = dataset(self.store)
        binders = collections.Counter(row["Epitope"] for row in table if row["Label"] == "1")
        for epitope, rows in self.files.items():
            distinct = {tuple(row) for row in rows if row[0] == "1"}
            self.assertLessEqual(abs(binders[epitope] - len(distinct)), 2, epitope)
        # What cleaning says of a row names the file that the row stands in.
        report = read_table(named(self.store, "made.dataset") / "cleaning.csv")[1:]
        repeats = [row for row in report if row[4] == "repeat"]
        self.assertGreater(len({row[0] for row in repeats}), 3)
        for name, line, *_ in repeats:
            rows = self.files[name.removesuffix(".txt")]
            self.assertIn(rows[int(line) - 2], rows[:int(line) - 2], f"{name}:{line} repeats none before it")

    def test_over_http(self):
        with server_of(self.mirror) as url:
            self.fetch({"source": "immrep22", "mirror": url})
        self.check_kept()

    def test_a_missing_file_is_named(self):
        (self.mirror / "NLVPMVATV.txt").unlink()
        self.fetch_fails(INPUT, self.source, "NLVPMVATV.txt")
        self.assertEqual(directories(self.store), {})
        with server_of(self.mirror) as url:
            self.fetch_fails(INPUT, {"source": "immrep22", "mirror": url, "retries": 0}, "NLVPMVATV.txt", "404")

    def test_one_changed_file_is_enough(self):
        self.fetch(self.source)
        self.assertIn("(reused)", self.fetch(self.source).stdout)
        with open(self.mirror / "YLQPRTFLL.txt", "a", encoding="utf-8") as file:
            file.write("\t".join(["-1", *self.files["NLVPMVATV"][0][1:]]) + "\n")
        self.assertIn("(made)", self.fetch(self.source).stdout)
        self.check_kept()


class OwnFile(Case):
    """The user's own table. Folds given by the file make every row's side plain."""

    def rows(self):
        """Two epitopes, both labels on every side."""
        rows = []
        for number, tcr in enumerate(PAIRS):
            side = ("train", "validation", "test")[number // 2]
            for epitope, label in (("GILGFVFTL", number % 2), ("NLVPMVATV", 1 - number % 2)):
                rows.append([*tcr, epitope, "HLA-A*02:01", str(label), side])
        return [[*BENCHMARK, "Fold"], *rows]

    def check(self, expected, columns):
        got = [tuple(row[name] for name in columns) for row in dataset(self.store)]
        self.assertEqual(sorted(got), sorted(expected))

    def check_all(self):
        header, *rows = self.rows()
        self.check([tuple(row) for row in rows], header)
        self.assertTrue(all(row["Side"] == row["Fold"] for row in dataset(self.store)))

    def test_plain_and_compressed(self):
        path = write_table(self.folder / "pairs.csv", self.rows())
        packed = self.folder / "pairs.csv.gz"
        packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        zipped = self.folder / "pairs.zip"
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.write(path, "deep/pairs.csv")
        for each in (path, packed, zipped):
            done = self.preprocess({"source": "file", "file": str(each)}, GIVEN)
            self.assertIn("(made)", done.stdout)
            self.check_all()
        self.fetch({"source": "file", "file": str(path)})
        self.assertIn("a file of the user's", manifest(self.store, "made.raw")["facts"]["licence"])

    def test_format(self):
        path = write_table(self.folder / "pairs.csv", self.rows())
        self.preprocess({"source": "file", "file": str(path), "format": "benchmark"}, GIVEN)
        self.check_all()
        airr = ["preprocess", *configuration(self.folder, preprocess=GIVEN, fetch={
            "source": "file", "file": str(path), "format": "airr"})]
        self.fails(INPUT, airr, "pairs.csv:1", "this is not AIRR Rearrangement TSV", "no column v_call", store=self.store)
        excel = {"source": "file", "file": str(path), "format": "excel"}
        self.fetch_fails(CONFIGURATION, excel, "excel", "fetch.format")

    def test_map(self):
        header, *rows = self.rows()
        theirs = ["alpha", "beta", "gene one", "gene two", "gene three", "gene four", "target", "allele", "binds",
                  "part"]
        path = write_table(self.folder / "pairs.csv", [theirs, *rows])
        maps = [f"{ours}={name}" for ours, name in zip(header, theirs)]
        self.preprocess({"source": "file", "file": str(path), "map": maps}, GIVEN)
        self.check_all()
        for wrong in ("alpha", "CDR3_beta=", "Cdr3=beta"):
            self.fetch_fails(CONFIGURATION, {"source": "file", "file": str(path), "map": [wrong]}, "fetch.map", wrong)

    def test_epitope_and_mhc(self):
        header, *rows = self.rows()
        rows = [row for row in rows if row[6] == "GILGFVFTL"]
        less = [at for at, name in enumerate(header) if name not in ("Epitope", "MHC")]
        path = write_table(self.folder / "pairs.csv", [[row[at] for at in less] for row in [header, *rows]])
        bare = {"source": "file", "file": str(path)}
        self.fails(INPUT, ["preprocess", *configuration(self.folder, fetch=bare, preprocess=GIVEN)], "pairs.csv",
                   "Epitope", store=self.store)
        self.preprocess({**bare, "epitope": "GILGFVFTL", "mhc": "HLA-A*02:01"}, GIVEN)
        self.check([tuple(row) for row in rows], header)
        first = product.names(self.store)["made.dataset"]
        self.preprocess({**bare, "epitope": "NLVPMVATV", "mhc": "HLA-A*02:01"}, GIVEN)
        self.assertEqual({row["Epitope"] for row in dataset(self.store)}, {"NLVPMVATV"})
        self.assertNotEqual(product.names(self.store)["made.dataset"], first)

    def test_the_epitope_in_the_name(self):
        """IMMREP22 tables name theirs nowhere else; an epitope that was said goes before it."""
        text = (product.test_data("formats") / "immrep22_GILGFVFTL.txt").read_text().splitlines()
        lines = [text[0] + "\tfold"]
        for number, line in enumerate(text[1:7]):
            side = ("train", "validation", "test")[number // 2]
            lines.append("\t".join([str(1 - 2 * (number % 2)), *line.split("\t")[1:], side]))
        path = self.folder / "mine_GILGFVFTL.txt"
        path.write_text("\n".join(lines) + "\n")
        features = {**GIVEN, "features": [*sources.TCR, "Epitope"]}
        self.preprocess({"source": "file", "file": str(path)}, features)
        self.assertEqual({row["Epitope"] for row in dataset(self.store)}, {"GILGFVFTL"})
        self.preprocess({"source": "file", "file": str(path), "epitope": "NLVPMVATV"}, features)
        self.assertEqual({row["Epitope"] for row in dataset(self.store)}, {"NLVPMVATV"})

    def test_a_result_has_nothing_of_the_path(self):
        """The same bytes under another name are the same data, down to the report of the cleaning."""
        header, *rows = self.rows()
        odd = [*rows[0][:1], "CASSXF", *rows[0][2:]]
        text = write_table(self.folder / "one.csv", [header, *rows, rows[0], odd]).read_bytes()
        (self.folder / "two.tsv").write_bytes(text)
        stores = [self.folder / "first", self.folder / "second"]
        for store, name in zip(stores, ("one.csv", "two.tsv")):
            self.store = store
            self.preprocess({"source": "file", "file": str(self.folder / name)}, GIVEN)
        self.assert_same_artifacts(*stores)
        report = read_table(named(self.store, "made.dataset") / "cleaning.csv")
        self.assertEqual({row[1] for row in report[1:] if row[2] == "refused"}, {"14", "15"})
        self.ok(["reproduce", "made.dataset"], store=self.store)

    def test_rows_of_which_nothing_is_left(self):
        """A row without a chain, or without the one that the model sees, is no TCR, however little is required; a score
        to hold rows against has to be there."""
        header, *rows = self.rows()
        alpha_only = [rows[0][0], "", rows[0][2], "", rows[0][4], "", *rows[0][6:]]
        path = write_table(self.folder / "pairs.csv", [header, *rows, [*[""] * 6, *rows[0][6:]], alpha_only])
        fetch = {"source": "file", "file": str(path)}
        beta = ["CDR3_beta", "V_beta"]
        self.preprocess(fetch, {**GIVEN, "features": [*beta, "Epitope"], "optional": beta})
        self.check_all()
        report = read_table(named(self.store, "made.dataset") / "cleaning.csv")
        self.assertEqual([row[1:3] + row[4:5] for row in report[1:]],
                         [["14", "refused", "no-cdr3"], ["15", "refused", "no-tcr"]])
        words = configuration(self.folder, fetch=fetch, preprocess={**GIVEN, "minimum_confidence": 1})
        self.fails(INPUT, ["preprocess", *words], "preprocess.minimum_confidence", "vdjdb.score", store=self.store)

    def test_missing_files_are_named(self):
        path = write_table(self.folder / "pairs.csv", self.rows())
        for setting in ("file", "control_file", "measured_file"):
            fetch = {"source": "file", "file": str(path), setting: str(self.folder / "absent.csv")}
            self.fetch_fails(INPUT, fetch, f"fetch.{setting}", "absent.csv")
        self.fetch_fails(CONFIGURATION, {"source": "file"}, "fetch.file")

    def test_control_and_measured_files(self):
        path = write_table(self.folder / "pairs.csv", self.rows())
        controls = write_table(self.folder / "controls.csv", [
            [*BENCHMARK[:6], "Fold"],
            ["CAVSGGSYIPTF", "CASSQDRGYEQYF", "TRAV21*01", "TRBV4-1*01", "TRAJ6*01", "TRBJ2-7*01", "test"]])
        measured = write_table(self.folder / "measured.csv", [
            [*BENCHMARK[:8], "Fold"], [*PAIRS[0], "GLCTLVAML", "HLA-A*02:01", "train"],
            [*PAIRS[1], "GILGFVFTL", "HLA-A*02:01", "train"]])
        fetch = {"source": "file", "file": str(path), "control_file": str(controls), "measured_file": str(measured)}
        self.fetch(fetch)
        self.assertEqual((self.kept("table.csv"), self.kept("control.csv"), self.kept("measured.csv")),
                         (path.read_bytes(), controls.read_bytes(), measured.read_bytes()))
        self.preprocess(fetch, {"negatives": ["given", "background", "measured"], "split": "given"})
        table = dataset(self.store)
        got = [(row["CDR3_beta"], row["Epitope"], row["Label"]) for row in table if row["Origin"] == "measured"]
        self.assertEqual(got, [("CASSIRSSYEQYF", "GLCTLVAML", "0")], "the other one is said to bind")
        background = [row for row in table if row["Origin"] == "background"]
        self.assertEqual({row["CDR3_beta"] for row in background}, {"CASSQDRGYEQYF"})
        self.assertEqual({row["Side"] for row in background}, {"test"})
        self.assertEqual(manifest(self.store, "made.dataset")["facts"]["negatives"],
                         {"given": 6, "measured": 1, "background": len(background)})
        # Another control file makes other raw data; without it the old ones are found again.
        first = product.names(self.store)["made.raw"]
        write_table(controls, read_table(controls) * 2)
        self.fetch(fetch)
        self.assertNotEqual(product.names(self.store)["made.raw"], first)
        for kind in ("background", "measured"):
            arguments = ["preprocess", *configuration(self.folder, fetch={"source": "file", "file": str(path)},
                                                      preprocess={"negatives": [kind]})]
            self.fails(CONFIGURATION, arguments, "preprocess.negatives", kind, store=self.store)


class Synthetic(Case):
    def test_the_truth_is_that_of_the_table(self):
        self.ok(["fetch", *configuration(self.folder, fetch={"source": "synthetic"}, seed=7, synthetic={
            "tcrs": 2400, "epitopes": 4, "motif_strength": 0.75})], store=self.store)
        truth = json.loads(self.kept("truth.json"))
        header, *rows = read_table(named(self.store, "made.raw") / "table.csv")
        table = [dict(zip(header, row, strict=True)) for row in rows]
        self.assertEqual((truth["seed"], truth["tcrs"], truth["rows"]), (7, 2400, len(table)))
        self.assertEqual({each["epitope"] for each in truth["epitopes"]}, {row["Epitope"] for row in table})

        def has(row, column, planted):
            start = planted["position"] - 1
            return row[column][start:start + len(planted["motif"])] == planted["motif"]

        for each in truth["epitopes"]:
            mine = [row for row in table if row["Epitope"] == each["epitope"]]
            self.assertEqual({row["MHC"] for row in mine}, {each["mhc"]})
            carries = {label: [row for row in mine if row["Label"] == label and
                               has(row, "CDR3_beta", each["CDR3_beta"]) and has(row, "CDR3_alpha", each["CDR3_alpha"])]
                       for label in "01"}
            binders = sum(row["Label"] == "1" for row in mine)
            self.assertEqual(binders, 600)
            # 600 draws with 0.75: four standard deviations are 0.07.
            self.assertAlmostEqual(len(carries["1"]) / binders, 0.75, delta=0.07)
            self.assertLess(len(carries["0"]) / len(mine), 0.01)
            self.assertEqual({len(row["CDR3_beta"]) for row in carries["1"]}, {each["CDR3_beta"]["length"]})
            loyal = sum(row["V_beta"] == each["V_beta"] for row in carries["1"]) / len(carries["1"])
            self.assertGreater(loyal, truth["gene_loyalty"] - 0.1)
        self.assertIn("licence", manifest(self.store, "made.raw")["facts"])


if __name__ == "__main__":
    product.main()
