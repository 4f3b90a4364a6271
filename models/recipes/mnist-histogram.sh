#!/bin/sh
# Histograms of binarized MNIST, counted: mnist-histogram.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# One for all pixels, and one for each. Seconds.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
for positions in 0 1; do
    surprisal train histogram --data "$1" --binarize sample --positions $positions --count -o "$3/mnist-histogram-$positions.srm" -f
    surprisal measure -m "$3/mnist-histogram-$positions.srm" "$3/test.idx"
done
