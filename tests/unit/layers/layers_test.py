"""Who includes whom: the #include lines of src and include against the table in src/README.md.

Standard library only.
"""

import pathlib
import re
import shutil
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
LONGEST_FILE = 400
MAIN = "main.cpp"  # stands above all modules
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"(torch|ATen|c10|caffe2)/")
COMMAND_LINE = re.compile(r"CLI/|CLI11")


def allowed_modules(root):
    """{module: modules that it may use}, from the module map."""
    allowed = {}
    for line in (root / "src" / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        name = re.fullmatch(r"`(\w+)`", cells[0])
        if not line.startswith("|") or not name:
            continue
        if cells[2] == "all above":
            allowed[name.group(1)] = set(allowed)
        else:
            allowed[name.group(1)] = {cell.strip() for cell in cells[2].split(",") if cell.strip()}
    for module, uses in allowed.items():
        if not uses <= set(allowed):
            raise ValueError(f"src/README.md: {module} may use {uses - set(allowed)}, no module")
    return {**allowed, MAIN: set(allowed)}


def source_files(root):
    files = [path for folder in ("include", "src") for path in (root / folder).rglob("*")]
    return sorted(path for path in files if path.suffix in (".hpp", ".h", ".cpp", ".cc"))


def place(root, path):
    """(module, public) of a file; a module of None is outside all of them."""
    parts = path.relative_to(root).parts
    if parts == ("src", "main.cpp"):
        return MAIN, False
    if parts[:2] == ("include", "tcrops"):
        return (parts[2] if len(parts) > 3 else None), True
    return (parts[1] if parts[0] == "src" and len(parts) > 2 else None), False


def included_file(root, path, quoted, text):
    """The file of ours that an #include means, or None. NAME.in stands for the NAME made of it."""
    candidates = [root / "include" / text, root / "src" / text]
    if quoted:  # in the folder of the file or one above it, up to the module's
        inside = [folder for folder in path.parents if folder.is_relative_to(root)]
        candidates = [folder / text for folder in inside] + candidates
    for candidate in candidates:
        for found in (candidate.resolve(), candidate.with_name(candidate.name + ".in").resolve()):
            if found.is_file() and found.is_relative_to(root):
                return found
    return None


def include_faults(root, path, allowed, quoted, text):
    module, public = place(root, path)
    folder = path.relative_to(root).parent
    in_torch = folder.is_relative_to("src/nn/torch")
    if TORCH.match(text) and not in_torch:
        yield f"includes {text}: LibTorch belongs to src/nn/torch"
    if COMMAND_LINE.match(text) and module != "cli":
        yield f"includes {text}: CLI11 belongs to src/cli"
    if COMMAND_LINE.match(text) and public:
        yield f"includes {text}: CLI11 in a public header"
    found = included_file(root, path, quoted, text)
    if found is None:
        if text.startswith("tcrops/") or quoted:
            yield f"includes {text}, which is not there"
        return
    other, other_public = place(root, found)
    if public and not other_public:
        yield f"includes {text}: a public header that needs a private one"
    if other == module:
        return
    if other not in allowed.get(module, set()):
        yield f"includes {text}: {module} may not use {other} (src/README.md)"
    elif not other_public:
        yield f"includes {text}: private to {other}"


def file_faults(root, path, allowed):
    name = path.relative_to(root)
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield f"{name}: {lines} lines, at most {LONGEST_FILE}"
    if place(root, path)[0] not in allowed:
        yield f"{name}: in no module of src/README.md"
        return
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        for fault in include_faults(root, path, allowed, match.group(1) == '"', match.group(2)):
            yield f"{name}:{line}: {fault}"


def faults(root):
    allowed = allowed_modules(root)
    return [fault for path in source_files(root) for fault in file_faults(root, path, allowed)]


class Checkout(unittest.TestCase):
    def test_module_map_is_read(self):
        allowed = allowed_modules(ROOT)
        self.assertEqual(allowed["core"], set())
        self.assertEqual(allowed["eval"], {"core", "data"})
        self.assertEqual(allowed["cli"], set(allowed) - {"cli", MAIN})

    def test_there_is_something_to_check(self):
        self.assertGreater(len(source_files(ROOT)), 20)

    def test_no_faults(self):
        found = faults(ROOT)
        self.assertEqual(found, [], "\n" + "\n".join(found))


class Planted(unittest.TestCase):
    """Each rule catches what breaks it, in a copy of the sources."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-layers-")).resolve()
        for name in ("src", "include"):
            shutil.copytree(ROOT / name, cls.folder / name)
        cls.allowed = allowed_modules(cls.folder)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def plant(self, name, text):
        """The faults of a new file."""
        path = self.folder / name
        existed = path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            self.assertIn(path, source_files(self.folder))
            return list(file_faults(self.folder, path, self.allowed))
        finally:
            path.unlink()
            if not existed:
                path.parent.rmdir()

    def test_what_is_allowed(self):
        self.assertEqual(self.plant("src/tune/planted.cpp", "#include <tcrops/core/rng.hpp>\n"), [])
        self.assertEqual(self.plant("src/nn/torch/planted.cpp", "#include <torch/torch.h>\n"), [])
        self.assertEqual(self.plant("src/cli/planted.cpp", "#include <CLI/CLI.hpp>\n"), [])
        self.assertEqual(self.plant("src/stages/planted.cpp", "#include <vector>\n"), [])
        self.assertEqual(self.plant("src/core/planted.cpp", "\n" * LONGEST_FILE), [])

    def test_what_is_not(self):
        for name, text, words in (
            ("src/core/planted.cpp", "#include <tcrops/store/store.hpp>", "core may not use store"),
            ("src/tune/planted.cpp", "#include <tcrops/data/csv.hpp>", "tune may not use data"),
            ("src/data/planted.cpp", '# include "tcrops/nn/core.hpp"', "data may not use nn"),
            ("include/tcrops/eval/planted.hpp", "#include <tcrops/tune/space.hpp>",
             "eval may not use tune"),
            ("src/data/planted.cpp", '#include "../core/json_positions.hpp"', "private to core"),
            ("src/data/planted.cpp", "#include <core/json_positions.hpp>", "private to core"),
            ("include/tcrops/core/planted.hpp",
             '#include "../../../src/core/json_positions.hpp"', "needs a private one"),
            ("src/nn/planted.cpp", "#include <torch/torch.h>", "LibTorch"),
            ("src/stages/planted.cpp", "#include <ATen/ATen.h>", "LibTorch"),
            ("include/tcrops/nn/planted.hpp", "#include <c10/core/Device.h>", "LibTorch"),
            ("src/stages/planted.cpp", "#include <CLI/CLI.hpp>", "CLI11"),
            ("include/tcrops/cli/planted.hpp", "#include <CLI/CLI.hpp>", "public header"),
            ("src/core/planted.cpp", "#include <tcrops/core/no.hpp>", "not there"),
            ("src/core/planted.cpp", "\n" * LONGEST_FILE, "401 lines"),
            ("src/extra/planted.cpp", "", "in no module"),
            ("src/planted.cpp", "", "in no module"),
        ):
            with self.subTest(name=name, text=text[:60]):
                found = self.plant(name, text + "\n")
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(name), found)
                self.assertIn(words, found[0])


if __name__ == "__main__":
    unittest.main()
