"""Predict reads every format: a row out for each row in, and a pair has its score however it is written."""

import functools
import gzip
import json
import pathlib
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import INPUT, OK, USAGE, named, prepared, read_table, write_table  # noqa: E402
from sources import configuration  # noqa: E402

AIRR = ["sequence_id", "sequence", "rev_comp", "productive", "v_call", "d_call", "j_call", "sequence_alignment",
        "germline_alignment", "junction", "junction_aa", "v_cigar", "d_cigar", "j_cigar", "locus", "cell_id",
        "umi_count"]
TEN_X = ["barcode", "is_cell", "contig_id", "high_confidence", "length", "chain", "v_gene", "d_gene", "j_gene",
         "c_gene", "full_length", "productive", "cdr3", "cdr3_nt", "reads", "umis", "raw_clonotype_id", "raw_consensus_id"]
VDJDB = ["complex.id", "gene", "cdr3", "v.segm", "j.segm", "species", "mhc.a", "mhc.b", "mhc.class", "antigen.epitope",
         "reference.id", "vdjdb.score"]
# Examples that name no epitope, and how many lines the headers of some have.
WITHOUT_EPITOPE = ("airr_rearrangement.tsv", "10x_airr_rearrangement.tsv", "10x_filtered_contig_annotations.csv",
                   "10x_filtered_contig_annotations_v3.csv", "epytope_irdataset.csv", "mixtcrpred.csv", "tcrdist3.csv")
HEADS = {"iedb_receptor_export.csv": 2, "atm_tcr.csv": 0, "nettcr22_webserver.csv": 0}
LIGHT = {"train": {"from": "configuration", "epochs": 3, "model": "mlp_small"},
         "synthetic": {"tcrs": 200}, "fetch": {"source": "synthetic"}}


@functools.cache
def beta_model():
    """The prepared store, with a model that needs CDR3 beta and epitope only: beta.model."""
    store = prepared()
    words = configuration(store.parent, "beta", preprocess={"features": ["CDR3_beta", "Epitope"]}, **LIGHT)
    done = product.run(["train", *words], store=store)
    if done.returncode != OK:
        raise AssertionError(done.stderr)
    return store


class PredictFormats(product.ProductCase):
    def setUp(self):
        super().setUp()
        header, *rows = read_table(named(prepared(), "quickstart.raw") / "table.csv")
        self.epitope, self.mhc = rows[0][header.index("Epitope")], rows[0][header.index("MHC")]
        rows = [row for row in rows if row[header.index("Epitope")] == self.epitope][:25]
        self.records = [dict(zip(header, row)) for row in rows]
        self.header, self.rows = header, rows
        self.scores = [row[-3] for row in self.predict(write_table(self.folder / "pairs.csv", [header, *rows]))[1:]]
        self.assertGreater(len(set(self.scores)), 15)

    def predict(self, path, *arguments, model="quickstart.model", separator=","):
        done = self.ok(["predict", "--model", model, "--input", path, *arguments], store=prepared())
        return product.brief(read_table(done.stdout, separator))

    def chains(self, record):
        return [(name, record[f"CDR3_{chain}"], record[f"V_{chain}"], record[f"J_{chain}"])
                for name, chain in (("TRA", "alpha"), ("TRB", "beta"))]

    def check_cells(self, given, got, cell_of, expected):
        """Every row in its place as it was, with its cell's score, or with the reason why it has none."""
        self.assertEqual([row[:-3] for row in got], given)
        self.assertEqual(got[0][-3:], ["score", "call", "problem"])
        for row in got[1:]:
            score, call, problem = row[-3:]
            want = expected[cell_of(row)]
            if isinstance(want, tuple):  # the chain that counts, the score, the reason of the other
                want = want[1] if want[0] in row else want[2]
            if want[:2] in ("0.", "1.") or want[1:2] == "." or "e-" in want:
                self.assertEqual((score, problem), (want, ""), row)
                self.assertIn(call, "01")
            else:
                self.assertEqual((score, call), ("", ""), row)
                self.assertIn(want, problem)

    def airr_row(self, number, cell, chain, umis=5, productive="T"):
        locus, cdr3, v, j = chain
        return [f"s{number}", "", "F", productive, v, "", j, "", "", "", cdr3, "", "", "", locus, cell, str(umis)]

    def test_airr(self):
        """The chains of a cell stand far apart; a cell has a second alpha, one is without, one chain is neither."""
        cells = {f"cell{at}": self.chains(record) for at, record in enumerate(self.records)}
        expected = dict(zip(cells, self.scores))
        alphas, betas = ([self.airr_row(f"{cell}-{at}", cell, chains[at]) for cell, chains in cells.items()]
                         for at in (0, 1))
        alphas = [row for row in alphas if row[15] != "cell3"]
        expected["cell3"] = "CDR3_alpha"
        second = self.airr_row("second", "cell1", ("TRA", "CAVVNKGGKLIF", "TRAV12-1*01", "TRAJ23*01"), umis=2)
        gamma = self.airr_row("gamma", "other", ("TRG", "CALWEVQELGKKIKVF", "TRGV9*01", "TRGJP*01"))
        stop = self.airr_row("stop", "cell2", ("TRA", "CAV*KGGKLIF", "TRAV12-1*01", "TRAJ23*01"), 50, "F")
        expected["cell1"] = (cells["cell1"][0][1], self.scores[1], "another alpha chain")
        expected["other"] = "neither an alpha nor a beta chain"
        given = [AIRR, second, *reversed(alphas), gamma, *betas, stop]
        path = write_table(self.folder / "cells.tsv", given, "\t")
        got = self.predict(path, "--epitope", self.epitope, "--mhc", self.mhc, separator="\t")
        self.assertEqual(got[-1][:-3], stop)
        self.assertEqual(got[-1][-3:-1], ["", ""])
        self.assertIn("not a productive chain", got.pop()[-1])
        beta = next(row for row in got if row[10] == cells["cell1"][1][1])
        self.assertEqual(beta[-3], self.scores[1])
        got.remove(beta)
        given.pop()
        given.remove(beta[:-3])
        self.check_cells(given, got, lambda row: row[15], expected)
        # Without an epitope nothing can be said.
        self.fails(INPUT, ["predict", "-m", "quickstart.model", "-i", path, "--mhc", self.mhc], "cells.tsv", "Epitope",
                   store=prepared())

    def test_ten_x(self):
        rows = []
        for at, record in enumerate(self.records):
            for name, cdr3, v, j in reversed(self.chains(record)):
                gene = [v.split("*")[0].replace("/", ""), "", j.split("*")[0]]
                rows.append([f"AAAC{at}-1", "true", f"AAAC{at}-1_{name}", "true", "520", name, *gene,
                             name + "C", "true", "true", cdr3, "TGT", "90", "7", f"clonotype{at}", "None"])
        none = ["AAAC0-1", "true", "AAAC0-1_x", "true", "520", "TRA", "TRAV21", "", "TRAJ6", "TRAC", "false", "None",
                "None", "None", "40", "1", "clonotype0", "None"]
        low = [*rows[0][:3], "false", *rows[0][4:12], "CASSLEETQYF", *rows[0][13:]]
        path = write_table(self.folder / "filtered_contig_annotations.csv", [TEN_X, *rows, none, low])
        got = self.predict(path, "--epitope", self.epitope, "--mhc", self.mhc)
        for line, reason in ((got.pop(), "not called with high confidence"), (got.pop(), "not a productive chain")):
            self.assertEqual(line[-3:-1], ["", ""])
            self.assertIn(reason, line[-1])
        expected = {f"AAAC{at}-1": score for at, score in enumerate(self.scores)}
        self.check_cells([TEN_X, *rows], got, lambda row: row[0], expected)

    def test_vdjdb(self):
        rows = []
        for at, record in enumerate(self.records):
            for name, cdr3, v, j in self.chains(record):
                rows.append([str(at + 1), name, cdr3, v, j, "HomoSapiens", record["MHC"], "B2M", "MHCI",
                             record["Epitope"], "PMID:1", "3"])
        single = ["0", *rows[1][1:]]
        mouse = ["99", *rows[0][1:5], "MusMusculus", *rows[0][6:]]
        path = write_table(self.folder / "vdjdb.txt", [VDJDB, *rows, single, mouse], "\t")
        got = self.predict(path, separator="\t")
        self.assertIn("CDR3_alpha", got[-2][-1])
        self.assertIn("species", got[-1][-1].lower())
        expected = {str(at + 1): score for at, score in enumerate(self.scores)}
        self.check_cells([VDJDB, *rows], got[:-2], lambda row: row[0], expected)

    def test_compressed(self):
        plain = (self.folder / "pairs.csv").read_bytes()
        packed = self.folder / "pairs.csv.gz"
        packed.write_bytes(gzip.compress(plain[:2000], mtime=0) + gzip.compress(plain[2000:], mtime=0))
        zipped = self.folder / "pairs.zip"
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("pairs.csv", plain)
        paths = [packed, zipped]
        try:
            paths.append(self.folder / "pairs.csv.zst")
            subprocess.run(["zstd", "-q", self.folder / "pairs.csv", "-o", paths[-1]], check=True)
        except FileNotFoundError:
            paths.pop()
        for path in paths:
            got = self.predict(path)
            self.assertEqual([row[:-3] for row in got], [self.header, *self.rows])
            self.assertEqual([row[-3] for row in got[1:]], self.scores)
        packed.write_bytes(packed.read_bytes()[:-20])
        output = self.folder / "scored.csv"
        self.fails(INPUT, ["predict", "-m", "quickstart.model", "-i", packed, "-o", output], "pairs.csv.gz",
                   store=prepared())
        self.assertFalse(output.exists())

    def test_other_names_of_columns(self):
        """--map, --epitope and --mhc on a table of one's own, of which other columns are kept."""
        header = ["id", "a cdr3", "b cdr3", "va", "vb", "ja", "jb", "note"]
        rows = [[str(at), *row[:6], 'a "note"; with, all'] for at, row in enumerate(self.rows)]
        ours = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta"]
        maps = [word for name, theirs in zip(ours, header[1:]) for word in ("--map", f"{name}={theirs}")]
        maps += ["--epitope", self.epitope, "--mhc", self.mhc]
        for separator in ",;\t":
            path = write_table(self.folder / "own.txt", [header, *rows], separator)
            got = self.predict(path, *maps, separator=separator)
            self.assertEqual([row[:-3] for row in got], [header, *rows])
            self.assertEqual([row[-3] for row in got[1:]], self.scores)
        command = ["predict", "-m", "quickstart.model", "-i", path]
        self.fails(USAGE, [*command, "--map", "CDR3_beta"], "--map", "COLUMN=THEIRS", store=prepared())
        self.fails(USAGE, [*command, *maps, "--map", "MHC=a", "--map", "MHC=b"], "twice", store=prepared())
        self.fails(INPUT, [*command, *maps, "--map", "MHC=absent"], "absent", store=prepared())
        self.fails(USAGE, [*command, "--format", "excel"], "excel", store=prepared())

    def test_without_a_header(self):
        """What the row after the format's columns is, is kept; the result has no header either."""
        store = beta_model()
        betas = [record["CDR3_beta"] for record in self.records]
        pairs = [["CDR3_beta", "Epitope"], *([beta, self.epitope] for beta in betas)]
        scores = [row[-3] for row in self.predict(write_table(self.folder / "beta.csv", pairs), model="beta.model")[1:]]
        self.assertGreater(len(set(scores)), 10)
        atm = [[self.epitope, beta, "1"] for beta in betas]
        web = [[self.epitope, "SVFSS", "VVTGGEV", "AGAGSQGNLI", "LNHDA", "SQIVND", beta[1:-1], "0"] for beta in betas]
        for name, rows in (("atm_tcr", atm), ("nettcr_web", web)):
            path = write_table(self.folder / f"{name}.csv", rows)
            for arguments in ([], ["--format", name]):
                got = self.predict(path, *arguments, model="beta.model")
                self.assertEqual([row[:-3] for row in got], rows)
                if name == "atm_tcr":
                    self.assertEqual([(row[-3], row[-1]) for row in got], [(score, "") for score in scores])
                else:  # CDR3s without their ends get a C and an F
                    ends = [beta.endswith("F") and beta.startswith("C") for beta in betas]
                    self.assertEqual([row[-3] for row, same in zip(got, ends) if same],
                                     [score for score, same in zip(scores, ends) if same])
        self.assertTrue(named(store, "beta.model").is_dir())

    def scored_rows(self, path, text, *arguments):
        """Predicts with the beta model; the given and the scored rows, without headers."""
        output = self.folder / "scored"
        done = self.ok(["predict", "-m", "beta.model", "-i", path, "-o", output, "--json", *arguments], store=prepared())
        separator = "\t" if path.suffix in (".tsv", ".txt") else ","
        heads = HEADS.get(path.name, 1)
        given = [row for row in read_table(text, separator) if row][heads:]
        encoding = "cp1252" if path.name == "mcpas.csv" else "utf-8"
        got = product.brief(read_table(output.read_bytes().decode(encoding), separator)[heads:])
        summary = json.loads(done.stdout)
        self.assertEqual((summary["rows"], summary["unusable"]), (len(given), sum(row[-3] == "" for row in got)))
        return given, got

    def test_as_converted(self):
        """Every example of a format: as many rows out as in, and the scores are those of the table that `convert`
        writes."""
        beta_model()
        examples = [path for path in sorted(product.test_data("formats").iterdir())
                    if path.suffix in (".csv", ".tsv", ".txt")]
        self.assertGreater(len(examples), 20)
        judged = 0
        for path in examples:
            with self.subTest(example=path.name):
                extra = ["--epitope", "GILGFVFTL"] if path.name in WITHOUT_EPITOPE else []
                text = path.read_bytes().decode("cp1252" if path.name == "mcpas.csv" else "utf-8-sig")
                given, got = self.scored_rows(path, text, *extra)
                width = len(got[0]) - 3
                self.assertEqual([row[:-3] for row in got], [row + [""] * (width - len(row)) for row in given])
                self.assertTrue(all((row[-3] == "") == (row[-1] != "") for row in got))
                direct = {row[-3] for row in got if row[-3]}
                converted = self.folder / "pairs.csv"
                self.ok(["convert", path, "--to", "benchmark", "-o", converted, *extra])
                after = {row[-3] for row in self.scored_rows(converted, converted.read_text())[1] if row[-3]}
                self.assertEqual(after - direct, set())
                # `convert` refuses a gene that does not exist; this model has no genes.
                self.assertEqual(len(direct - after), 1 if path.name == "mixtcrpred.csv" else 0)
                judged += len(after)
        self.assertGreater(judged, 60)


if __name__ == "__main__":
    product.main()
