#!/bin/sh
# A picture of the page that `surprisal score --report` writes, taken by a headless Chromium.
#
#   benches/report.sh OUT.png SCORE-ARGUMENTS...
#
# for instance: benches/report.sh benches/report.png -q new.idx --calibrate normal.idx
set -eu
out=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${SURPRISAL:-surprisal}" score "$@" --report "$folder/page.html" > "$folder/rows.txt" || [ $? -eq 1 ]
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$folder/profile" --window-size=1180,640 \
  --virtual-time-budget=4000 --screenshot="$folder/page.png" "file://$folder/page.html#show=1" 2> "$folder/log" || { cat "$folder/log" >&2; exit 2; }
mv "$folder/page.png" "$out"
