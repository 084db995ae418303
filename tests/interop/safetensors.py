"""Reads the safetensors files that tcrops writes, by the format's description alone."""

import json
import struct

import numpy

TYPES = {"F32": numpy.float32, "I64": numpy.int64, "U8": numpy.uint8, "I8": numpy.int8}


def read(path):
    """name -> array; every rule of the layout is checked."""
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    assert size % 8 == 0 and data[8:9] == b"{", f"{path}: header is not aligned"
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    tensors, reached = {}, 0
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert set(entry) == {"dtype", "shape", "data_offsets"}, f"{path}: {name}: keys"
        assert begin == reached and end >= begin, f"{path}: {name}: gap or overlap"
        values = numpy.frombuffer(body[begin:end], dtype=TYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).copy()
        reached = end
    assert reached == len(body), f"{path}: bytes behind the last tensor"
    return tensors
