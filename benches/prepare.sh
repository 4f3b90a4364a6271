# Sourced by the scripts beside it: goes to the root of the repository, builds the program, and makes the virtual
# environment `.venv-bench` with what is compared with (from PyPI).

set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python="$root/.venv-bench/bin/python"
if ! "$python" -c 'import imagecodecs, matplotlib, numpy, oxipng, PIL' 2>/dev/null; then
    python3 -m venv "$root/.venv-bench"
    "$python" -m pip install --quiet imagecodecs matplotlib numpy pillow pyoxipng
fi
(cd "$root" && cargo build --release --quiet)
# Where cargo puts it: CARGO_TARGET_DIR and a configured folder count, too.
target=$(cd "$root" && cargo metadata --no-deps --format-version 1 | "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
export SURPRISAL="$target/release/surprisal"
