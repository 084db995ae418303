"""Lists come from the logs alone, so that they are quick in a large store. tests/bench/large_store.py has the times."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import big_store  # noqa: E402
import product  # noqa: E402

ARTIFACTS = 300  # and the dataset that all of them need


class LargeStore(product.ProductCase):
    def setUp(self):
        super().setUp()
        big_store.make(self.store, ARTIFACTS)

    def answer(self, *args):
        return json.loads(self.ok([*args, "--json"], store=self.store).stdout)

    def test_is_as_the_program_makes_it(self):
        """The store that is measured must be a right one."""
        self.assertIn(f"{ARTIFACTS + 1} artifacts, every hash is right",
                      self.ok(["artifacts", "verify"], store=self.store).stdout)
        self.assertEqual(sum(model["versions"] for model in self.answer("models", "list")["models"]), ARTIFACTS // 10)
        self.assertEqual(len(self.answer("models", "show", "model1")["versions"]), 8)
        collected = self.answer("artifacts", "gc", "--keep-models")
        self.assertEqual((len(collected["kept"]), len(collected["removed"])), (31, 270))

    def test_no_manifest_is_opened(self):
        lists = (["artifacts", "ls"], ["artifacts", "ls", "--json"], ["artifacts", "ls", "--last", "7"],
                 ["artifacts", "ls", "--kind", "model"], ["models", "list"], ["models", "list", "--json"],
                 ["models", "log", "model1"])
        before = [self.ok(args, store=self.store).stdout for args in lists]
        for folder in product.directories(self.store).values():
            (folder / "manifest.json").write_bytes(b"\0 not readable")
        self.assertEqual([self.ok(args, store=self.store).stdout for args in lists], before)

    def test_lines_of_another_form(self):
        """The quick reader of the log takes lines as the program writes them; any other JSON is read all the same."""
        before = self.answer("artifacts", "ls")
        log = self.store / "log.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        ways = ({"indent": None}, {"separators": (" , ", " : ")}, {"sort_keys": True})
        log.write_text("".join(json.dumps({"note": 'a "quoted" {brace}, [1, -2.5e3, null]', "list": [{"a": []}], **line},
                                          **ways[number % len(ways)]) + "\n" for number, line in enumerate(lines)))
        self.assertEqual(self.answer("artifacts", "ls"), before)

    def test_unreadable_lines(self):
        """What the log does not say any more, the manifest does."""
        before = {each["id"]: each for each in self.answer("artifacts", "ls")["artifacts"]}
        log = self.store / "log.jsonl"
        lines = log.read_bytes().splitlines()
        for number, damage in ((3, b'{"event":"publish"'), (40, b""), (77, b"\xff\xfe"), (90, b"{}"),
                               (120, b'{"event":"publish","id":"x"}'), (150, b'{"event":"publish","id":7}')):
            lines[number] = damage
        log.write_bytes(b"\n".join(lines) + b"\n" + b'{"event":"publish","id":"cut off')
        after = {each["id"]: each for each in self.answer("artifacts", "ls")["artifacts"]}
        self.assertEqual(set(after), set(before))
        for each in [*before.values(), *after.values()]:
            each.pop("published")
        self.assertEqual(after, before)


class Removed(product.ProductCase):
    def test_old_champions_stay(self):
        """Those that a rollback may go back to stay; other versions may be removed, and later collections go on."""
        store = big_store.BigStore(self.store, models=1)
        store.fill(300)  # v1, v11 and v21 have been champions
        store.close()
        collect = ["artifacts", "gc", "--keep-last", "1", "--delete"]
        self.ok(collect, store=self.store)
        self.ok(["models", "rollback", "model0"], store=self.store)
        shown = json.loads(self.ok(["models", "show", "model0", "--json"], store=self.store).stdout)
        self.assertEqual(shown["aliases"], {"champion": 11, "previous": 1, "candidate": 30})
        self.ok(["models", "rollback", "model0"], store=self.store)
        self.fails(product.ARTIFACT, ["models", "rollback", "model0"], store=self.store)
        for more in ([], ["--keep-models"], ["--keep-names"]):
            self.ok([*collect, *more], store=self.store)
        self.assert_verifies(self.store)


if __name__ == "__main__":
    product.main()
