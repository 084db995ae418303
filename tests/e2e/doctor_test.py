"""tcrops doctor: what it finds on a machine and in a store that are well, and each thing that can be broken."""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import CHECK_FAILED, OK, PROGRAM, run  # noqa: E402

NAMES = ["program", "libtorch", "blas", "device", "threads", "memory", "disk", "clock", "store", "environment"]
LIBRARY = "libtcrops_nn_torch.so"


class Doctor(product.ProductCase):
    def examine(self, code=OK, *, words=None, program=PROGRAM, env=None, store=None):
        """The JSON of a run, its checks by name; `words` before the command line."""
        done = subprocess.run([*(words or []), str(program), "doctor", "--json", "--store", str(store or self.store)],
                              env=product.environment(env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual(result["ok"], code == OK)
        self.assertEqual("error: " in done.stderr, code != OK, done.stderr)
        result["by_name"] = {check["name"]: check for check in result["checks"]}
        return result

    def check(self, name, status, *parts, code=None, **options):
        code = code if code is not None else CHECK_FAILED if status == "failed" else OK
        result = self.examine(code, **options)
        found = result["by_name"][name]
        self.assertEqual(found["status"], status, found)
        for part in parts:
            self.assertIn(part, found["found"])
        if status != "ok":
            self.assertTrue(found["advice"], found)
        return result


class Machine(Doctor):
    def test_shape(self):
        result = self.examine()
        self.assertEqual(set(result), {"schema", "ok", "checks", "facts", "by_name"})
        self.assertEqual(result["schema"], "tcrops.doctor/1")
        self.assertEqual([check["name"] for check in result["checks"]], NAMES)
        self.assertEqual(set(result["facts"]), set(NAMES))
        for check in result["checks"]:
            self.assertEqual(set(check), {"name", "status", "found", "advice"})
            self.assertTrue(check["found"], check)
        for name in ("program", "libtorch", "blas", "threads", "clock", "store", "environment"):
            self.assertEqual(result["by_name"][name]["status"], "ok", result["by_name"][name])
        facts = result["facts"]
        self.assertTrue(facts["blas"]["name"].startswith(("OpenBLAS", "MKL")))
        self.assertGreater(facts["blas"]["gflops"], 0)
        self.assertEqual(facts["libtorch"]["threads"], 1)
        self.assertLessEqual(facts["threads"]["usable"], len(os.sched_getaffinity(0)))
        self.assertGreater(facts["disk"]["free_bytes"], 0)
        self.assertEqual(facts["disk"]["problems"], [])
        self.assertEqual(result["by_name"]["store"]["found"], "none yet")

    def test_text(self):
        done = self.ok(["doctor"], store=self.store)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[0], r"^check +result +what was found +what to do")
        self.assertEqual([line.split()[0] for line in lines[1:]], NAMES)

    def test_makes_no_store(self):
        for store in (self.store, self.folder / "not" / "yet"):
            self.examine(store=store)
            self.assertEqual(os.listdir(self.folder), [])
        self.store.mkdir()
        self.check("store", "ok", "none yet")
        self.assertEqual(os.listdir(self.store), [])

    def test_reference_blas(self):
        folder = pathlib.Path("/usr/lib/x86_64-linux-gnu/blas")
        if not (folder / "libblas.so.3").exists():
            product.skip("no reference BLAS here")
        fast = self.examine()["facts"]["blas"]
        env = {"LD_LIBRARY_PATH": str(folder)}
        slow = self.check("blas", "warning", "not OpenBLAS", "6x slower", env=env)
        self.assertIn("libopenblas0-pthread", slow["by_name"]["blas"]["advice"])
        self.assertEqual(os.path.dirname(slow["facts"]["blas"]["file"]), str(folder))
        self.assertLess(slow["facts"]["blas"]["gflops"], fast["gflops"])

    def test_threads(self):
        self.check("threads", "ok", "OMP_NUM_THREADS=7", "OPENBLAS_NUM_THREADS=3", "ignores",
                   env={"OMP_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "3"})
        result = self.check("threads", "ok", "libraries see", "OPENBLAS_VERBOSE=0", env={"OPENBLAS_VERBOSE": "0"})
        self.assertIn("OPENBLAS_VERBOSE=0", result["facts"]["threads"]["other_variables"])
        one = str(min(os.sched_getaffinity(0)))
        result = self.check("threads", "ok", words=["taskset", "-c", one])
        self.assertEqual(result["facts"]["threads"]["allowed"], 1)

    def test_variables(self):
        self.check("environment", "ok", "TCROPS_TUNE_TRIALS=5", "TCROPS_STORE=/x",
                   env={"TCROPS_TUNE_TRIALS": "5", "TCROPS_STORE": "/x"})

    def test_control_groups(self):
        script = ("mount -t tmpfs tmpfs /sys/fs/cgroup && echo 50000 100000 >/sys/fs/cgroup/cpu.max && "
                  'echo 100000000 >/sys/fs/cgroup/memory.max && exec "$@"')
        words = [*product.namespace(), "sh", "-c", script, "sh"]
        groups = pathlib.Path("/proc/self/cgroup")
        if not groups.exists() or not any(line.startswith("0::") for line in groups.read_text().splitlines()):
            product.skip("no control groups of version 2")
        result = self.check("memory", "warning", "control group allows 100.0 MB", words=words)
        self.assertEqual(result["facts"]["threads"]["usable"], 0.5)
        self.assertEqual(result["facts"]["memory"]["limit_bytes"], 100000000)

    def test_card_without_cuda(self):
        script = 'mount -t tmpfs tmpfs /dev && touch /dev/nvidia0 && mkfifo /dev/null; exec "$@"'
        words = [*product.namespace(), "sh", "-c", script, "sh"]
        result = self.examine(words=words)
        if result["facts"]["device"]["built_with_cuda"]:
            return
        self.assertEqual(result["by_name"]["device"]["status"], "warning", result["by_name"]["device"])
        self.check("device", "ok", "hidden", words=words, env={"CUDA_VISIBLE_DEVICES": ""})


class Library(Doctor):
    def setUp(self):
        super().setUp()
        self.program = self.folder / "bin" / "tcrops"
        self.program.parent.mkdir()
        shutil.copy(PROGRAM, self.program)
        self.library = self.program.with_name(LIBRARY)

    def test_missing(self):
        result = self.check("libtorch", "failed", str(self.library), "missing", program=self.program)
        self.assertEqual(result["by_name"]["blas"]["status"], "failed")
        self.assertEqual(result["by_name"]["store"]["status"], "ok")

    def test_damaged(self):
        whole = pathlib.Path(PROGRAM).with_name(LIBRARY).read_bytes()
        for damaged in (b"", b"text", whole[:100], whole[:len(whole) // 2], whole[:len(whole) - len(whole) // 8]):
            with self.subTest(bytes=len(damaged)):
                self.library.write_bytes(damaged)
                result = self.examine(CHECK_FAILED, program=self.program) if len(damaged) < 1000 else None
                if result is None:  # may be whole enough to work, but never ends the program
                    done = run(["doctor"], store=self.store)
                    self.assertIn(done.returncode, (OK, CHECK_FAILED))
                    done = subprocess.run([self.program, "doctor", "--json", "--store", self.store],
                                          capture_output=True, text=True, env=product.environment(), check=False)
                    self.assertIn(done.returncode, (OK, CHECK_FAILED), done.stderr)
                    result = json.loads(done.stdout)
                    result["by_name"] = {check["name"]: check for check in result["checks"]}
                    if done.returncode == OK:
                        continue
                self.assertIn(str(self.library), result["by_name"]["libtorch"]["found"])

    def test_another_version(self):
        source = self.folder / "other.c"
        source.write_text("void *tcrops_nn_core(int abi, const void *host) { return 0; }\n")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library, source], check=True)
        self.check("libtorch", "failed", "another version", program=self.program)


class Store(Doctor):
    def test_well(self):
        self.copy()
        before = sorted(path.relative_to(self.store) for path in self.store.rglob("*"))
        result = self.check("store", "ok", f"{len(product.ids(self.store))} artifacts")
        self.assertGreater(result["facts"]["store"]["bytes"], 0)
        after = sorted(path.relative_to(self.store) for path in self.store.rglob("*"))
        self.assertEqual(set(after) - set(before) - {pathlib.Path("store.lock")}, set())
        self.assert_verifies(self.store)

    def test_changed_log(self):
        log = self.copy() / "log.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join(lines[:1] + [lines[1].replace('"time":"2', '"time":"1')] + lines[2:]))
        self.check("store", "failed", "log.jsonl:3", "was changed")

    def test_changed_model_log(self):
        models = self.copy() / "models"
        models.mkdir(exist_ok=True)
        (models / "m.jsonl").write_text('{"event":"register","previous":"no"}\n')
        self.check("store", "failed", "models/m.jsonl:1")

    def test_name_of_nothing(self):
        (self.copy() / "names" / "lost").write_text("ab" * 32 + "\n")
        self.check("store", "failed", "lost", "missing")

    def test_leftovers(self):
        store = self.copy()
        (store / "work" / ("cd" * 32)).mkdir()
        (store / "drafts" / "dead.one").mkdir()
        (store / "names" / ".x.tmp-0123").write_text("")
        result = self.check("store", "warning", "1 half-done work folders, 1 drafts, 1 hidden files")
        self.assertIn("tcrops artifacts gc", result["by_name"]["store"]["advice"])
        self.assertTrue((store / "drafts" / "dead.one").exists())

    def test_not_a_store(self):
        self.store.write_text("mine")
        self.check("store", "failed", "not a folder")
        self.assertEqual(self.store.read_text(), "mine")
        self.store.unlink()
        self.store.mkdir()
        (self.store / "thesis.txt").write_text("mine")
        self.check("store", "failed", "no store")
        self.assertEqual(os.listdir(self.store), ["thesis.txt"])

    def test_damaged(self):
        (self.copy() / "FORMAT").write_text("tcrops-store 99\n")
        self.check("store", "failed", "tcrops-store 99")
        (self.copy() / "log.jsonl").unlink()
        self.examine()
        shutil.rmtree(self.store / "artifacts")
        self.check("store", "failed", "damaged")

    def test_log_of_the_future(self):
        log = self.copy() / "log.jsonl"
        lines = log.read_text().splitlines(keepends=True)
        last = json.loads(lines[-1])
        last["time"] = (datetime.datetime.now() + datetime.timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
        last["previous"] = hashlib.sha256(lines[-1].rstrip("\n").encode()).hexdigest()
        log.write_text("".join(lines) + json.dumps(last) + "\n")
        self.check("clock", "warning", last["time"])

    def test_read_only(self):
        self.copy()
        script = f'mount --bind "{self.folder}" "{self.folder}" && mount -o remount,bind,ro "{self.folder}" && exec "$@"'
        words = [*product.namespace(), "sh", "-c", script, "sh"]
        result = self.check("disk", "warning", "cannot be written", words=words)
        self.assertEqual(result["by_name"]["store"]["status"], "ok")
        self.assertTrue(result["facts"]["disk"]["read_only"])

    def test_small_disk(self):
        self.store.mkdir()
        fill = f'dd if=/dev/zero of="{self.store}/.FORMAT-filler" bs=4096 2>/dev/null; '
        for filled, status, part in (("", "warning", "little space"), (fill, "failed", "No space left")):
            script = f'mount -t tmpfs -o size=1m tmpfs "{self.store}"; {filled} exec "$@"'
            result = self.check("disk", status, part, words=[*product.namespace(), "sh", "-c", script, "sh"],
                                code=CHECK_FAILED if filled else OK)
            self.assertEqual(result["facts"]["disk"]["file_system"], "tmpfs")


if __name__ == "__main__":
    product.main()
