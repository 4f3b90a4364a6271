#!/bin/sh
# Pictures of every layout, and those whose colours were made from planes, against JPEG XL (effort 9) and WebP:
# benches/layouts.sh [-e N] [--photo-cd DIR] [--jpeg DIR] [--layouts DIR] [--as-is DIR]... [--sets FILE.idx...] [--bits FILE.pbm...]
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/layouts.py" "$@"
