#!/usr/bin/env bash
# Every test, in the size that fits a quarter of an hour on two cores: one profile, every kernel that the machine has, 2 000
# mutations of streams, and the signature on emulated processors. `tests/full.sh` is the large size.
# Installs what the emulated part needs where it may (root on Debian); the rest needs cargo and a C compiler alone.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --locked
tests/exact.sh --quick
