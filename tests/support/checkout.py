"""A clone of this checkout in a folder of its own, for tests that act as somebody else's machine would."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # SKIP_RETURN_CODE of the Python tests


def git(*arguments, cwd=ROOT):
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(command + list(arguments), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def paths_in(output):
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def clone(folder):
    """Clones the repository to `folder`, as the working tree stands: changes not committed yet are committed there."""
    folder = pathlib.Path(folder)
    git("clone", "--quiet", str(ROOT), str(folder))
    present = set()
    for name in paths_in(git("ls-files", "-z", "-co", "--exclude-standard")):
        source, target = ROOT / name, folder / name
        if source.is_symlink() or source.is_file():
            present.add(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    for name in paths_in(git("ls-files", "-z", cwd=folder)):
        if name not in present:
            (folder / name).unlink(missing_ok=True)
    commit(folder, "the working tree")
    return folder


def commit(folder, message):
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--no-verify", "--allow-empty", "--message", message, cwd=folder)


def clean_environment(**extra):
    """This process's environment without what would steer the product, a CI tool or git."""
    prefixes = ("TCROPS_", "GCL", "CI_", "GITLAB_", "GIT_")
    kept = {"GIT_SSL_CAINFO", "TCROPS_SKIP_SETUP", "TCROPS_JOBS"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in kept or (name != "CI" and not name.startswith(prefixes))
    }
    environment.update(extra)
    return environment


class CloneCase(unittest.TestCase):
    """A test case whose class has one clone, `cls.checkout`."""

    @classmethod
    def setUpClass(cls):
        if not (ROOT / ".git").exists():
            raise unittest.SkipTest("SKIPPED: the sources are not a git checkout, so they cannot be cloned")
        cls.scratch = tempfile.mkdtemp(prefix="tcrops-clone-")
        cls.addClassCleanup(shutil.rmtree, cls.scratch, ignore_errors=True)
        cls.checkout = clone(pathlib.Path(cls.scratch) / "checkout")


def main():
    """unittest.main(), but a skipped test is told apart by the exit status, and its reason is printed."""
    sys.stdout.reconfigure(line_buffering=True)
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    for _, why in result.skipped:
        print(why if why.startswith("SKIPPED") else f"SKIPPED: {why}")
    if not result.wasSuccessful() or result.testsRun + len(result.skipped) == 0:
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped else 0)
