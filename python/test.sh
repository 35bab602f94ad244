#!/bin/sh
# Builds the wheel and tests it, in an environment outside the checkout. Needs Rust, Python and a package index.
# Words go to pytest.
set -eu
cd "$(dirname "$0")"
venv="${SAFAR_CACHE:-$HOME/.cache/safar}/python-venv"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
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
