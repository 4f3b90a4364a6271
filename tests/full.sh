#!/usr/bin/env bash
# Every test in the large size: debug and release, 20 000 mutations, every kernel, profile and processor. Hours are not
# needed: about one on two cores. The last result stands in tests/FULL.md.
set -uo pipefail
cd "$(dirname "$0")/.."
export SURPRISAL_MUTATIONS=${SURPRISAL_MUTATIONS:-20000} SURPRISAL_FUZZ=${SURPRISAL_FUZZ:-20000}
log=$(mktemp)
failed=0
step() {
    echo "== $*"
    "$@" || { failed=1; echo "FAILED: $*"; }
}
{
    step cargo fmt --check
    step cargo clippy --locked --all-targets -- -D warnings
    step cargo test --locked
    step cargo test --locked --release
    step tests/exact.sh
} 2>&1 | tee "$log"
echo
echo "commit    $(git rev-parse --short HEAD 2>/dev/null)"
echo "date      $(date -u +%F)"
echo "machine   $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(uname -m), $(rustc --version)"
echo "mutations $SURPRISAL_MUTATIONS of streams and models, $SURPRISAL_FUZZ fuzzed inputs a target"
awk '/^test result:/ { p += $4; f += $6; i += $8 } END { printf "tests     %d passed, %d failed, %d ignored\n", p, f, i }' "$log"
grep '^exactness:' "$log"
if grep -q '^FAILED' "$log"; then
    grep '^FAILED' "$log"
    exit 1
fi
