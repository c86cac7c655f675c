#!/bin/sh
# Choose the version of every dependency, in one place. The ranges in pyproject.toml give constraints.txt, which has a
# version for each package that any extra needs; constraints.txt gives the images' locks with hashes. Versions that are
# already in constraints.txt stay unless the ranges exclude them:
#
#     docker/lock.sh                              after a change of pyproject.toml
#     docker/lock.sh --upgrade-package numpy      raise one package as far as its range allows
#     docker/lock.sh --upgrade                    raise all of them
#
# Needs uv. The images are Linux, so what tqdm wants on Windows alone is left out of their locks.
set -eu
cd "$(dirname "$0")/.."
uv pip compile --quiet --universal --no-annotate --python-version 3.11 --all-extras "$@" \
    --custom-compile-command 'docker/lock.sh' pyproject.toml --output-file constraints.txt
# PyTorch and ONNX Runtime want other versions of the CUDA libraries, and each of their wheels names its own.
sed -i -E '/^(nvidia|cuda)-/d' constraints.txt
lock() {
    target=docker/requirements-$1.txt
    shift
    uv pip compile --quiet --universal --no-header --generate-hashes --no-emit-package colorama --python-version 3.11 \
        --constraint constraints.txt "$@" pyproject.toml --output-file "$target.new"
    mv "$target.new" "$target"
}
lock cpu --extra cpu --extra bulk --extra heif
lock cuda --extra cuda --extra bulk --extra heif
