"""Every damaged example: how it ends, and that nothing passes unnoticed."""

import csv
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402

SECONDS = 20
CLEAN = "benchmark_pairs.csv"
# Files that cannot be read to the end: parts of the message.
REFUSED = {
    "10x_no_productive.csv": ("none of the 1 rows can be used", "line 2: productive: not a productive chain"),
    "bad_crc.csv.gz": ("bad_crc.csv.gz: ", "damaged", "incorrect data check"),
    "duplicate_column.csv": ("duplicate_column.csv:1: ", '"V_alpha" stands twice'),
    "embedded_quotes.csv": ("embedded_quotes.csv:3: ", "quote opened in this record is never closed"),
    "empty.csv": ("empty.csv: the file is empty",),
    "header_only.csv": ("header_only.csv: no row follows the column names",),
    "header_only_no_newline.csv": ("header_only_no_newline.csv: no row follows the column names",),
    "many_columns.csv": ("many_columns.csv:1: ", "no column holds a CDR3", "--map"),
    "nul_bytes.csv": ("nul_bytes.csv:3: a NUL byte",),
    "one_mb_line_no_newline.csv": ("one_mb_line_no_newline.csv:1: ", "no column holds a CDR3"),
    "only_newlines.csv": ("only_newlines.csv: the file is empty",),
    "trailing_garbage.csv.gz": ("trailing_garbage.csv.gz: ", "bytes that are not gzip follow"),
    "truncated.csv.gz": ("truncated.csv.gz: ", "cut off"),
    "utf16.csv": ("utf16.csv:1: a NUL byte", "UTF-8"),
}
# Files that are read: rows, records, and how often (action, column, code) is found.
READ = {
    # As airr_rearrangement.tsv, whose booleans are T and F.
    "airr_bool_true.tsv": (17, 8, {
        "refused locus further-chain": 1, "refused locus other-chain": 1, "refused productive not-productive": 1,
        "refused junction_aa no-cdr3": 1, "changed v_call first-of-several": 1, "changed v_call allele-added": 1,
        "changed j_call allele-added": 1}),
    "airr_missing_required.tsv": (1, 1, {}),
    # Two with wrong letters, one modified, two too short or long; a missing epitope and one with its allele stay.
    "bad_epitope.csv": (8, 2, {"refused Epitope epitope-letter": 2, "refused Epitope epitope-modified": 1,
                               "refused Epitope epitope-length": 2, "refused  ragged": 1}),
    "bad_genes.csv": (10, 6, {
        "refused V_alpha gene-unknown": 1, "refused V_alpha gene-other-kind": 1, "refused V_alpha gene-other-locus": 1,
        "refused  ragged": 1, "changed V_alpha gene-spelling": 4, "changed V_alpha allele-added": 3,
        "noticed V_alpha allele-unlisted": 1, "noticed  repeat": 2}),
    # Labels 2, 0.5 and 1e0; -1 is a negative, and contradicts the others.
    "bad_label.csv": (8, 8, {"changed Label label-unknown": 3}),
    "blank_lines.csv": (3, 2, {"refused  ragged": 1}),
    "conflicting_labels.csv": (2, 2, {"noticed  contradiction": 1}),
    "duplicate_rows.csv": (4, 4, {"noticed  repeat": 2}),
    "embedded_newline.csv": (2, 1, {"refused CDR3_alpha cdr3-letter": 1}),
    "formula_injection.csv": (1, 1, {}),
    "invalid_utf8.csv": (16, 15, {"refused CDR3_beta cdr3-letter": 1}),
    # The row with neither chain.
    "missing_column.csv": (16, 15, {"refused CDR3_beta no-cdr3": 1}),
    # X, BZUOJ, *, _, -, lower case, a blank, a digit and a Cyrillic letter; nucleotides; then five missing ones.
    "non_amino_acid.csv": (15, 5, {"refused CDR3_beta cdr3-letter": 9, "refused CDR3_beta cdr3-nucleotides": 1,
                                   "noticed  repeat": 4}),
    "one_mb_line.csv": (2, 1, {"refused CDR3_beta cdr3-length": 1}),
    "ragged_long.csv": (2, 1, {"refused  ragged": 1}),
    "ragged_short.csv": (3, 2, {"refused  ragged": 1}),
    "quoted_comma_ok.csv": (1, 1, {"changed MHC first-of-several": 1}),
}
# Files that hold the clean table, or its first rows, in other bytes.
SAME = {"bom.csv": 16, "crlf.csv": 16, "cr_only.csv": 16, "mixed_eol.csv": 16, "no_final_newline.csv": 16,
        "gzip_named_csv.csv": 16, "not_gzip.csv.gz": 16, "tab_in_csv.csv": 16, "wrong_delimiter_semicolon.csv": 16,
        "concatenated_members.csv.gz": 2}
# What stderr says of files that are read all the same.
WARNED = {"airr_missing_required.tsv": "demands columns that are not there: sequence_id",
          "missing_column.csv": 'there is no column "CDR3_beta"', "not_gzip.csv.gz": "not compressed"}


class BadFormatsTest(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bad = product.test_data("formats") / "bad"

    def convert(self, path):
        """(summary, records) of a conversion that must work."""
        done = self.ok(["convert", path, "-o", self.folder / "out.csv", "--json"], timeout=SECONDS)
        self.assertIn(WARNED.get(path.name, ""), done.stderr)
        self.assertEqual("warning" in done.stderr, path.name in WARNED, done.stderr)
        with open(self.folder / "out.csv", newline="", encoding="utf-8") as file:
            return json.loads(done.stdout), list(csv.reader(file))

    def test_every_file_is_in_a_table(self):
        files = sorted(path.name for path in self.bad.iterdir() if path.name != "SHA256SUMS")
        self.assertEqual(files, sorted([*REFUSED, *READ, *SAME]))

    def test_files_that_cannot_be_read(self):
        for name, parts in REFUSED.items():
            with self.subTest(name):
                self.fails(product.INPUT, ["convert", self.bad / name, "-o", self.folder / "none"], *parts,
                           timeout=SECONDS)
                self.assertFalse((self.folder / "none").exists())

    def test_files_with_findings(self):
        for name, (rows, records, findings) in READ.items():
            with self.subTest(name):
                summary, written = self.convert(self.bad / name)
                found = {f"{each['action']} {each['field']} {each['code']}": each["count"]
                         for each in summary["cleaning"]}
                if name == "bad_label.csv":
                    self.assertGreaterEqual(found.pop("noticed  contradiction"), 1)
                    found.pop("noticed  repeat", None)
                self.assertEqual((summary["rows"], summary["records"], found), (rows, records, findings))
                self.assertEqual(len(written) - 1, records)

    def test_files_that_are_the_clean_table(self):
        _, clean = self.convert(self.bad.parent / CLEAN)
        for name, records in SAME.items():
            with self.subTest(name):
                summary, written = self.convert(self.bad / name)
                self.assertEqual(summary["cleaning"], [])
                self.assertEqual(written, clean[:records + 1])

    def test_the_same_through_a_pipe(self):
        for path in sorted(self.bad.iterdir()):
            if path.name == "SHA256SUMS":
                continue
            with self.subTest(path.name):
                done = subprocess.run(product.command(["convert", "-", "-o", self.folder / "piped.csv", "--quiet"]),
                                      input=path.read_bytes(), capture_output=True, env=product.environment(),
                                      timeout=SECONDS, check=False)
                self.assertNotIn(b"internal error", done.stderr)
                self.assertEqual(done.returncode, product.INPUT if path.name in REFUSED else product.OK, done.stderr)
                if path.name in REFUSED:
                    self.assertIn(b"stdin:", done.stderr)

    def test_labels(self):
        _, written = self.convert(self.bad / "bad_label.csv")
        self.assertEqual([row[9] for row in written], ["Label", "", "0", "1", "", "", "1", "1", ""])

    def test_a_formula_stays_text(self):
        _, written = self.convert(self.bad / "formula_injection.csv")
        self.assertEqual(written[1][written[0].index("clone_id")], "=cmd|A1")

    def test_bytes_that_are_no_text_end_with_a_message(self):
        source = (self.bad.parent / CLEAN).read_bytes()
        for number, data in enumerate((b"\x00" * 1000, bytes(range(256)) * 20, b"\xff" * 5000, source[:100] + b"\x00",
                                       b"\x1f\x8b" + b"\x00" * 100, b"PK\x03\x04" + b"\xff" * 100,
                                       b"\x28\xb5\x2f\xfd" + b"\x01" * 100, b"%PDF-1.4\n" + b"\x80" * 500)):
            path = self.folder / f"bytes{number}.csv"
            path.write_bytes(data)
            with self.subTest(number):
                done = self.fails(product.INPUT, ["convert", path, "-o", self.folder / "none"], path.name,
                                  timeout=SECONDS)
                self.assertTrue(done.stderr.isprintable() or done.stderr.replace("\n", "").isprintable())


if __name__ == "__main__":
    product.main()
