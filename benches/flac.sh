#!/usr/bin/env bash
# FLAC files that are made again byte for byte: benches/flac.sh [-p PROGRAM] [-e N] DIR...
# The recordings in the folders are encoded by the system's flac at several levels; each file becomes a stream, comes back, and is compared.
set -euo pipefail
program=target/release/surprisal effort=5
while getopts p:e: option; do
    case $option in
    p) program=$OPTARG ;;
    e) effort=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "| $(flac --version), level | files | bytes | \`-e $effort\` | of the FLAC files | of it decisions, tags and header |"
echo "|---|---:|---:|---:|---:|---:|"
for level in -0 -5 -8 -8ep; do
    rm -rf "$work/in" "$work/out"
    mkdir "$work/in" "$work/out"
    for source in $(find "$@" -name '*.flac' -o -name '*.wav' | sort); do
        name=$(basename "${source%.*}")
        case $source in
        *.flac) flac -sdfo "$work/a.wav" "$source" ;;
        *) cp "$source" "$work/a.wav" ;;
        esac
        flac -sf "$level" -T "TITLE=$name" -o "$work/in/$name.flac" "$work/a.wav"
    done
    "$program" compress -q -e "$effort" --no-verify "$work/in"/* -o "$work/out"
    "$program" info --json "$work/out"/*.srp >"$work/info"
    mkdir "$work/back"
    "$program" decompress -q "$work/out"/*.srp -o "$work/back"
    diff -r "$work/in" "$work/back"
    rm -r "$work/back"
    python3 - "$work/info" "$level" <<'END'
import json, sys
infos = [json.loads(line) for line in open(sys.argv[1])]
assert all(i["medium"] and i["medium"]["name"] == "FLAC" for i in infos), "a file was not taken apart"
total = lambda f: sum(map(f, infos))
flac, own = total(lambda i: i["bytes"]), total(lambda i: i["coded_bytes"])
rest = total(lambda i: i["header_bytes"] + sum(c["coded_bytes"] for c in i["recipe_chunks"]))
print(f"| `{sys.argv[2]}` | {len(infos)} | {flac} | {own} | {own / flac:.4f} | {rest} |", flush=True)
END
done
