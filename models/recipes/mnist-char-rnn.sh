#!/bin/sh
# Char-RNN (an LSTM of 256 cells) on binarized MNIST, pixel after pixel, with and without row and column:
# mnist-char-rnn.sh TRAIN-IMAGES.idx.gz TEST-IMAGES.idx.gz OUTPUT-FOLDER
# About ten minutes each on a core: far from the end of what it could learn.
set -eu
surprisal dataset binarize "$2" -o "$3/test.idx" -f
for given in 1 0; do
    name="$3/mnist-char-rnn-coordinates-$given"
    surprisal train char-rnn --data "$1" --binarize sample --coordinates $given --batch 16 --steps 1200 --precision bfloat16 -o "$name.srm"
    surprisal measure -m "$name.srm" "$3/test.idx"
done
