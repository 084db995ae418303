"""Real tables: what is read of them, checked against counts made here by other means."""

import csv
import gzip
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402


def rows_of(path, separator):
    """Dictionaries of a table, gzip or not, without quoting where tabs part it."""
    text = path.read_bytes()
    text = (gzip.decompress(text) if path.suffix == ".gz" else text).decode()
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    return list(csv.DictReader(text.splitlines(), delimiter=separator, quoting=quoting))


class RealFormatsTest(product.ProductCase):
    def convert(self, path):
        """(summary, records, lines of the report)."""
        report = self.folder / "report.csv"
        done = self.ok(["convert", path, "-o", self.folder / "out.csv", "--report", report, "--json"])
        tables = []
        for file in (self.folder / "out.csv", report):
            with open(file, newline="", encoding="utf-8") as stream:
                tables.append(list(csv.DictReader(stream)))
        summary = json.loads(done.stdout)
        self.assertEqual(len(tables[0]), summary["records"])
        self.assertEqual(len(tables[1]), sum(each["count"] for each in summary["cleaning"]))
        return summary, *tables

    def counts(self, summary):
        return {f"{each['action']} {each['field']} {each['code']}": each["count"] for each in summary["cleaning"]}

    def test_vdjdb(self):
        path = product.test_data("vdjdb") / "vdjdb_human.tsv.gz"
        rows = rows_of(path, "\t")
        self.assertEqual(len(rows), 77_880)
        summary, records, report = self.convert(path)
        self.assertEqual((summary["format"], summary["rows"]), ("vdjdb", 77_880))
        # A complex is a record, unless one of its rows is refused; a row of complex 0 is a complex of its own.
        complexes = {row["complex.id"] if row["complex.id"] != "0" else f"line {line}"
                     for line, row in enumerate(rows, 2)}
        self.assertEqual(len(complexes), 58_073)
        of_line = {str(line): row["complex.id"] if row["complex.id"] != "0" else f"line {line}"
                   for line, row in enumerate(rows, 2)}
        refused = {of_line[each["line"]] for each in report if each["action"] == "refused"}
        self.assertEqual(len(records), len(complexes - refused))
        self.assertEqual(len(records), 57_655)
        self.assertEqual(summary["refused_rows"], sum(name in refused for name in of_line.values()))
        odd_ends = [each for each in report if each["code"].startswith("no-conserved")
                    and of_line[each["line"]] not in refused]
        self.assertEqual(len(odd_ends), sum(text != "" and (text[0] != "C" or text[-1] not in "FW")
                                            for record in records for text in self.ends_by_j(record)))
        counts = self.counts(summary)
        self.check_vdjdb_genes(rows, counts, report)
        self.check_vdjdb_values(rows, counts, records)

    def check_vdjdb_genes(self, rows, counts, report):
        with open(product.ROOT / "data" / "human_tr_genes.csv", encoding="ascii") as file:
            genes = {row["gene"] for row in csv.DictReader(file)}
        first = [re.split("[,;]", row["v.segm"])[0].strip(" -") for row in rows]
        joining = [re.split("[,;]", row["j.segm"])[0].strip() for row in rows]
        # Names of before IMGT part family and gene by an S; TRBJ's translate where there is such a gene.
        old = re.compile(r"TR[AB][VJ]\d+S\d+")
        self.assertEqual(counts["refused v.segm gene-old-name"], sum(bool(old.match(name)) for name in first))
        self.assertEqual(counts["refused j.segm gene-old-name"],
                         sum(bool(old.match(name)) and re.sub(r"(TRBJ\d)S0*(\d+).*", r"\1-\2", name) not in genes
                             for name in joining))
        # A family, or members that the first call does not tell apart ("TRBV11/2"): no gene, but several begin so.
        refused = [first[int(each["line"]) - 2] for each in report
                   if each["code"] == "gene-family" and each["field"] == "v.segm"]
        self.assertEqual(len(refused), 195)
        for name in refused:
            family = re.match(r"TR[AB]V\d+", name).group()
            self.assertNotIn(name.split("*")[0], genes)
            self.assertGreater(sum(gene.startswith(family + "-") for gene in genes), 1, name)
        several = re.compile(r"-\d+/\d")  # "TRBV12-3/4*01": the allele is the second one's
        bad = {each["line"] for each in report if each["action"] == "refused" and each["field"] == "v.segm"}
        self.assertEqual(counts["changed v.segm allele-added"],
                         sum(name != "" and ("*" not in name or several.search(name) is not None)
                             and str(line) not in bad for line, name in enumerate(first, 2)))
        self.assertEqual(counts["changed v.segm allele-added"], 54_406)

    def check_vdjdb_values(self, rows, counts, records):
        self.assertEqual(counts["refused cdr3 cdr3-nucleotides"],
                         sum(bool(re.fullmatch("[ACGT]{10,}", row["cdr3"])) for row in rows))
        # Of a pair the alpha row says the MHC.
        leading = [row for row in rows if row["complex.id"] == "0" or row["gene"] == "TRA"]
        self.assertEqual(len(leading), 58_073)
        three_fields = re.compile(r"^(HLA-)?[A-Z0-9]+\*\d+:\d+:\d+")
        alleles = [row["mhc.a"].strip() for row in leading if row["mhc.b"].strip() in ("B2M", "")]
        self.assertGreaterEqual(counts["changed mhc.a mhc-shortened"], sum(bool(three_fields.match(a)) for a in alleles))
        canonical = re.compile(r"|HLA-(A|B|C|E|G|MICA|MICB|[A-Z]+\d*)\*\d+(:\d+[A-Z]?)?"
                               r"(/HLA-[A-Z]+\d*\*\d+(:\d+)?)?")
        for record in records:
            self.assertRegex(record["CDR3_alpha"] + record["CDR3_beta"], "^[ACDEFGHIKLMNPQRSTVWY]{4,80}$")
            self.assertRegex(record["V_alpha"], r"^(|TRAV[0-9]+(-[0-9]+)?(/DV[0-9]+)?\*[0-9]{2})$")
            self.assertRegex(record["V_beta"], r"^(|TRBV[A-Z0-9]+(-[0-9]+)?(/OR9-[0-9])?\*[0-9]{2})$")
            self.assertIsNotNone(canonical.fullmatch(record["MHC"]), record["MHC"])
            self.assertEqual(record["Label"], "1")
        self.assertEqual(counts["noticed  repeat"], 13_454)
        keys = [tuple(record[column] for column in record
                      if column.startswith(("CDR", "V_", "J_")) or column in ("Epitope", "MHC")) for record in records]
        self.assertEqual(counts["noticed  repeat"], len(keys) - len(set(keys)))

    def ends_by_j(self, record):
        """Both CDR3s, an alpha that ends as its J gene does by IMGT (TRAJ35: C) with an F for that."""
        alpha = record["CDR3_alpha"]
        if record["J_alpha"].startswith("TRAJ35") and alpha.endswith("C"):
            alpha = alpha[:-1] + "F"
        return alpha, record["CDR3_beta"]

    def test_measured_negatives(self):
        path = product.test_data("vdjdb") / "vdjdb_negative_human.tsv.gz"
        rows = rows_of(path, "\t")
        summary, records, _ = self.convert(path)
        self.assertEqual((summary["format"], summary["rows"], summary["records"]), ("vdjdb_full", 3132, 3132))
        self.assertEqual(len(rows), 3132)
        self.assertEqual({(record["Label"], record["Origin"]) for record in records}, {("0", "measured")})
        self.assertEqual([record["Epitope"] for record in records], [row["antigen.epitope"] for row in rows])
        counts = self.counts(summary)
        for chain in ("alpha", "beta"):
            for segment in "vj":
                self.assertEqual(counts[f"changed {segment}.{chain} allele-added"],
                                 sum(row[f"{segment}.{chain}"] != "" and "*" not in row[f"{segment}.{chain}"]
                                     for row in rows))
        self.assertEqual(counts["changed mhc.a mhc-not-hla"], 149)
        self.assertEqual(counts["changed mhc.a mhc-not-hla"], sum(record["MHC"] == "" for record in records))

    def test_immrep22(self):
        folder = product.test_data("immrep22_train")
        for name, number, positives in (("train.csv.gz", 11_437, 1901), ("controls.csv.gz", 10_550, 0),
                                        ("GILGFVFTL_recovered_positives.csv", 471, 471)):
            with self.subTest(name):
                rows = rows_of(folder / name, ",")
                summary, records, _ = self.convert(folder / name)
                self.assertEqual((summary["format"], summary["rows"], summary["records"]), ("immrep22", number, number))
                self.assertEqual((summary["refused_rows"], summary["changed_rows"]), (0, 0))
                self.assertEqual(sum(record["Label"] == "1" for record in records), positives)
                self.assertEqual(sum(row["Label"] == "1" for row in rows), positives)
                for row, record in zip(rows, records):
                    self.assertEqual([record[column] for column in ("CDR3_alpha", "CDR3_beta", "V_alpha", "J_alpha",
                                                                    "V_beta", "J_beta", "CDR1_alpha", "CDR2_beta")],
                                     [row[column] for column in ("TRA_CDR3", "TRB_CDR3", "TRAV", "TRAJ", "TRBV", "TRBJ",
                                                                 "A1", "B2")])
                    self.assertEqual(record["Epitope"], row.get("epitope", ""))
                if name == "train.csv.gz":
                    counts = self.counts(summary)
                    self.assertEqual(counts["noticed TRA_CDR3 no-conserved-c"],
                                     sum(row["TRA_CDR3"][0] != "C" for row in rows))
                    pairs = [tuple(row[column] for column in row if column not in ("Label", "A3", "B3")) for row in rows]
                    self.assertEqual(counts["noticed  repeat"], len(pairs) - len(set(pairs)))
                    self.assertEqual(counts["noticed  repeat"], 10)


if __name__ == "__main__":
    product.main()
