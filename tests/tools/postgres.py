"""SQL over the Postgres protocol as Python's driver and BI tools use it: `postgres.py HOST:PORT USER SECRET`.

The statements are those that psycopg 3, Grafana, Metabase and Superset (through SQLAlchemy) send; each answer is compared with
what plain SQL says of the same tables. Ends with 1 and a line for each difference.
"""
import asyncio
import datetime
import sys

import psycopg
from psycopg.rows import dict_row

address, user, secret = sys.argv[1:]
host, port = address.rsplit(":", 1)
target = dict(host=host, port=port, user=user, password=secret, dbname="safar", connect_timeout=20)
wrong = []


def same(what, found, wanted):
    if found != wanted:
        wrong.append(f"{what}: {found!r} and not {wanted!r}")


def driver(db):
    """Parameters by the protocol, types, rows in parts, prepared statements, transactions, errors."""
    count = db.execute("SELECT count(*) FROM touchpoints").fetchone()[0]
    same("rows in parts", sum(1 for _ in db.cursor().stream("SELECT touchpoint_id FROM touchpoints")), count)
    channel, visits = db.execute("SELECT channel, count(*) FROM touchpoints GROUP BY channel ORDER BY 2 DESC, 1 LIMIT 1").fetchone()
    for _ in range(8):  # psycopg prepares a statement that comes again
        found = db.execute("SELECT count(*) FROM touchpoints WHERE channel = %s AND occurred_at > %s", (channel, datetime.datetime(2000, 1, 1))).fetchone()
        same("parameters", found[0], visits)
    row = db.cursor(row_factory=dict_row).execute(
        "SELECT 7::bigint AS whole, 1.5::float8 AS part, 'ł﷼' AS text, true AS yes, NULL::text AS none, DATE '2026-03-21' AS day, TIMESTAMP '2026-03-21 10:11:12.5' AS at"
    ).fetchone()
    same("types", row, {"whole": 7, "part": 1.5, "text": "ł﷼", "yes": True, "none": None, "day": datetime.date(2026, 3, 21), "at": datetime.datetime(2026, 3, 21, 10, 11, 12, 500000)})
    same("nothing found", db.execute("SELECT channel FROM touchpoints WHERE channel = %s", ("no such",)).fetchall(), [])
    same("many", [db.execute("SELECT %s::bigint + 1", (n,)).fetchone()[0] for n in range(5)], [1, 2, 3, 4, 5])
    with db.transaction():
        first = db.execute("SELECT count(*) FROM events").fetchone()
        same("one version in a transaction", db.execute("SELECT count(*) FROM events").fetchone(), first)
    for statement in ["SELECT colour FROM events", "DELETE FROM events", "SELECT 1/0"]:
        try:
            db.execute(statement).fetchall()
            wrong.append(f"{statement} is not refused")
        except psycopg.Error as error:
            same("a code of the error", len(error.sqlstate or ""), 5)
        db.rollback()
    same("goes on after errors", db.execute("SELECT 1").fetchone(), (1,))


def limits(db):
    """A statement of the extended protocol ends with its time, also while its rows come."""
    endless = "FROM generate_series(1, 100000000) AS a(x) JOIN generate_series(1, 100000000) AS b(y) ON a.x %% 7 <= b.y %% 9 + %s"
    db.execute("SET statement_timeout = '500ms'")
    db.commit()
    for columns in ["count(*)", "a.x, b.y"]:
        try:
            for _ in db.cursor().stream(f"SELECT {columns} {endless}", (0,)):
                pass
            wrong.append(f"SELECT {columns} did not end")
        except psycopg.errors.QueryCanceled:
            pass
        db.rollback()
    db.execute("SET statement_timeout = 0")
    db.commit()
    same("goes on after a limit", db.execute("SELECT 1").fetchone(), (1,))


def copies(db):
    with db.cursor().copy("COPY (SELECT channel FROM touchpoints ORDER BY touchpoint_id) TO STDOUT") as copy:
        rows = [row[0] for row in copy.rows()]
    with db.cursor().copy("COPY (SELECT touchpoint_id, occurred_at, channel FROM touchpoints ORDER BY touchpoint_id) TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int8", "timestamptz", "text"])
        binary = list(copy.rows())
    same("a copy in binary", binary, db.execute("SELECT touchpoint_id, occurred_at, channel FROM touchpoints ORDER BY touchpoint_id").fetchall())
    same("a copy", rows, [row[0] for row in db.execute("SELECT channel FROM touchpoints ORDER BY touchpoint_id")])


def cursors(db):
    """Rows by and by of a cursor that the server keeps."""
    with db.cursor(name="all of them") as cursor:
        cursor.itersize = 50
        cursor.execute("SELECT touchpoint_id FROM touchpoints WHERE channel <> %s ORDER BY 1", ("none",))
        rows = [row[0] for row in cursor]
    same("a cursor of the server", rows, [row[0] for row in db.execute("SELECT touchpoint_id FROM touchpoints ORDER BY 1")])


def grafana(db):
    """Its query builder and the macros $__timeFilter, $__timeGroup and $__unixEpochFilter, as they are sent."""
    day = db.execute(
        "SELECT floor(extract(epoch from occurred_at)/86400)*86400 AS \"time\", channel AS metric, count(*) AS \"touches\" FROM touchpoints "
        "WHERE occurred_at BETWEEN '2000-01-01T00:00:00Z' AND '2100-01-01T00:00:00Z' GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    same("touches of all days", sum(row[2] for row in day), db.execute("SELECT count(*) FROM touchpoints").fetchone()[0])
    same(
        "a filter in seconds",
        db.execute("SELECT count(*) FROM sessions WHERE extract(epoch from started_at) >= 946684800 AND extract(epoch from started_at) <= 4102444800").fetchone(),
        db.execute("SELECT count(*) FROM sessions").fetchone(),
    )
    tables = db.execute(
        "SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '\"$user\"' THEN user ELSE trim(s[i]) END "
        "FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), "
        "array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) "
        "THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS \"table\" "
        "FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog') ORDER BY 1"
    ).fetchall()
    same("the list of tables", any("sessions" in row[0] for row in tables), True)
    columns = db.execute("SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE quote_ident(table_name) = 'sessions'").fetchall()
    same("the columns of a table", ("session_id", "bigint") in columns, True)


def metabase(db):
    """Its questions: days by date_trunc, filters, joins, nested questions."""
    by_day = db.execute(
        'SELECT CAST("data"."sessions"."started_at" AS date) AS "started_at", COUNT(*) AS "count" FROM "data"."sessions" '
        'GROUP BY CAST("data"."sessions"."started_at" AS date) ORDER BY CAST("data"."sessions"."started_at" AS date) ASC'
    ).fetchall()
    by_month = db.execute(
        'SELECT DATE_TRUNC(\'month\', "data"."sessions"."started_at") AS "started_at", COUNT(*) AS "count" FROM "data"."sessions" '
        'GROUP BY DATE_TRUNC(\'month\', "data"."sessions"."started_at") ORDER BY 1 ASC'
    ).fetchall()
    same("days and months", sum(row[1] for row in by_day), sum(row[1] for row in by_month))
    nested = db.execute(
        'SELECT "source"."channel" AS "channel", SUM("source"."count") AS "sum" FROM (SELECT "data"."sessions"."channel" AS "channel", '
        'COUNT(*) AS "count" FROM "data"."sessions" GROUP BY "data"."sessions"."channel") AS "source" GROUP BY "source"."channel" LIMIT 10000'
    ).fetchall()
    same("a nested question", sum(row[1] for row in nested), sum(row[1] for row in by_day))
    joined = db.execute(
        'SELECT COUNT(*) FROM "data"."conversions" LEFT JOIN "data"."sessions" AS "S" ON "data"."conversions"."person_id" = "S"."person_id" '
        'WHERE ("S"."engaged" = TRUE) OR ("S"."session_id" IS NULL)'
    ).fetchone()
    same("a join", joined[0] >= 0, True)


def superset(db):
    """Charts over time and tables of the hundred most frequent, as its SQLAlchemy dialect writes them."""
    chart = db.execute(
        "SELECT DATE_TRUNC('week', started_at) AS __timestamp, channel AS channel, COUNT(*) AS count FROM data.sessions "
        "JOIN (SELECT channel AS channel__, COUNT(*) AS mme_inner__ FROM data.sessions GROUP BY channel ORDER BY mme_inner__ DESC LIMIT 100) AS anon_1 "
        "ON channel = channel__ WHERE started_at >= TO_TIMESTAMP('2000-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') "
        "GROUP BY DATE_TRUNC('week', started_at), channel ORDER BY count DESC LIMIT 10000"
    ).fetchall()
    same("a chart over weeks", sum(row[2] for row in chart), db.execute("SELECT count(*) FROM sessions WHERE channel IS NOT NULL").fetchone()[0])
    same("schemas", ("data",) in db.execute("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY nspname").fetchall(), True)


async def together():
    """Twenty connections at once."""
    async def one(n):
        async with await psycopg.AsyncConnection.connect(**target) as db:
            return (await (await db.execute("SELECT %s::bigint * count(*) FROM events", (n,))).fetchone())[0]
    counts = await asyncio.gather(*(one(n) for n in range(20)))
    same("twenty at once", counts, [n * counts[1] for n in range(20)])


with psycopg.connect(**target, autocommit=False) as db:
    for part in (driver, limits, copies, cursors, grafana, metabase, superset):
        try:
            part(db)
        except psycopg.Error as error:
            wrong.append(f"{part.__name__}: {type(error).__name__}: {error}")
            db.rollback()
asyncio.run(together())
print("\n".join(wrong) or "psycopg, Grafana, Metabase and Superset get what they ask for")
sys.exit(bool(wrong))
