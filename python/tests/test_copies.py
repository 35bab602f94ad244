"""What is said not to be copied is not copied: addresses, and memory measured in processes of their own."""

import subprocess
import sys

import polars
import pyarrow
import pytest
import safar


def test_results_share_their_memory(text):
    def addresses(table):
        columns = [table[name].chunk(piece) for name in ["conversions", "value", "channel"] for piece in range(2)]
        return [buffer.address for column in columns for buffer in column.buffers() if buffer]

    report = safar.attribute(safar.read_paths(text), ["linear", "markov"])
    tables = [report.to_arrow(), report.to_arrow(), pyarrow.table(report)]
    assert addresses(tables[0]) == addresses(tables[1]) == addresses(tables[2])
    of_one = report["linear"].to_arrow()["value"].chunk(0).buffers()[1].address
    assert of_one == tables[0]["value"].chunk(0).buffers()[1].address
    # Polars shows where a column of numbers begins by way of numpy.
    numbers = report["linear"].to_polars()["value"].to_numpy(allow_copy=False)
    assert numbers.__array_interface__["data"][0] == of_one
    # The memory outlives the report.
    want = report.to_polars()
    del report
    assert polars.from_arrow(tables[0]).equals(want)


MEASURE = """
import numpy, pyarrow, resource, safar, sys
rows, touches = 2_000_000, 5
keys = pyarrow.array(numpy.random.default_rng(7).integers(0, 9, rows * touches, dtype=numpy.int32))
names = pyarrow.array([f"channel {i}" for i in range(9)])
kind = sys.argv[1]
labels = pyarrow.DictionaryArray.from_arrays(keys, names)
if kind == "text":
    labels = labels.cast("string")
offsets = pyarrow.array(numpy.arange(0, rows * touches + 1, touches, dtype=numpy.int64))
path = pyarrow.LargeListArray.from_arrays(offsets, labels)
number = pyarrow.array(numpy.ones(rows))
table = pyarrow.table({"path": path, "conversions": number, "value": number, "null": number})
# A stretch of memory that is given back, so that what follows is measured from a known peak.
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
current = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
slack = numpy.ones(max(peak() - current(), 0) // 8 + 1)
before, pool = peak(), pyarrow.total_allocated_bytes()
paths = safar.Paths.from_arrow(table)
print(peak() - before, table.nbytes, 4 * rows * touches + 32 * rows, pyarrow.total_allocated_bytes() - pool, len(paths))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured as Linux reports it")
@pytest.mark.parametrize("kind", ["dictionary", "text"])
def test_tables_are_read_where_they_lie(kind):
    output = subprocess.run([sys.executable, "-c", MEASURE, kind], capture_output=True, text=True, check=True).stdout
    grown, table, paths, pool, rows = map(int, output.split())
    assert rows == 2_000_000 and pool == 0
    # The paths themselves, and a tenth of them for what else is allocated; a copy of the table would be as much again.
    assert paths <= grown * 1.1 and grown <= paths * 1.1 and table > 0.5 * paths, output
