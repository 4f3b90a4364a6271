#!/bin/sh
# Char-RNN on Shakespeare: shakespeare.sh TINYSHAKESPEARE.txt OUTPUT-FOLDER
# Two layers of 256 cells. About 25 minutes on two cores.
set -eu
surprisal train char-rnn --data "$1" --layers 2 --cells 256 --embedding 32 --dropout 0.25 --batch 64 --window 256 --lr 4e-3 --epochs 40 --precision bfloat16 -o "$2/shakespeare.srm"
tail -c 111540 "$1" > "$2/held-out.txt" # training leaves out the last tenth
surprisal measure -m "$2/shakespeare.srm" "$2/held-out.txt"
