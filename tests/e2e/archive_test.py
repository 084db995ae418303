"""artifacts export and import: there and back, cut off, and without room."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, OK, PROGRAM, QUICKSTART, READER_GONE, TEMPORARY, USAGE, ids, named,  # noqa: E402
                     names, prepared)
from archives import ArchiveCase, read_archive  # noqa: E402


class RoundTrip(ArchiveCase):
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


class CutOff(ArchiveCase):
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
        self.assertEqual((done.returncode, done.stderr), (READER_GONE, ""))


if __name__ == "__main__":
    product.main()
