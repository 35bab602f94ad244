#!/usr/bin/env python3
"""The question of `benches/journeys` asked of ClickHouse (chDB), DuckDB and Polars, on the same files.

    peers.py --dir DIR [--reps N] [--threads N] [--engine chdb|duckdb|polars] [--layout clustered|arrival]

Prints one line of JSON for each engine that is installed, each way to write the query, and each layout, in the form that
the Rust benchmark prints; equal checksums are equal answers. Every case runs in a process of its own, so that its peak
memory is its own. The best of an engine's ways is what to compare with.

The question: for each conversion, the channels of the same person's touches in the 30 days before it, in the order of
time; for each person without a conversion, those of the 30 days before the last touch. Then, for each distinct path,
conversions, their value, and people without one.
"""
import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time

WINDOW_US = 30 * 86_400 * 1_000_000
# As in main.rs: short questions are asked again until this has passed.
LEAST_S = 3.0

DUCKDB = {
    # Per person one ordered string of letters and one ordered list of times; a conversion is a slice of them.
    "slice": f"""
WITH p AS (
  SELECT string_agg(chr(65 + channel_id::INT), '' ORDER BY ts) FILTER (NOT is_conversion) AS s,
         list(epoch_us(ts) ORDER BY ts) FILTER (NOT is_conversion) AS t,
         list({{'ts': epoch_us(ts), 'v': value}}) FILTER (is_conversion) AS c
  FROM events GROUP BY person_id),
r AS (
  SELECT coalesce(substr(s, 1 + len(list_filter(t, lambda x: x < k.ts - {WINDOW_US})),
           len(list_filter(t, lambda x: x < k.ts AND x >= k.ts - {WINDOW_US}))), '') AS path, 1 AS conversions, k.v AS value, 0 AS nulls
  FROM (SELECT s, t, unnest(c) AS k FROM p WHERE c IS NOT NULL)
  UNION ALL
  SELECT substr(s, 1 + len(list_filter(t, lambda x: x < t[-1] - {WINDOW_US}))), 0, 0.0, 1 FROM p WHERE c IS NULL)
SELECT path, sum(conversions)::DOUBLE, sum(value)::DOUBLE, sum(nulls)::DOUBLE FROM r GROUP BY path""",
    # Touches packed into one list of integers, so that only integers are sorted.
    "packed": f"""
WITH p AS (
  SELECT list_sort(list(epoch_us(ts) * 8 + channel_id) FILTER (NOT is_conversion)) AS t,
         list({{'ts': epoch_us(ts), 'v': value}}) FILTER (is_conversion) AS c
  FROM events GROUP BY person_id),
r AS (
  SELECT list_filter(t, lambda x: x < k.ts * 8 AND x >= (k.ts - {WINDOW_US}) * 8) AS w, 1 AS conversions, k.v AS value, 0 AS nulls
  FROM (SELECT t, unnest(c) AS k FROM p WHERE c IS NOT NULL)
  UNION ALL
  SELECT list_filter(t, lambda x: x >= (t[-1] // 8 - {WINDOW_US}) * 8), 0, 0.0, 1 FROM p WHERE c IS NULL)
SELECT coalesce(array_to_string(list_transform(w, lambda x: chr(65 + (x & 7)::INT)), ''), '') AS path,
  sum(conversions)::DOUBLE, sum(value)::DOUBLE, sum(nulls)::DOUBLE FROM r GROUP BY path""",
}

CHDB = {
    # Touches packed into one array of integers, one string of letters a person; a conversion is a substring.
    "slice": f"""
SELECT r.1 AS path, toFloat64(sum(r.2)) AS conversions, sum(r.3) AS value, toFloat64(sum(r.4)) AS nulls FROM (
  SELECT arrayJoin(if(empty(c),
    [(substring(s, 1 + arrayCount(x -> x < t[-1] - {WINDOW_US}, t)), 0, 0., 1)],
    arrayMap(k -> (substring(s, 1 + arrayCount(x -> x < k.1 - {WINDOW_US}, t), arrayCount(x -> x < k.1 AND x >= k.1 - {WINDOW_US}, t)), 1, k.2, 0), c))) AS r
  FROM (
    SELECT arraySort(groupArrayIf(toUnixTimestamp64Micro(ts) * 8 + channel_id, NOT is_conversion)) AS a,
      arrayMap(x -> bitShiftRight(x, 3), a) AS t, arrayStringConcat(arrayMap(x -> char(65 + bitAnd(x, 7)), a), '') AS s,
      groupArrayIf((toUnixTimestamp64Micro(ts), ifNull(value, 0)), is_conversion) AS c
    FROM file('%s', Parquet) GROUP BY person_id)
) GROUP BY path""",
    # The same with binary arithmetic on the packed integers alone, grouped by the array of channels.
    "filter": f"""
SELECT arrayStringConcat(arrayMap(x -> char(65 + x), r.1), '') AS path, toFloat64(sum(r.2)) AS conversions, sum(r.3) AS value, toFloat64(sum(r.4)) AS nulls FROM (
  SELECT arrayJoin(if(empty(c),
    [(arrayMap(x -> toUInt8(bitAnd(x, 7)), arrayFilter(x -> x >= bitAnd(a[-1], bitNot(toInt64(7))) - {WINDOW_US * 8}, a)), 0, 0., 1)],
    arrayMap(k -> (arrayMap(x -> toUInt8(bitAnd(x, 7)), arrayFilter(x -> x < k.1 AND x >= k.1 - {WINDOW_US * 8}, a)), 1, k.2, 0), c))) AS r
  FROM (
    SELECT arraySort(groupArrayIf(toUnixTimestamp64Micro(ts) * 8 + channel_id, NOT is_conversion)) AS a,
      groupArrayIf((toUnixTimestamp64Micro(ts) * 8, ifNull(value, 0)), is_conversion) AS c
    FROM file('%s', Parquet) GROUP BY person_id)
) GROUP BY r.1""",
}

POLARS = {"join": None}
WAYS = {"chdb": CHDB, "duckdb": DUCKDB, "polars": POLARS}


def ask_duckdb(sql, files, threads):
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {threads}; SET preserve_insertion_order = false")
    con.execute(f"CREATE VIEW events AS SELECT person_id, ts, channel_id, is_conversion, value FROM read_parquet('{files}')")
    answer = con.sql(sql).to_arrow_table()
    return answer if hasattr(answer, "num_rows") else answer.read_all()


def ask_chdb(sql, files, threads):
    import chdb
    import pyarrow as pa

    settings = f" SETTINGS max_threads = {threads}, output_format_arrow_string_as_string = 1"
    answer = chdb.query(sql % files + settings, "Arrow")
    return pa.ipc.open_file(pa.BufferReader(answer.bytes())).read_all()


def ask_polars(_, files, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    events = pl.scan_parquet(files).select(
        "person_id", "channel_id", "is_conversion", "value", at=pl.col("ts").dt.replace_time_zone(None).cast(pl.Int64)
    )
    letter = pl.col("channel_id").cast(pl.Int32).replace_strict(list(range(8)), list("ABCDEFGH"), return_dtype=pl.String)
    touches = events.filter(~pl.col("is_conversion")).select("person_id", "at", letter=letter)
    sales = events.filter(pl.col("is_conversion")).select("person_id", "value", until="at")
    near = sales.join(touches, on="person_id").filter((pl.col("at") < pl.col("until")) & (pl.col("at") >= pl.col("until") - WINDOW_US))
    path = pl.col("letter").sort_by("at").str.join("")
    zero, one = pl.lit(0.0), pl.lit(1.0)
    sold = near.group_by("person_id", "until").agg(pl.col("value").first(), path=path)
    sold = sold.select("path", "value", conversions=one, nulls=zero)
    bare = sales.join(near.select("person_id", "until").unique(), on=["person_id", "until"], how="anti")
    bare = bare.select("value", path=pl.lit(""), conversions=one, nulls=zero).select(sold.collect_schema().names())
    people = events.group_by("person_id").agg(
        until=pl.col("at").filter(~pl.col("is_conversion")).max(), converted=pl.col("is_conversion").any()
    )
    others = people.filter(~pl.col("converted")).join(touches, on="person_id").filter(pl.col("at") >= pl.col("until") - WINDOW_US)
    others = others.group_by("person_id").agg(path=path).select("path", value=zero, conversions=zero, nulls=one)
    query = pl.concat([sold, bare, others.select(sold.collect_schema().names())])
    query = query.group_by("path").agg(pl.col("conversions").sum(), pl.col("value").sum(), pl.col("nulls").sum())
    return query.collect(engine="streaming").to_arrow()


ASK = {"chdb": ask_chdb, "duckdb": ask_duckdb, "polars": ask_polars}


def checksum(table):
    """As `Answer::checksum` in main.rs."""
    whole = (1 << 64) - 1
    paths, *weights = (column.to_pylist() for column in table.columns)
    total = 0
    for path, conversions, value, nulls in zip(paths, *weights):
        own = 0xCBF29CE484222325
        for letter in path if isinstance(path, bytes) else path.encode():
            own = ((own ^ letter) * 0x100000001B3) & whole
        total += own * (int(conversions) * 31 + int(nulls) * 17 + int(value * 4.0) + 1)
    sums = (sum(column) for column in weights)
    sums = "/".join(str(int(number)) if number == int(number) else repr(number) for number in sums)
    return f"{len(paths)}/{sums}/{total & whole:016x}"


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(engine, way, layout, options):
    runs, begun = [], time.perf_counter()
    while len(runs) < options.reps or time.perf_counter() - begun < LEAST_S:
        cpu, wall = cpu_s(), time.perf_counter()
        table = ASK[engine](WAYS[engine][way], f"{options.dir}/{layout}/*.parquet", options.threads)
        runs.append((cpu_s() - cpu, time.perf_counter() - wall))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    median = [sorted(times)[len(runs) // 2] for times in zip(*runs)]
    line = dict(engine=engine, case=way, layout=layout, threads=options.threads, cpu_s=round(median[0], 3))
    print(json.dumps(line | dict(wall_s=round(median[1], 3), peak_mb=peak_mb, checksum=checksum(table))), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", choices=list(WAYS))
    parser.add_argument("--layout", choices=["clustered", "arrival"])
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        measure(options.engine, options.way, options.layout, options)
        return
    failed = False
    for engine in [options.engine] if options.engine else WAYS:
        if importlib.util.find_spec(engine) is None:
            print(f"{engine} is not installed: left out", file=sys.stderr)
            continue
        for layout in [options.layout] if options.layout else ["clustered", "arrival"]:
            for way in WAYS[engine]:
                own = ["--reps", str(options.reps), "--threads", str(options.threads), "--dir", options.dir]
                command = [sys.executable, __file__, "--engine", engine, "--layout", layout, "--way", way, *own]
                failed |= subprocess.run(command).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
