#!/bin/sh
# Start-up, size of the program, 4 000 small pictures beside one large one, and time and memory for pictures of 1, 4, 16 and 64 megapixels: benches/limits.sh [MP...]
. "$(dirname "$0")/prepare.sh"
exec "$python" "$root/benches/limits.py" "$root/corpora/photos" "$@"
