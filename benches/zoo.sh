#!/bin/sh
# Speed of a model of the zoo on a whole set in one file, its bytes against the measured bits, and other codecs on the same data:
# benches/zoo.sh [-n PICTURES] [-T THREADS] [--rounds N] [--binarize] MODEL.srm IMAGES.idx[.gz]
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/zoo.py" "$@"
