#!/bin/sh
# PixelCNN on binarized MNIST: mnist-pixelcnn.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# Six residual blocks of 64 features with kernels of 7 x 7, row and column given. 52 minutes on a core.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train pixelcnn --data "$1" --binarize sample --width 64 --side 7 --blocks 6 --batch 8 --lr 2e-3 --epochs 6 --precision bfloat16 -o "$3/mnist-pixelcnn.srm"
surprisal measure -m "$3/mnist-pixelcnn.srm" "$3/test.idx"
