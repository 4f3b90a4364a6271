#!/bin/sh
# WaveNet on spoken digits: digits-wavenet.sh TRAIN-FOLDER TEST-FOLDER OUTPUT-FOLDER
# Folders of WAV files of the Free Spoken Digit Dataset (FLAC will do to train on): four speakers to train on, another one to
# test with. Samples of 16 bits, beside what a linear predictor expects. About 15 minutes on one core. Prints the bytes of the
# test files' streams and of FLAC files, one each.
set -eu
surprisal train wavenet --data "$1" --width 32 --skip 64 --layers 9 --window 2048 --batch 8 --lr 3e-3 --steps 3500 --precision bfloat16 \
    -T 1 -o "$3/digits-wavenet.srm"
mkdir -p "$3/streams" "$3/flac"
for file in "$2"/*.wav; do
    name=$(basename "$file" .wav)
    surprisal compress -q -f -m "$3/digits-wavenet.srm" "$file" -o "$3/streams/$name.srp"
    flac -s -f -8 -p --no-padding "$file" -o "$3/flac/$name.flac"
done
echo "streams: $(cat "$3"/streams/*.srp | wc -c) bytes, flac -8p: $(cat "$3"/flac/*.flac | wc -c) bytes"
