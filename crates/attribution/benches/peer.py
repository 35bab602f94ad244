"""Times ChannelAttribution (PyPI) on a path file, one process a case, for comparison with benches/models.rs.

    python peer.py FILE [CASE ...]

CASE is `rules` (its first, last and linear touch in one call) or `markov:order=K`; the default is rules and orders 1 to 4.
Prints one line of JSON a case: {"case", "cpu_s", "wall_s", "peak_mb", "credits"}; times include reading the file.
Needs `pip install ChannelAttribution matplotlib` (tried with 2.2.5).
"""

import json
import multiprocessing
import os
import resource
import sys
import time

DEFAULT = ["rules", "markov:order=1", "markov:order=2", "markov:order=3", "markov:order=4"]
COLUMNS = {"var_path": "path", "var_conv": "total_conversions", "var_value": "total_conversion_value"}


def run(case, file, out):
    os.dup2(2, 1)  # what the package says is no result
    import ChannelAttribution as ca
    import pandas as pd

    wall, used = time.perf_counter(), time.process_time()
    data = pd.read_csv(file, sep=";")
    if case == "rules":
        found = ca.heuristic_models(data, *COLUMNS.values(), sep=">", flg_pro=False)
    else:
        order = int(case.removeprefix("markov:order="))
        found = ca.markov_model(
            data, *COLUMNS.values(), "total_null", order=order, sep=">", seed=1, verbose=False, flg_pro=False
        )
    spent = {"cpu_s": round(time.process_time() - used, 3), "wall_s": round(time.perf_counter() - wall, 3)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    columns = list(found.columns)
    credits = {str(row[0]): float(row[1]) for row in found[columns[:2]].values.tolist()}
    out.put({"case": case, **spent, "peak_mb": round(peak), "credits": credits})


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    context = multiprocessing.get_context("spawn")
    for case in sys.argv[2:] or DEFAULT:
        out = context.Queue()
        process = context.Process(target=run, args=(case, sys.argv[1], out))
        process.start()
        while True:
            try:
                found = out.get(timeout=1)
                break
            except Exception:
                if not process.is_alive():
                    found = {"case": case, "error": f"ended with code {process.exitcode}"}
                    break
        process.join()
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
