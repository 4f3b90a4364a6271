#!/bin/sh
# WaveNet on binarized MNIST, with and without row and column: mnist-wavenet.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# Four minutes each on a core: far from the end of what it could learn.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
for given in 1 0; do
    name="$3/mnist-wavenet-coordinates-$given"
    surprisal train wavenet --data "$1" --binarize sample --coordinates $given --batch 16 --lr 3e-3 --steps 1500 --precision bfloat16 -o "$name.srm"
    surprisal measure -m "$name.srm" "$3/test.idx"
done
