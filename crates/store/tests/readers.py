"""Reads a workspace's tables with other people's programs and compares the number of rows.

    readers.py DATA_DIR [TABLE=ROWS ...]

Prints, for every table of DATA_DIR, how many rows the Python package `deltalake` and DuckDB count. Ends with status 1
when they differ from each other, or from ROWS where that is given; with status 2 when a package is missing.
DuckDB reads through its extension `delta` where that can be loaded, otherwise the file list that `deltalake` gives.
"""

import sys
from pathlib import Path

try:
    import duckdb
    from deltalake import DeltaTable, QueryBuilder
except ImportError as error:
    print(f"{error}; pip install deltalake duckdb", file=sys.stderr)
    sys.exit(2)


def has_delta(connection):
    """Whether DuckDB can load its Delta extension here."""
    try:
        connection.execute("INSTALL delta; LOAD delta")
        return True
    except duckdb.Error:
        return False


def main(data, expected):
    connection = duckdb.connect()
    delta = has_delta(connection)
    print(f"duckdb {duckdb.__version__} reads {'delta_scan' if delta else 'the files of the log'}")
    wrong = 0
    seen = set()
    for log in sorted(Path(data).glob("*/_delta_log")):
        table = DeltaTable(str(log.parent))
        files = table.file_uris()
        counted = QueryBuilder().register("t", table).execute("SELECT count(*) AS n FROM t").read_all()
        ours = counted["n"][0].as_py()
        if delta:
            query, given = "SELECT count(*) FROM delta_scan(?)", str(log.parent)
        else:
            query, given = "SELECT count(*) FROM read_parquet(?, hive_partitioning = true)", files
        theirs = connection.execute(query, [given]).fetchone()[0] if files else 0
        name = log.parent.name
        seen.add(name)
        wanted = expected.get(name, ours)
        verdict = "ok" if ours == theirs == wanted else f"WRONG, expected {wanted}"
        wrong += verdict != "ok"
        print(f"{name}: version {table.version()}, deltalake {ours}, duckdb {theirs}: {verdict}")
    for name in sorted(expected.keys() - seen):
        print(f"{name}: no such table")
        wrong += 1
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    counts = dict(argument.split("=", 1) for argument in sys.argv[2:])
    sys.exit(main(sys.argv[1], {name: int(rows) for name, rows in counts.items()}))
