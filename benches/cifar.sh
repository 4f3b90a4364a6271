#!/usr/bin/env bash
# PixelCNN++ on CIFAR-10 against the same network in plain PyTorch, for the same number of steps, with some seeds:
#   [WIDTH=32] [BATCH=16] PYTHON=python3 benches/cifar.sh STEPS SEEDS OUTPUT-FOLDER TEST-SHEET.png TRAIN-SHEET...
# Sheets are pictures of tiles of 32 x 32, side by side. PYTHON must have torch 2.11.0 (with all that it depends on), numpy and
# pillow; the program is built against that torch. Ours is measured in integers, theirs in floating point. Writes the models, a CSV
# a training, and curves.svg.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
steps=$1 seeds=$2 out=$3 test=$4
shift 4

LIBTORCH=$("$python" -c 'import numpy, os, PIL, torch; print(os.path.dirname(torch.__file__))')
export LIBTORCH OMP_WAIT_POLICY=PASSIVE WIDTH=${WIDTH:-32} BATCH=${BATCH:-16}
if [ -z "${SURPRISAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --features torch)
    target=$(cd "$root" && cargo metadata --no-deps --format-version 1 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    SURPRISAL=$target/release/surprisal
fi

summary='
import statistics, sys
pairs = [tuple(map(float, line.split())) for line in sys.stdin]
ours, theirs = (statistics.mean(c) for c in zip(*pairs))
print(f"bits per dimension on the test pictures, means of {len(pairs)} seeds: surprisal {ours:.4f} (integers), plain PyTorch {theirs:.4f}: "
      f"{(ours / theirs - 1) * 100:+.2f} %")'
last='import json, sys; print(json.loads(sys.stdin.read().splitlines()[-1])["bits_per_dimension"])'
mkdir -p "$out"
for seed in $(seq "$seeds"); do
    "$SURPRISAL" -q train pixelcnn++ --data "$@" --tile 32x32 --precision float32 --width "$WIDTH" --batch "$BATCH" --steps "$steps" --seed "$seed" \
        -o "$out/ours-$seed.srm" -f >&2
    mine=$("$SURPRISAL" -q measure -m "$out/ours-$seed.srm" --json "$test" | "$python" -c "$last")
    other=$("$python" "$root/benches/cifar.py" train "$steps" "$seed" "$out/theirs-$seed.csv" "$test" "$@")
    echo "seed $seed: surprisal $mine, plain PyTorch $other" >&2
    echo "$mine $other"
done >"$out/bits"
"$python" "$root/benches/cifar.py" plot "$out/curves.svg" "$out"/ours-*.csv -- "$out"/theirs-*.csv
"$python" -c "$summary" <"$out/bits"
