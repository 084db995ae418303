"""What archives from anywhere may not do."""

import json
import pathlib
import shutil
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import ARTIFACT, INPUT, PROGRAM, ids, named, names, prepared, run  # noqa: E402
from archives import ArchiveCase, INDEX, canonical, entry, read_archive, sha256, signed, write_archive  # noqa: E402


class Broken(ArchiveCase):
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
        at, = (i for i, (member, _) in enumerate(good) if member.name.endswith("/cleaning.csv"))
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


if __name__ == "__main__":
    product.main()
