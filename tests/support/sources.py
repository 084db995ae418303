"""Copies of the public sources made from the real test data, tables, and what tests ask of a dataset."""

import collections
import csv
import gzip
import io
import json
import pathlib
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import product  # noqa: E402

IMMREP_COLUMNS = ["Label", "TRAV", "TRAJ", "TRA_CDR3", "TRBV", "TRBJ", "TRB_CDR3", "A1", "A2", "A3", "B1", "B2", "B3"]
ALPHA = ["CDR3_alpha", "V_alpha", "J_alpha"]
TCR = ["CDR3_alpha", "CDR3_beta", "V_alpha", "V_beta", "J_alpha", "J_beta"]


def configuration(folder, name="made", **sections):
    """A pipeline file with these sections, and nothing else but its name."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"name": name, **sections}))
    return ["--config", path]


def rows_of(path, separator):
    """Rows of a gzipped table as dictionaries; nothing is quoted."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator, quoting=csv.QUOTE_NONE))


def vdjdb_table(keep=lambda row: True):
    """VDJdb's table with the rows that `keep` chooses, as text."""
    rows = rows_of(product.test_data("vdjdb") / "vdjdb_human.tsv.gz", "\t")
    lines = ["\t".join(rows[0])]
    lines += ["\t".join(row.values()) for row in rows if keep(row)]
    return "\n".join(lines) + "\n"


def write_vdjdb(folder, table, release="2025-07-30", **more):
    """`vdjdb-<release>.zip` as the origin packs it: in a folder, with other files."""
    folder.mkdir(exist_ok=True)
    path = folder / f"vdjdb-{release}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {"latest-version.txt": release, "vdjdb.meta.txt": "name\n", "vdjdb.txt": table,
                           "vdjdb_full.txt": "cdr3.alpha\n", **more}.items():
            archive.writestr(zipfile.ZipInfo(f"vdjdb-{release}/{name}"), text)
    return path


def write_immrep22(folder):
    """The 17 files of IMMREP22; returns the rows of each epitope."""
    folder.mkdir(exist_ok=True)
    files = collections.defaultdict(list)
    for row in rows_of(product.test_data("immrep22_train") / "train.csv.gz", ","):
        files[row["epitope"]].append([row[name] for name in IMMREP_COLUMNS])
    for epitope, rows in files.items():
        product.write_table(folder / f"{epitope}.txt", [IMMREP_COLUMNS, *rows], "\t")
    example = (product.test_data("formats") / "immrep22_GILGFVFTL.txt").read_text()
    (folder / "GILGFVFTL.txt").write_text(example)
    files["GILGFVFTL"] = [[row[name] for name in IMMREP_COLUMNS]
                          for row in csv.DictReader(io.StringIO(example), delimiter="\t")]
    return files


def manifest(store, name):
    return json.loads((product.named(store, name) / "manifest.json").read_text())


def dataset(store, name="made.dataset"):
    """The rows of a dataset as dictionaries, each with its `Side`, and `fold` where it has folds."""
    folder = product.named(store, name)
    header, *rows = product.read_table(folder / "table.csv")
    table = [dict(zip(header, row, strict=True)) for row in rows]
    for key, values in tensors(folder / "rows.safetensors", ("sides", "folds")).items():
        for row, value in zip(table, values, strict=True):
            if key == "sides":
                row["Side"] = ("train", "validation", "test")[value]
            else:
                row["fold"] = value
    return table


def tensors(path, names):
    """Tensors of bytes in a safetensors file."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    found = {}
    for name, about in json.loads(data[8:start]).items():
        if name in names:
            begin, end = about["data_offsets"]
            found[name] = list(data[start + begin:start + end])
    return found


def tcr_of(row, columns=tuple(TCR)):
    return tuple(row[name] for name in columns)


def distance(a, b):
    """Levenshtein, by the usual table."""
    line = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, line[0] = line[0], i
        for j, y in enumerate(b, 1):
            last, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, last + (x != y))
    return line[-1]


def within_one(a, b):
    """Whether at most one edit parts them: what lies between the equal ends is at most one letter of either."""
    if abs(len(a) - len(b)) > 1:
        return False
    shorter = min(len(a), len(b))
    front = 0
    while front < shorter and a[front] == b[front]:
        front += 1
    back = 0
    while back < shorter - front and a[-1 - back] == b[-1 - back]:
        back += 1
    return max(len(a), len(b)) - front - back <= 1


def near(a, b):
    """Whether two (alpha, beta) are near duplicates, by the words of the documentation."""
    both = [(x, y) for x, y in zip(a, b) if x and y]
    return bool(both) and all(within_one(x, y) for x, y in both)


def near_pairs(asked, known):
    """The near duplicates of `asked` in `known`, both lists of (alpha, beta): every pair that shares the first or the
    last half of a chain is compared, since one edit leaves one half as it is."""
    buckets = collections.defaultdict(set)

    def keys(text, chain, shifts):
        half = len(text) // 2
        for size in shifts:
            if 0 < half + size <= len(text):
                yield chain, "front", text[:half + size]
                yield chain, "back", text[len(text) - half - size:]

    for tcr in known:
        for chain in (0, 1):
            for key in keys(tcr[chain], chain, (0,)):
                buckets[key].add(tcr)
    found = set()
    for tcr in asked:
        others = set()
        for chain in (0, 1):
            for key in keys(tcr[chain], chain, (-1, 0, 1)):
                others |= buckets.get(key, set())
        found |= {(tcr, other) for other in others if near(tcr, other)}
    return found
