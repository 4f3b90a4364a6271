#!/bin/sh
# PixelCNN++ on CIFAR-10: cifar-pp.sh OUTPUT-FOLDER TEST-SHEET.png TRAIN-SHEET...
# Sheets are pictures of tiles of 32 x 32, side by side. Our figure: 10 000 of the 50 000 training pictures, 1 000 test pictures; 1 h 39 min
# on a core that had other work.
set -eu
out=$1 test=$2
shift 2
surprisal train pixelcnn++ --data "$@" --tile 32x32 --width 24 --batch 8 --steps 14000 --precision bfloat16 -o "$out/cifar-pp.srm"
surprisal measure -m "$out/cifar-pp.srm" "$test"
surprisal sample "$out/cifar-pp.srm" -n 64 -o "$out/cifar-pp.png"
