#!/bin/sh
# Gated PixelCNN on CIFAR-10: cifar-gated.sh OUTPUT-FOLDER TEST-SHEET.png TRAIN-SHEET...
# Sheets are pictures of tiles of 32 x 32, side by side. With a mixture of logistics (--components) in place of 256 log-weights a
# sample, which learn more slowly. Our figure: 10 000 of the 50 000 training pictures, 1 000 test pictures; 43 minutes
# on a core that had other work.
set -eu
out=$1 test=$2
shift 2
surprisal train gated-pixelcnn --data "$@" --tile 32x32 --width 64 --layers 6 --components 5 --batch 8 --lr 1e-3 --steps 9500 --precision bfloat16 -o "$out/cifar-gated.srm"
surprisal measure -m "$out/cifar-gated.srm" "$test"
surprisal sample "$out/cifar-gated.srm" -n 64 -o "$out/cifar-gated.png"
