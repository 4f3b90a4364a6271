"""AUROC of `surprisal score`, with a bootstrap interval, for a normal set and some odd ones.

    outliers.py SURPRISAL CALIBRATION NORMAL ODD... [-- OPTIONS OF SCORE]

CALIBRATION is what `surprisal calibrate` wrote, or normal files; NORMAL are others of the same kind, ODD of another kind. The first row is
plain code length, which is known to fail; the others are the statistics one by one, two-sided around the median of NORMAL's own scores
where they have no direction (that flatters them a little), and last the score.
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
    for path in odd:
        other = rows([*command, path])
        cells = [auroc(column(base, "bpd"), column(other, "bpd"))]
        for name in names:
            centre = np.median(column(base, name))
            cells.append(auroc(abs(column(base, name) - centre), abs(column(other, name) - centre)))
        cells.append(auroc(column(base, "score"), column(other, "score")))
        low, high = interval(column(base, "score"), column(other, "score"))
        print(f"{os.path.basename(os.path.dirname(path)):<24}" + "".join(f"{c:>14.4f}" for c in cells) + f"  ({low:.4f} to {high:.4f}, {len(other)} odd)")


main()
