#!/bin/sh
# Photographs against JPEG XL (effort 9) and WebP, size and speed of each effort level from one run:
# benches/photos.sh [--fresh] [-e N,N...] DIR...
# Sizes of JPEG XL take minutes to find, so they are kept in `target/bench-peers.json`; --fresh finds them again.
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/photos.py" --cache "$target/bench-peers.json" "$@"
