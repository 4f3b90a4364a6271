#!/bin/sh
# An ensemble of MADEs on binarized MNIST: mnist-made-ensemble.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER [MEMBERS [EPOCHS]]
# One set of weights, trained with MEMBERS (32) masks and orders in turn; measured with each by itself and with the mean of their
# probabilities, which is a likelihood and no code: a mean over orders has no conditionals. About 40 minutes on two cores.
set -eu
members=${4:-32}
surprisal dataset binarize "$1" -o "$3/train.idx" -f
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train made --data "$1" --binarize sample --mask 1 --order 1 --masks "$members" --orders "$members" \
    --batch 250 --lr 3e-3 --epochs "${5:-200}" -o "$3/mnist-made-agnostic.srm"
mkdir -p "$3/ensemble"
for k in $(seq "$members"); do
    surprisal -q quantize "$3/mnist-made-agnostic.safetensors" --variant mask="$k" --variant order="$k" --name "made-$k" \
        --calibrate "$3/train.idx" -o "$3/ensemble/$k.srm" -f >/dev/null
    surprisal measure -m "$3/ensemble/$k.srm" "$3/test.idx" | tail -1
done
surprisal measure --ensemble -m "$3/ensemble" "$3/test.idx"
