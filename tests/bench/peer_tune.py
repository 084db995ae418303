"""The peer's side of bench_tune.py, in a process of its own: trials made with the peer's own functions.

    peer_tune.py PEER.py TABLE points < POINTS.json     the points it is given: [[model, learning_rate, epochs]…]
    peer_tune.py PEER.py TABLE search TRIALS SEED       Optuna's TPE as the peer sets it up, by validation average precision

Prints the trials as JSON: point, average precision on the validation rows, and end in seconds since the data were ready.
"""

import importlib.util
import json
import sys
import time

import optuna
import torch
from torch.utils.data import TensorDataset, random_split

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Peer:
    def __init__(self, path, table):
        spec = importlib.util.spec_from_file_location("peer", path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        torch.set_num_threads(1)
        self.x, self.y = self.module.encode(self.module.load(table))
        torch.manual_seed(42)
        tenth = int(0.1 * len(self.y))
        parts = random_split(TensorDataset(self.x, self.y), [len(self.y) - 2 * tenth, tenth, tenth])
        self.training, self.validation = parts[0], torch.tensor(parts[1].indices)
        self.begun, self.trials = time.perf_counter(), []

    def trial(self, model, rate, epochs):
        net = self.module.train(self.training, self.x, self.y, model, rate, epochs)
        value = self.module.score(net, self.x, self.y, self.validation)["ap"]
        self.trials.append({"point": [model, rate, epochs], "ended": time.perf_counter() - self.begun, "value": value})
        return value

    def search(self, trials, seed):
        def objective(trial):
            return self.trial(trial.suggest_categorical("model", [0, 1, 2]),
                              trial.suggest_float("learning_rate", 1e-3, 1e-1), trial.suggest_int("num_epochs", 5, 25))

        torch.manual_seed(seed)
        sampler = optuna.samplers.TPESampler(seed=seed)
        optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=trials)


def main():
    peer = Peer(sys.argv[1], sys.argv[2])
    if sys.argv[3] == "points":
        for point in json.load(sys.stdin):
            peer.trial(*point)
    else:
        peer.search(int(sys.argv[4]), int(sys.argv[5]))
    print(json.dumps({"rows": len(peer.y), "trials": peer.trials}))


if __name__ == "__main__":
    main()
