#!/usr/bin/env bash
# Prints the folder of libtorch 2.11: $LIBTORCH where that is set, or else that of PyPI's torch in a virtual environment of
# this repository's, which is made the first time (1.3 GB; no other program is touched).
#   export LIBTORCH=$(tests/libtorch.sh)
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -n "${LIBTORCH:-}" ]; then
    echo "$LIBTORCH"
    exit
fi
venv=$PWD/.venv-torch
if [ ! -e "$venv/done" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    # Python's side of torch is not used, so that its dependencies can stay away, but for two libraries that are linked to; tests/decoder needs numpy.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        'torch==2.11.0' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*' 'numpy==2.*' >&2
    touch "$venv/done"
fi
echo "$venv"/lib/python*/site-packages/torch
