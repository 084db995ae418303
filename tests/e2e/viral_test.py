"""The commands of README.md on the real data: the viral benchmark, honestly and as the original paper did."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402


class Viral(product.ProductCase):
    def viral(self, config, *arguments):
        mirror = product.test_data("viral")
        return self.ok(["run", "--config", product.ROOT / "configs" / config, "--set", f"fetch.mirror={mirror}",
                        "--store", self.store, *arguments])

    def test_metrics_stand_beside_their_baselines(self):
        text = self.viral("viral.json").stdout
        self.assertIn("8932 rows, 638 positive", text)
        self.assertIn("Test rows: 896, 64 positive", text)
        interval = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] +"
        for row in ("model", "1-nearest-neighbour", "linear", "V genes only", "TCR frequency", "always no"):
            self.assertRegex(text, rf"(?m)^{row} +({interval}){{3}}(\d\.\d{{3}} *){{3}}$")
        # By TCR, so near duplicates may meet; none of the test rows does, and the others do not touch the test.
        self.assertIn("\nTest score. Test rows: 896", text)
        leak = "2 TCRs of validation have a near duplicate in train"
        self.assertIn(f"LEAK: {leak}\n", text)
        done = json.loads(self.viral("viral.json", "--json").stdout)
        facts = {stage["stage"]: stage["facts"] for stage in done["stages"]}
        self.assertEqual(facts["preprocess"]["tcrs_on_several_sides"], 0)
        self.assertEqual(facts["evaluate"]["caveats"], [f"leak check: {leak}"])
        self.assertEqual((facts["evaluate"]["fair"], facts["evaluate"]["scored_as"], facts["evaluate"]["reasons"]),
                         (True, "test", []))
        model = facts["evaluate"]["model"]
        never = facts["evaluate"]["baselines"]["always_no"]
        self.assertGreater(model["pooled_auroc"], never["pooled_auroc"])
        self.assertGreater(model["pooled_average_precision"], never["pooled_average_precision"])

    def test_what_is_evaluated_is_what_was_chosen(self):
        study = ["train.from=study", "train.refit=false", "train.loss=bce", "train.sampling=equal_classes",
                 "train.batch_size=512", "network.head=pan", "preprocess.encoder=scalar", "tune.models=mlp_small",
                 "tune.trials=4"]
        done = json.loads(self.viral("viral.json", *[x for value in study for x in ("--set", value)], "--json").stdout)
        facts = {stage["stage"]: stage["facts"] for stage in done["stages"]}
        self.assertEqual(len(facts["tune"]["best"]), 3)
        study, kept = (json.loads((product.named(self.store, name) / "manifest.json").read_text())
                       for name in ("viral.study", "viral.model"))
        best = product.directories(self.store)[study["parents"]["model-1"]]
        # The study's is the network and no more; what `train` adds tells how it is used.
        network = json.loads((best / "manifest.json").read_text())["files"]
        shared = sorted(set(network) - {"model.json"})
        self.assertIn("weights.safetensors", shared)
        self.assertEqual({name: kept["files"][name] for name in shared}, {name: network[name] for name in shared},
                         "what is evaluated is not what was chosen")

    def test_the_paper_is_repeated_and_labelled(self):
        text = self.viral("paper.json", "--set", "tune.trials=12", "--set", "tune.minimum_positive_share=0").stdout
        self.assertIn("123 features", text)
        self.assertIn("Test rows: 893, 70 positive", text)
        self.assertIn("WARNING: not a fair test: 618 TCRs stand on more than one of training", text)
        self.assertIn("WARNING: not a fair test: the parameters were chosen on these test rows", text)
        self.assertIn("WARNING: clone_id", text)


if __name__ == "__main__":
    product.main()
