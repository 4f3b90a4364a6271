#!/usr/bin/env bash
# Random files through compress, test and decompress with random options, for so many minutes (60): nothing is lost, and no run takes
# more memory than its files justify.
#
#   tests/soak.sh [MINUTES [PROGRAM]]      PROGRAM: the one in target/release, which is built if none is named
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-60} program=${2:-}
if [ -z "$program" ]; then
    cargo build --locked --release --bin surprisal
    program=${CARGO_TARGET_DIR:-target}/release/surprisal
fi
program=$(realpath "$program")
RANDOM=${SEED:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shopt -s globstar nullglob
pool=(corpora/**/*.* tests/data/images/* tests/data/sounds/* models/*.srm src/**/*.rs README.md tests/data/golden/release-1.0/*)
mapfile -t kernels < <(printf 'scalar\n'; for name in sse2 avx2 avx512 neon; do
    "$program" --kernel "$name" test -q tests/data/golden/release-1.0/photo.ppm.srp 2>"$work/none" && echo "$name"; done)
rounds=0 bytes=0 coded=0 peak=0 first=0 end=$((SECONDS + minutes * 60))

below() { echo $(((RANDOM << 15 | RANDOM) % $1)); }
one() { echo "${pool[$(below ${#pool[@]})]}"; }
fail() {
    local kept
    kept=$(mktemp -d)
    cp -r "$work" "$kept"
    echo "FAILED: round $rounds: $1: $(cat "$work/said"); files: $kept" >&2
    exit 1
}
# run ARGUMENTS...: the program, whose peak of memory in kB comes into `memory`.
run() {
    /usr/bin/time -f %M -o "$work/memory" "$program" "$@" 2>"$work/said" || fail "surprisal $*"
    memory=$(tail -1 "$work/memory")
}

while [ $SECONDS -lt $end ]; do
    rm -rf "$work/in" "$work/back" "$work"/*.srp
    mkdir "$work/in" "$work/back"
    for ((i = $(below 3); i >= 0; i--)); do
        file=$work/in/$i$(basename "$(one)" | tr -cd a-z)
        case $(below 6) in
        0) head -c "$(below 200000)" /dev/urandom >"$file" ;;
        1) cat "$(one)" "$(one)" >"$file" ;;
        2) source=$(one) && tail -c "+$(below "$(($(stat -c %s "$source") + 1))")" "$source" >"$file" ;;
        3) source=$(one) && head -c "$(below "$(($(stat -c %s "$source") + 1))")" "$source" >"$file" ;;
        *) cp "$(one)" "$file" ;;
        esac
        # One byte in four files is another.
        length=$(stat -c %s "$file")
        if [ "$(below 4)" = 0 ] && [ "$length" -gt 0 ]; then
            printf "\\x$(printf %02x "$(below 256)")" | dd of="$file" bs=1 seek="$(below "$length")" conv=notrunc status=none
        fi
    done
    options=(-e "$((1 + $(below 9)))" -T "$((1 + $(below 4)))" --kernel "${kernels[$(below ${#kernels[@]})]}")
    [ "$(below 2)" = 0 ] && options+=(--no-verify)
    if [ "$(below 2)" = 0 ]; then
        run compress -q -r "$work/in" -o "$work/all.srp" "${options[@]}"
        streams=("$work/all.srp")
        top=$memory
        # An archive has the folder's name in front.
        back=$work/back/in
        run decompress -q "$work/all.srp" -o "$work/back" -T "$((1 + $(below 4)))"
    else
        run compress -q "$work/in"/* "${options[@]}"
        mv "$work/in"/*.srp "$work"
        streams=("$work"/*.srp)
        top=$memory
        back=$work/back
        run decompress -q "${streams[@]}" -o "$work/back" -T "$((1 + $(below 4)))" --kernel "${kernels[$(below ${#kernels[@]})]}"
    fi
    [ "$memory" -gt "$top" ] && top=$memory
    run test -q "${streams[@]}"
    diff -r "$work/in" "$back" >"$work/said" || fail "other files came back"
    for file in "$work/in"/*; do bytes=$((bytes + $(stat -c %s "$file"))); done
    for file in "${streams[@]}"; do coded=$((coded + $(stat -c %s "$file"))); done
    [ "$top" -gt "$peak" ] && peak=$top
    rounds=$((rounds + 1))
    [ "$rounds" = 20 ] && first=$peak
done
echo "soak: $minutes minutes, $rounds rounds, $bytes => $coded bytes, nothing lost; at most $peak kB of memory ($first in the first 20 rounds); kernels: ${kernels[*]}"
