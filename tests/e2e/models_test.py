"""Registered models: versions, aliases, the log that nobody can change unnoticed, and references to them.

TCROPS_BIN names the program.
"""

import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from pipelines import RANKS, PipelineCase, own, stage  # noqa: E402

SKIP = ["--skip-gates", "--reason", "a test"]
TRAINED = RANKS + 1  # version of the model that the run trained
VERSIONS = RANKS + 4  # with three more


class Versions(PipelineCase):
    def versions(self):
        return self.json(["models", "show", "quickstart"])["versions"]

    def test_tune_and_train_register(self):
        self.assertEqual(self.json(["models", "list"], code=product.ARTIFACT) if self.store.exists() else [], [])
        self.ok(stage("preprocess"), store=self.store)
        self.assertEqual(self.json(["models", "list"])["models"], [])
        self.assertIn("no model is registered yet", self.ok(["models", "list"], store=self.store).stdout)
        study = self.json(stage("tune"))
        first = self.versions()
        self.assertEqual([v["version"] for v in first], list(range(1, RANKS + 1)))
        manifest = json.loads((product.named(self.store, "quickstart.study") / "manifest.json").read_text())
        self.assertEqual([v["artifact"] for v in first],
                         [manifest["parents"][f"model-{rank}"] for rank in range(1, RANKS + 1)])
        self.assertEqual([v["source"] for v in first],
                         [f"study {study['artifact'][:12]}, rank {rank}" for rank in range(1, RANKS + 1)])
        self.assertEqual(self.aliases(), {})
        model = self.json(stage("train"))
        trained = self.versions()
        self.assertEqual(trained[:RANKS], first)
        self.assertEqual((trained[-1]["version"], trained[-1]["artifact"], trained[-1]["source"],
                          trained[-1]["aliases"]), (TRAINED, model["artifact"], "trained", ["candidate"]))
        log = self.log_bytes()
        for words in (stage("train"), stage("train", {}, "--force"), stage("tune", {}, "--force"), stage("run")):
            self.ok(words, store=self.store)
        self.assertEqual(self.log_bytes(), log, "an equal artifact was registered twice")
        for epochs in (1, 2):
            self.ok(stage("train", own(epochs)), store=self.store)
        self.assertEqual([v["version"] for v in self.versions()], list(range(1, TRAINED + 3)))
        self.assertEqual(self.aliases(), {"candidate": TRAINED + 2})
        self.assertTrue(self.log_bytes().startswith(log), "the log did not only grow")
        self.assert_verifies(self.store)

    def test_list_show_log(self):
        self.copy_of()
        self.ok(["models", "promote", "quickstart", "--by", "somebody", "--reason", "it is good"], store=self.store)
        entry, = self.json(["models", "list"])["models"]
        self.assertEqual((entry["name"], entry["versions"], entry["aliases"], entry["problems"]),
                         ("quickstart", TRAINED, {"champion": TRAINED}, []))
        self.assertEqual(entry["last_move"]["event"], "promote")
        text = self.ok(["models", "list"], store=self.store).stdout
        self.assertRegex(text, rf"quickstart +{TRAINED} +v{TRAINED} +- +- +\S+ promote")
        text = self.ok(["models", "show", "quickstart"], store=self.store).stdout
        self.assertRegex(text, rf"v{TRAINED} +champion .* trained\n")
        self.assertEqual(len(text.splitlines()), 1 + TRAINED)

        version = self.json(["models", "show", "quickstart@champion"])
        model = product.named(self.store, "quickstart.model")
        evaluation = product.names(self.store)["quickstart.evaluation"]
        self.assertEqual((version["name"], version["version"], version["artifact"], version["path"],
                          version["present"]), ("quickstart", TRAINED, model.name, str(model), True))
        self.assertEqual([each["artifact"] for each in version["evaluations"]], [evaluation])
        self.assertEqual([each["event"] for each in version["events"]], ["register", "promote"])
        self.assertEqual(version, self.json(["models", "show", f"quickstart@v{TRAINED}"]))
        text = self.ok(["models", "show", "quickstart@champion"], store=self.store).stdout
        for part in (f"quickstart@v{TRAINED}", model.name, "champion", "1-nearest-neighbour", "made from study"):
            self.assertIn(part, text)

        events = self.json(["models", "log", "quickstart"])["events"]
        self.assertEqual([(e["event"], e["version"]) for e in events],
                         [("register", v) for v in range(1, TRAINED + 1)] + [("promote", TRAINED)])
        self.assertEqual((events[-1]["by"], events[-1]["reason"]), ("somebody", "it is good"))
        lines = self.log_bytes().splitlines()
        self.assertEqual([e["sha256"] for e in events], [product.hashlib.sha256(line).hexdigest() for line in lines])
        text = self.ok(["models", "log", "quickstart"], store=self.store).stdout
        self.assertRegex(text, rf"promote +v{TRAINED} +somebody +it is good +.*evaluation {evaluation[:12]}")
        self.fails(product.ARTIFACT, ["models", "show", "quickstrat"], 'did you mean "quickstart"?', store=self.store)
        for words in (["list"], ["show", "x"], ["log", "x"], ["rollback", "x"], ["promote", "x"],
                      ["compare", "x", "y"], ["register", "x", "--name", "y"]):
            self.fails(product.ARTIFACT, ["models", *words], "no store here", store=self.folder / "none")
        self.assertFalse((self.folder / "none").exists())

    def test_register(self):
        self.copy_of()
        model = product.names(self.store)["quickstart.model"]
        said = self.json(["models", "register", "quickstart.model", "--name", "other", "--reason", "for serving"])
        self.assertEqual((said["name"], said["version"], said["artifact"]), ("other", 1, model))
        again = self.ok(["models", "register", model[:10], "--name", "other"], store=self.store)
        self.assertIn("other@v1", again.stdout)
        self.assertEqual(len(self.log_bytes("other").splitlines()), 1)
        self.assertEqual(self.aliases("other"), {"candidate": 1})
        self.ok(["models", "register", "quickstart@v1", "--name", "other"], store=self.store)
        self.assertEqual(self.aliases("other"), {"candidate": 2})
        self.assertEqual(self.json(["models", "log", "other"])["events"][0]["reason"], "for serving")
        self.fails(product.USAGE, ["models", "register", "quickstart.dataset", "--name", "other"], "kind dataset",
                   store=self.store)
        for name in ("a/b", "a@b", "..", ""):
            self.fails(product.USAGE, ["models", "register", "quickstart.model", "--name", name], store=self.store)
        self.fails(product.ARTIFACT, ["models", "register", "quickstart.modle", "--name", "x"], "did you mean",
                   store=self.store)
        self.assertEqual(sorted(m["name"] for m in self.json(["models", "list"])["models"]), ["other", "quickstart"])
        self.assert_verifies(self.store)


class Reference:
    """What aliases mean, once more."""

    def __init__(self, versions, candidate):
        self.versions, self.candidate, self.champions = versions, candidate, []

    def aliases(self):
        found = {"champion": self.champions[-1:], "previous": self.champions[-2:-1], "candidate": [self.candidate]}
        return {alias: version[0] for alias, version in found.items() if version and version[0]}

    def promote(self, version):
        version = version or self.candidate
        if version is None or self.champions[-1:] == [version]:
            return product.USAGE
        if version > self.versions:
            return product.ARTIFACT
        self.champions.append(version)
        self.candidate = None if self.candidate == version else self.candidate
        return product.OK

    def rollback(self):
        if len(self.champions) < 2:
            return product.ARTIFACT
        self.champions.pop()
        return product.OK

    def train(self, version):
        return product.OK  # what has a version already does not become candidate again


class Aliases(PipelineCase):
    def test_random_moves(self):
        self.copy_of(own_models=3)
        reference = Reference(VERSIONS, VERSIONS)
        choose = random.Random(20)
        self.assertEqual(self.aliases(), reference.aliases())
        codes = set()
        for turn in range(45):
            move = choose.choice(["promote"] * 5 + ["rollback"] * 3 + ["train"])
            before = self.log_bytes()
            if move == "promote":
                version = choose.choice([None, *range(1, VERSIONS + 2)])
                name = f"quickstart@v{version}" if version else "quickstart"
                expected = reference.promote(version)
                done = product.run(["models", "promote", name, *SKIP], store=self.store)
            elif move == "rollback":
                expected = reference.rollback()
                done = product.run(["models", "rollback", "quickstart"], store=self.store)
            else:
                epochs = choose.choice([1, 2, 3])
                expected = reference.train(TRAINED + epochs)
                done = product.run(stage("train", own(epochs)), store=self.store)
            self.assertEqual(done.returncode, expected, f"turn {turn}, {move}: {done.stderr}")
            self.assertEqual(self.aliases(), reference.aliases(), f"turn {turn}, {move}")
            self.assertTrue(self.log_bytes().startswith(before))
            if expected != product.OK:
                self.assertEqual(self.log_bytes(), before)
            codes.add((move, expected))
        self.assertGreaterEqual(len(codes), 5, codes)
        self.assert_verifies(self.store)

    def test_rollback(self):
        self.copy_of(own_models=1)
        self.fails(product.ARTIFACT, ["models", "rollback", "quickstart"], "no earlier champion", store=self.store)
        for version in (TRAINED, TRAINED + 1):
            self.ok(["models", "promote", f"quickstart@v{version}", *SKIP], store=self.store)
        previous = self.json(["models", "show", "quickstart@previous"])
        weights = pathlib.Path(previous["path"]) / "weights.safetensors"
        good, before = weights.read_bytes(), self.log_bytes()
        weights.chmod(0o644)
        weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        self.fails(product.ARTIFACT, ["models", "rollback", "quickstart"], weights, store=self.store)
        self.assertEqual(self.log_bytes(), before)
        weights.write_bytes(good)
        said = self.json(["models", "rollback", "quickstart", "--reason", "it burns", "--by", "me"])
        self.assertEqual((said["name"], said["champion"], said["from"]), ("quickstart", TRAINED, TRAINED + 1))
        last = self.json(["models", "log", "quickstart"])["events"][-1]
        self.assertEqual((last["event"], last["version"], last["reason"], last["by"]),
                         ("rollback", TRAINED, "it burns", "me"))

    def test_references(self):
        self.copy_of(own_models=2)
        for version in (TRAINED, TRAINED + 1):
            self.ok(["models", "promote", f"quickstart@v{version}", *SKIP], store=self.store)
        versions = {v["version"]: v["artifact"] for v in self.json(["models", "show", "quickstart"])["versions"]}
        rows = product.named(self.store, "quickstart.model") / "examples.csv"

        def predicted(model):
            return self.ok(["predict", "--model", model, "--input", rows], store=self.store).stdout

        for reference, version in (("champion", TRAINED + 1), ("previous", TRAINED), ("candidate", TRAINED + 2),
                                   ("v2", 2)):
            self.assertEqual(predicted(f"quickstart@{reference}"), predicted(versions[version]))
        self.assertNotEqual(predicted("quickstart@champion"), predicted("quickstart@previous"))
        for reference, parts in (("quickstart@champoin", ['did you mean "champion"?', f"v1 to v{TRAINED + 2}"]),
                                 ("quickstart@v99", ["no version 99"]), ("quickstart@", ['has no ""']),
                                 ("quickstart@v-1", ["no"]), ("quickstrat@v1", ['did you mean "quickstart"?'])):
            self.fails(product.ARTIFACT, ["predict", "--model", reference, "--input", rows], *parts, store=self.store)


class Tampered(PipelineCase):
    def assert_noticed(self, what):
        with self.subTest(what):
            done = product.run(["models", "log", "quickstart"], store=self.store)
            self.assertEqual(done.returncode, product.ARTIFACT, done.stdout + done.stderr)
            self.assertIn("quickstart", done.stderr)
            verified = product.run(["artifacts", "verify"], store=self.store)
            self.assertNotEqual(verified.returncode, product.OK)
            self.assertIn("models/quickstart.jsonl", verified.stdout + verified.stderr)
            path = self.store / "models" / "quickstart.jsonl"
            before = path.read_bytes() if path.exists() else None
            for words in (["models", "promote", "quickstart@v1", *SKIP], ["models", "promote", "quickstart@v1"],
                          ["models", "rollback", "quickstart"], ["models", "show", "quickstart@champion"],
                          ["artifacts", "gc", "--keep-last", "1", "--delete"], stage("train", own(1))):
                done = product.run(words, store=self.store)
                self.assertEqual(done.returncode, product.ARTIFACT, f"{words}: {done.stderr}")
                self.assertNotIn("internal error", done.stderr)
            listed, = self.json(["models", "list"])["models"]
            self.assertNotEqual(listed["problems"], [])
            self.assertIn("LOG CHANGED", self.ok(["models", "list"], store=self.store).stdout)
            product.run(["models", "show", "quickstart"], store=self.store)
            self.assertEqual(path.read_bytes() if path.exists() else None, before)

    def test_log(self):
        self.copy_of()
        for version in (1, TRAINED):
            self.ok(["models", "promote", f"quickstart@v{version}", *SKIP], store=self.store)
        path = self.store / "models" / "quickstart.jsonl"
        good = path.read_bytes()
        lines = good.splitlines(keepends=True)
        choose = random.Random(3)
        changed = {}
        for number, line in enumerate(lines):
            at = choose.randrange(len(line) - 1)
            changed[f"byte {at} of line {number}"] = [
                *lines[:number], line[:at] + bytes([line[at] ^ 1]) + line[at + 1:], *lines[number + 1:]]
        changed["first line dropped"] = lines[1:]
        changed["middle line dropped"] = lines[:2] + lines[3:]
        changed["last line dropped"] = lines[:-1]
        changed["cut in the last line"] = [good[:-5]]
        changed["lines swapped"] = [*lines[:1], lines[2], lines[1], *lines[3:]]
        changed["line twice"] = [*lines, lines[-1]]
        changed["emptied"] = []
        for what, content in changed.items():
            path.write_bytes(b"".join(content))
            self.assert_noticed(what)
        path.unlink()
        self.assert_noticed("deleted")
        self.assertFalse(path.exists(), "a new log was begun")
        path.write_bytes(good)
        self.ok(["models", "rollback", "quickstart"], store=self.store)
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
