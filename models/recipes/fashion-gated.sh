#!/bin/sh
# Gated PixelCNN on FashionMNIST, which is told what is on the picture: fashion-gated.sh TRAIN-IMAGES.idx.gz TRAIN-LABELS.idx.gz TEST-IMAGES.idx.gz TEST-LABELS.idx.gz OUTPUT-FOLDER
# Our figure: 12 000 of the 60 000 training pictures, 2 000 test pictures. About half an hour on a core.
set -eu
surprisal train gated-pixelcnn --data "$1" --labels "$2" --classes 10 --width 40 --layers 5 --components 5 --batch 16 --lr 1.5e-3 --steps 7000 --precision bfloat16 -o "$5/fashion-gated.srm"
surprisal measure -m "$5/fashion-gated.srm" --labels "$4" "$3"
surprisal sample "$5/fashion-gated.srm" -n 100 -o "$5/fashion-gated.png"
