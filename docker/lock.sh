#!/bin/sh
# Write the image's locks anew from pyproject.toml and constraints.txt. Needs uv.
set -eu
cd "$(dirname "$0")/.."
lock() {
    target=docker/requirements-$1.txt
    shift
    uv pip compile --quiet --universal --no-header --generate-hashes --python-version 3.11 \
        --constraint constraints.txt "$@" pyproject.toml --output-file "$target.new"
    mv "$target.new" "$target"
}
lock cpu --extra cpu
lock cuda --extra cuda
