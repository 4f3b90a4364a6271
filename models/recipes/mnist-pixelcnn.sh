#!/bin/sh
# PixelCNN on binarized MNIST: mnist-pixelcnn.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# Eight residual blocks of 48 features. About 40 minutes on two cores.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train pixelcnn --data "$1" --binarize sample --batch 32 --lr 4e-3 --epochs 13 --precision bfloat16 -o "$3/mnist-pixelcnn.srm"
surprisal measure -m "$3/mnist-pixelcnn.srm" "$3/test.idx"
