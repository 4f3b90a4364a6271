#!/bin/sh
# Bits against speed on folders of photographs, ours and others in one run: benches/curve.sh [--pictures N] [-o FIGURE.svg] DIR...
# Prints a table and draws the figure; nothing is taken from a cache, so the machine should be idle.
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/curve.py" "$@"
