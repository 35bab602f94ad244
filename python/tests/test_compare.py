"""The comparison with ChannelAttribution runs, and finds what it says."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "compare.py"


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ["ChannelAttribution", "matplotlib"]),
    reason="ChannelAttribution, or matplotlib, which it imports, is not installed: pip install safar[compare]",
)
def test_it_agrees_with_channel_attribution():
    ran = subprocess.run([sys.executable, EXAMPLE, "20000"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    apart = ran.stdout.split("Largest difference of a credit")[1].split("Seconds")[0]
    largest = {model: float(percent) for model, percent in re.findall(r"(\w+(?::order=\d)?)\s*┆\s*([\d.]+)", apart)}
    assert list(largest) == ["first", "last", "linear", "markov:order=1", "markov:order=2", "markov:order=3"]
    assert all(largest[rule] == 0 for rule in ["first", "last", "linear"]), apart
    # The error of its random walks: 1 to 4 % on the reference data.
    assert all(largest[f"markov:order={order}"] < 5 for order in [1, 2, 3]), apart
    for words in ["Seconds", "Shares of conversions", "has the most in", "the plain rate"]:
        assert words in ran.stdout


def test_it_is_a_notebook():
    """Every cell begins with `# %%`, and text stands in Markdown cells."""
    cells = re.split(r"^# %%", EXAMPLE.read_text(), flags=re.MULTILINE)[1:]
    texts = [cell for cell in cells if cell.startswith(" [markdown]\n")]
    assert len(texts) >= 5 and len(cells) - len(texts) >= 5
    assert all(line.startswith("#") or not line for cell in texts for line in cell.splitlines()[1:])
    for cell in cells:
        compile(cell.split("\n", 1)[1], "cell", "exec")
