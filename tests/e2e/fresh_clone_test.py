"""What a newcomer does first: clones the repository, calls scripts/run, and calls it again."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import checkout  # noqa: E402


class FreshClone(checkout.CloneCase):
    def run_script(self):
        done = subprocess.run(
            [str(self.checkout / "scripts" / "run")],
            cwd=self.scratch,  # a folder other than the checkout's must do
            env=checkout.clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def test_run_and_run_again(self):
        first = self.run_script()
        for text in ("model", "tcrops predict"):
            self.assertIn(text, first.stdout)
        self.assertTrue((self.checkout / "tcrops-store").is_dir())

        second = self.run_script()
        reused = [(run.stdout + run.stderr).count("reused") for run in (first, second)]
        self.assertGreater(reused[1], reused[0], second.stdout + second.stderr)
        for text in ("model", "tcrops predict"):
            self.assertIn(text, second.stdout)

        changed = checkout.git("status", "--porcelain", cwd=self.checkout)
        self.assertEqual(changed, b"", "scripts/run leaves files behind that git sees")


if __name__ == "__main__":
    checkout.main()
