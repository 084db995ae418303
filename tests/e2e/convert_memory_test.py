"""Converting scattered cells takes memory that does not grow with the file, and loses no row."""

import csv
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import airr_rows  # noqa: E402
import product  # noqa: E402

# 80 MB and 240 MB: both more than what is held in memory before rows go to disk.
FEW, MANY = 200_000, 600_000
READ_LENGTH = 320
MOST_GROWTH_MIB = 40  # against 160 MB more of rows
MOST_MIB = 400


class ConvertMemoryTest(product.ProductCase):
    def peak(self, rows, *options):
        """MiB; the profile's numbers are checked too."""
        table = self.folder / f"{rows}.tsv"
        if not table.exists():
            airr_rows.write(table, rows, READ_LENGTH)
        words = product.command(["convert", table, "-o", "", "--json", *options])
        with open(self.folder / "summary", "wb") as out:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, env=product.environment())
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status  # so that its end is not looked for again
        self.assertEqual(status, 0)
        self.assertIn(f'"records": {rows // 2},', (self.folder / "summary").read_text())
        return usage.ru_maxrss / 1024

    def test_memory_does_not_grow_with_the_file(self):
        for options in ([], ["--profile", self.folder / "profile.json"]):
            with self.subTest(options=options):
                few, many = self.peak(FEW, *options), self.peak(MANY, *options)
                self.assertLess(many - few, MOST_GROWTH_MIB, f"{few:.0f} MiB, then {many:.0f} MiB")
                self.assertLess(many, MOST_MIB)

    def test_no_cell_is_lost_or_mixed_up(self):
        rows = 40_000
        airr_rows.write(self.folder / "table.tsv", rows)
        expected = {}
        with open(self.folder / "table.tsv", newline="", encoding="ascii") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                chain = "alpha" if row["locus"] == "TRA" else "beta"
                expected.setdefault(row["cell_id"], {})[f"CDR3_{chain}"] = row["junction_aa"]
        self.assertEqual(len(expected), rows // 2)
        self.ok(["convert", self.folder / "table.tsv", "-o", self.folder / "out.csv"])
        with open(self.folder / "out.csv", newline="", encoding="ascii") as file:
            found = {row["cell_id"]: {column: row[column] for column in ("CDR3_alpha", "CDR3_beta")}
                     for row in csv.DictReader(file)}
        self.assertEqual(found, expected)


if __name__ == "__main__":
    product.main()
