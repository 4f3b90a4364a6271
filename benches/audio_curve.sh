#!/bin/sh
# Size against speed on one long recording, ours and others in one run: benches/audio_curve.sh [-o FIGURE.svg] [--segments N,N...] IN...
# IN are recordings or folders of them; `surprisal dataset join` makes one WAV file of those that are like the first. Prints a table and
# draws the figure; what a length of segments costs is a second table. Of flac and wavpack those are run that are installed.
. "$(dirname "$0")/prepare.sh"
exec "$python" -B "$root/benches/audio_curve.py" "$@"
