"""What weights of one byte cost and gain: size, AUC and rows per second on one core, before and after.
usage: quantised.py TCROPS [TCRS]"""

import json
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
TCRS = sys.argv[2] if len(sys.argv) > 2 else "1200"
CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "quickstart.json"
COMMON = {"synthetic.tcrs": TCRS, "train.from": "configuration", "train.epochs": 8, "train.learning_rate": 0.003,
          "preprocess.encoder": "blosum_mds"}
CASES = {
    "mlp_small": {"train.model": "mlp_small"},
    "mlp_medium": {"train.model": "mlp_medium"},
    "mlp_large": {"train.model": "mlp_large"},
    "mlp 512,512": {"train.model": "mlp", "network.hidden": "512,512"},
    "mlp 2048,2048": {"train.model": "mlp", "network.hidden": "2048,2048"},
    "cnn": {"train.model": "cnn"},
    "attention": {"train.model": "attention"},
}


def run(store, words, settings=None):
    words = [PROGRAM, *words, "--store", store]
    for name, value in (settings or {}).items():
        words += ["--set", f"{name}={value}"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def main():
    print("| network | bytes | AUROC | average precision | rows/s | times | change of a logit, mean and most |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as store:
        for name, settings in CASES.items():
            run(store, ["train", "--config", CONFIG], {**COMMON, **settings})
            made = json.loads(run(store, ["models", "quantise", "quickstart.model", "--json"]))
            facts, speed = made["quantised"], made["speed"]
            both = [f"{facts['bytes'][0]:,} -> {facts['bytes'][1]:,}"]
            both += [f"{facts[metric][0]:.4f} -> {facts[metric][1]:.4f}" for metric in ("auroc", "average_precision")]
            before, after = speed["rows_per_second"]
            both += [f"{before:,.0f} -> {after:,.0f}", f"{after / before:.2f}",
                     f"{facts['mean_change']:.2g}, {facts['largest_change']:.2g}"]
            print(f"| {name} | {' | '.join(both)} |", flush=True)
    print(f"\nkernel: {speed['kernel']}")


if __name__ == "__main__":
    main()
