"""The catalog as SQLAlchemy, through which Superset and pandas speak, and asyncpg read it: `catalog.py HOST:PORT USER SECRET`.

Ends with 1 and a line for each difference.
"""
import asyncio
import datetime
import sys

import asyncpg
import sqlalchemy

address, user, secret = sys.argv[1:]
host, port = address.rsplit(":", 1)
target = sqlalchemy.URL.create("postgresql+psycopg", user, secret, host, int(port), "safar")
wrong = []


def same(what, found, wanted):
    if found != wanted:
        wrong.append(f"{what}: {found!r} and not {wanted!r}")


def reflected(engine):
    """What Superset lists when a database, a schema and a table are chosen."""
    seen = sqlalchemy.inspect(engine)
    same("the version", engine.dialect.server_version_info[0], 16)
    same("schemas", seen.get_schema_names(), ["data"])
    same("the usual schema", seen.default_schema_name, "data")
    tables = seen.get_table_names("data")
    same("tables", {"events", "sessions", "touchpoints"} <= set(tables), True)
    same("views", seen.get_view_names("data"), ["identity_conflicts"])
    same("a table", (seen.has_table("events", "data"), seen.has_table("nothing", "data")), (True, False))
    columns = {column["name"]: column for column in seen.get_columns("sessions", "data")}
    same("a key", (str(columns["session_id"]["type"]), columns["session_id"]["nullable"]), ("BIGINT", False))
    same("a time", columns["started_at"]["type"].timezone, True)
    same("what there is none of", [
        seen.get_pk_constraint("events", "data")["constrained_columns"], seen.get_foreign_keys("events", "data"),
        seen.get_indexes("events", "data"), seen.get_unique_constraints("events", "data"),
        seen.get_check_constraints("events", "data"), seen.get_sequence_names("data"), seen.get_enums("data"),
    ], [[], [], [], [], [], [], []])
    same("a description", seen.get_table_comment("events", "data")["text"].startswith("Everything that happened"), True)
    same("one of a column", bool(columns["session_id"]["comment"]), True)
    everything = sqlalchemy.MetaData()
    everything.reflect(engine, schema="data")
    same("everything at once", len(everything.tables), len(tables))
    return everything.tables["data.sessions"]


def asked(engine, sessions):
    """Charts as SQLAlchemy writes them, rows by and by, isolation."""
    with engine.connect() as db:
        day = sqlalchemy.func.date_trunc("day", sessions.c.started_at).label("day")
        since = sessions.c.started_at >= datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
        days = db.execute(sqlalchemy.select(day, sqlalchemy.func.count(), sqlalchemy.func.count()).where(since).group_by(day).order_by(day)).all()
        every = db.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(sessions)).scalar()
        same("sessions of all days", sum(row[1] for row in days), every)
        same("columns of one name", [row[1] for row in days], [row[2] for row in days])
        same("a time with its zone", days[0][0].tzinfo is not None, True)
        slash = sessions.c.landing_page.contains("://", autoescape=True)
        same("an escaped pattern", db.execute(sqlalchemy.select(sqlalchemy.func.count()).where(slash)).scalar() > 0, True)
        streamed = db.execution_options(stream_results=True, yield_per=10).execute(sqlalchemy.select(sessions.c.session_id))
        same("rows by and by", sum(1 for _ in streamed), every)
    with engine.connect() as db:
        same("isolation", db.get_isolation_level(), "READ COMMITTED")


async def by_asyncpg():
    """A pool, whose connections are tidied up between uses; prepared statements; cursors."""
    async with asyncpg.create_pool(host=host, port=int(port), user=user, password=secret, database="safar", min_size=1, max_size=2) as pool:
        for _ in range(3):
            async with pool.acquire() as db:
                count = await db.fetchval("SELECT count(*) FROM sessions")
        async with pool.acquire() as db:
            rows = await db.fetch("SELECT * FROM sessions ORDER BY session_id LIMIT $1 OFFSET $2", 3, 1)
            same("a limit", len(rows), 3)
            same("a list", await db.fetchval("SELECT array['a', 'b']"), ["a", "b"])
            same("one of several", await db.fetchval("SELECT count(*) FROM sessions WHERE channel = ANY($1::text[])", ["no such"]), 0)
            async with db.transaction(readonly=True):
                same("a cursor", len([row async for row in db.cursor("SELECT session_id FROM sessions")]), count)
            try:
                await db.fetch("SELECT * FROM nowhere")
                wrong.append("a table that is nowhere is found")
            except asyncpg.UndefinedTableError:
                pass


engine = sqlalchemy.create_engine(target)
for part in (lambda: asked(engine, reflected(engine)), lambda: asyncio.run(by_asyncpg())):
    try:
        part()
    except Exception as error:
        wrong.append(f"{type(error).__name__}: {error}"[:2000])
print("\n".join(wrong) or "SQLAlchemy and asyncpg get what they ask for")
sys.exit(bool(wrong))
