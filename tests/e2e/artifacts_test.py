"""artifacts lineage, diff, export and import: what they say, and what archives from anywhere may not do."""

import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, FAILURE, INPUT, OK, PROGRAM, QUICKSTART, TEMPORARY, USAGE,  # noqa: E402
                     directories, ids, named, names, prepared, run)

INDEX = "tcrops-archive.json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def canonical(value):
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def read_archive(path):
    """[(TarInfo, bytes)] in order."""
    with tarfile.open(path) as archive:
        return [(member, archive.extractfile(member).read() if member.isfile() else b"") for member in archive]


def write_archive(path, members):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def entry(name, kind=tarfile.REGTYPE, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def signed(index):
    """The bytes of an index that says it was not changed."""
    index = {key: value for key, value in index.items() if key != "sha256"}
    return canonical({**index, "sha256": sha256(canonical(index))})


class Case(product.ProductCase):
    def json_of(self, *args, store):
        return json.loads(self.ok(["artifacts", *args, "--json"], store=store).stdout)

    def exported(self, *references, name="archive.tar", store=None):
        path = self.folder / name
        self.ok(["artifacts", "export", *references, "--output", path], store=store or prepared())
        return path


class Lineage(Case):
    def test_back_to_the_raw_file(self):
        lineage = self.json_of("lineage", "quickstart.predictions", store=prepared())
        self.assertEqual(lineage["schema"], "tcrops.lineage/1")
        self.assertEqual(lineage["root"], names(prepared())["quickstart.predictions"])
        nodes = {node["id"]: node for node in lineage["nodes"]}
        self.assertEqual(len(nodes), len(lineage["nodes"]))
        raw, = (node for node in nodes.values() if node["kind"] == "raw")
        table = (named(prepared(), "quickstart.raw") / "table.csv").read_bytes()
        self.assertEqual(raw["files"], [{"name": "table.csv", "bytes": len(table), "sha256": sha256(table)}])
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


class Diff(Case):
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


class RoundTrip(Case):
    def test_everything_is_reused(self):
        references = [f"quickstart.{kind}" for kind in ("evaluation", "predictions", "check")]
        for name in ("archive.tar", "archive.tar.gz", "archive.tar.zst"):
            with self.subTest(name=name):
                shutil.rmtree(self.store, ignore_errors=True)
                archive = self.exported(*references, name=name)
                result = self.json_of("import", archive, store=self.store)
                self.assertEqual(result["schema"], "tcrops.import/1")
                self.assertEqual(len(result["added"]), len(ids(prepared())))
                self.assertEqual({root["reference"] for root in result["roots"]}, set(references))
                self.assertEqual(result["present"], [])
                self.assert_verifies(self.store)
                self.assert_same_artifacts(self.store, prepared())
                self.assertEqual(product.leftovers(self.store), [])
                self.assertEqual(names(self.store), {})
                again = self.json_of("import", archive, store=self.store)
                self.assertEqual((again["added"], len(again["present"])), ([], len(ids(prepared()))))
        plan = json.loads(self.ok(["run", *QUICKSTART, "--dry-run", "--json"], store=self.store).stdout)
        actions = {stage["stage"]: stage["action"] for stage in plan["stages"]}
        self.assertEqual({actions.pop("serve-check")} - {"always", "reuse"}, set())
        self.assertEqual(set(actions.values()), {"reuse"}, plan)

    def test_equal_bytes(self):
        for suffix in ("tar", "tar.gz", "tar.zst"):
            first = self.exported("quickstart.model", name=f"first.{suffix}")
            time.sleep(1.1)  # gzip counts time in seconds
            second = self.exported("quickstart.model", name=f"second.{suffix}")
            self.assertEqual(first.read_bytes(), second.read_bytes())
        self.ok(["artifacts", "import", self.folder / "first.tar", "--as", "quickstart.model"], store=self.store)
        third = self.exported("quickstart.model", name="third.tar", store=self.store)
        self.assertEqual(third.read_bytes(), (self.folder / "first.tar").read_bytes())
        for member, _ in read_archive(third):
            self.assertEqual((member.mtime, member.uid, member.gid, member.uname, member.gname), (0, 0, 0, "", ""))

    def test_streams(self):
        words = [*product.command(["artifacts", "export", "quickstart.model", "--output", "-"], prepared())]
        taken = product.command(["artifacts", "import", "-", "--as", "served.model"], self.store)
        script = subprocess.run(words, capture_output=True, env=product.environment(), check=True).stdout
        self.assertEqual(script, self.exported("quickstart.model").read_bytes())
        done = subprocess.run(taken, input=script, capture_output=True, env=product.environment(), check=False)
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(names(self.store), {"served.model": names(prepared())["quickstart.model"]})
        self.ok(["predict", "--model", "served.model", "--input",
                 named(prepared(), "quickstart.model") / "examples.csv"], store=self.store)

    def test_delta(self):
        self.ok(["artifacts", "import", self.exported("quickstart.study")], store=self.store)
        delta = self.folder / "delta.tar"
        self.ok(["artifacts", "export", "quickstart.model", "--no-ancestors", "-o", delta], store=prepared())
        self.ok(["artifacts", "import", delta], store=self.store)
        self.assert_verifies(self.store)
        empty = self.folder / "empty"
        self.fails(ARTIFACT, ["artifacts", "import", delta], "--allow-missing-ancestors", store=empty)
        self.ok(["artifacts", "import", delta, "--allow-missing-ancestors"], store=empty)

    def test_usage(self):
        for output in ("archive.zip", "archive"):
            self.fails(USAGE, ["artifacts", "export", "quickstart.model", "-o", output], ".tar.zst", store=prepared())
        self.fails(USAGE, ["artifacts", "export", "quickstart.model", "--json", "-o", "-"], "stdout", store=prepared())
        folder = self.folder / "folder.tar"
        folder.mkdir()
        self.fails(USAGE, ["artifacts", "export", "quickstart.model", "-o", folder], folder, store=prepared())
        self.fails(ARTIFACT, ["artifacts", "export", "quickstart.modl", "-o", self.folder / "a.tar"],
                   "quickstart.model", store=prepared())
        archive = self.exported("quickstart.raw", "quickstart.model")
        self.fails(USAGE, ["artifacts", "import", archive, "--as", "x.model"], "one artifact", store=self.store)
        for name in ("../x", ".x", "abcdef0", "a/b", "x@v1"):
            self.fails(USAGE, ["artifacts", "import", archive, "--as", name], "name", store=self.store)
        self.assertFalse(self.store.exists())


class Broken(Case):
    """Archives that are not what they should be, and artifacts that are not."""

    def refused(self, code, archive, *parts):
        """Refused with one error; what the store holds is whole."""
        shutil.rmtree(self.store, ignore_errors=True)
        done = self.fails(code, ["artifacts", "import", archive], *parts, store=self.store)
        if self.store.exists():
            self.assert_verifies(self.store)
            self.assertEqual(product.leftovers(self.store), [])
        return done

    def test_damaged_artifact(self):
        self.copy()
        table = named(self.store, "quickstart.raw") / "table.csv"
        table.chmod(0o644)
        data = bytearray(table.read_bytes())
        data[-2] ^= 1
        table.write_bytes(data)
        for name in ("a.tar", "a.tar.gz", "a.tar.zst"):
            self.fails(ARTIFACT, ["artifacts", "export", "quickstart.model", "-o", self.folder / name],
                       "table.csv", "SHA-256", store=self.store)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["store"])

    def test_not_an_archive(self):
        path = self.folder / "a.tar"
        for data in (b"", b"x", b"mine" * 5000, bytes(10240), b"\x1f\x8b\x08", (PROGRAM.encode() + b"\n") * 100):
            path.write_bytes(data)
            self.refused(INPUT, path, path)
        write_archive(path, [(entry("readme.txt"), b"hello")])
        self.refused(INPUT, path, INDEX)
        self.refused(INPUT, self.folder / "none.tar", "none.tar")
        self.refused(INPUT, self.folder, str(self.folder))
        self.assertFalse(self.store.exists())

    def test_index(self):
        archive = self.exported("quickstart.raw")
        (member, data), *rest = read_archive(archive)
        index = json.loads(data)
        self.assertEqual(signed(index), data)
        other = "f" * 64
        cases = {"version": {**index, "format": "tcrops-archive/99"},
                 "root": {**index, "roots": [{"reference": "x", "id": other}]},
                 "no root": {**index, "roots": []},
                 "steering": {**index, "roots": [{"reference": "\x1b[2Jx", "id": index["artifacts"][0]}]},
                 "twice": {**index, "artifacts": index["artifacts"] * 2},
                 "no records": {**index, "records": {}},
                 "path": {**index, "artifacts": ["../../etc"], "records": {"../../etc": {}}},
                 "type": {**index, "artifacts": 5}, "more": {**index, "more": 1}}
        for name, changed in cases.items():
            with self.subTest(name=name):
                write_archive(archive, [(member, signed(changed)), *rest])
                done = self.refused(INPUT, archive, INDEX)
                self.assertNotIn("\x1b[2J", done.stderr)
        write_archive(archive, [(member, data.replace(b"quickstart.raw", b"quickstart.rax")), *rest])
        self.refused(INPUT, archive, "changed after it was written")
        write_archive(archive, [(member, data[:50]), *rest])
        self.refused(INPUT, archive, "JSON")

    def test_entries(self):
        archive = self.exported("quickstart.dataset")
        good = read_archive(archive)
        at, = (i for i, (member, _) in enumerate(good) if member.name.endswith("/refused.csv"))
        member, data = good[at]
        outside = self.folder / "outside"

        def changed(*put, drop=1):
            write_archive(archive, [*good[:at], *put, *good[at + drop:]])

        cases = {
            "absolute": ([(entry(str(outside)), data)], "absolute"),
            "leaving": ([(entry("artifacts/../../outside"), data)], "leaves its folder"),
            "symbolic link": ([(entry(member.name, tarfile.SYMTYPE, str(outside)), b"")], "symbolic link"),
            "hard link": ([(entry(member.name, tarfile.LNKTYPE, good[0][0].name), b"")], "hard link"),
            "folder": ([(entry(member.name, tarfile.DIRTYPE), b"")], "folder"),
            "device": ([(entry(member.name, tarfile.CHRTYPE), b"")], "not a plain file"),
            "pipe": ([(entry(member.name, tarfile.FIFOTYPE), b"")], "not a plain file"),
            "missing": ([], "not what the index names here"),
            "extra": ([(member, data), (entry("artifacts/more.txt"), b"x")], "more.txt"),
            "duplicate": ([(member, data), (entry(member.name), data)], "not what the index names here"),
            "dot": ([(entry("./" + member.name), data)], "not what the index names here"),
            "longer": ([(entry(member.name), data + b"x")], "bytes"),
            "shorter": ([(entry(member.name), data[:-1])], "bytes"),
            "other": ([(entry(member.name), bytes([data[0] ^ 1]) + data[1:])], "SHA-256"),
            "steering": ([(entry("a\x1b[2J\nb"), data)], "u001b"),
        }
        for name, (put, part) in cases.items():
            with self.subTest(name=name):
                changed(*put)
                done = self.refused(ARTIFACT, archive, part)
                self.assertNotIn("\x1b[2J", done.stderr)
                self.assertFalse(outside.exists())
        write_archive(archive, [*good, (entry("artifacts/more.txt"), b"x")])
        self.refused(ARTIFACT, archive, "more.txt", "does not name")
        for kind in ("manifest.json", "run.json"):
            for i, (record, content) in enumerate(good):
                if record.name.endswith("/" + kind):
                    write_archive(archive, [*good[:i], (entry(record.name), content.replace(b"0", b"1", 1)),
                                            *good[i + 1:]])
                    self.refused(ARTIFACT, archive, record.name, "SHA-256")
        i, = (i for i, (record, _) in enumerate(good)
              if record.name == f"keys/{names(prepared())['quickstart.dataset']}.json")
        write_archive(archive, [*good[:i], (entry(good[i][0].name), b"[]\n"), *good[i + 1:]])
        self.refused(ARTIFACT, archive, "keys/", "SHA-256")

    def forged(self, manifest, files, keys=b"[]\n"):
        """An archive of one artifact whose hashes all agree."""
        manifest = canonical(manifest)
        identifier = sha256(manifest)
        index = {"format": "tcrops-archive/1", "roots": [{"reference": "x", "id": identifier}],
                 "artifacts": [identifier],
                 "records": {identifier: {"run_sha256": sha256(b"{}\n"), "keys_sha256": sha256(keys)}}}
        return write_archive(self.folder / "forged.tar", [
            (entry(INDEX), signed(index)), (entry(f"artifacts/{identifier}/manifest.json"), manifest),
            (entry(f"artifacts/{identifier}/run.json"), b"{}\n"), (entry(f"keys/{identifier}.json"), keys),
            *((entry(f"artifacts/{identifier}/{name}"), data) for name, data in files.items())])

    def test_forged(self):
        manifest = json.loads((named(prepared(), "quickstart.raw") / "manifest.json").read_text())

        def with_file(name, data=b"x"):
            return {**manifest, "files": {name: {"bytes": len(data), "sha256": sha256(data)}}}

        shutil.rmtree(self.store, ignore_errors=True)
        self.ok(["artifacts", "import", self.forged(with_file("a.csv"), {"a.csv": b"x"})], store=self.store)
        self.assert_verifies(self.store)
        for name in ("../../../names/viral.model", "/etc/x", "a/b", "..", "", ".hidden", "run.json", "manifest.json",
                     "a\x1b[2Jb", "x" * 300):
            with self.subTest(name=name):
                self.refused(ARTIFACT, self.forged(with_file(name), {name: b"x"}), "no name for an artifact's file")
        parents = {**with_file("a.csv"), "parents": {"raw": "../../x"}}
        self.refused(ARTIFACT, self.forged(parents, {"a.csv": b"x"}), "not an id")
        self.refused(ARTIFACT, self.forged({**manifest, "kind": "program"}, {}), "program")
        self.refused(ARTIFACT, self.forged([1, 2], {}), "not a manifest")
        key = {"stage": "train", "stage_version": 1, "configuration": {}, "parents": {}, "seed": 1,
               "backend_class": ""}
        self.refused(ARTIFACT, self.forged(with_file("a.csv"), {"a.csv": b"x"}, canonical([key])),
                     "key of another artifact")
        self.refused(ARTIFACT, self.forged(with_file("a.csv"), {"a.csv": b"x"}, canonical([5])), "reuse key")

    def test_wrong_order(self):
        archive = self.exported("quickstart.dataset")
        (member, data), *rest = read_archive(archive)
        index = json.loads(data)
        raw, dataset = index["artifacts"]
        mine = [[item for item in rest if identifier in item[0].name] for identifier in (dataset, raw)]
        write_archive(archive, [(member, signed({**index, "artifacts": [dataset, raw]})), *mine[0], *mine[1]])
        self.refused(ARTIFACT, archive, raw[:12])

    def test_truncated(self):
        for name in ("archive.tar", "archive.tar.gz", "archive.tar.zst"):
            archive = self.exported("quickstart.check", name=name)
            data = archive.read_bytes()
            step = len(data) // 12
            lengths = sorted({0, 1, 511, 512, 1024, *range(step, len(data), step),
                              *(len(data) - left for left in (1, 2, 4, 8, 9, 100, 511, 512, 513, 1023, 1024, 1025))})
            for length in lengths:
                with self.subTest(name=name, length=length):
                    archive.write_bytes(data[:length])
                    shutil.rmtree(self.store, ignore_errors=True)
                    done = run(["artifacts", "import", archive], store=self.store)
                    self.assertIn(done.returncode, (INPUT, ARTIFACT), done.stderr)
                    self.assertNotIn("internal", done.stderr)
                    if self.store.exists():
                        self.assert_verifies(self.store)
            archive.write_bytes(data)
            self.ok(["artifacts", "import", archive], store=self.store)
            self.assert_verifies(self.store)
            self.assertIn(names(prepared())["quickstart.check"], ids(self.store))


class CutOff(Case):
    def test_kill_during_import(self):
        archive = self.exported("quickstart.evaluation", "quickstart.predictions", "quickstart.check")
        data = archive.read_bytes()
        seen = set()
        for share in (0.02, 0.3, 0.6, 0.9, 1.0):
            with self.subTest(share=share):
                shutil.rmtree(self.store, ignore_errors=True)
                process = subprocess.Popen(product.command(["artifacts", "import", "-"], self.store),
                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, env=product.environment())
                process.stdin.write(data[:int(len(data) * share) - 1])
                process.stdin.flush()
                time.sleep(0.5)
                process.send_signal(signal.SIGKILL)
                process.wait()
                process.stdin.close()
                if (self.store / "FORMAT").exists():
                    self.assert_verifies(self.store)
                    seen.add(len(ids(self.store)))
                self.ok(["artifacts", "import", archive], store=self.store)
                self.assert_verifies(self.store)
                self.assert_same_artifacts(self.store, prepared())
                self.assertEqual(product.leftovers(self.store), [])
        self.assertGreater(len(seen), 2)

    def test_interrupted_while_waiting(self):
        archive = self.exported("quickstart.model")
        process = subprocess.Popen(product.command(["artifacts", "import", "-"], self.store), stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=product.environment())
        self.addCleanup(process.stderr.close)
        process.stdin.write(archive.read_bytes()[:200000])
        process.stdin.flush()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), product.INTERRUPTED)
        process.stdin.close()
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])

    def test_full_disk_during_export(self):
        script = ('mount -t tmpfs -o size=300k tmpfs "$0" && "$@"; echo "code $?"; ls -A "$0"')
        disk = self.folder / "disk"
        disk.mkdir()
        for name in ("a.tar", "a.tar.gz"):
            words = [*product.namespace(), "sh", "-c", script, disk, PROGRAM, "artifacts", "export",
                     "quickstart.model", "--store", prepared(), "--output", disk / name]
            done = subprocess.run([str(word) for word in words], env=product.environment(), capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual(done.stdout, f"code {TEMPORARY}\n", done.stderr)
            self.assertIn("free some space", done.stderr)

    def test_full_disk_during_import(self):
        archive = self.exported("quickstart.model")
        script = ('mount -t tmpfs -o size=300k tmpfs "$0" && "$@"; echo "code $?"; '
                  '"$1" artifacts verify --store "$0/store" >&2 || echo damaged')
        disk = self.folder / "disk"
        disk.mkdir()
        words = [*product.namespace(), "sh", "-c", script, disk, PROGRAM, "artifacts", "import", archive,
                 "--store", disk / "store"]
        done = subprocess.run([str(word) for word in words], env=product.environment(), capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, f"code {TEMPORARY}\n", done.stderr)

    def test_stdout_that_does_not_take_it(self):
        words = product.command(["artifacts", "export", "quickstart.model", "-o", "-"], prepared())
        with open("/dev/full", "wb") as full:
            done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=product.environment(),
                                  check=False)
        self.assertEqual(done.returncode, TEMPORARY, done.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, text=True, env=product.environment(),
                              check=False)
        os.close(writer)
        self.assertEqual(done.returncode, FAILURE, done.stderr)
        self.assertIn("stdout", done.stderr)


if __name__ == "__main__":
    product.main()
