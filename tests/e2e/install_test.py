"""What `cmake --install` puts where, and that the program works from there."""

import json
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import PROGRAM, QUICKSTART, prepared  # noqa: E402

FILES = {"bin/tcrops", "lib/tcrops/libtcrops_nn_torch.so", "share/man/man1/tcrops.1",
         "share/bash-completion/completions/tcrops", "share/zsh/site-functions/_tcrops",
         "share/fish/vendor_completions.d/tcrops.fish"}


class Install(product.ProductCase):
    def test_installed_program(self):
        if shutil.which("cmake") is None:
            product.skip("cmake is not installed")
        place = self.folder / "place"
        done = subprocess.run(["cmake", "--install", pathlib.Path(PROGRAM).parents[1], "--prefix", place],
                              env=product.environment(), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual({str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}, FILES)
        environment = product.environment()
        environment.pop("LD_LIBRARY_PATH", None)

        def run(*args):
            done = subprocess.run([place / "bin" / "tcrops", *args], env=environment, cwd=self.folder,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        run("run", *QUICKSTART, "--store", self.store, "--quiet")
        self.assert_same_artifacts(self.store, prepared())
        for file, args in (("share/man/man1/tcrops.1", ["man"]),
                           ("share/bash-completion/completions/tcrops", ["completion", "bash"]),
                           ("share/zsh/site-functions/_tcrops", ["completion", "zsh"]),
                           ("share/fish/vendor_completions.d/tcrops.fish", ["completion", "fish"])):
            self.assertEqual((place / file).read_text(), run(*args))
        self.assertIn("libtorch", json.loads(run("--version", "--json"))["features"])


if __name__ == "__main__":
    product.main()
