"""Stores and outputs that cannot be written: exit status, message, and what is left behind."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import (ARTIFACT, FAILURE, OK, PROGRAM, QUICKSTART, READER_GONE, STAGES,  # noqa: E402
                     TEMPORARY, prepared, read_table, run, write_table)


class Store(product.ProductCase):
    def test_below_a_regular_file(self):
        blocker = self.folder / "file"
        blocker.write_text("mine")
        for store in (blocker, blocker / "store"):
            self.fails(FAILURE, ["run", *QUICKSTART], store, "Not a directory", "check the path", store=store)
            self.fails(ARTIFACT, ["artifacts", "ls"], store, "no store", store=store)
        self.assertEqual(blocker.read_text(), "mine")

    def test_another_folder(self):
        mine = self.folder / "mine"
        mine.mkdir()
        (mine / "thesis.txt").write_text("mine")
        self.fails(ARTIFACT, ["run", *QUICKSTART], mine, "not a tcrops store", "thesis.txt", "--store", store=mine)
        self.assertEqual(os.listdir(mine), ["thesis.txt"])

    def test_newer_format(self):
        shutil.copytree(prepared(), self.store)
        (self.store / "FORMAT").write_text("tcrops-store 99\n")
        for args in (["run", *QUICKSTART], ["artifacts", "ls"]):
            self.fails(ARTIFACT, args, self.store, "tcrops-store 99", "version", store=self.store)

    def test_read_only_file_system(self):
        namespace = product.namespace()
        script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
        shutil.copytree(prepared(), self.store)
        before = product.tree_digest(self.store)

        def read_only(code, args, *parts):
            words = [*namespace, "sh", "-c", script, "sh", self.folder, PROGRAM, *args, "--store"]
            done = subprocess.run([str(word) for word in [*words, self.store if code != 9 else self.folder / "new"]],
                                  env=product.environment(), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, code if code != 9 else FAILURE, done.stderr)
            for part in parts:
                self.assertIn(part, done.stderr)

        read_only(9, ["run", *QUICKSTART], "Read-only file system", "permissions", "--store")
        read_only(FAILURE, ["run", *QUICKSTART, "--set", "seed=7"], "Read-only file system", "--store")
        # What only reads works there.
        read_only(OK, ["artifacts", "ls"])
        read_only(OK, ["artifacts", "verify"])
        read_only(OK, ["artifacts", "lineage", "quickstart.model"])
        read_only(OK, ["serve-check", "--model", "quickstart.model"])
        read_only(OK, ["predict", "--model", "quickstart.model", "--input",
                       product.named(self.store, "quickstart.model") / "examples.csv"])
        self.assertEqual(product.tree_digest(self.store), before)

    if os.geteuid() != 0:  # root may write everywhere; the read-only file system stands in for this
        def test_no_permission(self):
            self.folder.chmod(0o555)
            self.addCleanup(self.folder.chmod, 0o755)
            self.fails(FAILURE, ["run", *QUICKSTART], self.store, "permissions", "--store", store=self.store)


class FullDisk(product.ProductCase):
    def test_every_stage(self):
        """Each stage gets a full disk, then little by little more space until it fits."""
        words = [*product.namespace(), sys.executable, "-B", __file__, "--full-disk", str(self.folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False, env=dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(list(report["stages"]), list(STAGES))
        for stage, attempts in report["stages"].items():
            with self.subTest(stage=stage):
                self.assertEqual(attempts[0]["code"], TEMPORARY, attempts[0]["stderr"])
                self.assertEqual(attempts[-1]["code"], OK, attempts[-1]["stderr"])
                self.assertEqual(attempts[-1]["leftovers"], [])
                for attempt in attempts[:-1]:
                    self.assertEqual(attempt["code"], TEMPORARY, attempt["stderr"])
                    # The second is SQLite's word for it, of the study's database.
                    self.assertRegex(attempt["stderr"], "No space left on device|study.db: (disk I/O error|database or disk is full)")
                    self.assertIn("free some space and run the same command again", attempt["stderr"])
                    half = [name for name in attempt["leftovers"] if name.split("/")[0] != "work"]
                    self.assertEqual(half, [])
                for attempt in attempts:
                    self.assertEqual(attempt["verify"], "", attempt)
        self.assertGreater(sum(len(attempts) for attempts in report["stages"].values()), 2 * len(STAGES))
        self.assertEqual(report["digest"], product.tree_digest(prepared()))

    def test_output_of_predict(self):
        words = [*product.namespace(), "sh", "-c",
                 'mount -t tmpfs -o size=4k tmpfs "$0" && "$@"; echo "code $?"; ls -A "$0"', self.folder, PROGRAM,
                 "predict", "--store", prepared(), "--model", "quickstart.model", "--input",
                 product.named(prepared(), "quickstart.raw") / "table.csv", "--output", self.folder / "scored.csv"]
        done = subprocess.run([str(word) for word in words], env=product.environment(), capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.stdout, f"code {TEMPORARY}\n", done.stderr)
        self.assertIn("free some space", done.stderr)


def full_disk(folder):
    """Runs in a mount namespace of its own. Prints what each stage did with how much space."""
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    store = disk / "store"

    def resize(extra):
        status = os.statvfs(disk)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + extra}", str(disk)], check=True)

    report = {}
    for stage in STAGES:
        report[stage] = []
        for extra in (4 * 1024 * k for k in (0, 1, 3, 8, 21, 55, 16384)):
            resize(max(extra, 4096 if not store.exists() else 0))
            done = run([stage, *QUICKSTART], store=store)
            if (store / "FORMAT").exists():
                verified = run(["artifacts", "verify"], store=store)
                verify = "" if verified.returncode == OK else verified.stdout + verified.stderr
            else:
                verify = ""
            left = product.leftovers(store) if store.exists() else []
            report[stage].append({"extra": extra, "code": done.returncode, "stderr": done.stderr, "verify": verify,
                                  "leftovers": left})
            if done.returncode != TEMPORARY:
                break
        resize(64 * 1024 * 1024)
    print(json.dumps({"stages": report, "digest": product.tree_digest(store)}))


class Output(product.ProductCase):
    """A result that does not reach its reader is an error, but for one who has read enough."""

    COMMANDS = (["--help"], ["--version"], ["train", "--help"], ["config", "schema"], ["man"], ["completion", "bash"],
                ["artifacts", "ls"], ["artifacts", "verify"], ["artifacts", "show", "quickstart.model"],
                ["run", *QUICKSTART])

    def setUp(self):
        super().setUp()
        shutil.copytree(prepared(), self.store)
        examples = product.named(prepared(), "quickstart.model") / "examples.csv"
        self.commands = [*self.COMMANDS, ["predict", "--model", "quickstart.model", "--input", examples]]
        self.environment = product.environment({"TCROPS_STORE": str(self.store)})

    def each(self, code_of, quiet=False, **options):
        for args in self.commands:
            with self.subTest(args=args[:3]):
                done = subprocess.run(product.command(args), env=self.environment, stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True, check=False, **options)
                self.assertIn(done.returncode, code_of, done.stderr)
                if quiet:
                    self.assertNotIn("error: ", done.stderr)
                else:
                    self.assertIn("stdout", done.stderr)
                    self.assertIn("error: ", done.stderr)
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])

    def test_full(self):
        with open("/dev/full", "wb") as full:
            self.each((FAILURE, TEMPORARY), stdout=full)

    def test_closed(self):
        self.each((FAILURE,), preexec_fn=lambda: os.close(1))

    def test_closed_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.each((READER_GONE,), quiet=True, stdout=writer)
        finally:
            os.close(writer)

    def test_reader_that_leaves(self):
        rows = read_table(product.named(prepared(), "quickstart.raw") / "table.csv")
        many = write_table(self.folder / "many.csv", rows[:1] + rows[1:] * 20)
        script = 'set -o pipefail; "$0" predict --model quickstart.model --input "$1" | head -1'
        done = subprocess.run(["bash", "-c", script, PROGRAM, str(many)], env=self.environment, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, READER_GONE, done.stderr)
        self.assertEqual(done.stdout, ",".join(rows[0] + product.ANSWERS) + "\n")
        self.assertNotIn("error: ", done.stderr)

    def test_nothing_open(self):
        """Files that are opened must not take the places of closed standard streams."""
        store = self.folder / "fresh"
        done = subprocess.run(product.command(["run", *QUICKSTART], store), env=product.environment(), check=False,
                              preexec_fn=lambda: [os.close(number) for number in (0, 1, 2)])
        self.assertEqual(done.returncode, FAILURE)
        self.assert_verifies(store)
        self.assert_same_artifacts(store, prepared())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--full-disk"]:
        full_disk(pathlib.Path(sys.argv[2]))
    else:
        product.main()
