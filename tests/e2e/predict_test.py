"""The table that `predict` writes."""

import json
import math
import os
import pathlib
import select
import stat
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import OK, QUICKSTART, TERMINATED, prepared, read_table, write_table  # noqa: E402


class Predict(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.rows = read_table((product.named(prepared(), "quickstart.raw") / "table.csv").read_text())

    def predict(self, *args, **options):
        return self.ok(["predict", "--model", "quickstart.model", *args], store=prepared(), **options)

    def scored(self, rows, separator=","):
        path = write_table(self.folder / "in.csv", rows, separator)
        return product.brief(read_table(self.predict("--input", path).stdout, separator))

    def scores(self, rows):
        return [row[-3] for row in self.scored(rows)[1:]]

    def test_every_row_in_order_whatever_its_place(self):
        """Over several blocks of rows, with unusable ones between; a row's score does not depend on its place."""
        header, rows = self.rows[0], self.rows[1:]
        once = dict(zip(map(tuple, rows), (row[-3:] for row in self.scored(self.rows)[1:])))
        many = []
        for number in range(20_000):
            row = list(rows[(number * 7) % len(rows)])
            if number % 97 == 5:
                row[1] = "CASSXF"
            elif number % 997 == 6:
                row = row[:4]
            many.append(row + ([str(number)] if len(row) > 4 else []))
        path = write_table(self.folder / "many.csv", [header + ["number"], *many])
        output = self.folder / "scored.csv"
        done = self.predict("--input", path, "--output", output, "--json")
        summary = json.loads(done.stdout)
        scored = product.brief(read_table(output.read_text()))
        self.assertEqual(scored[0], header + ["number", "score", "call", "problem"])
        self.assertEqual(len(scored), len(many) + 1)
        unusable = 0
        for number, (given, got) in enumerate(zip(many, scored[1:])):
            self.assertEqual(got[:11], given + [""] * (11 - len(given)))
            if len(given) < 11:
                problem = "4 fields, but the header has 11"
            elif given[1] == "CASSXF":
                problem = "CDR3_beta: letter 'X'"
            else:
                self.assertEqual(got[11:], once[tuple(given[:10])], number)
                continue
            unusable += 1
            self.assertEqual(got[11:13], ["", ""])
            self.assertIn(problem, got[13])
        self.assertEqual((summary["rows"], summary["unusable"]), (20_000, unusable))
        self.assertEqual(summary["called"], sum(row[12] == "1" for row in scored[1:]))
        self.assertIn(f"{unusable} of 20000 rows have no score", done.stderr)

    def test_as_evaluate_scored_them(self):
        evaluated = read_table((product.named(prepared(), "quickstart.evaluation") / "scores.csv").read_text())
        table = {(row[0], row[1], row[6]): row for row in self.rows[1:]}
        scored = self.scored([self.rows[0], *(table[tuple(row[:3])] for row in evaluated[1:])])
        self.assertGreater(len(evaluated), 50)
        threshold = json.loads((product.named(prepared(), "quickstart.model") / "model.json").read_text())["threshold"]
        for one, other in zip(evaluated[1:], scored[1:], strict=True):
            self.assertEqual(format(float(one[4]), ".7g"), format(float(other[-3]), ".7g"))
            self.assertEqual(float(one[4]) >= threshold, other[-2] == "1")

    def test_as_the_pipeline_predicted_them(self):
        predicted = read_table((product.named(prepared(), "quickstart.predictions") / "predictions.csv").read_text())
        self.assertEqual(predicted[0][10:], product.ANSWERS[:-1])
        path = write_table(self.folder / "in.csv", [row[:10] for row in predicted])
        self.assertEqual([row[10:-1] for row in read_table(self.predict("--input", path).stdout)[1:]],
                         [row[10:] for row in predicted[1:]])

    def test_other_columns_are_kept(self):
        note = 'says "yes", twice\nand öäü'
        rows = [["note", *reversed(self.rows[0]), ""]]
        rows += [[note, *reversed(row), " x "] for row in self.rows[1:21]]
        scored = self.scored(rows)
        self.assertEqual([row[:-3] for row in scored], rows)
        self.assertEqual([row[-3] for row in scored[1:]], self.scores(self.rows[:21]))

    def test_plain(self):
        path = write_table(self.folder / "in.csv", self.rows)
        plain = read_table(self.predict("--input", path, "--plain").stdout)
        self.assertEqual(plain[0][-3:], ["score", "call", "problem"])
        self.assertEqual(plain, self.scored(self.rows))

    def columns(self, rows):
        path = write_table(self.folder / "in.csv", rows)
        header, *scored = read_table(self.predict("--input", path).stdout)
        self.assertEqual(header[-len(product.ANSWERS):], product.ANSWERS)
        return [dict(zip(product.ANSWERS, row[-len(product.ANSWERS):])) for row in scored]

    def test_flags(self):
        """A made-up epitope and TCR are far from training, training rows are not."""
        header, *rows = self.rows
        model = product.named(prepared(), "quickstart.model")
        known = {tuple(row[:2]) for row in read_table((model / "training_tcrs.csv").read_text())[1:]}
        trained = [row for row in rows if tuple(row[:2]) in known][:20]
        for answer in self.columns([header, *trained]):
            self.assertEqual((answer["nearest_tcr"], answer["nearest_epitope"], answer["flags"]), ("1.000", "0", ""))
        at = {name: header.index(name) for name in header}
        epitope, tcr, both = (list(trained[0]) for _ in range(3))
        for row in (epitope, both):
            row[at["Epitope"]] = row[at["Epitope"]][:-1] + ("A" if row[at["Epitope"]][-1] != "A" else "C")
        for row in (tcr, both):
            row[at["CDR3_alpha"]], row[at["CDR3_beta"]] = "CWWHHWWF", "CMMPPHHWWF"
        answers = self.columns([header, epitope, tcr, both])
        self.assertEqual([answer["flags"] for answer in answers],
                         ["unseen_epitope", "far_from_training", "unseen_epitope;far_from_training"])
        self.assertEqual([answer["nearest_epitope"] for answer in answers], ["1", "0", "1"])
        self.assertTrue(all(answer["score"] and answer["percentile"] for answer in answers))
        path = write_table(self.folder / "in.csv", [header, epitope, tcr, both])
        summary = json.loads(self.predict("-i", path, "-o", self.folder / "out.csv", "--json").stdout)
        self.assertEqual((summary["unseen_epitope"], summary["far_from_training"], summary["background"]), (2, 2, "training"))

    def test_percentiles(self):
        """As counted by hand: the background in the row's place, without those that bind its epitope."""
        header, *rows = self.rows
        model = product.named(prepared(), "quickstart.model")
        background_header, *background = read_table((model / "background.csv").read_text())
        self.assertEqual(json.loads((model / "model.json").read_text())["background"]["tcrs"], len(background))
        at = {name: header.index(name) for name in header}
        for row in rows[:3]:
            others = []
            for tcr in background:
                named = dict(zip(background_header, tcr))
                if row[at["Epitope"]] in named["Binds"].split(";"):
                    continue
                others.append([row[at[name]] if name in ("Epitope", "MHC") else named[name] for name in header])
            scores = [float(score) for score in self.scores([header, *others])]
            answer, = self.columns([header, row])
            share = 100 * sum(score >= float(answer["score"]) for score in scores) / len(scores)
            self.assertAlmostEqual(float(answer["percentile"]), share, delta=0.06 * share + 1e-3)

    def test_probabilities(self):
        """As the curves of model.json give them, and they rise with the score."""
        header, *rows = self.rows
        curves = json.loads((product.named(prepared(), "quickstart.model") / "model.json").read_text())["calibration"]
        self.assertEqual((curves["method"], curves["rows"]), ("platt", "validation"))
        for row, answer in zip(rows[:50], self.columns([header, *rows[:50]])):
            score = float(answer["score"])
            curve = curves["epitopes"].get(row[header.index("Epitope")], curves["pooled"])
            if 1e-4 < score < 1 - 1e-4:
                logit = math.log(score / (1 - score))
                expected = 1 / (1 + math.exp(-curve["slope"] * logit - curve["intercept"]))
                self.assertAlmostEqual(float(answer["probability"]), expected, delta=1e-3)

    def test_networks_of_a_study(self):
        """They are networks and no more, as all models were before: the columns are there and empty."""
        study = json.loads((product.named(prepared(), "quickstart.study") / "manifest.json").read_text())
        path = write_table(self.folder / "in.csv", self.rows[:21])
        done = self.ok(["predict", "--model", study["parents"]["model-1"], "--input", path], store=prepared())
        header, *rows = read_table(done.stdout)
        self.assertEqual(header[-8:], product.ANSWERS)
        self.assertTrue(all(row[-8] and row[-7:-2] == [""] * 5 for row in rows))
        self.assertEqual([row[-8] for row in rows], self.scores(self.rows[:21]))

    def test_labels_do_not_matter(self):
        bare = [row[:-1] for row in self.rows[:21]]
        self.assertEqual(self.scores(bare), self.scores(self.rows[:21]))
        for label in ("NA", "?", "2"):
            self.assertEqual(self.scores([self.rows[0], *([*row, label] for row in bare[1:])]), self.scores(bare))

    def test_tabs(self):
        scored = self.scored(self.rows[:21], "\t")
        self.assertEqual([row[:-3] for row in scored], self.rows[:21])
        self.assertEqual([row[-3] for row in scored[1:]], self.scores(self.rows[:21]))

    def test_tabs_after_blank_lines_and_through_a_pipe(self):
        path = write_table(self.folder / "in.tsv", self.rows[:21], "\t")
        plain = self.predict("--input", path).stdout
        path.write_text("\n\r\n" + path.read_text())
        self.assertEqual(self.predict("--input", path).stdout, plain)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], prepared()),
                              input=path.read_text(), env=product.environment(), capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)

    def test_large_rows(self):
        """More than one block by size, not by number of rows: in order, and in bounded memory."""
        def peak(rows):
            path = write_table(self.folder / "in.csv", rows)
            process = product.start(["predict", "-m", "quickstart.model", "-i", path], store=prepared())
            message = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stderr.close()
            self.assertEqual(process.returncode, OK, message)
            return usage.ru_maxrss * 1024

        wide = [[*row, "x" * 100_000] for row in self.rows[:201]]
        scored = self.scored(wide)
        self.assertEqual([row[:-3] for row in scored], wide)
        self.assertEqual([row[-3] for row in scored[1:]], self.scores(self.rows[:201]))
        self.assertLess(peak(wide[:1] + wide[1:] * 5) - peak(self.rows), 128 << 20)

    def test_byte_order_mark_and_line_ends(self):
        path = write_table(self.folder / "in.csv", self.rows[:21])
        plain = self.predict("--input", path).stdout
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertEqual(self.predict("--input", path).stdout, plain)

    def test_names_that_are_taken(self):
        rows = [["score", "problem", *self.rows[0]], *([["0.5", "none", *row] for row in self.rows[1:5]])]
        scored = self.scored(rows)
        self.assertEqual(scored[0], rows[0] + ["tcrops_score", "call", "tcrops_problem"])
        self.assertEqual([row[:-3] for row in scored], rows)
        # A result is a valid input.
        twice = write_table(self.folder / "once.csv",
                            read_table(self.predict("--input", write_table(self.folder / "in.csv", self.rows[:5])).stdout))
        twice = read_table(self.predict("--input", twice).stdout)
        count = len(product.ANSWERS)
        self.assertEqual(twice[0][-2 * count:], product.ANSWERS + [f"tcrops_{name}" for name in product.ANSWERS])
        self.assertEqual([row[-count:] for row in twice[1:]], [row[-2 * count:-count] for row in twice[1:]])
        thrice = self.scored(twice)
        self.assertEqual(len(set(thrice[0])), len(thrice[0]))

    def test_stdin_and_stdout(self):
        path = write_table(self.folder / "in.csv", self.rows)
        plain = self.predict("--input", path).stdout
        with open(path, encoding="utf-8") as file:
            done = subprocess.run(product.command(["predict", "--model", "quickstart.model", "-i", "-", "-o", "-"],
                                                  prepared()), stdin=file, env=product.environment(),
                                  capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], prepared()),
                              input=path.read_text(), env=product.environment(), capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)
        self.assertEqual(self.ok(["predict", *QUICKSTART, "--input", path], store=prepared()).stdout, plain)

    def test_output_to_a_pipe(self):
        path = write_table(self.folder / "in.csv", self.rows)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        read = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
        reader.start()
        self.predict("--input", path, "--output", pipe)
        reader.join(10)
        self.assertEqual(read, [self.predict("--input", path).stdout])
        self.assertTrue(stat.S_ISFIFO(pipe.lstat().st_mode))
        self.assertEqual(sorted(os.listdir(self.folder)), ["in.csv", "pipe"])

    def test_output_to_a_pipe_that_closes(self):
        rows = [self.rows[0], *([*row[:-1], "x" * 1000] for row in self.rows[1:])]
        path = write_table(self.folder / "in.csv", rows)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        process = product.start(["predict", "-m", "quickstart.model", "-i", path, "-o", pipe], store=prepared())
        ready, _, _ = select.select([end], [], [], 30)
        start = os.read(end, 4) if ready else b""
        os.close(end)
        _, message = process.communicate(timeout=60)
        self.assertEqual((process.returncode, message), (product.READER_GONE, ""))
        self.assertEqual(start, b"CDR3")

    def test_output_to_a_pipe_without_a_reader_can_be_stopped(self):
        path = write_table(self.folder / "in.csv", self.rows)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        process = product.start(["predict", "-m", "quickstart.model", "-i", path, "-o", pipe], store=prepared())
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(2)
        process.terminate()
        _, message = process.communicate(timeout=60)
        self.assertEqual(process.returncode, TERMINATED, message)

    def test_output_to_a_device(self):
        """By a link, so that a program that replaces what it finds harms only the link."""
        path = write_table(self.folder / "in.csv", self.rows[:21])
        link = self.folder / "null"
        link.symlink_to("/dev/null")
        self.predict("--input", path, "--output", link)
        self.assertEqual(os.readlink(link), "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        link = self.folder / "stdout"
        link.symlink_to("/proc/self/fd/1")
        done = self.predict("--input", path, "--output", link)
        self.assertTrue(done.stdout.startswith(self.predict("--input", path).stdout))

    def test_output_through_links(self):
        path = write_table(self.folder / "in.csv", self.rows[:21])
        plain = self.predict("--input", path).stdout
        (self.folder / "deep").mkdir()
        target = self.folder / "deep" / "scored.csv"
        (self.folder / "deep" / "second").symlink_to("scored.csv")
        link = self.folder / "link"
        link.symlink_to("deep/second")
        for before in (None, "old"):
            if before:
                target.write_text(before)
            self.predict("--input", path, "--output", link)
            self.assertEqual(target.read_text(), plain)
            self.assertEqual((os.readlink(link), os.readlink(target.parent / "second")), ("deep/second", "scored.csv"))
            self.assertEqual(sorted(os.listdir(target.parent)), ["scored.csv", "second"])

    def test_long_header(self):
        rows = [row + [f"column_{number}" for number in range(2000)] for row in self.rows[:3]]
        text = write_table(self.folder / "in.tsv", rows, "\t").read_text()
        plain = self.predict("--input", self.folder / "in.tsv").stdout
        self.assertEqual([row[:-3] for row in product.brief(read_table(plain, "\t"))], rows)
        done = subprocess.run(product.command(["predict", "-m", "quickstart.model", "-i", "-"], prepared()), input=text,
                              env=product.environment(), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (OK, plain), done.stderr)

    def test_models_by_id(self):
        path = write_table(self.folder / "in.csv", self.rows[:5])
        identifier = product.names(prepared())["quickstart.model"]
        for reference in (identifier, identifier[:12], identifier[:6]):
            done = self.ok(["predict", "--model", reference, "--input", path], store=prepared())
            self.assertEqual(done.stdout, self.predict("--input", path).stdout)


if __name__ == "__main__":
    product.main()
