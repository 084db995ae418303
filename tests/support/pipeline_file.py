"""Pipeline files in tests: JSON with comments, and what `config validate` says about it."""

import json
import pathlib
import re

import product

COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


def plain(text):
    """The value of JSON with comments, wherever they stand."""
    return json.loads(COMMENT.sub(lambda match: match.group(1) or " ", text))


class Case(product.ProductCase):
    def file(self, content, name="own.json"):
        path = self.folder / name
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def problems(self, content, *more, **options):
        """What `config validate --json` says about a file with this content; [] when it is valid."""
        path = content if isinstance(content, pathlib.Path) else self.file(content)
        done = product.run(["config", "validate", "--json", "--config", path, *more], **options)
        self.assertIn(done.returncode, (product.OK, product.CONFIGURATION), done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(set(answer), {"schema", "valid", "file", "problems"})
        self.assertEqual((answer["schema"], answer["file"]), ("tcrops.config_validate/1", str(path)))
        self.assertEqual(answer["valid"], done.returncode == product.OK)
        self.assertEqual(answer["valid"], answer["problems"] == [])
        self.assertEqual(done.stderr, "" if answer["valid"] else f"error: {path}: not valid; the result says why\n")
        for problem in answer["problems"]:
            self.assertEqual(set(problem), {"file", "line", "column", "key", "message"})
        return answer["problems"]

    def shown(self, *args, **options):
        return json.loads(self.ok(["config", "show", "--json", *args], **options).stdout)
