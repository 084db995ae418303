"""The peer of bench_serve.py: the network of a model artifact behind Flask and gunicorn, with PyTorch.

    gunicorn --workers 2 --bind 127.0.0.1:8001 "flask_peer:make('MODEL_FOLDER')"

POST /v1/predict takes {"rows": [{"CDR3_alpha": ...}, ...]} and answers a score and a call for each row. Needs Debian's
python3-flask, gunicorn, python3-torch and python3-numpy.
"""

import json
import pathlib
import sys

import flask
import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from torch_parity import read_tensors, rebuild  # noqa: E402

GROUPS = {"CDR3_alpha": "cdr3", "CDR3_beta": "cdr3", "Epitope": "epitope"}  # every other text is a "gene"


class Model:
    """A network with the encoder `scalar`, without clone_id."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        description = json.loads((folder / "model.json").read_text())
        encoder = json.loads((folder / "encoder.json").read_text())
        self.threshold = description["threshold"]
        self.net = rebuild(description["network"])
        self.net.load_state_dict(read_tensors(folder / "weights.safetensors"), strict=True)
        self.net.eval()
        self.number = numpy.full(256, numpy.nan, numpy.float32)
        for place, letter in enumerate(encoder["alphabet"]):
            self.number[ord(letter)] = (place + 1) / len(encoder["alphabet"])
        self.features, self.width = [], 0
        for feature in encoder["features"]:
            self.features.append((feature, self.width))
            self.width += encoder["widths"][GROUPS.get(feature, "gene")]

    def scores(self, rows):
        numbers = numpy.zeros((len(rows), self.width), numpy.float32)
        for into, row in zip(numbers, rows):
            for feature, first in self.features:
                letters = self.number[numpy.frombuffer(row[feature].encode(), numpy.uint8)]
                into[first:first + len(letters)] = letters
        with torch.inference_mode():
            return torch.sigmoid(self.net(torch.from_numpy(numbers)).squeeze(1)).tolist()


def make(folder):
    torch.set_num_threads(1)
    app, model = flask.Flask(__name__), Model(folder)

    @app.post("/v1/predict")
    def predict():
        rows = flask.request.get_json()["rows"]
        scores = model.scores(rows)
        return {"rows": [{"line": at + 2, "score": score, "call": score >= model.threshold}
                         for at, score in enumerate(scores)]}

    return app
