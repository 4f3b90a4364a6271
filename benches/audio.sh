#!/bin/sh
# Recordings against FLAC and WavPack, size and speed of each effort level: benches/audio.sh [-e N,N...] DIR...
# Folders hold WAV or FLAC files; the programs flac and (if it is there) wavpack are those of the system.
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/audio.py" "$@"
