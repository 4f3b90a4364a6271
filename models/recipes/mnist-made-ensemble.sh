#!/bin/sh
# An ensemble of MADEs on binarized MNIST: mnist-made-ensemble.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER [EPOCHS]
# One set of weights, trained with 32 masks in turn, which are of 8 orders; measured with one by itself and with the mean of
# their probabilities, which is a likelihood and no code. 69 minutes on a core that had other work.
set -eu
surprisal dataset binarize "$1" -o "$3/train.idx" -f
surprisal dataset binarize "$2" -o "$3/test.idx" -f
surprisal train made --data "$1" --binarize sample --mask 1 --order 1 --masks 32 --orders 8 --hidden 1400 --layers 2 --batch 250 --lr 2.5e-3 \
    --epochs "${4:-110}" --precision bfloat16 -o "$3/mnist-made-agnostic.srm"
mkdir -p "$3/ensemble"
for k in $(seq 32); do
    surprisal -q quantize "$3/mnist-made-agnostic.safetensors" --variant mask="$k" --variant order="$(((k - 1) % 8 + 1))" --name "made-$k" \
        --calibrate "$3/train.idx" -o "$3/ensemble/$k.srm" -f >/dev/null
done
surprisal measure -m "$3/ensemble/1.srm" "$3/test.idx" | tail -1
surprisal measure --ensemble -m "$3/ensemble" "$3/test.idx"
