#!/usr/bin/env python3
"""Trained on VDJdb, asked about the 638 TCRs of the ePytope-TCR viral benchmark and each of its 14 epitopes.

Records of VDJdb near a viral TCR (every CDR3 chain that both have at most one edit apart, whatever they bind) do not train.
Figures are means over the 14 epitopes; R@1 is how often the true epitope has the highest score of the 14, ties shared. An
epitope that nothing was learned of has the same score for every TCR, the lowest there is, and so counts as chance in the
first three. Seeds are those of training and split in tcrops, and of what the peers draw.
FOLDER has vdjdb/vdjdb_human.tsv.gz and viral/ with the benchmark's two files and expected.csv.gz.
"""

import collections
import csv
import functools
import gzip
import pathlib
import tempfile
import time

import numpy as np

import bench_common as common
import peers

CHAINS = ("alpha", "beta")
WEIGHTS = {"CDR3": 3, "CDR1": 1, "CDR2": 1}
CAP, BINDERS, NEGATIVES, SCALE = 1200, 400, 5, 60  # peers: known binders of an epitope, of its SVM, negatives of each


class Loops:
    """CDR1 and CDR2 of V genes as databases write them."""

    def __init__(self):
        with open(common.ROOT / "data" / "v_cdr12.csv", newline="") as file:
            self.of = {row["allele"]: (row["cdr1"], row["cdr2"]) for row in csv.DictReader(file)}

    def allele(self, call):
        """The first of several genes, with an allele; empty when its loops are not known."""
        call = call.replace(";", ",").split(",")[0].strip()
        if "DV" in call and "/" not in call:
            call = call.replace("DV", "/DV")
        gene = call.split("*")[0]
        names = [call, f"{gene}*01", f"{gene}-1*01", f"{gene.removesuffix('-1')}*01"]
        return next((name for name in names if name in self.of), "")


def tcr(cdr3s, genes, loops):
    """{column: text} of chains; a chain without a usable CDR3 has nothing."""
    found = {}
    for chain, cdr3, gene in zip(CHAINS, cdr3s, genes):
        good = 6 <= len(cdr3) <= 30 and set(cdr3) <= set(peers.RESIDUES)
        found[f"CDR3_{chain}"] = cdr3 if good else ""
        found[f"V_{chain}"] = loops.allele(gene)
        found[f"CDR1_{chain}"], found[f"CDR2_{chain}"] = loops.of.get(found[f"V_{chain}"], ("", ""))
    return found


def read_vdjdb(folder, loops):
    """[(TCR, epitope)] of records, both chains of a complex together."""
    chains = collections.defaultdict(dict)
    with gzip.open(folder / "vdjdb" / "vdjdb_human.tsv.gz", "rt") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)):
            record = row["complex.id"] if row["complex.id"] != "0" else f"line {number}"
            chains[record][row["gene"]] = row
    records = []
    for rows in chains.values():
        both = [rows.get(gene, {"cdr3": "", "v.segm": ""}) for gene in ("TRA", "TRB")]
        epitope = next(iter(rows.values()))["antigen.epitope"]
        records.append((tcr([row["cdr3"] for row in both], [row["v.segm"] for row in both], loops), epitope))
    return records


def read_viral(folder, loops):
    """TCRs, the number of the epitope that each binds, and the epitopes."""
    rows = common.read_table(folder / "viral" / "expected.csv.gz")
    epitopes = list(dict.fromkeys(row["Epitope"] for row in rows))
    binders = [row for row in rows if row["Label"] == "1"]
    tcrs = [tcr([row[f"CDR3_{chain}"] for chain in CHAINS], [row[f"V_{chain}"] for chain in CHAINS], loops)
            for row in binders]
    keys = [(row["CDR3_alpha"], row["CDR3_beta"]) for row in binders]
    return tcrs, keys, np.array([epitopes.index(row["Epitope"]) for row in binders]), epitopes


def far_from(asked, records):
    """The records whose TCR is not near one of `asked`."""
    index = {chain: collections.defaultdict(set) for chain in CHAINS}
    for number, one in enumerate(asked):
        for chain in CHAINS:
            for form in peers.shortened(one[f"CDR3_{chain}"]):
                index[chain][form].add(number)

    @functools.cache
    def near(chain, text):
        candidates = set().union(*(index[chain].get(form, set()) for form in peers.shortened(text)))
        return frozenset(n for n in candidates if peers.near(asked[n][f"CDR3_{chain}"], text))

    def is_near(one):
        sets = [near(chain, one[f"CDR3_{chain}"]) for chain in CHAINS if one[f"CDR3_{chain}"]]
        return bool(sets) and bool(frozenset.intersection(*sets))

    return [record for record in records if not is_near(record[0])]


def known_pairs(records, asked, random):
    """Distinct paired TCRs with known V genes, at most CAP per epitope."""
    pairs = {(*one.values(), epitope): (one, epitope) for one, epitope in far_from(asked, records)
             if all(one[f"{name}_{chain}"] for name in ("CDR3", "V") for chain in CHAINS)}
    by_epitope = collections.defaultdict(list)
    for pair in pairs.values():
        by_epitope[pair[1]].append(pair)
    kept = []
    for binders in by_epitope.values():
        kept += [binders[i] for i in random.permutation(len(binders))[:CAP]]
    return kept


def peer_scores(records, asked, epitopes, seed):
    random = np.random.RandomState(seed)
    pairs = known_pairs(records, asked, random)
    both = asked + [one for one, _ in pairs]
    x = np.hstack([peers.loop_vectors([one[f"{name}_{chain}"] for one in both], weight)
                   for chain in CHAINS for name, weight in WEIGHTS.items()]).astype(np.float32)
    mers = [peers.three_mers([one[f"CDR3_{chain}"] for one in both]) for chain in CHAINS]
    x, known = x[:len(asked)], x[len(asked):]
    to_known = peers.squared_distances(x, known)
    similarity = sum(mer[:len(asked)] @ mer[len(asked):].T for mer in mers)
    label = np.array([epitope for _, epitope in pairs])
    scores = {name: np.zeros((len(asked), len(epitopes))) for name in peers.NAMES}
    lowest = dict(zip(peers.NAMES, (-1e9, -1.0, -1e9)))
    for e, epitope in enumerate(epitopes):
        own = np.flatnonzero(label == epitope)
        if len(own):
            scores[peers.NAMES[1]][:, e] = similarity[:, own].max(1)
            scores[peers.NAMES[2]][:, e] = -to_known[:, own].min(1)
        else:
            for name in peers.NAMES[1:]:
                scores[name][:, e] = lowest[name]
        if len(own) < 5:
            continue  # the SVM says 0, on the border
        own = random.choice(own, min(len(own), BINDERS), replace=False)
        other = random.choice(np.flatnonzero(label != epitope), NEGATIVES * len(own), replace=False)
        used = np.concatenate([own, other])
        scores[peers.NAMES[0]][:, e] = peers.svm_scores(peers.squared_distances(known[used], known[used]),
                                                        to_known[:, used], np.arange(len(used)) < len(own), SCALE)
    return scores


def product_scores(options, keys, epitopes, seed, folder):
    """Of tcrops's own evaluation; TCRs x epitopes, the lowest score where it has none."""
    product, store = common.Product(options), folder / str(seed)
    words = ["evaluate", "--config", product.config, "--set", "name=bench"]
    for setting in (f"seed={seed}", f"preprocess.split_seed={seed}", "fetch.source=file",
                    f"fetch.file={options.data / 'vdjdb' / 'vdjdb_human.tsv.gz'}", "fetch.test_source=viral",
                    f"fetch.mirror={options.data / 'viral'}", "evaluate.resamples=100", *product.settings):
        words += ["--set", setting]
    product.run(words, store)
    evaluation = (store / "names" / "bench.evaluation").read_text().strip()
    table = common.read_table(next(store.glob(f"artifacts/*/{evaluation}")) / "epytope.csv")
    score = np.full((len(keys), len(epitopes)), np.nan)
    place = {key: i for i, key in enumerate(keys)}
    for row in table:
        if row["Score"]:
            score[place[row["CDR3_alpha"], row["CDR3_beta"]], epitopes.index(row["Epitope"])] = float(row["Score"])
    assert len(table) == score.size, "each TCR with each epitope"
    return np.where(np.isnan(score), np.nanmin(score), score)


def figures_of(score, epitope, draws):
    label = np.eye(score.shape[1], dtype=bool)[epitope]
    each = [common.metrics(label[:, e], score[:, e], draws) for e in range(score.shape[1])]
    top = score >= score.max(1, keepdims=True) - 1e-12
    share = (top / top.sum(1, keepdims=True))[np.arange(len(epitope)), epitope]
    with np.errstate(invalid="ignore"):
        recall = [(draws * share)[:, label[:, e]].sum(1) / draws[:, label[:, e]].sum(1) for e in range(score.shape[1])]
    figures = {f"macro {name}": np.nanmean([one[name] for one in each], axis=0) for name in ("AUC", "AP")}
    return figures | {"macro R@1": np.nanmean(recall, axis=0)}


def main():
    options = common.arguments(__doc__, "vdjdb_to_viral.json").parse_args()
    started = time.monotonic()
    options.data = options.data.resolve()
    loops = Loops()
    asked, keys, epitope, epitopes = read_viral(options.data, loops)
    draws = common.draws_of(len(asked), options.resamples)
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "peers":
            tasks = [functools.partial(product_scores, options, keys, epitopes, seed, pathlib.Path(folder))
                     for seed in options.seeds]
            scores["tcrops"] = common.side_by_side(tasks, options.jobs, "tcrops")
    if options.only != "tcrops":
        records = read_vdjdb(options.data, loops)
        for seed in options.seeds:
            for name, values in peer_scores(records, asked, epitopes, seed).items():
                scores.setdefault(name, []).append(values)
    if options.scores:
        np.savez(options.scores, epitope=epitope, **scores)
    results = {name: common.summary([figures_of(values, epitope, draws) for values in each])
               for name, each in scores.items()}
    about = {"vdjdb to viral": f"{len(asked)} TCRs x {len(epitopes)} epitopes", "seeds": options.seeds,
             "set": " ".join(options.set) or "as in the pipeline file"}
    common.show(options, about, results, started)


if __name__ == "__main__":
    main()
