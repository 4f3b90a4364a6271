#!/usr/bin/env bash
# Every test with every profile, target and count: hours, before a release. Writes tests/FULL.md.
#
# Profiles: debug, release, release for this very processor. Targets: tests/exact.sh. Counts: SURPRISAL_MUTATIONS 20 000, SURPRISAL_FUZZ 2 000 a target, unless set.
#
#   tests/full.sh                    all of it
#   tests/full.sh --torture [N]      only: the program is killed N times (200), calls of the system fail, disks are full
#   tests/full.sh --hostile [N]      only: N hostile inputs (1 000 000)
set -uo pipefail
cd "$(dirname "$0")/.."
export SURPRISAL_MUTATIONS=${SURPRISAL_MUTATIONS:-20000} SURPRISAL_FUZZ=${SURPRISAL_FUZZ:-2000}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
worst=0
: >"$work/rows"

# run NAME COMMAND...: adds a row to the table.
run() {
    local name=$1 start=$SECONDS result=passed counts
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$work/log"
    [ "${PIPESTATUS[0]}" = 0 ] || { result=FAILED; worst=1; }
    counts=$(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p + 0, "passed,", f + 0, "failed,", i + 0, "ignored" }' "$work/log")
    if grep -q '^exactness:' "$work/log"; then counts=$(sed -n 's/^exactness: //p' "$work/log"); fi
    echo "| $name | $result | $counts | $((SECONDS - start)) s |" >>"$work/rows"
    grep '^skipped:' "$work/log" | sort -u | sed "s/^/- $name: /" >>"$work/skipped"
}

# Targets that take as many inputs as they are told.
readonly targets=12
torture() { run "torture, killed $1 times" env SURPRISAL_TORTURE="$1" cargo test --locked --test it torture:: -- --nocapture; }
hostile() {
    run "$1 hostile inputs" env SURPRISAL_FUZZ=$(($1 / targets)) SURPRISAL_MUTATIONS=$(($1 / targets)) \
        cargo test --locked --test it -- --nocapture fuzz:: streams:: model_file:: sets::
}
case ${1:-} in
--torture) torture "${2:-200}"; cat "$work/rows"; exit $worst ;;
--hostile) hostile "${2:-1000000}"; cat "$work/rows"; exit $worst ;;
esac

run "debug" cargo test --locked --lib --bins --tests --no-fail-fast -- --nocapture
run "documentation" cargo test --locked --doc
run "release" cargo test --locked --release --lib --bins --tests --no-fail-fast -- --nocapture
run "release, target-cpu=native" env RUSTFLAGS="-C target-cpu=native" \
    cargo test --locked --release --target-dir "${CARGO_TARGET_DIR:-target}/native" --lib --bins --tests --no-fail-fast -- --nocapture
run "longer trainings" env LIBTORCH="$(tests/libtorch.sh)" \
    cargo test --locked --features torch --test it -- --ignored --nocapture training::
run "other machines and builds (exact.sh)" tests/exact.sh
run "static build" tests/static.sh
torture 200

{
    echo "# The last full test run"
    echo
    echo "\`tests/full.sh\` wrote this page: $(date -u +%Y-%m-%d), $(git describe --always --dirty 2>/dev/null),"
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1) with $(nproc) cores, $(uname -sm), $(rustc --version);"
    echo "$SURPRISAL_MUTATIONS mutations, $SURPRISAL_FUZZ fuzz inputs a target."
    echo
    echo "| part | result | tests | time |"
    echo "|---|---|---|---|"
    cat "$work/rows"
    echo
    echo "Skipped:"
    echo
    if [ -s "$work/skipped" ]; then cat "$work/skipped"; else echo "- nothing"; fi
} >tests/FULL.md
cat tests/FULL.md
exit $worst
