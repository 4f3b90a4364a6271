#!/bin/sh
# PNG files of every writer that is there (Pillow, oxipng, and from Debian: netpbm, imagemagick, optipng, zopfli, chromium): how many
# have deflate data that is made again for next to nothing. benches/writers.sh [--each] [DIR]
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/writers.py" "$@"
