#!/usr/bin/env bash
# A CUDA device against the CPU: the same signature, the same streams, the same files, and how fast. Prints the page
# benches/cuda.md, and writes it when the device is a CUDA device and everything was equal.
#
# Exit codes: 0 everything was equal, 1 something was not, 2 there is no such device here.
#
# From the environment: DEVICE (cuda; torch-cpu runs the same code on the processor, to try this script), BINARY (a program
# that was built with --features torch; else it is built, with the libtorch in $LIBTORCH), PICTURES (64) of SIZE (512x384)
# pixels each, cut from corpora/photos, COMMIT (what was built, where this is no clone).
set -euo pipefail
cd "$(dirname "$0")/.."
device=${DEVICE:-cuda}
pictures=${PICTURES:-64}
size=${SIZE:-512x384}
commit=${COMMIT:-$(git describe --always --dirty 2>/dev/null || echo unknown)}
export OMP_WAIT_POLICY=PASSIVE

if [ -n "${LIBTORCH:-}" ]; then
    export LD_LIBRARY_PATH="$LIBTORCH/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi
if [ -z "${BINARY:-}" ]; then
    cargo build --release --locked --features torch
    BINARY=${CARGO_TARGET_DIR:-target}/release/surprisal
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run ARGUMENT...: the program, which sees no model of the user's.
run() {
    env -u SURPRISAL_MODELS XDG_DATA_HOME=/nonexistent "$BINARY" "$@"
}

if ! run signature --device "$device" >"$work/device.signature" 2>"$work/error"; then
    cat "$work/error"
    echo "nothing was compared: the device '$device' cannot be used here"
    exit 2
fi

worst=0
# same WHAT FILE FILE
same() {
    if cmp -s "$2" "$3"; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        worst=1
    fi
}

# timed COMMAND...: its wall-clock seconds are in $seconds.
timed() {
    local start
    start=$(date +%s.%N)
    "$@"
    seconds=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }')
}

run signature >"$work/cpu.signature"
same "signature" "$work/cpu.signature" "$work/device.signature"

mkdir "$work/cpu" "$work/device" "$work/back" "$work/crops"
run compress -q --no-verify corpora/photos/*.png -o "$work/cpu"
run compress -q --device "$device" corpora/photos/*.png -o "$work/device"
run decompress -q --device "$device" "$work"/cpu/*.srp -o "$work/back"
for file in corpora/photos/*.png; do
    name=$(basename "$file")
    same "stream of $file" "$work/cpu/$name.srp" "$work/device/$name.srp"
    same "$file restored" "$file" "$work/back/$name"
done
rm -f "$work"/cpu/* "$work"/device/* "$work"/back/*

python3 tests/crops.py "$pictures" "$size" "$work/crops" corpora/photos/*.png
megapixels=$(awk -v n="$pictures" -v s="$size" 'BEGIN { split(s, d, "x"); printf "%.2f", n * d[1] * d[2] / 1e6 }')
cores=$(nproc)

# measure NAME THREADS DEVICE: encodes and decodes all crops, compares, and adds rows to the table.
measure() {
    local name=$1 threads=$2 on=$3 out=$work/$1.$2 start
    mkdir "$out" "$out.back"
    timed run measure -q -T "$threads" --device "$on" "$work/crops/000.ppm" >/dev/null
    start=$seconds
    timed run compress -q -T "$threads" --device "$on" --no-verify "$work"/crops/*.ppm -o "$out"
    row "$name, $threads threads" encode "$seconds" "$start"
    timed run decompress -q -T "$threads" --device "$on" "$out"/*.srp -o "$out.back"
    row "$name, $threads threads" decode "$seconds" "$start"
    for crop in "$work"/crops/*.ppm; do
        cmp -s "$crop" "$out.back/$(basename "$crop")" || { echo "FAILED: $(basename "$crop") restored, $name"; worst=1; }
    done
}

# row NAME WHAT SECONDS START
row() {
    awk -v name="$1" -v what="$2" -v s="$3" -v start="$4" -v mp="$megapixels" 'BEGIN {
        after = s - start
        rest = after < s / 20 ? "-" : sprintf("%.3f", mp / after)
        printf "| %s | %s | %.2f | %.2f | %.3f | %s |\n", name, what, s, start, mp / s, rest
    }' | tee -a "$work/rows"
}

measure cpu 2 cpu
measure "$device" 2 "$device"
[ "$cores" = 2 ] || measure "$device" "$cores" "$device"
failed=0
for crop in "$work"/crops/*.ppm; do
    name=$(basename "$crop").srp
    for other in "$work/$device".*; do
        [ ! -e "$other/$name" ] || cmp -s "$work/cpu.2/$name" "$other/$name" || failed=$((failed + 1))
    done
done
echo "streams of $pictures crops: $failed differ"
[ "$failed" = 0 ] || worst=1

# ratio WHAT COLUMN: the best of the device over the CPU.
ratio() {
    awk -F'|' -v what=" $1 " -v column="$2" '
        $3 == what && $2 ~ /^ cpu,/ { cpu = $column + 0 }
        $3 == what && $2 !~ /^ cpu,/ && $column + 0 > best { best = $column + 0 }
        END { if (cpu > 0 && best > 0) printf "%.2f", best / cpu; else printf "?" }' "$work/rows"
}

{
    echo "# CUDA against the CPU"
    echo
    echo "\`tests/cuda.sh\` wrote this page: $(date -u +%Y-%m-%d), commit $commit."
    echo
    echo "- Device: $device, $(nvidia-smi -L 2>/dev/null | sed 's/ (UUID.*//' | paste -sd, || true)"
    echo "- Processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $cores cores"
    echo "- Signature and streams: $([ $worst = 0 ] && echo 'equal to the CPU'"'"'s' || echo 'NOT EQUAL')"
    echo "- $pictures pictures of $size pixels from corpora/photos as PPM files, $megapixels MP; decoding in lockstep"
    echo
    echo "Whole processes. The start is a process that measures one of the pictures: loading libtorch, opening the device and"
    echo "checking it; a dash stands where there is little else."
    echo
    echo "| device | what | s | start, s | MP/s | MP/s after the start |"
    echo "|---|---|---:|---:|---:|---:|"
    cat "$work/rows"
    echo
    echo "Best of the device over two CPU threads: encode $(ratio encode 6) times as fast ($(ratio encode 7) after the start),"
    echo "decode $(ratio decode 6) times ($(ratio decode 7))."
} >"$work/page"
echo
cat "$work/page"
if [ $worst = 0 ] && [[ $device = cuda* ]]; then
    cp "$work/page" benches/cuda.md
fi
exit $worst
