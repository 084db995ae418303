"""artifacts lineage and diff: where something comes from, and what differs."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, FAILURE, OK, QUICKSTART, USAGE, directories, ids, named, names,  # noqa: E402
                     prepared, run)
from archives import ArchiveCase, sha256  # noqa: E402


class Lineage(ArchiveCase):
    def test_back_to_the_raw_file(self):
        lineage = self.json_of("lineage", "quickstart.predictions", store=prepared())
        self.assertEqual(lineage["schema"], "tcrops.lineage/1")
        self.assertEqual(lineage["root"], names(prepared())["quickstart.predictions"])
        nodes = {node["id"]: node for node in lineage["nodes"]}
        self.assertEqual(len(nodes), len(lineage["nodes"]))
        raw, = (node for node in nodes.values() if node["kind"] == "raw")
        table = (named(prepared(), "quickstart.raw") / "table.csv").read_bytes()
        truth = (named(prepared(), "quickstart.raw") / "truth.json").read_bytes()
        self.assertEqual(raw["files"], [{"name": name, "bytes": len(data), "sha256": sha256(data)}
                                        for name, data in (("table.csv", table), ("truth.json", truth))])
        self.assertEqual(raw["names"], ["quickstart.raw"])
        self.assertIn("made up", raw["licence"])
        for node in nodes.values():
            manifest = json.loads((directories(prepared())[node["id"]] / "manifest.json").read_text())
            self.assertEqual((node["kind"], node["stage"], node["seed"]),
                             (manifest["kind"], manifest["stage"], manifest["seed"]))
            self.assertEqual({edge["role"]: edge["from"] for edge in lineage["edges"] if edge["to"] == node["id"]},
                             manifest["parents"])
            self.assertIsNotNone(node["made"])
            self.assertIsNone(node["problem"])
        versions = [version for node in nodes.values() for version in node["versions"]]
        self.assertIn("quickstart", {version["model"] for version in versions})

    def test_origin_of_a_file(self):
        table = named(prepared(), "quickstart.raw") / "table.csv"
        shutil.copy(table, self.folder / "pairs.csv")
        self.ok(["fetch", "--config", QUICKSTART[1], "--set", "fetch.source=file",
                 "--set", f"fetch.file={self.folder / 'pairs.csv'}"], store=self.store)
        node, = self.json_of("lineage", "quickstart.raw", store=self.store)["nodes"]
        self.assertEqual(node["read_from"], str(self.folder / "pairs.csv"))
        self.assertEqual(node["files"][0]["sha256"], sha256(table.read_bytes()))

    def test_tree(self):
        text = self.ok(["artifacts", "lineage", "quickstart.predictions"], store=prepared()).stdout
        table = (named(prepared(), "quickstart.raw") / "table.csv").read_bytes()
        self.assertEqual(text.count(sha256(table)), 1)
        self.assertIn("quickstart.model", text)
        self.assertIn("as above", text)
        down = self.ok(["artifacts", "lineage", "--down", "quickstart.raw"], store=prepared()).stdout
        for identifier in ids(prepared()):
            self.assertIn(identifier[:12], down)

    def test_dot(self):
        self.copy()
        # A name that would end the label.
        (self.store / "names" / 'a"b\\').write_text(names(self.store)["quickstart.raw"] + "\n")
        text = self.ok(["artifacts", "lineage", "quickstart.predictions", "--format", "dot"], store=self.store).stdout
        lines = text.splitlines()
        self.assertEqual(lines[0], "digraph lineage {")
        self.assertEqual(lines[-1], "}")
        quoted = r'"(?:[^"\\]|\\.)*"'
        statement = re.compile(rf'  (rankdir=LR|node \[[a-z=, ]+\]|{quoted}( -> {quoted})? '
                               rf'\[label={quoted}(, color=red)?\]);')
        for line in lines[1:-1]:
            self.assertTrue(statement.fullmatch(line), line)
        if shutil.which("dot"):
            drawn = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=False)
            self.assertEqual(drawn.returncode, 0, drawn.stderr)
            self.assertIn("<svg", drawn.stdout)

    def test_damaged_ancestors(self):
        self.copy()
        raw = named(self.store, "quickstart.raw")
        (raw / "table.csv").chmod(0o644)
        (raw / "table.csv").write_text("short")
        done = run(["artifacts", "lineage", "quickstart.predictions"], store=self.store)
        self.assertEqual(done.returncode, ARTIFACT, done.stderr)
        self.assertIn("damaged: table.csv", done.stdout)
        self.assertIn("1 of 8 artifacts", done.stderr)
        shutil.rmtree(raw)
        done = run(["artifacts", "lineage", "quickstart.predictions", "--json"], store=self.store)
        self.assertEqual(done.returncode, ARTIFACT, done.stderr)
        problems = {node["id"]: node["problem"] for node in json.loads(done.stdout)["nodes"] if node["problem"]}
        self.assertEqual(problems, {raw.name: "missing"})
        self.fails(ARTIFACT, ["artifacts", "lineage", "quickstart.nothing"], "quickstart.nothing", store=self.store)
        self.fails(USAGE, ["artifacts", "lineage", "quickstart.model", "--format", "pdf"], "pdf", store=self.store)


class Diff(ArchiveCase):
    def second(self, *settings):
        """`self.store` with the prepared pipeline and one that differs; (name -> id) of both."""
        before = names(self.copy())
        self.ok(["run", *QUICKSTART, *settings], store=self.store)
        return before, names(self.store)

    def diff(self, name, before, after, *more):
        return self.json_of("diff", before[name], after[name], *more, store=self.store)

    def test_studies(self):
        before, after = self.second("--set", "tune.trials=4")
        found = self.diff("quickstart.study", before, after)
        self.assertEqual([(cause["at"], cause["path"], cause["a"], cause["b"]) for cause in found["causes"]],
                         [([], "configuration.tune.trials", 3, 4)])
        self.assertEqual([field["path"] for field in found["fields"] if field["path"].startswith("configuration")],
                         ["configuration.tune.trials"])
        self.assertEqual([file["name"] for file in found["files"]], ["trials.json"])
        text = self.ok(["artifacts", "diff", before["quickstart.study"], after["quickstart.study"]],
                       store=self.store).stdout
        self.assertIn("Because of", text)

    def test_models_of_other_data(self):
        before, after = self.second("--set", "seed=43")
        found = self.diff("quickstart.model", before, after)
        self.assertFalse(found["same"])
        causes = {(tuple(cause["at"]), cause["path"]): (cause["a"], cause["b"]) for cause in found["causes"]}
        self.assertEqual(causes[("dataset", "raw"), "seed"], (42, 43))
        paths = {field["path"] for field in found["fields"]}
        self.assertIn("facts.metrics.validation.auroc", paths)
        self.assertIn("parents.dataset", paths)
        evaluation = self.diff("quickstart.evaluation", before, after)
        self.assertIn((["dataset", "raw"], "seed"), [(cause["at"], cause["path"]) for cause in evaluation["causes"]])

    def test_exit_status(self):
        same = ["artifacts", "diff", "quickstart.model", "quickstart.model"]
        other = ["artifacts", "diff", "quickstart.model", "quickstart.raw"]
        self.assertEqual(run([*same, "--exit-code"], store=prepared()).returncode, OK)
        self.assertEqual(run(other, store=prepared()).returncode, OK)
        done = run([*other, "--exit-code"], store=prepared())
        self.assertEqual((done.returncode, done.stderr), (FAILURE, ""))
        self.assertTrue(self.json_of(*same[1:], store=prepared())["same"])


if __name__ == "__main__":
    product.main()
