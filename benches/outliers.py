"""How well `surprisal score` tells odd files from normal ones, and how many of those that it flags are normal.

    outliers.py SURPRISAL CALIBRATION NORMAL ODD... [-- OPTIONS OF SCORE]

CALIBRATION is what `surprisal calibrate` wrote, or normal files; NORMAL are others of the same kind (1 500 or more, for the second
table), ODD of another kind.

First table: AUROC of the plain code length, which is known to fail; of each statistic by itself, as its distance from NORMAL's own
median (that flatters it a little); and of the score, with a bootstrap interval.

Second table: the realised false discovery rate and the power at --fdr Q, means of 200 draws. Each draw calibrates anew on 1 000 of
NORMAL and flags among 500 others, of which a share is odd; beside it the same 500 with a fixed contamination of 0.1.
"""

import csv
import os
import subprocess
import sys
import tempfile

import numpy as np


def rows(command):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.csv")
        subprocess.run([*command, "--csv", path], check=True, stdout=subprocess.DEVNULL)
        with open(path, newline="") as file:
            return [row for row in csv.DictReader(file) if row["score"]]


def auroc(normal, odd):
    values = np.concatenate([normal, odd])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    n, m = len(normal), len(odd)
    return (ranks[n:].sum() - m * (m + 1) / 2) / (n * m)


def interval(normal, odd, seed=0):
    rng = np.random.default_rng(seed)
    draws = [auroc(rng.choice(normal, len(normal)), rng.choice(odd, len(odd))) for _ in range(200)]
    return np.quantile(draws, [0.025, 0.975])


def flagged(p, q):
    """Benjamini and Hochberg 1995."""
    order = np.argsort(p)
    below = np.nonzero(p[order] <= q * np.arange(1, len(p) + 1) / len(p))[0]
    return p <= p[order[below[-1]]] if len(below) else np.zeros(len(p), bool)


def discoveries(normal, odd, name, seed=0):
    rng = np.random.default_rng(seed)
    for share in [0.01, 0.05, 0.2]:
        count = round(500 * share)
        found = {q: [] for q in [0.05, 0.1, 0.2, "top 10 %"]}
        for _ in range(200):
            order = rng.permutation(len(normal))
            calibration = np.sort(normal[order[:1000]])
            scores = np.concatenate([normal[order[1000 : 1500 - count]], rng.choice(odd, count, replace=False)])
            is_odd = np.arange(len(scores)) >= 500 - count
            p = (1 + len(calibration) - np.searchsorted(calibration, scores)) / (1 + len(calibration))
            for q in found:
                flags = scores >= np.sort(scores)[-50] if q == "top 10 %" else flagged(p, q)
                wrong = (flags & ~is_odd).sum()
                found[q].append([wrong / max(1, flags.sum()), (flags & is_odd).sum() / count])
        cells = [f"{q}: {a:.3f} wrong, {b:.2f} found" for q, (a, b) in ((q, np.mean(v, 0)) for q, v in found.items())]
        print(f"{name:<24}{share:>6.0%} odd   " + "   ".join(cells))


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1 :]
    program, calibration, normal, *odd = arguments
    command = [program, "score", "-q", "--calibrate", calibration, *options]
    base = rows([*command, normal])
    column = lambda table, name: np.array([float(row[name]) for row in table])
    names = [name for name in base[0] if name not in ("path", "bpd", "score", "p_value", "flagged", "reason")]
    print(f"{'':<24}" + "".join(f"{name:>14}" for name in ["bits", *names, "score"]))
    others = [(path, rows([*command, path])) for path in odd]
    for path, other in others:
        cells = [auroc(column(base, "bpd"), column(other, "bpd"))]
        for name in names:
            centre = np.median(column(base, name))
            cells.append(auroc(abs(column(base, name) - centre), abs(column(other, name) - centre)))
        cells.append(auroc(column(base, "score"), column(other, "score")))
        low, high = interval(column(base, "score"), column(other, "score"))
        print(f"{os.path.basename(os.path.dirname(path)):<24}" + "".join(f"{c:>14.4f}" for c in cells) + f"  ({low:.4f} to {high:.4f}, {len(other)} odd)")
    if len(base) >= 1500:
        print("\nrealised false discovery rate and power")
        for path, other in others:
            if len(other) >= 100:
                name = os.path.basename(os.path.dirname(path))
                discoveries(column(base, "score"), column(other, "score"), name)


main()
