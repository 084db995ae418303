"""What models are held against: an RBF-SVM and the look-up of the nearest binder, on distances between loops.

Nothing here looks at labels of test rows. Needs numpy and scikit-learn.
"""

import collections

import numpy as np
from sklearn.svm import SVC

RESIDUES = "ARNDCQEGHILKMFPSTWYV"
BLOSUM62 = np.array([int(number) for number in """
 4 -1 -2 -2  0 -1 -1  0 -2 -1 -1 -1 -1 -2 -1  1  0 -3 -2  0
-1  5  0 -2 -3  1  0 -2  0 -3 -2  2 -1 -3 -2 -1 -1 -3 -2 -3
-2  0  6  1 -3  0  0  0  1 -3 -3  0 -2 -3 -2  1  0 -4 -2 -3
-2 -2  1  6 -3  0  2 -1 -1 -3 -4 -1 -3 -3 -1  0 -1 -4 -3 -3
 0 -3 -3 -3  9 -3 -4 -3 -3 -1 -1 -3 -1 -2 -3 -1 -1 -2 -2 -1
-1  1  0  0 -3  5  2 -2  0 -3 -2  1  0 -3 -1  0 -1 -2 -1 -2
-1  0  0  2 -4  2  5 -2  0 -3 -3  1 -2 -3 -1  0 -1 -3 -2 -2
 0 -2  0 -1 -3 -2 -2  6 -2 -4 -4 -2 -3 -3 -2  0 -2 -2 -3 -3
-2  0  1 -1 -3  0  0 -2  8 -3 -3 -1 -2 -1 -2 -1 -2 -2  2 -3
-1 -3 -3 -3 -1 -3 -3 -4 -3  4  2 -3  1  0 -3 -2 -1 -3 -1  3
-1 -2 -3 -4 -1 -2 -3 -4 -3  2  4 -2  2  0 -3 -2 -1 -2 -1  1
-1  2  0 -1 -3  1  1 -2 -1 -3 -2  5 -1 -3 -1  0 -1 -3 -2 -2
-1 -1 -2 -3 -1  0 -2 -3 -2  1  2 -1  5  0 -2 -1 -1 -1 -1  1
-2 -3 -3 -3 -2 -3 -3 -3 -1  0  0 -3  0  6 -4 -2 -2  1  3 -1
-1 -2 -2 -1 -3 -1 -1 -2 -2 -3 -3 -1 -2 -4  7 -1 -1 -4 -3 -2
 1 -1  1  0 -1  0  0  0 -1 -2 -2  0 -1 -2 -1  4  1 -3 -2 -2
 0 -1  0 -1 -1 -1 -1 -2 -2 -1 -1 -1 -1 -2 -1  1  5 -2 -2  0
-3 -3 -4 -4 -2 -2 -3 -2 -2 -3 -2 -3 -1  1 -4 -3 -2 11  2 -3
-2 -2 -2 -3 -2 -1 -2 -3  2 -1 -1 -2 -1  3 -3 -2 -2  2  7 -1
 0 -3 -3 -3 -1 -2 -2 -3 -3  3  1 -2  1 -1 -2 -2  0 -3 -1  4
""".split()]).reshape(20, 20)
NAMES = ("SVM", "1-nearest-neighbour, 3-mers", "1-nearest-neighbour, distance")


def residue_vectors():
    """Residues as points: squared distance of two residues min(4, 4 - BLOSUM62), of each to the gap (the origin) 4."""
    squared = np.minimum(4, 4 - BLOSUM62).astype(float)
    np.fill_diagonal(squared, 0)
    values, vectors = np.linalg.eigh(4 - squared / 2)  # the Gram matrix of points at distance 2 from the origin
    points = vectors * np.sqrt(np.maximum(values, 0))
    return {residue: points[i] for i, residue in enumerate(RESIDUES)}


def loop_vectors(loops, weight):
    """Loops, gapped in the middle to one length, as rows whose squared distance is `weight` times that of the loops."""
    points, length = residue_vectors(), max(map(len, loops))
    rows = np.zeros((len(loops), length, len(RESIDUES)))
    for row, loop in enumerate(loops):
        left = (len(loop) + 1) // 2
        for i, residue in enumerate(loop):
            if residue in points:
                rows[row, i if i < left else length - len(loop) + i] = points[residue]
    return np.sqrt(weight) * rows.reshape(len(loops), -1)


def one_hots(names, scale):
    """Two different names are 2 scale^2 apart, squared."""
    kinds = sorted(set(names))
    rows = np.zeros((len(names), len(kinds)))
    rows[np.arange(len(names)), [kinds.index(name) for name in names]] = scale
    return rows


def squared_distances(a, b):
    return np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T, 0)


def three_mers(sequences):
    """Counts of the 3-mers of each sequence, scaled to length 1."""
    index, counts = {}, [collections.Counter(text[i:i + 3] for i in range(len(text) - 2)) for text in sequences]
    for count in counts:
        for mer in count:
            index.setdefault(mer, len(index))
    rows = np.zeros((len(sequences), len(index)), np.float32)
    for row, count in enumerate(counts):
        for mer, times in count.items():
            rows[row, index[mer]] = times
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def svm_scores(to_train, to_test, label, scale):
    """One RBF-SVM; squared distances of the training TCRs among themselves, and of the test TCRs to them."""
    model = SVC(C=1, kernel="precomputed", class_weight="balanced")
    model.fit(np.exp(-to_train / scale), label)
    return model.decision_function(np.exp(-to_test / scale))


def scores(distance, similarity, train, label, test, scale):
    """Of each of NAMES a score for the test TCRs: numbers of rows; label, of booleans, belongs to train."""
    to_test = distance[np.ix_(test, train)]
    return (svm_scores(distance[np.ix_(train, train)], to_test, label, scale),
            similarity[np.ix_(test, train[label])].max(1), -to_test[:, label].min(1))


def near(a, b):
    """At most one substitution, insertion or deletion apart."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1:
        return False
    i = 0
    while i < len(a) and a[i] == b[i]:
        i += 1
    return a[i + 1:] == b[i + 1:] if len(a) == len(b) else a[i:] == b[i + 1:]


def shortened(text):
    """Two texts that are near share one of these: themselves, or less the letter that differs or is too many."""
    return {text} | {text[:i] + text[i + 1:] for i in range(len(text))}


def clusters(alpha, beta):
    """A number for each TCR; the same for TCRs joined by steps whose CDR3 alphas and betas are near."""
    parent = list(range(len(alpha)))

    def root(tcr):
        while parent[tcr] != tcr:
            parent[tcr] = tcr = parent[parent[tcr]]
        return tcr

    buckets = {}
    for tcr, text in enumerate(beta):
        for form in shortened(text):
            buckets.setdefault(form, []).append(tcr)
    for members in buckets.values():
        for k, one in enumerate(members):
            for other in members[k + 1:]:
                if root(one) != root(other) and near(alpha[one], alpha[other]) and near(beta[one], beta[other]):
                    parent[root(other)] = root(one)
    return np.unique([root(tcr) for tcr in range(len(alpha))], return_inverse=True)[1]
