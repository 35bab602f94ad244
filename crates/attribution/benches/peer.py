"""Times other attribution packages on a path file, one process a case, for comparison with benches/models.rs.

    python peer.py FILE LIMIT CASE TOOL[,TOOL...]

CASE is spelled as Safar spells the model: `rules` (first, last and linear touch), `markov:order=K`, `shapley`,
`shapley_rate:most=4`, `leave_one_out`. Prints one line of JSON a tool: {"tool", "case", "cpu_s", "wall_s", "peak_mb",
"conversions"}, or {"tool", "case", "missing"} with the reason: not within LIMIT seconds, more memory than MEMORY, what
the package said. Times include reading the file, not the import of packages; `conversions` is what was credited, where
the package says it. Packages: PACKAGES, from PyPI.
"""

import importlib.metadata
import json
import multiprocessing
import os
import queue
import resource
import sys
import time

PACKAGES = ["ChannelAttribution", "marketing_attribution_models", "do-attribution", "shapley-attribution"]
MEMORY = 14 << 30  # bytes that one process may hold
IMPORTS = 300  # seconds that importing may take, before the time that counts
PATH, CONVERSIONS, VALUE, NULLS = COLUMNS = ["path", "total_conversions", "total_conversion_value", "total_null"]


def frame(file):
    import pandas

    return pandas.read_csv(file, sep=";")


def outcomes(file):
    """Path, whether it converted, and how many did, a row for each outcome that occurs."""
    import polars

    data = polars.read_csv(file, separator=";")
    ends = [
        data.filter(polars.col(column) > 0).select(
            polars.col(PATH), polars.lit(end).alias("end"), polars.col(column).alias("people")
        )
        for end, column in [(1, CONVERSIONS), (0, NULLS)]
    ]
    return polars.concat(ends)


def converting(file):
    """Paths that converted, and how often: some packages take no weights, there a path is given that many times."""
    data = frame(file)
    data = data[data[CONVERSIONS] > 0]
    return zip(data[PATH], data[CONVERSIONS])


def channel_attribution(file, case):
    import ChannelAttribution

    data = frame(file)
    if case == "rules":
        found = ChannelAttribution.heuristic_models(data, *COLUMNS[:3], sep=">", flg_pro=False)
    else:
        order = int(case.removeprefix("markov:order="))
        settings = {"order": order, "sep": ">", "seed": 1, "verbose": False, "flg_pro": False}
        found = ChannelAttribution.markov_model(data, *COLUMNS, **settings)
    return float(found.iloc[:, 1].astype(float).sum())


def marketing_attribution_models(file, case):
    from mam import MAM

    given = {"channels_colname": PATH, "journey_with_conv_colname": "end", "occurrences_colname": "people"}
    mam = MAM(outcomes(file), "grouped_journey", **given)
    if case == "rules":
        found = [mam.run_first_click(), mam.run_last_click(), mam.run_linear()][0]
    elif case == "markov:order=1":
        found = mam.run_markov(transition_to_same_state=True)
    else:
        # Of larger sets it keeps the last four channels of the alphabet; Safar leaves them unattributed.
        found = mam.run_shapley(max_size=4)
    return float(found.to_polars()["attribution"].sum())


def do_attribution(file, case):
    from do_attribution import MarkovAttribution, ShapleyAttribution

    if case == "shapley":
        # Another game than Safar's: a set is worth the conversions of the paths with exactly its channels.
        paths = [path for path, times in converting(file) for _ in range(times)]
        ShapleyAttribution().fit(paths, [1] * len(paths))
        return None
    order = int(case.removeprefix("markov:order="))
    data = outcomes(file)
    paths, ends, people = (data[name].to_numpy() for name in ["path", "end", "people"])
    MarkovAttribution(order=order, removal_strategy="redirect_to_null").fit(paths, ends, weights=people)
    return None


def shapley_attribution(file, case):
    import shapley_attribution as package

    journeys = [path.split(" > ") for path, times in converting(file) for _ in range(times)]
    rules = [package.FirstTouchAttribution, package.LastTouchAttribution, package.LinearAttribution]
    for model in rules if case == "rules" else [package.SimplifiedShapleyAttribution]:
        fitted = model(normalize=False).fit(journeys)
    return float(sum(fitted.attribution_.values()))


def fractribution(file, case):
    """Google's fractribution is a program over BigQuery, not a package: this is what it defines, in plain Python.

    A touch earns what the conversion rate of its path loses when it is left out, 0 at least; the losses of a path are
    normalised, and the last touch earns all where nothing is lost.
    """
    data = frame(file)
    people, converted, credits = {}, {}, {}
    for path, conversions, nulls in zip(data[PATH], data[CONVERSIONS], data[NULLS]):
        path = tuple(path.split(" > "))
        people[path] = people.get(path, 0) + conversions + nulls
        converted[path] = converted.get(path, 0) + conversions
    rates = {path: converted[path] / all for path, all in people.items() if all}
    for path, conversions in converted.items():
        if not conversions:
            continue
        lost = [max(0.0, rates[path] - rates.get(path[:at] + path[at + 1 :], 0.0)) for at in range(len(path))]
        if len(path) == 1 or not any(lost):
            lost = [0.0] * (len(path) - 1) + [1.0]
        for channel, part in zip(path, lost):
            credits[channel] = credits.get(channel, 0.0) + conversions * part / sum(lost)
    return sum(credits.values())


TOOLS = {
    "ChannelAttribution": channel_attribution,
    "marketing_attribution_models": marketing_attribution_models,
    "do-attribution": do_attribution,
    "shapley-attribution": shapley_attribution,
    "fractribution": fractribution,
}


def run(tool, case, file, out):
    os.dup2(2, 1)  # what a package says is no result
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    version = importlib.metadata.version(tool) if tool in PACKAGES else "its definition"
    found = {"tool": f"{tool} {version}"}
    try:
        warm(tool)
        out.put(None)
        wall, used = time.perf_counter(), time.process_time()
        conversions = TOOLS[tool](file, case)
        found |= {"cpu_s": round(time.process_time() - used, 3), "wall_s": round(time.perf_counter() - wall, 3)}
        found |= {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
        found |= {"conversions": conversions}
    except MemoryError:
        found |= {"missing": f"needs more than {MEMORY >> 30} GB"}
    except Exception as problem:  # the package's own words
        found |= {"missing": f"{type(problem).__name__}: {problem}"[:200]}
    out.put(found)


def warm(tool):
    """Imports what the tool needs, outside of its time."""
    import pandas  # noqa: F401
    import polars  # noqa: F401

    modules = {"marketing_attribution_models": "mam", "do-attribution": "do_attribution"}
    if tool in PACKAGES:
        importlib.import_module(modules.get(tool, tool.replace("-", "_")))


def timed(tool, case, file, limit):
    context = multiprocessing.get_context("spawn")
    out = context.Queue()
    process = context.Process(target=run, args=(tool, case, file, out))
    process.start()
    found, end = None, time.monotonic() + IMPORTS
    while found is None and process.is_alive() and time.monotonic() < end:
        try:
            found = out.get(timeout=0.5)
        except queue.Empty:
            continue
        if found is None:  # its packages are there, its time begins
            end = time.monotonic() + limit
    if found is None and process.is_alive():
        process.kill()
        found = {"missing": f"not within {limit} s"}
    process.join()
    while found is None:
        try:
            found = out.get(timeout=1)
        except queue.Empty:
            found = {"missing": f"ended with code {process.exitcode}"}
    return {"tool": tool, "case": case} | found


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    file, limit, case, tools = sys.argv[1:]
    for tool in tools.split(","):
        print(json.dumps(timed(tool, case, file, float(limit))), flush=True)


if __name__ == "__main__":
    main()
