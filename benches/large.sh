#!/bin/sh
# Time and memory of large pictures, mosaics of photographs as PPM, coded and restored while they are read:
# benches/large.sh DIR [WIDTH HEIGHT]... (default: 10000 10000 and 20000 20000, which takes 1.2 GB of disk)
. "$(dirname "$0")/prepare.sh"
folder=$1
shift
[ $# -gt 0 ] || set -- 10000 10000 20000 20000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
measured() {
    name=$1
    shift
    command time -f "$name: %U s of work, %S s of system, %e s, peak %M kB" "$@"
}
while [ $# -gt 1 ]; do
    "$python" -B "$root/benches/mosaic.py" "$folder" "$1" "$2" "$work/mosaic.ppm"
    measured "$1 x $2, compress --no-verify" "$SURPRISAL" compress -e 1 --no-verify "$work/mosaic.ppm"
    measured "$1 x $2, test" "$SURPRISAL" test "$work/mosaic.ppm.srp"
    measured "$1 x $2, decompress" "$SURPRISAL" decompress -q -c "$work/mosaic.ppm.srp" | cmp - "$work/mosaic.ppm"
    rm "$work"/*
    shift 2
done
