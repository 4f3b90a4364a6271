#!/bin/sh
# Gated PixelCNN on binarized MNIST: mnist-gated.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# Four layers of 32 features with kernels of 7 x 7, row and column given. 68 minutes on a core.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train gated-pixelcnn --data "$1" --binarize sample --width 32 --side 7 --layers 4 --batch 8 --lr 2e-3 --epochs 5 --precision bfloat16 -o "$3/mnist-gated.srm"
surprisal measure -m "$3/mnist-gated.srm" "$3/test.idx"
