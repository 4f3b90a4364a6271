#!/bin/sh
# PixelSNAIL on CIFAR-10: cifar-snail.sh OUTPUT-FOLDER TEST-SHEET.png TRAIN-SHEET...
# Sheets are pictures of tiles of 32 x 32, side by side. Our figure: 10 000 of the 50 000 training pictures, 1 000 test pictures; 57 minutes on a core that had
# other work. Without other work it is 51, as for the 14 000 steps of cifar-pp.sh (0.385 s a step, and 0.22).
set -eu
out=$1 test=$2
shift 2
surprisal train pixelsnail --data "$@" --tile 32x32 --width 48 --blocks 3 --keys 16 --batch 8 --lr 1.5e-3 --steps 8000 --precision bfloat16 -o "$out/cifar-snail.srm"
surprisal measure -m "$out/cifar-snail.srm" "$test"
surprisal sample "$out/cifar-snail.srm" -n 64 -o "$out/cifar-snail.png"
