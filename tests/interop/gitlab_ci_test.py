"""Runs .gitlab-ci.yml with gitlab-ci-local: every job in a folder of its own, with tracked files and artifacts only.

Needs the npm registry once per build folder; the program is then kept in TCROPS_NODE_DIR. Notes on gitlab-ci-local:
versions after 4.73.0 do not start on Node 20, and this one not on Node 18 (Debian 12's), so there a newer node comes
with it; a cycle in `needs` would hang it deaf to SIGTERM, hence SIGKILL; it reads variables that begin with GCL.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checkout  # noqa: E402

GITLAB_CI_LOCAL = "gitlab-ci-local@4.73.0"
NODE = "node@22"
NODE_DIR = pathlib.Path(os.environ.get("TCROPS_NODE_DIR", checkout.ROOT / "build" / "node")).resolve()
STAGES = ["fetch", "preprocess", "tune", "train", "evaluate", "serve-check", "predict"]
JOBS = ["build", "test"] + STAGES


def node_major():
    try:
        done = subprocess.run(["node", "--version"], capture_output=True, text=True)
    except FileNotFoundError:
        return 0
    found = re.match(r"v(\d+)", done.stdout)
    return int(found.group(1)) if found else 0


def install():
    """gitlab-ci-local's program. Skips the test where npm or its registry is missing."""
    binaries = NODE_DIR / "node_modules" / ".bin"
    program = binaries / "gitlab-ci-local"
    packages = [GITLAB_CI_LOCAL] + ([NODE] if node_major() < 20 else [])
    stamp = NODE_DIR / "installed"
    if program.exists() and stamp.exists() and stamp.read_text() == " ".join(packages):
        return program
    if not shutil.which("npm"):
        raise unittest.SkipTest("SKIPPED: gitlab-ci-local is installed by npm, which is not on the PATH")
    shutil.rmtree(NODE_DIR, ignore_errors=True)
    NODE_DIR.mkdir(parents=True)
    command = ["npm", "install", "--no-fund", "--no-audit", "--loglevel=error", "--prefix", str(NODE_DIR)]
    done = subprocess.run(
        command + packages, cwd=NODE_DIR, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
    )
    if done.returncode != 0:
        why = " ".join(done.stderr.split())[:200]
        raise unittest.SkipTest(f"SKIPPED: npm cannot install {GITLAB_CI_LOCAL}: {why}")
    stamp.write_text(" ".join(packages))
    return program


def compiler_cache():
    """The user's ccache folder, so that the nested build is short."""
    try:
        done = subprocess.run(["ccache", "--get-config", "cache_dir"], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


class GitlabPipeline(checkout.CloneCase):
    @classmethod
    def setUpClass(cls):
        cls.program = install()
        super().setUpClass()

    def gitlab(self, *arguments, limit=3000):
        command = ["timeout", "-s", "KILL", str(limit), str(self.program), "--no-color"]
        path = f"{self.program.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command + list(arguments),
            cwd=self.checkout,
            env=checkout.clean_environment(PATH=path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        return done.returncode, done.stdout

    def run_jobs(self, *arguments):
        options = ["--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"]
        options += ["--variable", "TCROPS_CI_TEST_ARGS=-L unit"]  # not the whole of the tests inside one of them
        data = pathlib.Path(os.environ.get("TCROPS_TEST_DATA") or checkout.ROOT.parent / "shared" / "data").resolve()
        options += ["--variable", f"TCROPS_TEST_DATA={data}"]
        cache = compiler_cache()
        if cache:
            options += ["--variable", f"CCACHE_DIR={cache}"]
        return self.gitlab(*options, *arguments)

    def started(self, output):
        return re.findall(r"^(\S+) +starting shell", output, re.MULTILINE)

    def test_1_the_file_is_valid(self):
        status, output = self.gitlab("--list", limit=60)
        self.assertEqual(status, 0, output)
        for job in JOBS:
            self.assertRegex(output, rf"(?m)^{re.escape(job)}\s")

    def test_2_the_pipeline_ends_with_predictions(self):
        status, output = self.run_jobs()
        self.assertEqual(status, 0, output)
        self.assertEqual(self.started(output), JOBS, output)
        for job in JOBS:
            self.assertRegex(output, rf"(?m)^ PASS +{re.escape(job)}\s*$")
        store = self.checkout / ".gitlab-ci-local" / "artifacts" / "predict" / "tcrops-store"
        manifests = list(store.rglob("manifest.json"))
        kinds = {json.loads(path.read_text())["kind"]: path.parent for path in manifests}
        wanted = {"raw", "dataset", "study", "model", "evaluation", "check", "predictions"}
        self.assertLessEqual(wanted, set(kinds), f"the last job's store holds only {sorted(kinds)}")
        files = [path for path in kinds["predictions"].iterdir() if path.suffix != ".json"]
        self.assertTrue(files and all(path.stat().st_size > 0 for path in files), kinds["predictions"])

    def test_3_a_failing_stage_stops_the_line(self):
        built = self.checkout / ".gitlab-ci-local" / "artifacts" / "build" / "build" / "release" / "bin" / "tcrops"
        self.assertTrue(built.exists(), "this case takes its program from the pipeline of the case before")
        text = (self.checkout / ".gitlab-ci.yml").read_text()
        broken = re.sub(
            r"(?m)^preprocess:$", "preprocess:\n  variables:\n    TCROPS_PREPROCESS_SPLIT: nonsense", text
        )
        self.assertNotEqual(text, broken)
        (self.checkout / "broken.yml").write_text(broken)
        status, output = self.run_jobs("--file", "broken.yml", *STAGES)
        self.assertNotEqual(status, 0, output)
        self.assertEqual(self.started(output), ["fetch", "preprocess"], output)
        self.assertRegex(output, r"(?m)^preprocess +finished in .* FAIL 3\s*$")
        self.assertRegex(output, r"(?m)^ FAIL +preprocess\s*$")


if __name__ == "__main__":
    checkout.main()
