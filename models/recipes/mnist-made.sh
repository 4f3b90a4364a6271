#!/bin/sh
# MADE on binarized MNIST: mnist-made.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# Three hidden layers of 512 units, one order and mask. About 10 minutes on two cores.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train made --data "$1" --binarize sample --batch 250 --lr 3e-3 --epochs 100 --precision bfloat16 -o "$3/mnist-made.srm"
surprisal measure -m "$3/mnist-made.srm" "$3/test.idx"
