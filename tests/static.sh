#!/usr/bin/env bash
# A program that needs nothing of the system that it runs on: built statically, it has no dynamic dependency, is smaller than
# 15 MB, and decodes the golden streams.
set -euo pipefail
cd "$(dirname "$0")/.."

triple=x86_64-unknown-linux-gnu
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "skipped: the static build is for Linux on x86-64"
    exit
fi
folder=${CARGO_TARGET_DIR:-target}/static
RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --release --bin surprisal --target $triple --target-dir "$folder"
program=$folder/$triple/release/surprisal
if readelf -d "$program" | grep NEEDED; then
    echo "FAILED: the static build has dynamic dependencies"
    exit 1
fi
bytes=$(stat -c %s "$program")
[ "$bytes" -lt 15000000 ] || { echo "FAILED: the static build has $bytes bytes"; exit 1; }
env -i "$program" test -q tests/data/golden/release-1.0/*.srp -m models
echo "static: $bytes bytes, no dynamic dependency, golden streams decoded"
