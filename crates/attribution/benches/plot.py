"""Draws what `cargo xtask bench attribution` measured: python plot.py RESULTS.csv PLOT.svg

One panel a model, CPU seconds over rows of the file, both logarithmic; a line a tool and number of channels. A line that
is straight and no steeper than the grey one grows no faster than the rows.
"""

import csv
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

matplotlib.rcParams["svg.hashsalt"] = "safar"  # the same numbers give the same file


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cpu_s"]]
    lines = {}
    for row in rows:
        tool = row["tool"].split(" ")[0]
        line = lines.setdefault(row["case"], {}).setdefault((tool, int(row["channels"])), [])
        line.append((int(row["rows"]), float(row["cpu_s"])))
    tools = sorted({tool for panel in lines.values() for tool, _ in panel}, key=lambda tool: (tool != "Safar", tool))
    channels = sorted({count for panel in lines.values() for _, count in panel})
    colours = dict(zip(tools, plt.get_cmap("tab10").colors))
    styles = dict(zip(channels, ["-", "--", ":", "-."]))

    across = 3
    down = -(-len(lines) // across)
    figure, axes = plt.subplots(
        down, across, figsize=(4 * across, 3 * down), squeeze=False, sharex=True, sharey=True, layout="constrained"
    )
    for axis in axes.flat[len(lines) :]:
        axis.axis("off")
    for axis, (case, panel) in zip(axes.flat, lines.items()):
        for (tool, count), points in sorted(panel.items()):
            axis.plot(*zip(*sorted(points)), styles[count], color=colours[tool], marker="o", markersize=3)
        at = sorted({rows for points in panel.values() for rows, _ in points})
        axis.plot(at, [0.01 * rows / at[0] for rows in at], color="0.8", zorder=0)
        axis.set(title=case, xscale="log", yscale="log")
        axis.grid(color="0.93")
    for axis in axes[:, 0]:
        axis.set_ylabel("CPU seconds")
    for axis in axes[-1]:
        axis.set_xlabel("distinct paths")
    marks = [plt.Line2D([], [], color=colours[tool], label=tool) for tool in tools]
    marks += [plt.Line2D([], [], color="black", linestyle=styles[n], label=f"{n} channels") for n in channels]
    figure.legend(handles=marks, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
