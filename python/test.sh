#!/bin/sh
# Builds the wheel and tests it; the environment and the build lie outside the checkout. Needs Rust, Python and a
# package index.
# Words go to pytest.
set -eu
cd "$(dirname "$0")"
cache="${SAFAR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/safar}"
venv="$cache/python-venv"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/python-target}"
wheels="$CARGO_TARGET_DIR/wheels"

cargo fmt --check
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/pip" install --quiet 'maturin>=1.9,<2'
rm -f "$wheels"/safar-*.whl
"$venv/bin/maturin" build --release --interpreter "$venv/bin/python" --out "$wheels"
wheel="$(ls "$wheels"/safar-*.whl)"
"$venv/bin/pip" install --quiet "$wheel[test]"
"$venv/bin/pip" install --quiet --force-reinstall --no-deps "$wheel"
"$venv/bin/python" -m mypy.stubtest safar
"$venv/bin/python" -m mypy --strict tests/typed.py
"$venv/bin/python" -m pytest "$@"
