#!/usr/bin/env bash
# Training speed against a plain PyTorch script on the same network, the same pictures and the same machine, by turns:
#   PYTHON=python3 benches/training.sh DIR [ROUNDS [STEPS]]
# PYTHON must have torch 2.11.0 (with all that it depends on), numpy and pillow; the program is built against that torch.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
folder=$1 rounds=${2:-5} steps=${3:-150}

LIBTORCH=$("$python" -c 'import numpy, os, PIL, torch; print(os.path.dirname(torch.__file__))')
export LIBTORCH OMP_WAIT_POLICY=PASSIVE
cargo build --release --quiet --features torch
target=$(cargo metadata --no-deps --format-version 1 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A row of figures is a step in so short a training; the validations between some of them do not move the median.
speed='
import csv, statistics, sys
rows = [(int(r["pixels"]), float(r["seconds"])) for r in csv.DictReader(open(sys.argv[1]))]
rows = rows[len(rows) // 8:]
print(round(statistics.median((b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(rows, rows[1:]))))'
summary='
import statistics, sys
pairs = [tuple(map(int, line.split())) for line in sys.stdin]
ours, theirs = (statistics.median(c) for c in zip(*pairs))
print(f"surprisal {ours:.0f} pixels/s, PyTorch {theirs:.0f} pixels/s: {ours / theirs:.2f} (medians of {len(pairs)} rounds; "
      f"by round {min(a / b for a, b in pairs):.2f} to {max(a / b for a, b in pairs):.2f})")'

for round in $(seq "$rounds"); do
    "$target/release/surprisal" -q train photo --data "$folder" -o "$work/x.srm" -f --steps "$steps" >"$work/log"
    ours=$("$python" -c "$speed" "$work/x.csv")
    theirs=$("$python" benches/training.py "$folder" "$steps")
    echo "round $round: surprisal $ours pixels/s, PyTorch $theirs pixels/s" >&2
    echo "$ours $theirs"
done | "$python" -c "$summary"
