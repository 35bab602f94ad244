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
# Needs `pip install safar[compare]`. Open it as a notebook with jupytext, or run it as a
# script: `python compare.py`, with a file of paths if there is one, and a number of made-up journeys if not.

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

COLUMNS = ["path", "total_conversions", "total_conversion_value", "total_null"]
given = sys.argv[1] if len(sys.argv) == 2 and "ipykernel" not in sys.modules else "200000"

polars.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, float_precision=3)


def show(title, table):
    print(f"\n{title}\n{table}")


# %% [markdown]
# ## 1. The paths
#
# A row is a path, with how many people converted after it, what that was worth, and how many did not convert. These are
# made up: some channels convert better than others, and repeats are likely.


# %%
def made_up(journeys, seed=7):
    draw = random.Random(seed)
    pull = {"Search": 0.30, "Display": 0.05, "Mail": 0.22, "Social": 0.10, "Direct": 0.35, "Affiliate": 0.15}
    names, people = list(pull), Counter()
    for _ in range(journeys):
        path = [draw.choice(names)]
        while draw.random() < 0.6:
            path.append(path[-1] if draw.random() < 0.3 else draw.choice(names))
        people[" > ".join(path), draw.random() < max(pull[name] for name in path)] += 1
    paths = dict.fromkeys(path for path, _ in people)
    rows = [(path, people[path, True], 20.0 * people[path, True], people[path, False]) for path in paths]
    return pandas.DataFrame(rows, columns=COLUMNS)


data = made_up(int(given)) if given.isdigit() else pandas.read_csv(given, sep=";")
paths = safar.Paths.from_arrow(data)
print(f"{len(data):,} paths, {data['total_conversions'].sum():,.0f} conversions")
data.head()

# %% [markdown]
# ## 2. Credits, side by side
#
# Both sides get the same pandas frame, and both are timed from there to the credits. What ChannelAttribution prints is put
# aside.


# %%
def timed(work):
    begun = time.perf_counter()
    with redirect_stdout(io.StringIO()):
        result = work()
    return result, time.perf_counter() - begun


def by_safar(models):
    report = safar.attribute(safar.Paths.from_arrow(data), models)
    return {model.model: {name: credit.conversions for name, credit in model.credits.items()} for model in report}


def by_rules():
    found = ChannelAttribution.heuristic_models(data, *COLUMNS[:3], sep=">", flg_pro=False)
    return {rule: credits(found, f"{rule}_touch_conversions") for rule in ["first", "last", "linear"]}


def by_chain(order):
    found = ChannelAttribution.markov_model(data, *COLUMNS, order=order, sep=">", seed=1, verbose=False, flg_pro=False)
    return {f"markov:order={order}": credits(found, "total_conversions")}


def credits(found, column):
    return dict(zip(found.iloc[:, 0].astype(str), found[column].astype(float)))


rows, seconds = [], []
for theirs in [by_rules, lambda: by_chain(1), lambda: by_chain(2), lambda: by_chain(3)]:
    theirs, their_time = timed(theirs)
    ours, our_time = timed(lambda: by_safar(list(theirs)))
    seconds.append((", ".join(theirs), our_time, their_time, their_time / our_time))
    for model, channels in ours.items():
        for channel, credit in channels.items():
            other = theirs[model][channel]
            rows.append((model, channel, credit, other, (other - credit) / credit * 100 if credit else 0.0))

table = polars.DataFrame(rows, ["model", "channel", "safar", "ChannelAttribution", "difference, %"], orient="row")
show("Conversions by channel", table)

# %% [markdown]
# ## 3. How far apart, and how long it took

# %%
apart = table.group_by("model", maintain_order=True).agg(polars.col("difference, %").abs().max().alias("at most, %"))
show("Largest difference of a credit", apart)
show("Seconds", polars.DataFrame(seconds, ["models", "safar", "ChannelAttribution", "times faster"], orient="row"))

# %% [markdown]
# The rules agree to the last digits. The chains agree to the error of a random walk, which another seed would show:
# ChannelAttribution with `seed=2` differs from itself by as much.

# %% [markdown]
# ## 4. What Safar says beside the credits
#
# How sure they are, if other people of the same kind had come; and which order of the chain foretells best who converts
# (an order that is too high learns noise).

# %%
drawn = safar.bootstrap(paths, "markov:order=1")
sure = drawn.to_polars().filter(polars.col("measure") == "conversion_share").select("channel", "point", "low", "high")
show("Shares of conversions by markov:order=1, and their intervals of 95 %", sure)

ranks = drawn.ranks()
best = min(ranks.point, key=ranks.point.get)
print(f"\n{best} has the most in {ranks.rank[best][0]:.0%} of the resamples.")

# %%
choice = safar.attribute(paths, "markov:order=auto,most=3").diagnostics.markov.choice
losses = [(f"order {order}", loss) for order, loss in enumerate(choice.losses, 1)]
compared = polars.DataFrame([*losses, ("the plain rate", choice.base_loss)], ["chain", "hold-out log-loss"], orient="row")
with polars.Config(float_precision=5):
    show("How well each order foretells who converts (less is better)", compared)
