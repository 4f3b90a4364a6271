#!/bin/sh
# The model for planes from its float weights: photo-ycc.sh OUTPUT.srm
# From the root of the repository; calibrated on photographs taken through both transforms.
set -eu
planes=$(mktemp -d)
trap 'rm -rf "$planes"' EXIT
for transform in photo-ycc jpeg; do
    surprisal dataset planes --transform $transform corpora/calibration -o "$planes/$transform"
done
surprisal quantize models/photo-ycc.safetensors -o "$1" --name photo-ycc --calibrate "$planes/photo-ycc" --calibrate "$planes/jpeg"
