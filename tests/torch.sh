#!/usr/bin/env bash
# The tests of what needs libtorch (the cargo feature `torch`): training, and its integers on the processor. The others ran
# without it.
set -euo pipefail
cd "$(dirname "$0")/.."

LIBTORCH=$(tests/libtorch.sh)
export LIBTORCH
cargo test --locked --features torch --no-fail-fast --lib --test it -- train:: likelihood::nll training:: train_data:: device::
