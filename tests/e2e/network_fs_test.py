"""Nothing relies on what network file systems do not give: listing order, times of files, process numbers,
locks without write access, or what another host has just renamed being seen at once.

The program runs with a shared object that takes these away, named by TCROPS_HOSTILE_FS. TCROPS_BIN names the program.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import OK, QUICKSTART, prepared  # noqa: E402

SKIP_GATES = ["--skip-gates", "--reason", "test"]


def listed(store, env=None):
    """What there is, with everything but times: artifacts, names, models, versions and their order."""
    def answer(*args):
        done = product.run([*args, "--json"], store=store, env=env)
        if done.returncode != OK:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    artifacts = answer("artifacts", "ls")["artifacts"]
    for each in artifacts:
        each.pop("published")
    models = answer("models", "list")["models"]
    for each in models:
        each.pop("last_move")
    versions = [[(version["version"], version["artifact"], version["aliases"], version["source"])
                 for version in answer("models", "show", each["name"])["versions"]] for each in models]
    collected = answer("artifacts", "gc", "--keep-last", "1", "--keep-names")
    return {"artifacts": artifacts, "models": models, "versions": versions, "gc": collected}


class Hostile(product.ProductCase):
    def setUp(self):
        super().setUp()
        library = os.environ.get("TCROPS_HOSTILE_FS", "")
        if not os.path.exists(library):
            product.skip("TCROPS_HOSTILE_FS does not name the shared object")
        self.env = {"LD_PRELOAD": library, "HOSTILE_FS": "late stale lock",
                    "HOSTILE_FS_MOVES": str(self.folder / "moves")}

    def both(self, args):
        """Runs a command twice at once."""
        started = [product.start(args, store=self.store, env=self.env) for _ in range(2)]
        for process in started:
            said = process.communicate(timeout=240)[1]
            self.assertEqual(process.returncode, OK, said)

    def test_it_is_hostile(self):
        """Otherwise the tests below show nothing."""
        folder = self.folder / "many"
        folder.mkdir()
        for name in "abcdefghij":
            (folder / name).touch()
        script = "import os, sys; print(os.listdir(sys.argv[1]), os.stat(sys.argv[1]).st_mtime, os.getpid())"
        seen = {subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True,
                                       env=product.environment(self.env), check=True).stdout for _ in range(2)}
        orders, times = {text.split("]")[0] for text in seen}, {text.split("]")[1].split()[0] for text in seen}
        self.assertEqual((len(orders), len(times)), (2, 2))

    def test_pipeline_by_two_at_once(self):
        self.both(["run", *QUICKSTART])
        self.assert_same_artifacts(self.store, prepared())
        self.assertEqual(product.names(self.store), product.names(prepared()))
        self.assert_verifies(self.store)
        self.assertEqual(product.leftovers(self.store), [])
        self.both(["run", *QUICKSTART, "--set", "seed=7"])
        self.assert_verifies(self.store)
        done = self.ok(["run", *QUICKSTART, "--json"], store=self.store, env=self.env)
        made = [stage["stage"] for stage in json.loads(done.stdout)["stages"] if not stage["reused"]]
        self.assertEqual(made, ["serve-check"])

    def test_lists(self):
        store = self.copy()
        self.assertEqual(listed(store, self.env), listed(store))

    def test_models_and_removal(self):
        """The same moves and removals with and without: the same is left, in the same order."""
        plain = self.folder / "plain"
        shutil.copytree(prepared(), plain)
        store = self.copy()
        for args in (["run", *QUICKSTART, "--set", "seed=7", "--quiet"],
                     ["models", "promote", "quickstart@v1", *SKIP_GATES],
                     ["models", "promote", "quickstart@v3", *SKIP_GATES],
                     ["models", "rollback", "quickstart"],
                     ["models", "register", "quickstart.model", "--name", "other"],
                     ["artifacts", "gc", "--keep-last", "1", "--work", "--delete"],
                     ["artifacts", "verify"]):
            self.ok(args, store=plain)
            self.ok(args, store=store, env=self.env)
        self.assertEqual(listed(store, self.env), listed(plain))
        self.assert_same_artifacts(store, plain)
        self.assert_verifies(store)

    def test_removal_while_another_makes(self):
        self.ok(["run", *QUICKSTART], store=self.store, env=self.env)
        maker = product.start(["run", *QUICKSTART, "--set", "seed=7"], store=self.store, env=self.env)
        with maker:
            while maker.poll() is None:
                self.ok(["artifacts", "gc", "--keep-last", "1", "--delete", "--work"], store=self.store,
                        env=self.env)
            self.assertEqual(maker.returncode, OK, maker.stderr.read())
        self.assert_verifies(self.store)

    def test_name_not_seen_yet_keeps_its_artifact(self):
        """Of a run on another host that has ended this moment, nothing goes that it gave a name."""
        store = self.copy()
        for name in (pathlib.Path(store) / "names").iterdir():
            name.unlink()
        self.ok(["run", *QUICKSTART], store=store, env=self.env)
        self.ok(["artifacts", "gc", "--keep-names", "--delete"], store=store,
                env={**self.env, "HOSTILE_FS_UNSEEN_MS": "1000"})
        self.assertEqual(product.names(store).keys(), product.names(prepared()).keys())
        self.assert_verifies(store)


if __name__ == "__main__":
    product.main()
