"""What the tests share: real data, where it is present, and a small table of paths."""

import os
from pathlib import Path

import pytest

TEXT = """path;total_conversions;total_conversion_value;total_null
Ads > Mail > Ads;2;50.5;1
Mail;1;10;0
;3;5;4
Search > Mail;0;0;7
Search;4;-20.25;2
"""

COLUMNS = {
    "path": [["Ads", "Mail", "Ads"], ["Mail"], [], ["Search", "Mail"], ["Search"]],
    "total_conversions": [2, 1, 3, 0, 4],
    "total_conversion_value": [50.5, 10.0, 5.0, 0.0, -20.25],
    "total_null": [1, 0, 4, 7, 2],
}


@pytest.fixture
def text() -> bytes:
    """A small file of paths."""
    return TEXT.encode()


@pytest.fixture
def columns() -> dict:
    """The same as columns."""
    return {name: list(values) for name, values in COLUMNS.items()}


@pytest.fixture(scope="session")
def shared():
    """Finds shared reference material; skips where it is absent."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    root = Path(os.environ.get("SAFAR_SHARED", beside))

    def find(name: str) -> Path:
        if not (root / name).exists():
            pytest.skip(f"{root / name} is absent")
        return root / name

    return find
