#!/bin/sh
# Resolve requirements/*.in into lock files: exact versions with hashes, and no address in them.
set -eu
compile() {
    .venv/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 --no-header \
        --no-emit-index-url --no-emit-find-links --no-annotate "$@"
}
compile requirements/bootstrap.in -o requirements/bootstrap.lock
compile requirements/requirements.in -o requirements/requirements.lock
compile -c requirements/requirements.lock requirements/requirements.in requirements/dev.in \
    -o requirements/requirements-dev.lock
