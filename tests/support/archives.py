"""Archives of `artifacts export` in tests: read, changed and written again."""

import hashlib
import io
import json
import tarfile

import product
from product import prepared

INDEX = "tcrops-archive.json"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def canonical(value):
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def read_archive(path):
    """[(TarInfo, bytes)] in order."""
    with tarfile.open(path) as archive:
        return [(member, archive.extractfile(member).read() if member.isfile() else b"") for member in archive]


def write_archive(path, members):
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def entry(name, kind=tarfile.REGTYPE, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def signed(index):
    """The bytes of an index that says it was not changed."""
    index = {key: value for key, value in index.items() if key != "sha256"}
    return canonical({**index, "sha256": sha256(canonical(index))})


class ArchiveCase(product.ProductCase):
    def json_of(self, *args, store):
        return json.loads(self.ok(["artifacts", *args, "--json"], store=store).stdout)

    def exported(self, *references, name="archive.tar", store=None):
        path = self.folder / name
        self.ok(["artifacts", "export", *references, "--output", path], store=store or prepared())
        return path
