"""How well `surprisal score` tells odd files from normal ones, and how many of those that it flags are normal.

    outliers.py SURPRISAL CALIBRATION NORMAL ODD... [-- OPTIONS OF SCORE]
    outliers.py SURPRISAL CALIBRATION NORMAL ODD... --peers FIT
    outliers.py SURPRISAL --folds K NORMAL ODD... [-- OPTIONS]

CALIBRATION is what `surprisal calibrate` wrote, or normal files; NORMAL are others of the same kind (1 500 or more, for the second
table), ODD of another kind. `faults.py` makes odd files of normal ones.

With --peers, NORMAL, ODD and FIT are IDX files, and the detectors of PyOD (ECOD, isolation forest, LOF, KNN; their defaults) are fitted to
the pictures of FIT and score the same pictures: by their pixels, and by means of 4 x 4 pixels; beside their AUROC stands how much of what
they flag is normal at their default contamination of 0.1, with 5 % odd pictures among 500.

With --folds, of few normal files: a K-th of the folder NORMAL is scored by a calibration on the others, in turn, as is all of ODD; a file's
score is that of the oddest of its windows or tiles. Printed is the AUROC within each fold, averaged.

First table: AUROC of the plain code length, which is known to fail, and of what it is beyond a background model's (the likelihood ratio), if there is one; of each statistic by itself, as its distance from NORMAL's own
median (that flatters it a little); and of the score, with a bootstrap interval.

Second table: the realised false discovery rate and the power at --fdr Q, means of 200 draws. Each draw calibrates anew on 1 000 of
NORMAL and flags among 500 others, of which a share is odd; beside it the same 500 with a fixed contamination of 0.1.
"""

import csv
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time

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


def title(path):
    """A folder's name; of a file, its own beside its folder's."""
    path = os.path.normpath(path)
    return os.path.basename(path) if os.path.isdir(path) else os.path.join(*path.split(os.sep)[-2:])


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


def pictures(path):
    data = open(path, "rb").read()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    sizes = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(sizes)).reshape(sizes).astype(np.float32) / 255


def pooled(x):
    n, height, width, *rest = x.shape
    x = x[:, : height // 4 * 4, : width // 4 * 4]
    return x.reshape(n, height // 4, 4, width // 4, 4, *rest).mean((2, 4))


def peers(fit, normal, odd):
    from pyod.models.ecod import ECOD
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN
    from pyod.models.lof import LOF

    print(f"\n{'PyOD':<24}{'':>10}" + "".join(f"{title(path):>24}" for path in odd) + "   pictures a second")
    files = [pictures(path) for path in [fit, normal, *odd]]
    for made, of in [("pixels", lambda x: x), ("4 x 4 means", pooled)]:
        train, base, *others = [of(x).reshape(len(x), -1) for x in files]
        for name, detector in [("ECOD", ECOD()), ("IForest", IForest(random_state=0)), ("LOF", LOF()), ("KNN", KNN())]:
            detector.fit(train)
            start = time.perf_counter()
            scores = [detector.decision_function(x) for x in [base, *others]]
            speed = sum(map(len, [base, *others])) / (time.perf_counter() - start)
            rng, cells = np.random.default_rng(0), []
            for other in scores[1:]:
                wrong = []
                for _ in range(200):
                    a, b = rng.choice(scores[0], 475, replace=False), rng.choice(other, 25, replace=False)
                    flags = [(x > detector.threshold_).sum() for x in (a, b)]
                    wrong.append(flags[0] / max(1, sum(flags)))
                cells.append(f"{auroc(scores[0], other):.4f}, {np.mean(wrong):.2f} wrong")
            print(f"{name + ', ' + made:<34}" + "".join(f"{c:>24}" for c in cells) + f"{speed:>12.0f}", flush=True)


def folds(program, count, normal, odd, options):
    whole = lambda table: {row["path"].split("#")[0]: float(row["score"]) for row in sorted(table, key=lambda r: float(r["score"]))}
    names = sorted(os.listdir(normal))
    values = {path: [] for path in odd}
    for fold in range(count):
        with tempfile.TemporaryDirectory() as folder:
            parts = [os.path.join(folder, part) for part in ("fit", "left")]
            for part in parts:
                os.mkdir(part)
            for i, name in enumerate(names):
                shutil.copy(os.path.join(normal, name), parts[i % count == fold])
            calibration = os.path.join(folder, "normal.cal")
            subprocess.run([program, "calibrate", "-q", parts[0], "-o", calibration, *options], check=True)
            command = [program, "score", "-q", "--calibrate", calibration, *options]
            base = whole(rows([*command, parts[1]]))
            for path in odd:
                values[path].append(auroc(list(base.values()), list(whole(rows([*command, path])).values())))
    for path in odd:
        print(f"{title(path):<24}{count:>4} folds of {len(names)}   score {np.mean(values[path]):.4f}")


def main():
    arguments, options = sys.argv[1:], []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1 :]
    fit = None
    if "--peers" in arguments:
        at = arguments.index("--peers")
        fit = arguments[at + 1]
        del arguments[at : at + 2]
    if "--folds" in arguments:
        at = arguments.index("--folds")
        count = int(arguments[at + 1])
        del arguments[at : at + 2]
        program, normal, *odd = arguments
        return folds(program, count, normal, odd, options)
    program, calibration, normal, *odd = arguments
    command = [program, "score", "-q", "--calibrate", calibration, *options]
    base = rows([*command, normal])
    column = lambda table, name: np.array([float(row[name]) for row in table])
    names = [name for name in base[0] if len({row[name] for row in base}) > 1 and name not in ("path", "bpd", "score", "p_value", "flagged", "reason")]
    plain = {"bpd": "bits", "ratio": "bits beyond"}
    plain = {name: title for name, title in plain.items() if name == "bpd" or name in names}
    print(f"{'':<24}" + "".join(f"{name:>14}" for name in [*plain.values(), *names, "score"]))
    others = [(path, rows([*command, path])) for path in odd]
    for path, other in others:
        cells = [auroc(column(base, name), column(other, name)) for name in plain]
        for name in names:
            centre = np.median(column(base, name))
            cells.append(auroc(abs(column(base, name) - centre), abs(column(other, name) - centre)))
        cells.append(auroc(column(base, "score"), column(other, "score")))
        low, high = interval(column(base, "score"), column(other, "score"))
        print(f"{title(path):<24}" + "".join(f"{c:>14.4f}" for c in cells) + f"  ({low:.4f} to {high:.4f}, {len(other)} odd)")
    if fit:
        peers(fit, normal, odd)
    if len(base) >= 1500:
        print("\nrealised false discovery rate and power")
        for path, other in others:
            if len(other) >= 100:
                discoveries(column(base, "score"), column(other, "score"), title(path))


if __name__ == "__main__":
    main()
