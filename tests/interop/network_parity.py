"""Checks every architecture, head, loss and optimiser of tcrops against PyTorch and scikit-learn.

usage: network_parity.py NETWORK_PROBE
Computes in double precision, from the specification and the weights by their names, what the probe computed: logits
of fresh networks, the loss and the weights of two steps, and where a kernel machine ends. Exit status 77 (skipped)
where PyTorch or scikit-learn is not installed, but 1 under CI=true.
"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

try:
    import numpy
    import torch
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.linear_model import LogisticRegression
    import safetensors
except ImportError as error:
    print(f"SKIPPED: {error}; install python3-torch, python3-sklearn and python3-numpy")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

functional = torch.nn.functional
ACTIVATIONS = {"relu": torch.relu, "elu": functional.elu, "gelu": functional.gelu, "tanh": torch.tanh,
               "sigmoid": torch.sigmoid}
EPITOPE_SIDE = ("Epitope", "MHC")
CDR3S = ("CDR3_alpha", "CDR3_beta")
LETTER_COST = 4.0
FAR = 1e6


class Rows:
    def __init__(self, folder, learned):
        name = f"rows{int(learned)}"
        tensors = safetensors.read(folder / f"{name}.safetensors")
        self.codes = torch.from_numpy(tensors["codes"].astype(numpy.int64))
        self.numbers = torch.from_numpy(tensors["numbers"]).double()
        self.labels = torch.from_numpy(tensors["labels"]).double()
        expansion = json.loads((folder / f"{name}.json").read_text())
        self.blocks, self.tables = expansion["blocks"], expansion["tables"]

    def epitope(self, codes):
        block = next(block for block in self.blocks if block["column"] == "Epitope")
        return codes[:, block["first"] : block["first"] + block["count"]]


class Columns:
    """Values [rows, places, dims] and masks [rows, places] by column, as the network reads them."""

    def __init__(self, rows, spec, weights, codes, numbers):
        self.values, self.present, self.coded = {}, {}, {}
        embeddings = [name for name in weights if name.startswith("embedding")]
        numbered = [i for i, table in enumerate(rows.tables) if table["numbered"]]
        for block in rows.blocks:
            name, first, count = block["column"], block["first"], block["count"]
            if name in EPITOPE_SIDE and "epitopes" in spec:
                continue
            self.coded[name] = block["table"] is not None
            if block["table"] is None:
                self.values[name] = numbers[:, first : first + count].unsqueeze(2)
                self.present[name] = torch.ones(len(codes), count).double()
                continue
            part = codes[:, first : first + count]
            self.present[name] = (part != 0).double()
            if block["table"] in numbered:
                table = weights[embeddings[numbered.index(block["table"])]]
            else:
                one = rows.tables[block["table"]]
                table = torch.tensor(one["values"]).double().view(-1, one["dims"])
            self.values[name] = table[part] * self.present[name].unsqueeze(2)

    def side_by_side(self, wanted):
        return torch.cat([values.flatten(1) for name, values in self.values.items() if wanted(name)], 1)


def linear(weights, name, values):
    return values @ weights[f"{name}.weight"].t() + weights[f"{name}.bias"]


def feed_forward(weights, prefix, spec, values, training):
    number, last = 0, max(int(name[len(prefix):].split(".")[0]) for name in weights
                          if name.startswith(prefix) and name[len(prefix):].split(".")[0].isdigit())
    while True:
        values = linear(weights, f"{prefix}{number}", values)
        if number == last:
            return values
        number += 1
        if spec["norm"] != "none":
            name = f"{prefix}{number}"
            gain, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
            if spec["norm"] == "layer":
                values = functional.layer_norm(values, gain.shape, gain, shift)
            else:
                values = functional.batch_norm(values, weights[f"{name}.running_mean"], weights[f"{name}.running_var"],
                                               gain, shift, training=training)
            number += 1
        values = ACTIVATIONS[spec["activation"]](values)
        number += 1


def cnn(weights, spec, columns, training):
    found = []
    for name, values in columns.values.items():
        if not is_sequence(name):
            continue
        for width in spec["kernel_widths"]:
            before = (width - 1) // 2
            padded = functional.pad(values, (0, 0, before, width - 1 - before))
            kernel = weights[f"conv_{name}_{width}.weight"].view(spec["filters"], values.shape[2], width)
            all_places = ACTIVATIONS[spec["activation"]](
                functional.conv1d(padded.transpose(1, 2), kernel, weights[f"conv_{name}_{width}.bias"]))
            there = columns.present[name].unsqueeze(1) > 0
            best = torch.where(there, all_places, torch.tensor(-math.inf).double()).amax(2)
            found.append(torch.where(there.any(2), best, torch.tensor(0.0).double()))
    found += [values.flatten(1) for name, values in columns.values.items() if not is_sequence(name)]
    return feed_forward(weights, "head", spec, torch.cat(found, 1), training)


def attention(weights, spec, columns, training):
    state = torch.cat([linear(weights, f"token_{name}", values) for name, values in columns.values.items()], 1)
    state = state + weights["places"]
    there = torch.cat(list(columns.present.values()), 1) > 0
    heads, width = spec["attention_heads"], spec["width"]

    def norm(name, values):
        return functional.layer_norm(values, (width,), weights[f"{name}.weight"], weights[f"{name}.bias"])

    for block in range(spec["blocks"]):
        name = f"block{block}_"
        query, key, value = linear(weights, name + "qkv", norm(name + "norm1", state)).split(width, 2)
        mixed = []
        for head in range(heads):
            part = slice(head * width // heads, (head + 1) * width // heads)
            products = query[:, :, part] @ key[:, :, part].transpose(1, 2) / math.sqrt(width // heads)
            products = products.masked_fill(~there.unsqueeze(1), -math.inf)
            mixed.append(torch.softmax(products, 2) @ value[:, :, part])
        state = state + linear(weights, name + "joined", torch.cat(mixed, 2))
        wide = functional.gelu(linear(weights, name + "wide", norm(name + "norm2", state)))
        state = state + linear(weights, name + "narrow", wide)
    seen = there.double().unsqueeze(2)
    return feed_forward(weights, "head", spec, (norm("norm", state) * seen).sum(1) / seen.sum(1), training)


def two_tower(weights, spec, columns, training):
    tcr = feed_forward(weights, "tcr", spec, columns.side_by_side(lambda name: name not in EPITOPE_SIDE), training)
    if "epitopes" in spec:
        return linear(weights, "heads_0", tcr) + weights["bias"]
    epitope = feed_forward(weights, "epitope", spec, columns.side_by_side(lambda name: name in EPITOPE_SIDE), training)
    return (tcr * epitope).sum(1, keepdim=True) / math.sqrt(spec["width"]) + weights["bias"]


def is_sequence(name):
    return name in CDR3S or name == "Epitope"


def chain(name):
    return "alpha" if name.endswith("alpha") else "beta"


def distance(spec, part, loop_weights, rows, anchors):
    """Squared distances over the columns that both have, scaled up to all, and where they can be computed."""
    total = torch.zeros(len(next(iter(rows.values.values()))), len(next(iter(anchors.values.values())))).double()
    shared, everything = torch.zeros_like(total), 0.0
    usable_row, usable_anchor = torch.ones(total.shape[0]).double(), torch.ones(total.shape[1]).double()
    coded = [name for name in rows.values if rows.coded[name]]
    for number, name in enumerate(coded):
        if part["chains"] != "both" and name not in EPITOPE_SIDE and chain(name) != part["chains"]:
            continue
        places = slice(0, rows.values[name].shape[1])
        if name in CDR3S:
            places = slice(spec["cdr3_trim"][0], rows.values[name].shape[1] - spec["cdr3_trim"][1])
        one, other = rows.values[name][:, places].flatten(1), anchors.values[name][:, places].flatten(1)
        row_has = (rows.present[name].sum(1) > 0).double()
        anchor_has = (anchors.present[name].sum(1) > 0).double()
        both = row_has.unsqueeze(1) * anchor_has
        squared = (one.unsqueeze(1) - other.unsqueeze(0)).square().sum(2)
        total = total + loop_weights[number] * both * squared
        shared = shared + loop_weights[number] * both
        everything = everything + loop_weights[number]
        if name in CDR3S and len(spec["kernels"]) > 1:
            usable_row, usable_anchor = usable_row * row_has, usable_anchor * anchor_has
    scaled = torch.where(shared > 0, total * everything / shared.clamp(min=1e-6), torch.tensor(FAR).double())
    return scaled, usable_row, usable_anchor


def similarity(spec, loop_weights, rows, anchors):
    total = 0.0
    for part in spec["kernels"]:
        d, usable_row, usable_anchor = distance(spec, part, loop_weights, rows, anchors)
        total = total + part["share"] * torch.exp(-d / part["scale"]) * usable_row.unsqueeze(1) * usable_anchor
    return total


def coordinates(spec, loop_weights, columns, anchors):
    own = similarity(spec, loop_weights, anchors, anchors)
    lower = torch.linalg.cholesky(own + 1e-3 * torch.eye(len(own)).double())
    return torch.linalg.solve_triangular(lower, similarity(spec, loop_weights, columns, anchors).t(), upper=False).t()


def kernel_mlp(weights, spec, columns, training, rows):
    codes = weights["anchors"].long()
    anchors = Columns(rows, spec, weights, codes, torch.zeros(len(codes), rows.numbers.shape[1]).double())
    loop_weights = weights["log_weights"].exp()
    if spec["readout"] == "density":
        return density(weights, spec, columns, anchors, training, rows)
    if spec["anchor_kind"] == "trained":
        for name in anchors.values:
            if anchors.coded[name]:
                anchors.values[name] = anchors.values[name] + weights[f"moved_{name}"] * anchors.present[name].unsqueeze(2)
        inputs = similarity(spec, loop_weights, columns, anchors)
    elif any(name.startswith("embedding") for name in weights):
        inputs = similarity(spec, loop_weights, columns, anchors)
    else:
        inputs = coordinates(spec, loop_weights, columns, anchors)
    return feed_forward(weights, "head", spec, inputs, training)


def density(weights, spec, columns, anchors, training, rows):
    """log of (sum over binders + m usual) / (binders + m), over usual, the mean over all anchors."""
    heads = weights["heads"].long()
    bound = heads_of(rows, weights["anchors"].long(), heads)
    binds = functional.one_hot(bound, len(heads)).double()
    loop_weights = weights["log_weights"].exp()
    alike = LETTER_COST * max(spec["loop_weights"])
    total = 0.0
    for number, part in enumerate(spec["kernels"]):
        d, usable_row, usable_anchor = distance(spec, part, loop_weights, columns, anchors)
        near = torch.exp(-d / weights["log_scales"][number].exp()) * usable_anchor
        if training:
            near = near * (d > alike).double()
        m = weights["log_priors"][number].exp()
        usual = (near.sum(1, keepdim=True) / usable_anchor.sum()).clamp(min=1e-30)
        binders = binds * usable_anchor.unsqueeze(1)
        ratio = torch.log((near @ binders + m * usual) / (binders.sum(0) + m)) - torch.log(usual)
        total = total + weights["shares"][number] * ratio * usable_row.unsqueeze(1) * (binders.sum(0) > 0).double()
    return functional.pad(total, (0, 1)) if spec["competing"] else total


def heads_of(rows, codes, heads):
    equal = (rows.epitope(codes).unsqueeze(1) == rows.epitope(heads).unsqueeze(0)).all(2)
    assert equal.any(1).all()
    return equal.double().argmax(1)


def outputs(weights, spec, rows, training):
    columns = Columns(rows, spec, weights, rows.codes, rows.numbers)
    architecture = spec["architecture"]
    if architecture.startswith("mlp"):
        flat = "epitopes" not in spec and not any(name.startswith("embedding") for name in weights)
        if flat:  # in the order of the features: codes and numbers as they come
            return feed_forward(weights, "", spec, columns.side_by_side(lambda name: True), training)
        values = torch.cat([columns.side_by_side(lambda name: name not in EPITOPE_SIDE)]
                           + ([] if "epitopes" in spec else [columns.side_by_side(lambda name: name in EPITOPE_SIDE)]), 1)
        return feed_forward(weights, "", spec, values, training)
    if architecture == "kernel_mlp":
        return kernel_mlp(weights, spec, columns, training, rows)
    return {"cnn": cnn, "attention": attention, "two_tower": two_tower}[architecture](weights, spec, columns, training)


def logits_of(out, weights, spec, rows):
    if "epitopes" not in spec:
        return out.squeeze(1)
    if spec["competing"]:
        shares = torch.softmax(out, 1)
        out = (torch.log(shares) - torch.log1p(-shares))[:, :-1]
    own = heads_of(rows, rows.codes, weights["heads"].long())
    return out.gather(1, own.unsqueeze(1)).squeeze(1)


def loss_of(options, out, weights, spec, rows):
    if options["name"] == "softmax":
        return softmax_loss(out, weights, spec, rows, options["label_smoothing"])
    logits, labels = logits_of(out, weights, spec, rows), rows.labels
    target = labels * (1 - options["label_smoothing"]) + options["label_smoothing"] / 2
    if options["name"] == "squared":
        return functional.mse_loss(logits, target)
    each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if options["name"] == "focal":
        p = torch.sigmoid(logits)
        each = each * (1 - torch.where(labels == 1, p, 1 - p)) ** options["focal_gamma"]
    if options["name"] == "weighted_bce":
        heads = heads_of(rows, rows.codes, weights["heads"].long()) if "epitopes" in spec else torch.zeros(len(labels))
        weight = torch.ones_like(labels)
        for head in heads.unique():
            own = heads == head
            for label in (0, 1):
                weight[own & (labels == label)] = own.sum() / (2.0 * (own & (labels == label)).sum())
        if options["positive_weight"]:
            weight = torch.where(labels == 1, options["positive_weight"], 1.0).double()
        each = each * weight
    return each.mean()


def softmax_loss(out, weights, spec, rows, smoothing):
    """Cross-entropy per TCR; rows of one TCR have the same codes but for epitope and MHC."""
    own = heads_of(rows, rows.codes, weights["heads"].long())
    tcrs, losses = {}, []
    for row in range(len(rows.labels)):
        seen = torch.cat([rows.codes[row, b["first"] : b["first"] + b["count"]].double() for b in rows.blocks
                          if b["column"] not in EPITOPE_SIDE and b["table"] is not None] + [rows.numbers[row]])
        tcrs.setdefault(tuple(seen.tolist()), []).append(row)
    for members in tcrs.values():
        target = torch.zeros(out.shape[1]).double()
        for row in members:
            target[own[row]] = rows.labels[row]
        if target.sum() == 0:
            target[-1] = 1.0
        losses.append(functional.cross_entropy(out[members[0]].unsqueeze(0), (target / target.sum()).unsqueeze(0),
                                               label_smoothing=smoothing))
    return torch.stack(losses).mean()


def optimiser_of(options, parameters):
    decay, momentum = options["weight_decay"], options["momentum"]
    return {"adam": lambda: torch.optim.Adam(parameters, weight_decay=decay),
            "adamw": lambda: torch.optim.AdamW(parameters, weight_decay=decay),
            "sgd": lambda: torch.optim.SGD(parameters, lr=1.0, momentum=momentum, weight_decay=decay),
            "rmsprop": lambda: torch.optim.RMSprop(parameters, momentum=momentum, weight_decay=decay)}[options["name"]]()


def rate(training, epoch):
    """In the middle of the only step of an epoch."""
    done, epochs, options = epoch - 0.5, training["epochs"], training["optimiser"]
    share = done / epochs
    factor = {"constant": 1.0, "cosine": (1 + math.cos(math.pi * share)) / 2, "linear": 1 - share,
              "step": 1.0 if share < 0.5 else 0.1 if share < 0.75 else 0.01}[options["schedule"]]
    if done < options["warmup_epochs"]:
        factor *= done / options["warmup_epochs"]
    return training["learning_rate"] * factor


def train(weights, spec, training, rows):
    """Losses, and for each weight whether all of its gradients were more than rounding noise."""
    buffers = ("heads", "anchors", "running_mean", "running_var", "num_batches_tracked")
    fixed_kernel = spec["architecture"] == "kernel_mlp" and spec["readout"] == "linear" and spec["anchor_kind"] == "fixed"
    parameters = {name: value for name, value in weights.items() if not name.endswith(buffers)
                  and not (fixed_kernel and name == "log_weights")}
    for value in parameters.values():
        value.requires_grad_(True)
    # All but plain steps divide a gradient by its own size, so where it is rounding noise, so is the step.
    least = {"sgd": 0.0, "rmsprop": 1e-3}.get(training["optimiser"]["name"], 1e-5)
    optimiser = optimiser_of(training["optimiser"], list(parameters.values()))
    losses, sure = [], {name: torch.ones_like(value, dtype=torch.bool) for name, value in parameters.items()}
    for epoch in range(1, training["epochs"] + 1):
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(training["loss"], outputs(weights, spec, rows, True), weights, spec, rows)
        loss.backward()
        losses.append(loss.item())
        for name, value in parameters.items():
            if value.grad is not None:
                sure[name] &= (value.grad.abs() > least) | (value.grad == 0)
        if training["optimiser"]["clip_norm"]:
            torch.nn.utils.clip_grad_norm_(list(parameters.values()), training["optimiser"]["clip_norm"])
        for group in optimiser.param_groups:
            group["lr"] = rate(training, epoch)
        optimiser.step()
    return losses, sure


def parts_of(tensors, prefix):
    return {name[len(prefix):]: torch.from_numpy(value).double() for name, value in tensors.items()
            if name.startswith(prefix)}


def check(folder, case, failures):
    about = json.loads((folder / f"{case}.json").read_text())
    tensors = safetensors.read(folder / f"{case}.safetensors")
    rows, spec = Rows(folder, about["learned"]), about["spec"]
    weights, after = parts_of(tensors, "before."), parts_of(tensors, "after.")
    with torch.no_grad():
        expected = logits_of(outputs(weights, spec, rows, False), weights, spec, rows)
    logit = (expected - torch.from_numpy(tensors["logits"]).double()).abs().max().item()
    losses, sure = train(weights, spec, about["training"], rows)
    loss = max(abs(a - b) for a, b in zip(losses, about["losses"]))
    step, compared, total = 0.0, 0, 0
    for name, mask in sure.items():
        difference = (weights[name].detach() - after[name]).abs()[mask]
        compared, total = compared + difference.numel(), total + mask.numel()
        if difference.numel():
            step = max(step, difference.max().item())
    with torch.no_grad():
        trained = {**parts_of(tensors, "after.")}
        end = logits_of(outputs(trained, spec, rows, False), trained, spec, rows)
    trained_logit = ((end - torch.from_numpy(tensors["trained_logits"]).double()).abs() / end.abs().clamp(min=1)).max().item()
    names = f"{about['name']}, {about['training']['loss']['name']}, {about['training']['optimiser']['name']}"
    print(f"{case} {names}: logits {logit:.1e}, trained {trained_logit:.1e}, loss {loss:.1e}, "
          f"weights after two steps {step:.1e} ({compared} of {total})")
    # The 24 normalised layers of mlp_large pass on what RMSprop makes of rounding noise: full steps.
    chaotic = spec["architecture"] == "mlp_large" and about["training"]["optimiser"]["name"] == "rmsprop"
    # In 12 and more normalised layers a gradient just above 1e-5 is right to about a hundredth, and so is the second step of Adam.
    deep = spec["architecture"] in ("mlp_medium", "mlp_large")
    bound = 5e-3 if chaotic else 3e-4 if deep else 1e-4
    if not (max(logit, trained_logit) <= 2e-4 and loss <= 1e-4 and step <= bound and compared > total / 50):
        failures.append(f"{case} {names}")


def check_machine(folder, loss, failures):
    """Where training ends: kernel ridge and logistic regression with the same penalty, the bias' included."""
    tensors = safetensors.read(folder / f"machine.{loss}.safetensors")
    about = json.loads((folder / f"machine.{loss}.json").read_text())
    rows, spec, weights = Rows(folder, False), about["spec"], parts_of(tensors, "after.")
    columns = Columns(rows, spec, weights, rows.codes, rows.numbers)
    codes = weights["anchors"].long()
    anchors = Columns(rows, spec, weights, codes, torch.zeros(len(codes), 1).double())
    points = coordinates(spec, weights["log_weights"].exp(), columns, anchors).numpy()
    points = numpy.hstack([points, numpy.ones((len(points), 1))])
    labels, decay = rows.labels.numpy(), about["training"]["optimiser"]["weight_decay"]
    if loss == "squared":
        machine = KernelRidge(alpha=decay * len(labels) / 2, kernel="precomputed").fit(points @ points.T, labels)
        expected = machine.predict(points @ points.T)
    else:
        machine = LogisticRegression(C=1 / (decay * len(labels)), fit_intercept=False, tol=1e-10, max_iter=10_000)
        expected = machine.fit(points, labels).decision_function(points)
    worst = numpy.abs(expected - tensors["trained_logits"]).max()
    print(f"kernel machine, {loss}: at most {worst:.1e} from scikit-learn's, whose logits vary by {expected.std():.2f}")
    if not worst <= 2e-3 * max(1.0, expected.std()) or expected.std() < 0.05:
        failures.append(f"machine {loss}")


def main():
    torch.set_num_threads(1)
    failures = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run([sys.argv[1], name], check=True)
        cases = sorted((path.stem for path in folder.glob("[0-9]*.json")), key=int)
        assert len(cases) > 50, f"only {len(cases)} networks were written"
        for case in cases:
            check(folder, case, failures)
        for loss in ("squared", "bce"):
            check_machine(folder, loss, failures)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
