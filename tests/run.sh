#!/usr/bin/env bash
# The tests of every day: one profile (debug assertions and overflow checks on), every kernel that this machine has, 2 000
# mutations, the signature on other machines under an emulator, and training with libtorch (fetched the first time). Ends
# with exit code 0 if nothing failed. tests/full.sh runs the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --locked --lib --bins --tests --no-fail-fast
cargo test --locked --doc
tests/exact.sh --quick
tests/torch.sh
