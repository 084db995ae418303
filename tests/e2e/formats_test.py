"""Every format's example: told by itself, read as it should be, and the same after it was written and read again."""

import csv
import gzip
import io
import json
import pathlib
import random
import shutil
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

PAIR = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta", "Epitope", "clone_id", "MHC"]
CANONICAL = [*PAIR, "CDR1_alpha", "CDR2_alpha", "CDR1_beta", "CDR2_beta", "Label", "Origin", "Fold"]
JM22 = ["CAGAGSQGNLIF", "CASSIRSSYEQYF", "TRAV27*01", "TRBV19*01", "TRAJ42*01", "TRBJ2-7*01"]
# By the files themselves: format, rows, records, and how often (action, column, code) is found.
EXAMPLES = {
    # One gamma row, one stop codon, one empty junction, one alpha too many; s12 has two calls, s14 no alleles.
    "airr_rearrangement.tsv": ("airr", 17, 8, {
        "refused locus further-chain": 1, "refused locus other-chain": 1, "refused productive not-productive": 1,
        "refused junction_aa no-cdr3": 1, "changed v_call first-of-several": 1, "changed v_call allele-added": 1,
        "changed j_call allele-added": 1}),
    "10x_airr_rearrangement.tsv": ("airr", 9, 5, {
        "refused v_call further-chain": 1, "changed v_call allele-added": 8, "changed j_call allele-added": 8,
        "changed v_call gene-spelling": 1}),
    # Lines 8 and 9 are further chains, 11 has productive None, 12 is Multi.
    "10x_filtered_contig_annotations.csv": ("10x", 12, 5, {
        "refused chain further-chain": 2, "refused chain other-chain": 1, "refused productive not-productive": 1,
        "changed v_gene allele-added": 8, "changed j_gene allele-added": 8, "changed v_gene gene-spelling": 1}),
    "10x_filtered_contig_annotations_v3.csv": ("10x", 12, 5, {
        "refused chain further-chain": 2, "refused chain other-chain": 1, "refused productive not-productive": 1,
        "changed v_gene allele-added": 8, "changed j_gene allele-added": 8, "changed v_gene gene-spelling": 1}),
    # Seven complexes, four chains alone, a mouse.
    "vdjdb_release.tsv": ("vdjdb", 19, 11, {
        "refused species species": 1, "changed v.segm allele-added": 1, "changed j.segm allele-added": 1,
        "changed v.segm first-of-several": 1, "changed mhc.a mhc-spelling": 1, "noticed cdr3 no-conserved-c": 1}),
    "vdjdb_web_export.tsv": ("vdjdb_web", 19, 11, {
        "refused Species species": 1, "changed V allele-added": 1, "changed J allele-added": 1,
        "changed V first-of-several": 1, "changed MHC A mhc-spelling": 1, "noticed CDR3 no-conserved-c": 1}),
    "vdjdb_full.tsv": ("vdjdb_full", 7, 7, {}),
    # The mouse, and a CDR3 with a dot; TRBV1 is a pseudogene.
    "mcpas.csv": ("mcpas", 12, 10, {
        "refused CDR3.beta.aa cdr3-letter": 1, "refused Species species": 1, "changed TRAV allele-added": 6,
        "changed TRAJ allele-added": 7, "changed TRBV allele-added": 10, "changed TRBJ allele-added": 9,
        "changed TRAV gene-spelling": 1, "changed TRAJ gene-spelling": 1, "changed TRBV gene-spelling": 1,
        "changed TRBJ gene-spelling": 1, "changed MHC mhc-spelling": 2, "changed MHC first-of-several": 1,
        "changed Epitope.peptide first-of-several": 1, "changed Pathology not-utf8": 1, "changed Remarks not-utf8": 1,
        "noticed TRBV gene-not-functional": 1}),
    # A modified epitope and a receptor of gamma and delta.
    "iedb_receptor_export.csv": ("iedb", 9, 7, {
        "refused Chain 1|Type other-chain": 1, "refused Epitope|Name epitope-modified": 1,
        "changed Chain 1|CDR3 Calculated anchors-added": 7, "changed Chain 2|CDR3 Calculated anchors-added": 7,
        "changed Chain 2|CDR3 Curated anchors-added": 1, "changed Chain 2|Curated V Gene allele-added": 1,
        "changed Chain 2|Curated J Gene allele-added": 1, "changed Assay|MHC Allele Names mhc-spelling": 1,
        "changed Assay|MHC Allele Names first-of-several": 1}),
    "immrep22_GILGFVFTL.txt": ("immrep22", 10, 10, {}),
    "immrep23_test.csv": ("immrep23", 12, 12, {"changed HLA mhc-spelling": 12}),
    "immrep23_solutions.csv": ("immrep23", 12, 12, {"changed HLA mhc-spelling": 12}),
    "nettcr20.csv": ("nettcr20", 8, 8, {"changed CDR3a anchors-added": 8, "changed CDR3b anchors-added": 8}),
    "nettcr22.csv": ("nettcr", 10, 10, {"changed A3 anchors-added": 10, "changed B3 anchors-added": 10}),
    "nettcr22_full.csv": ("nettcr", 6, 6, {"changed A3 anchors-added": 6, "changed B3 anchors-added": 6}),
    "nettcr22_webserver.csv": ("nettcr_web", 6, 6, {"changed A3 anchors-added": 6, "changed B3 anchors-added": 6}),
    "benchmark_pairs.csv": ("benchmark", 16, 16, {}),
    "scirpy_clones.csv": ("scirpy", 7, 7, {
        "changed IR_VJ_1_v_call allele-added": 6, "changed IR_VJ_1_j_call allele-added": 6,
        "changed IR_VDJ_1_v_call allele-added": 7, "changed IR_VDJ_1_j_call allele-added": 7}),
    "epytope_irdataset.csv": ("epytope", 6, 6, {}),
    "ergo2.csv": ("ergo2", 6, 6, {"changed TRAV allele-added": 5, "changed TRAJ allele-added": 5,
                                  "changed TRBV allele-added": 6, "changed TRBJ allele-added": 6}),
    # IMGT knows no TRAV179.
    "mixtcrpred.csv": ("mixtcrpred", 11, 10, {
        "refused TRAV gene-unknown": 1, "changed TRAV allele-added": 10, "changed TRAJ allele-added": 11,
        "changed TRBV allele-added": 11, "changed TRBJ allele-added": 11}),
    "tcrdist3.csv": ("tcrdist3", 10, 10, {}),
    "tulip.csv": ("tulip", 6, 6, {}),
    "atm_tcr.csv": ("atm_tcr", 8, 8, {}),
    "tcrepitopebenchmark.csv": ("tcrepitopebenchmark", 6, 6, {}),
}
# Records by their number from 0: columns that must have these values.
VALUES = {
    "airr_rearrangement.tsv": {
        0: dict(zip(PAIR, [*JM22, "", "clone1", ""])), 5: {"CDR3_alpha": "", "V_beta": "TRBV7-9*01"},
        6: {"CDR3_beta": "CASSIRSTDTQYF", "CDR1_beta": "LNHDA"}, 7: {"CDR3_alpha": "CAVMDSNYQLIW", "V_beta": ""}},
    "10x_airr_rearrangement.tsv": {1: {"V_alpha": "TRAV24*01"}, 4: {"V_alpha": "TRAV38-2/DV8*01", "CDR3_beta": ""}},
    "10x_filtered_contig_annotations.csv": {
        0: dict(zip(PAIR, [*JM22, "", "clonotype1", ""])), 4: {"V_alpha": "TRAV14/DV4*01", "CDR3_beta": ""}},
    "vdjdb_release.tsv": {
        0: dict(zip(PAIR, [*JM22, "GILGFVFTL", "", "HLA-A*02:01"])), 6: {"MHC": "HLA-A*02", "V_beta": "TRBV19*01"},
        7: {"CDR3_beta": "ASSIRSTDTQYF"}, 9: {"V_beta": "TRBV7-9*01"}, 10: {"MHC": "HLA-DRB1*04:01", "Label": "1"}},
    "mcpas.csv": {5: {"CDR3_alpha": "", "MHC": "HLA-A*02"}, 6: {"CDR3_beta": "", "V_beta": ""},
                  7: {"V_alpha": "TRAV35*01", "J_alpha": "TRAJ5*01", "V_beta": "TRBV1*01", "J_beta": "TRBJ1-2*01"},
                  8: {"Epitope": "NLVPMVATV", "MHC": "HLA-A*02:01"}, 9: {"Epitope": "", "MHC": "HLA-B*27", "Label": ""}},
    "iedb_receptor_export.csv": {0: {"CDR3_alpha": "CAGAGSQGNLIF", "CDR3_beta": "CASSIRSSYEQYF", "Label": "1"},
                                 5: {"CDR3_alpha": "", "CDR3_beta": "CASSIRSAYEQYF", "V_beta": "TRBV19*01"},
                                 6: {"MHC": "HLA-A*02", "CDR1_alpha": "SSNFYA"}},
    "immrep22_GILGFVFTL.txt": {0: {"Epitope": "GILGFVFTL", "Label": "1"},
                               9: {"Epitope": "GILGFVFTL", "Label": "0", "Origin": "given",
                                   "CDR3_alpha": "CAVMDSNYQLIW"}},
    "immrep23_solutions.csv": {0: {"MHC": "HLA-A*02:01", "Label": "1", "CDR3_alpha": "CAGAGSQGNLIF"}, 1: {"Label": "0"}},
    "immrep23_test.csv": {0: {"Label": ""}},
    "nettcr22_full.csv": {0: {"Label": "1", "Fold": "0", "CDR1_beta": "LNHDA", "V_beta": ""},
                          1: {"Label": "0", "Fold": "1", "Origin": "swapped", "CDR3_beta": "CASSPVTGGIYGYTF"}},
    "nettcr22_webserver.csv": {5: {"Epitope": "ELAGIGILTV", "CDR2_alpha": "IYSNGD", "Label": "1"}},
    "benchmark_pairs.csv": {15: {"CDR3_alpha": "", "V_alpha": "", "J_alpha": "", "clone_id": "99.0"}},
    "scirpy_clones.csv": {1: {"Epitope": "NLVPMVATV", "MHC": "HLA-A*02:01"}, 2: {"MHC": ""}, 6: {"V_alpha": ""}},
    "epytope_irdataset.csv": {2: {"J_alpha": "", "CDR3_alpha": "CILDNNNDMRF", "Label": ""}},
    "ergo2.csv": {1: {"CDR3_alpha": "", "MHC": "HLA-A*02", "Label": ""}},
    "mixtcrpred.csv": {9: {"CDR3_alpha": "CAVMDSNYQLIW", "J_alpha": "TRAJ33*01"}},
    "tcrdist3.csv": {7: {"J_alpha": "TRAJ24*02", "Epitope": "", "clone_id": "c7"}},
    "tulip.csv": {0: {"CDR3_alpha": "", "CDR3_beta": "CASSIRSSYEQYF", "Label": "1"}},
    "atm_tcr.csv": {1: {"Epitope": "NLVPMVATV", "CDR3_beta": "CASSPVTGGIYGYTF", "Label": "0", "Origin": "given"}},
}
# AIRR demands a value in these, so an empty one does not come back empty.
FILLED = ("sequence_id", "rev_comp", "productive")


class FormatsTest(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.examples = product.test_data("formats")

    def convert(self, source, *options, to="benchmark", text=None):
        """(summary, records as dictionaries) of a conversion."""
        output = self.folder / "converted"
        done = self.ok(["convert", source, "-o", output, "--to", to, "--json", *options]) if text is None else \
            self.piped(["convert", "-", "-o", output, "--to", to, "--json", *options], text)
        with open(output, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="," if to == "benchmark" else "\t",
                                       quoting=csv.QUOTE_MINIMAL if to == "benchmark" else csv.QUOTE_NONE))
        return json.loads(done.stdout), rows

    def piped(self, args, text):
        done = subprocess.run(product.command(args), input=text, capture_output=True, env=product.environment(),
                              timeout=60, check=False)
        self.assertEqual(done.returncode, product.OK, done.stderr)
        return done

    def found(self, summary):
        return {f"{each['action']} {each['field']} {each['code']}": each["count"] for each in summary["cleaning"]}

    def test_every_example_is_in_the_table(self):
        files = {path.name for path in self.examples.iterdir() if path.is_file()}
        self.assertEqual(files - {"README.md", "SHA256SUMS"}, set(EXAMPLES))

    def test_format_counts_and_findings(self):
        for name, (kind, rows, records, findings) in EXAMPLES.items():
            with self.subTest(name):
                summary, converted = self.convert(self.examples / name)
                self.assertEqual((summary["format"], summary["rows"], summary["records"]), (kind, rows, records))
                self.assertEqual(self.found(summary), findings)
                self.assertEqual(len(converted), records)
                refused = sum(count for what, count in findings.items() if what.startswith("refused"))
                self.assertEqual(summary["refused_rows"], refused)

    def test_values(self):
        for name, records in VALUES.items():
            _, converted = self.convert(self.examples / name)
            for number, expected in records.items():
                with self.subTest(f"{name} record {number}"):
                    self.assertEqual({column: converted[number][column] for column in expected}, expected)

    def test_bytes_of_old_exports_become_unicode(self):
        _, converted = self.convert(self.examples / "mcpas.csv")
        self.assertEqual(converted[9]["Additional.study.details"], 'Study, with commas and "quotes"')
        done = self.ok(["convert", self.examples / "mcpas.csv", "-o", self.folder / "x", "--report", self.folder / "r"])
        self.assertNotIn("Traceback", done.stderr)
        (self.folder / "r").read_bytes().decode("utf-8")

    def test_round_trip(self):
        for name in EXAMPLES:
            with self.subTest(name):
                _, first = self.convert(self.examples / name)
                results = {}
                for way in ("benchmark", "airr"):
                    between = self.folder / f"between.{way}"
                    self.ok(["convert", self.examples / name, "-o", between, "--to", way])
                    for to in ("benchmark", "airr"):
                        # Changed values are canonical, so that nothing is changed or refused again.
                        summary, rows = self.convert(between, to=to)
                        self.assertEqual((summary["refused_rows"], summary["changed_rows"]), (0, 0))
                        self.assertEqual(summary["format"], way)
                        results[way, to] = rows
                for way in ("benchmark", "airr"):
                    self.assertEqual([[row[column] for column in CANONICAL] for row in results[way, "benchmark"]],
                                     [[row[column] for column in CANONICAL] for row in first])
                    self.assert_same_extra(first, results[way, "benchmark"])
                self.assert_same_chains(results["benchmark", "airr"], results["airr", "airr"])

    def assert_same_extra(self, first, again):
        for column in [column for column in first[0] if column not in CANONICAL]:
            there = column if column in again[0] else f"input_{column}"
            for before, after in zip(first, again):
                if before[column] == "" and column in FILLED:
                    continue
                self.assertEqual(after[there], before[column], column)

    def assert_same_chains(self, one, other):
        columns = ("v_call", "j_call", "junction_aa", "cdr1_aa", "cdr2_aa", "cdr3_aa", "locus", "clone_id", "epitope",
                   "mhc", "label", "negative_origin", "fold", "tcrops_record")
        self.assertEqual([[row[column] for column in columns] for row in one],
                         [[row[column] for column in columns] for row in other])

    def test_compressed_and_from_stdin(self):
        for name in ("vdjdb_release.tsv", "mcpas.csv", "10x_filtered_contig_annotations.csv"):
            text = (self.examples / name).read_bytes()
            _, expected = self.convert(self.examples / name)
            packed = {"gz": gzip.compress(text), "members.gz": gzip.compress(text[:500]) + gzip.compress(text[500:])}
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr(name, text)
            packed["zip"] = buffer.getvalue()
            if shutil.which("zstd"):
                packed["zst"] = subprocess.run(["zstd", "-c"], input=text, capture_output=True, check=True).stdout
            for suffix, data in packed.items():
                with self.subTest(f"{name}.{suffix}"):
                    path = self.folder / f"{name}.{suffix}"
                    path.write_bytes(data)
                    self.assertEqual(self.convert(path)[1], expected)
                    self.assertEqual(self.convert(None, text=data)[1], expected)
            self.assertEqual(self.convert(None, text=text)[1], expected)

    def test_report_has_a_line_for_each_finding(self):
        for name, (_, _, _, findings) in EXAMPLES.items():
            with self.subTest(name):
                self.ok(["convert", self.examples / name, "-o", "", "--report", self.folder / "report.csv"])
                with open(self.folder / "report.csv", newline="", encoding="utf-8") as file:
                    lines = list(csv.DictReader(file))
                counted = {}
                for line in lines:
                    what = f"{line['action']} {line['field']} {line['code']}"
                    counted[what] = counted.get(what, 0) + 1
                    self.assertEqual(line["file"], str(self.examples / name))
                    self.assertGreater(int(line["line"]), 0)
                    self.assertTrue(line["reason"])
                self.assertEqual(counted, findings)

    def test_strict_ends_at_the_first_change(self):
        for name, where in (("vdjdb_release.tsv", "vdjdb_release.tsv:14: v.segm: "),
                            ("mixtcrpred.csv", "mixtcrpred.csv:2: TRAV: "), ("nettcr20.csv", "nettcr20.csv:2: CDR3a: "),
                            ("10x_filtered_contig_annotations.csv", "annotations.csv:8: chain: ")):
            with self.subTest(name):
                self.fails(product.INPUT, ["convert", self.examples / name, "-o", self.folder / "x", "--strict"],
                           where, "--strict")
                self.assertFalse((self.folder / "x").exists())
        self.ok(["convert", self.examples / "benchmark_pairs.csv", "-o", self.folder / "x", "--strict"])

    def test_order_of_the_rows_has_no_say(self):
        for name in ("airr_rearrangement.tsv", "10x_airr_rearrangement.tsv", "10x_filtered_contig_annotations.csv",
                     "vdjdb_release.tsv"):
            header, *rows = (self.examples / name).read_text().splitlines(keepends=True)
            _, expected = self.convert(self.examples / name)
            shuffler = random.Random(name)
            for _ in range(5):
                shuffler.shuffle(rows)
                path = self.folder / name
                path.write_text(header + "".join(rows))
                with self.subTest(name):
                    _, converted = self.convert(path)
                    self.assertEqual(sorted(map(str, converted)), sorted(map(str, expected)))

    def test_the_epitope_in_the_name(self):
        text = (self.examples / "immrep22_GILGFVFTL.txt").read_bytes()
        for name, epitope in (("GILGFVFTL.txt", "GILGFVFTL"), ("NLVPMVATV.txt", "NLVPMVATV"), ("train.txt", "")):
            (self.folder / name).write_bytes(text)
            _, rows = self.convert(self.folder / name)
            self.assertEqual({row["Epitope"] for row in rows}, {epitope})
        _, rows = self.convert(self.folder / "train.txt", "--epitope", "GILGFVFTL", "--mhc", "A*02:01")
        self.assertEqual({(row["Epitope"], row["MHC"]) for row in rows}, {("GILGFVFTL", "HLA-A*02:01")})


if __name__ == "__main__":
    product.main()
