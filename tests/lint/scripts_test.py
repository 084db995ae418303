"""The scripts' own behaviour where it needs neither a build nor an installation."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(SUPPORT))
import checkout  # noqa: E402
import summarise  # noqa: E402


def script(name, *arguments, **environment):
    return subprocess.run(
        ["/bin/bash", str(checkout.ROOT / "scripts" / name), *arguments],
        env=checkout.clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


class Usage(unittest.TestCase):
    def test_what_is_unknown_is_a_usage_error(self):
        for command in (
            ("ci",),
            ("ci", "deploy"),
            ("ci", "fetch", "extra"),
            ("setup", "everything"),
            ("build", "fastest"),
            ("check", "--wrong"),
            ("readme", "--wrong"),
        ):
            with self.subTest(command=command):
                done = script(*command)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertIn(f"usage: scripts/{command[0]}", done.stderr)


class Setup(unittest.TestCase):
    """On a system without dpkg and apt-get: a PATH that holds only what the script calls besides."""

    def run_elsewhere(self, section, **environment):
        with tempfile.TemporaryDirectory() as folder:
            for tool in ("bash", "dirname", "fold", "sed"):
                for place in ("/usr/bin", "/bin"):
                    if os.path.exists(f"{place}/{tool}"):
                        os.symlink(f"{place}/{tool}", f"{folder}/{tool}")
                        break
            return script("setup", section, PATH=folder, **environment)

    def test_it_names_the_packages(self):
        environment = {"TCROPS_SKIP_SETUP": ""}
        build = self.run_elsewhere("build", **environment)
        self.assertEqual(build.returncode, 1)
        self.assertIn("libtorch-dev", build.stderr)
        self.assertNotIn("catch2", build.stderr)
        test = self.run_elsewhere("test", **environment)
        self.assertEqual(test.returncode, 1)
        for package in ("libtorch-dev", "catch2", "npm"):
            self.assertIn(package, test.stderr)

    def test_it_can_be_turned_off(self):
        done = self.run_elsewhere("test", TCROPS_SKIP_SETUP="1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Summary(unittest.TestCase):
    RUN = '<testcase name="a" status="run"/>'
    FAIL = '<testcase name="b" status="fail"><failure message=""/></testcase>'
    SKIP = (
        '<testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>'
        "<system-out>first\nSKIPPED: no network\n</system-out></testcase>"
    )

    def summarise(self, *cases, status=0, strict=False):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.xml"
            path.write_text("<testsuite>" + "".join(cases) + "</testsuite>")
            return summarise.summarise(path, status, strict)

    def test_counts(self):
        lines, status = self.summarise(self.RUN, self.FAIL, self.SKIP, status=8)
        self.assertEqual(lines, ["FAILED  b", "SKIPPED c: SKIPPED: no network", "1 passed, 1 failed, 1 skipped"])
        self.assertEqual(status, 1)
        self.assertEqual(self.summarise(self.RUN), (["1 passed, 0 failed, 0 skipped"], 0))

    def test_a_skipped_test_fails_only_under_ci(self):
        self.assertEqual(self.summarise(self.RUN, self.SKIP)[1], 0)
        lines, status = self.summarise(self.RUN, self.SKIP, strict=True)
        self.assertEqual(status, 1)
        self.assertIn("under CI=true", lines[-2])
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")

    def test_no_test_no_result_and_a_failed_ctest_are_failures(self):
        self.assertEqual(self.summarise()[1], 1)
        self.assertEqual(summarise.summarise("/nonexistent", 0, False)[1], 1)
        self.assertEqual(self.summarise(self.RUN, status=8)[1], 1)


if __name__ == "__main__":
    checkout.main()
