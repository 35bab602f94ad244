# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The same paths, by Safar and by ChannelAttribution
#
# Both packages share conversions among channels: by first, last and linear touch, and by removal effects in a Markov
# chain. The rules leave no room, so their credits must be equal. ChannelAttribution finds removal effects by walking
# the chain at random; Safar solves the chain, so there the credits differ by what the walk is off.
#
# Needs `pip install safar[polars] pandas ChannelAttribution matplotlib`. Run it as a script, with a file of paths to
# read instead of made-up ones, or open it as a notebook with jupytext.

# %%
import io
import random
import sys
import time
from collections import Counter
from contextlib import redirect_stdout

import ChannelAttribution
import pandas
import polars
import safar

COLUMNS = ["path", "total_conversions", "total_conversion_value"]


# %% [markdown]
# ## The paths
#
# A file with the columns `path;total_conversions;total_conversion_value;total_null`, or 200 000 made-up journeys: some
# channels convert better than others, and repeats are likely.


# %%
def made_up(journeys=200_000, seed=7):
    draw = random.Random(seed)
    pull = {"Search": 0.30, "Display": 0.05, "Mail": 0.22, "Social": 0.10, "Direct": 0.35, "Affiliate": 0.15}
    names, walked = list(pull), Counter()
    for _ in range(journeys):
        path = [draw.choice(names)]
        while draw.random() < 0.6:
            path.append(path[-1] if draw.random() < 0.3 else draw.choice(names))
        walked[" > ".join(path), draw.random() < max(pull[name] for name in path)] += 1
    rows = {}
    for (path, converted), times in walked.items():
        row = rows.setdefault(path, [0, 0.0, 0])
        row[0 if converted else 2] += times
        row[1] += times * 20.0 if converted else 0.0
    counts = {name: [row[place] for row in rows.values()] for place, name in enumerate([*COLUMNS[1:], "total_null"])}
    return pandas.DataFrame({"path": list(rows), **counts})


file = sys.argv[1] if len(sys.argv) == 2 and sys.argv[1].endswith(".csv") else None
data = pandas.read_csv(file, sep=";") if file else made_up()
print(f"{file or 'made-up paths'}: {len(data):,} paths, {data['total_conversions'].sum():,.0f} conversions")


# %% [markdown]
# ## Timing
#
# Both sides get the same pandas frame, and both are timed from there to the credits. What they print is put aside.


# %%
def timed(work):
    begun = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        result = work()
    return result, time.perf_counter() - begun


def by_safar(models):
    return safar.attribute(safar.Paths.from_arrow(data), models).to_polars()


def heuristics():
    return ChannelAttribution.heuristic_models(data, *COLUMNS, sep=">", flg_pro=False)


def markov(order):
    return ChannelAttribution.markov_model(
        data, *COLUMNS, "total_null", order=order, sep=">", seed=1, verbose=False, flg_pro=False
    )


def credit_of(frame, column):
    """ChannelAttribution's frame as a mapping from channel to credit."""
    return dict(zip(frame.iloc[:, 0].astype(str), frame[column].astype(float)))


# %% [markdown]
# ## Credits in conversions, side by side

# %%
rules, rules_time = timed(lambda: by_safar(["first", "last", "linear"]))
theirs, theirs_time = timed(heuristics)
times = [("first, last, linear", rules_time, theirs_time)]
tables = {
    model: (rules.filter(model=model), credit_of(theirs, f"{model}_touch_conversions"))
    for model in ["first", "last", "linear"]
}

for order in [1, 2, 3]:
    name = f"markov:order={order}"
    ours, ours_time = timed(lambda: by_safar([name]))
    theirs, theirs_time = timed(lambda: markov(order))
    times.append((name, ours_time, theirs_time))
    tables[name] = (ours, credit_of(theirs, "total_conversions"))

rows = []
for model, (ours, theirs) in tables.items():
    ours = ours.filter(polars.col("channel") != "(unattributed)")
    for channel, credit in ours.select("channel", "conversions").iter_rows():
        rows.append((model, channel, credit, theirs[channel], (theirs[channel] - credit) / credit * 100 if credit else 0))
schema = ["model", "channel", "safar", "ChannelAttribution", "difference, %"]
credits = polars.DataFrame(rows, schema=schema, orient="row")

polars.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, float_precision=4)
print(credits)

# %% [markdown]
# ## Seconds, and the largest difference by model

# %%
largest = credits.group_by("model", maintain_order=True).agg(polars.col("difference, %").abs().max())
print(largest)
seconds = polars.DataFrame(times, schema=["models", "safar, s", "ChannelAttribution, s"], orient="row")
print(seconds.with_columns((polars.col("ChannelAttribution, s") / polars.col("safar, s")).alias("times faster")))

# %% [markdown]
# ## What Safar says of its chain

# %%
print(safar.attribute(safar.Paths.from_arrow(data), "markov:order=3").diagnostics)
