#!/bin/sh
# Time and memory of large pictures, mosaics of photographs as PPM and PNG, coded and restored while they are read:
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
    for kind in ppm png; do
        file="$work/mosaic.$kind" what="$1 x $2, $kind"
        "$python" -B "$root/benches/mosaic.py" "$folder" "$1" "$2" "$file"
        measured "$what, compress --no-verify" "$SURPRISAL" compress -e 1 --no-verify "$file"
        measured "$what, test" "$SURPRISAL" test "$file.srp"
        measured "$what, decompress" "$SURPRISAL" decompress -q -c "$file.srp" | cmp - "$file"
        rm "$work"/*
    done
    shift 2
done
