#!/bin/sh
# Write the images' locks from pyproject.toml and constraints.txt. Needs uv. `universal` covers all processors; the images
# are Linux, so what tqdm needs only on Windows is left out.
set -eu
cd "$(dirname "$0")/.."
lock() {
    target=docker/requirements-$1.txt
    shift
    uv pip compile --quiet --universal --no-header --generate-hashes --no-emit-package colorama --python-version 3.11 \
        --constraint constraints.txt "$@" pyproject.toml --output-file "$target.new"
    mv "$target.new" "$target"
}
lock cpu --extra cpu --extra bulk --extra heif
lock cuda --extra cuda --extra bulk --extra heif
