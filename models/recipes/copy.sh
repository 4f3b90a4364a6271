#!/bin/sh
# A row of 8 random bits that comes again 15 rows later: copy.sh OUTPUT-FOLDER. Minutes.
# PixelSNAIL looks back and copies; PixelCNN sees 11 rows above a pixel and has to guess. A picture has 8 bits to draw; what is
# over that in the measured bits is what the copied symbols cost, about: 0 to 8.
set -eu
surprisal dataset copy -n 6000 --rows 16 --columns 8 -o "$1/copy.idx" -f
surprisal dataset copy -n 1000 --rows 16 --columns 8 --seed 1 -o "$1/copy-test.idx" -f
surprisal train pixelsnail --data "$1/copy.idx" --width 16 --residual 1 --batch 64 --lr 6e-3 --steps 1000 -o "$1/copy-pixelsnail.srm" -f
surprisal train pixelcnn --data "$1/copy.idx" --width 24 --batch 64 --lr 6e-3 --steps 300 -o "$1/copy-pixelcnn.srm" -f
for family in pixelsnail pixelcnn; do
    surprisal measure -m "$1/copy-$family.srm" "$1/copy-test.idx"
done
